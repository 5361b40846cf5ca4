"""From an empty stage to the first receipt with nothing but the operator's commands."""

import json
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from chalicelib.kernel.ids import ConnectionId, RetailerId, StoreId
from chalicelib.kernel.refusals import SignatureMismatch
from chalicelib.network import service as network
from chalicelib.network.access import clients
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Connection, KeyUse, Provider, RetailerStatus
from chalicelib.runtime import clock
from tests.makers.api import Said, token_of
from tests.makers.banks import whsec
from tests.makers.events import event
from tests.makers.journeys import NOON, OPENED_AT, PAID, till_receipt
from tests.makers.operating import operate
from tests.makers.outside import ask, waiting_on, work

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BANK = ConnectionId("harbour")
MID = Identifier(IdentifierKind.MID, "MID-BL-0042")


@pytest.fixture(autouse=True)
def empty_stage(embedded_aws: None) -> None:
    clock.use(lambda: NOON)


def run(*arguments: str, typed: str | None = None) -> list[str]:
    """The lines of a command that succeeds."""
    done = operate(*arguments, typed=typed)
    assert (done.exit_code, done.exception) == (0, None), done.stderr
    return done.stdout.splitlines()


def add_bank(*more: str, typed: str | None = None) -> list[str]:
    return run(
        *("add-connection", f"--connection={BANK}", "--provider=standard", "--name=Harbour Bank"),
        *("--told-at-url=http://127.0.0.1:9/receipts", *more),
        typed=typed,
    )


def keyed(connection_id: str) -> Connection:
    """The connection as it stands, with its keys."""
    return network.with_keys(network.get_connection(ConnectionId(connection_id), now=NOON))


def add_shop() -> None:
    run("add-retailer", "--retailer=bean", "--name=Bean & Leaf")
    run(
        *("add-store", "--store=bean-42", "--retailer=bean", "--reference=0042"),
        *("--name=Bean & Leaf York", "--zone=Europe/London"),
        *("--identifier=mid=MID-BL-0042", "--identifier=narrative=BEAN & LEAF 0042"),
    )


def switch_on(secret: str) -> Said:
    """The bank's app switches its member on."""
    terms = {"version": "2026-01", "channel": "bank_app"}
    body = {"terms": terms, "accounts": [{"id": PAYER.account}]}
    headers = {"Authorization": f"Bearer {token_of('app', secret=secret)}"}
    path = f"/v1/members/{PAYER.user}"
    return ask("PUT", path, headers=headers, body=json.dumps(body).encode())


def test_a_stage_that_commands_filled_joins_a_payment_with_its_receipt() -> None:
    run("set-up-stage")
    hook, verify, sign = add_bank("--make-key=verify", "--make-key=sign")
    add_shop()
    (till_secret,) = run("add-client", "--client=till", "--kind=retailer", "--for=bean")
    (bank_secret,) = run("add-client", "--client=app", "--kind=bank", f"--for={BANK}")
    clock.use(lambda: OPENED_AT)
    put = switch_on(bank_secret)
    clock.use(lambda: NOON)
    raw = event("standard_payment_authorised")
    signature = Webhook(verify.removeprefix("verify  ")).sign("m-1", NOON, raw.decode())
    headers = {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(NOON.timestamp())),
        "webhook-signature": signature,
    }
    told = ask("POST", urlsplit(hook.removeprefix("hook  ")).path, headers=headers, body=raw)
    sold = ask(
        "POST",
        "/v1/receipts",
        headers={"Authorization": f"Bearer {token_of('till', secret=till_secret)}"},
        body=json.dumps(till_receipt(PAYER)).encode(),
    )
    work()

    assert (put.status, told.status, sold.status) == (201, 200, 202)
    assert sign.startswith("sign  whsec_")
    assert waiting_on("deliveries") == 1


def test_names_the_hook_at_the_address_where_hooks_come_in() -> None:
    os.environ["COUNTERFOIL_HOOKS_URL"] = "https://hooks.counterfoil.test/"
    try:
        (standard,) = add_bank()
        fidel = run(
            *("add-connection", "--connection=fidel", "--provider=fidel", "--name=Fidel"),
            "--registered-url={hook}?event={event}",
        )
    finally:
        del os.environ["COUNTERFOIL_HOOKS_URL"]
    flux = run("add-connection", "--connection=flux", "--provider=flux_v1", "--name=Flux Bank")

    hook = network.get_connection(BANK, now=NOON).hook
    assert standard == f"hook  https://hooks.counterfoil.test/hooks/{hook}"
    assert len(hook) == 32
    connection = network.get_connection(ConnectionId("fidel"), now=NOON)
    assert fidel == [f"hook  {connection.registered_url}"]
    assert connection.registered_url == (
        f"https://hooks.counterfoil.test/hooks/{connection.hook}?event={{event}}"
    )
    assert (flux, network.get_connection(ConnectionId("flux"), now=NOON).hook) == ([], "")


def test_takes_keys_from_files_standard_input_and_a_prompt(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{whsec(1)}\n")

    add_bank(f"--key-file=verify={file}", "--ask-key=sign", typed=f"{whsec(2)}\n")
    run(
        *("add-connection", "--connection=meadow", "--provider=standard", "--name=Meadow"),
        "--key-file=verify=-",
        typed=f"{whsec(3)}\n",
    )

    harbour = keyed(BANK)
    meadow = keyed("meadow")
    assert harbour.keys_for(KeyUse.VERIFY, now=NOON) == (whsec(1),)
    assert harbour.keys_for(KeyUse.SIGN, now=NOON) == (whsec(2),)
    assert meadow.keys_for(KeyUse.VERIFY, now=NOON) == (whsec(3),)


def test_never_shows_a_key_that_was_given(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(whsec(1))

    done = operate(
        *("add-connection", f"--connection={BANK}", "--provider=standard", "--name=Harbour"),
        *(f"--key-file=verify={file}", "--ask-key=sign"),
        typed=f"{whsec(2)}\n",
    )
    listed = operate("list-connections")

    said = done.stdout + done.stderr + listed.stdout + listed.stderr
    assert [key for key in (whsec(1), whsec(2)) if key in said] == []
    assert listed.stdout == "harbour  standard  Harbour  FLUX  yes  no\n"


def test_refuses_what_cannot_be() -> None:
    add_bank()
    add_shop()
    run("add-client", "--client=till", "--kind=retailer", "--for=bean")
    bank = ("add-connection", "--provider=standard", "--name=x")
    shop = ("add-store", "--store=s", "--reference=1", "--name=x", "--zone=Europe/London")
    refused = {
        "there is a connection of that id": (*bank, f"--connection={BANK}"),
        "there is no such connection": (*bank, "--connection=b", "--source=nobody"),
        "there is no such programme": (*bank, "--connection=b", "--programme=NONE"),
        "the key is empty": (*bank, "--connection=b", "--key-file=sign=/dev/null"),
        "there is a retailer of that id": ("add-retailer", "--retailer=bean", "--name=x"),
        "there is no such retailer": (*shop, "--retailer=nobody"),
        "an identifier is KIND=VALUE": (*shop, "--retailer=bean", "--identifier=mid"),
        "a place is two numbers": (*shop, "--retailer=bean", "--place=53.8"),
        "VALUE, of mid, tid, monzo_merchant": (*shop, "--retailer=bean", "--identifier=place=1,1"),
        "there is a client of that id": ("add-client", "--client=till", "--kind=operator"),
        "there is no such client": ("remove-client", "--client=nobody"),
        "nothing was given to change": ("change-connection", f"--connection={BANK}"),
        "calls another store by that reference": (*shop, "--retailer=bean", "--reference=0042"),
        "the URL is not HTTPS": (*bank, "--connection=b", "--told-at-url=ftp://bank.example"),
        "the URL has no plain host": (
            "change-connection",
            f"--connection={BANK}",
            "--api-url=http:",
        ),
    }

    for sentence, arguments in refused.items():
        done = operate(*arguments)
        said = " ".join(done.stderr.split())
        assert (done.exit_code, done.stdout, sentence in said) == (1, "", True), sentence
    assert [c.connection_id for c in network.list_connections(now=NOON)] == [BANK]


def test_changes_what_is_given_and_nothing_else() -> None:
    add_bank("--make-key=sign")
    add_shop()
    before = keyed(BANK)

    run("change-connection", f"--connection={BANK}", "--told-at-url=", "--no-receipts")
    run("change-retailer", "--retailer=bean", "--status=ended")
    run(
        *("change-store", "--store=bean-42", "--name=Bean York", "--identifier=mid=OTHER"),
        *("--receipts-within-seconds=600", "--place=53.7974,-1.5438"),
    )

    after = keyed(BANK)
    assert (after.told_at_url, after.receipts) == ("", False)
    assert (after.keys, after.hook, after.name) == (before.keys, before.hook, before.name)
    assert len(after.keys_for(KeyUse.SIGN, now=NOON)) == 1
    retailer = network.get_retailer(RetailerId("bean"), now=NOON)
    assert (retailer.status, retailer.name) == (RetailerStatus.ENDED, "Bean & Leaf")
    store = network.get_store(StoreId("bean-42"), now=NOON)
    assert (store.name, store.receipts_within_seconds) == ("Bean York", 600)
    assert (store.latitude, store.longitude) == (53.7974, -1.5438)
    run("change-retailer", "--retailer=bean", "--status=live")
    assert network.find_stores([MID], now=NOON) == ()
    other = Identifier(IdentifierKind.MID, "OTHER")
    assert network.find_stores([other], now=NOON) == (store,)


def test_finds_a_renamed_store_by_what_it_was_found_by_before() -> None:
    add_shop()
    run("list-stores", "--retailer=bean")

    said = run("change-store", "--store=bean-42", "--name=Bean York")

    assert said == ["mid=MID-BL-0042", "narrative=BEAN & LEAF", "store_reference=bean/0042"]
    (found,) = network.find_stores([MID], now=NOON)
    assert (found.store_id, found.name) == ("bean-42", "Bean York")
    nothing = operate("change-store", "--store=bean-42")
    assert (nothing.exit_code, nothing.stderr) == (1, "Refused: nothing was given to change.\n")


def test_gives_no_store_the_reference_of_another() -> None:
    add_shop()
    run(
        *("add-store", "--store=bean-43", "--retailer=bean", "--reference=0043", "--name=x"),
        "--zone=Europe/London",
    )

    done = operate("change-store", "--store=bean-43", "--reference=0042")

    assert (done.exit_code, done.stderr) == (
        1,
        "Refused: the retailer calls another store by that reference.\n",
    )
    assert network.get_store(StoreId("bean-43"), now=NOON).reference == "0043"


def test_says_which_keys_a_connection_lacks() -> None:
    bare = operate(
        *("add-connection", f"--connection={BANK}", "--provider=standard", "--name=Harbour"),
        "--told-at-url=https://bank.example/receipts",
    )
    monzo = operate("add-connection", "--connection=m", "--provider=monzo", "--name=Monzo")

    assert " ".join(bare.stderr.split()).startswith(
        "harbour is connected. It has no key to verify: what its bank sends is refused. Give it "
        "one: rotate-connection-key. It has no key to sign: its bank cannot be told of receipts. "
    )
    assert "no key" not in monzo.stderr


def test_names_a_key_file_that_cannot_be_read() -> None:
    done = operate(
        *("add-connection", f"--connection={BANK}", "--provider=standard", "--name=Harbour"),
        "--key-file=verify=/nowhere/key",
    )

    assert (done.exit_code, done.stdout) == (2, "")
    assert "/nowhere/key cannot be read" in done.stderr
    assert network.list_connections(now=NOON) == ()


def test_makes_the_key_that_a_fidel_bank_is_told_with_and_no_other() -> None:
    def add(name: str, use: str) -> tuple[int, str, str]:
        done = operate(
            *("add-connection", f"--connection={name}", "--provider=fidel", "--name=Fidel"),
            f"--make-key={use}",
        )
        return done.exit_code, done.stdout, " ".join(done.stderr.split())

    made, refused = add("one", "sign"), add("two", "verify")

    assert made[0] == 0
    assert "sign  whsec_" in made[1]
    assert refused[0] == 1
    assert "the key of the use `verify` itself; give it with `--key-file verify=FILE`" in refused[2]


def test_lists_retailers_and_their_stores() -> None:
    add_shop()

    assert run("list-retailers") == ["bean  Bean & Leaf  live  30 days"]
    assert run("list-stores", "--retailer=bean") == [
        "bean-42  0042  Bean & Leaf York  Europe/London  -"
    ]
    assert operate("list-stores", "--retailer=nobody").exit_code == 1


def test_rotates_a_clients_secret_without_a_pause_and_ends_it() -> None:
    add_bank()
    (old,) = run("add-client", "--client=app", "--kind=bank", f"--for={BANK}")

    (new,) = run("rotate-client-secret", "--client=app", "--old-valid-hours=1")

    soon, later = NOON + timedelta(minutes=59), NOON + timedelta(minutes=60)
    assert clients.authenticate("app", old, now=soon).subject == BANK
    assert clients.authenticate("app", new, now=later).subject == BANK
    with pytest.raises(SignatureMismatch):
        clients.authenticate("app", old, now=later)
    run("remove-client", "--client=app")
    assert clients.find_client("app", now=NOON) is None


def test_stops_and_resumes_telling() -> None:
    add_bank()

    run("stop-telling", f"--connection={BANK}")
    stopped = run("list-connections")
    run("resume-telling", f"--connection={BANK}")

    assert stopped[0].endswith("stopped 2026-11-20 12:00")
    assert network.get_connection(BANK, now=NOON).told_until is None
    assert operate("stop-telling", "--connection=nobody").exit_code == 1


def add_store(store: str, reference: str, *more: str) -> list[str]:
    """What is said of a store that is added."""
    done = operate(
        *("add-store", f"--store={store}", "--retailer=bean", f"--reference={reference}"),
        *("--name=Bean & Leaf", "--zone=Europe/London", *more),
    )
    assert done.exit_code == 0, done.stderr
    return done.stderr.splitlines()


def test_warns_of_a_mid_that_another_store_has() -> None:
    add_shop()

    second = " ".join(add_store("bean-43", "0043", "--identifier=mid=MID-BL-0042"))
    own = add_store("bean-44", "0044", "--identifier=mid=MID-BL-0044")
    changed = operate("change-store", "--store=bean-44", "--identifier=mid=MID-BL-0042")

    assert second.startswith("bean-43 takes part. Warning: mid=MID-BL-0042 is that of bean-42 too.")
    assert "is refused (unknown_store)" in second
    assert own == ["bean-44 takes part."]
    assert "mid=MID-BL-0042 is that of bean-42, bean-43 too." in " ".join(changed.stderr.split())
    assert network.find_stores([MID], now=NOON) != ()


@pytest.mark.parametrize("retailer", ["sp ace", "Bean", "ça", "-bean", "", "b" * 31])
def test_refuses_a_retailers_id_that_fits_no_queues_name(retailer: str) -> None:
    done = operate("add-retailer", f"--retailer={retailer}", "--name=Bean & Leaf")

    assert done.exit_code == 1
    assert "a retailer's id is 1 to 30 of a-z, 0-9, _ and -" in done.stderr
    assert network.list_retailers(now=NOON) == ()


@pytest.mark.parametrize("store", ["a#b/ç", "sp ace", "-a", "", "s" * 81])
def test_refuses_a_stores_id_that_fits_no_queues_name(store: str) -> None:
    run("add-retailer", "--retailer=bean", "--name=Bean & Leaf")

    done = operate(
        *("add-store", f"--store={store}", "--retailer=bean", "--reference=1"),
        *("--name=Bean", "--zone=Europe/London"),
    )

    assert done.exit_code == 1
    assert "a store's id is 1 to 80 letters, digits, _ and -" in done.stderr
    assert network.list_stores(RetailerId("bean"), now=NOON) == ()


@pytest.mark.parametrize("name", ["", "   "])
def test_refuses_an_empty_name(name: str) -> None:
    add_shop()

    refused = [
        operate("add-retailer", "--retailer=other", f"--name={name}"),
        operate("change-retailer", "--retailer=bean", f"--name={name}"),
        operate("change-store", "--store=bean-42", f"--name={name}"),
        operate(
            *("add-store", "--store=s", "--retailer=bean", "--reference=9"),
            *(f"--name={name}", "--zone=Europe/London"),
        ),
    ]

    assert [(one.exit_code, "a name is empty" in one.stderr) for one in refused] == [(1, True)] * 4
