"""A key is rotated while messages wait: all of them arrive, once, signed as they should be."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import jws
from chalicelib.kernel.ids import ConnectionId
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import clock, queues, vault
from infra.cli.terminal import EXIT_REFUSED
from tests.makers.bank_server import BankServer, Heard
from tests.makers.banks import whsec
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.operating import operate
from tests.makers.outside import ask, everything_stored, run_worker, waiting_on, work
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

LATER = NOON + timedelta(hours=2)  # A new master or signing key is in use after one.
NEW_KEY = whsec(9)
STANDARD = f"--connection={PAID[Provider.STANDARD].connection_id}"


def succeed(*arguments: str, typed: str | None = None) -> Result:
    done = operate(*arguments, typed=typed)
    assert done.exit_code == 0, done.output
    return done


def rotate_hook_key() -> None:
    succeed("rotate-connection-key", STANDARD, "--use=verify", typed=NEW_KEY + "\n")


def rotate_key_we_sign_with() -> None:
    succeed("rotate-connection-key", STANDARD, "--use=sign", typed=NEW_KEY)


def rotate_our_signing_key() -> None:
    succeed("rotate-signing-key")


def rotate_master_key() -> None:
    succeed("rotate-master-key")


def is_signed_by_both(heard: Heard, *, at: datetime) -> bool:
    """Whether the bank can check the call by the key it knew and by the one it was told."""
    message, text = heard.headers["webhook-id"], heard.body.decode()
    expected = [Webhook(key).sign(message, at, text) for key in (NEW_KEY, whsec(2))]
    return heard.headers["webhook-signature"].split() == expected


def is_signed_by_old(heard: Heard, *, at: datetime) -> bool:
    message, text = heard.headers["webhook-id"], heard.body.decode()
    return heard.headers["webhook-signature"] == Webhook(whsec(2)).sign(message, at, text)


def is_signed_by_the_second_published_key(heard: Heard, *, at: datetime) -> bool:
    published = ask("GET", "/auth/.well-known/jwks.json").body["keys"]
    jws.verify_detached(heard.headers["x-jws-signature"], heard.body, published[1])
    return len(published) == 2


ROTATIONS = pytest.mark.parametrize(
    ("provider", "rotate", "holds"),
    [
        (Provider.STANDARD, rotate_hook_key, is_signed_by_old),
        (Provider.STANDARD, rotate_key_we_sign_with, is_signed_by_both),
        (Provider.STANDARD, rotate_master_key, is_signed_by_old),
        (Provider.FLUX_V1, rotate_our_signing_key, is_signed_by_the_second_published_key),
    ],
    ids=["hook", "sign", "master", "signing"],
)


@ROTATIONS
@pytest.mark.parametrize("waiting", [queues.PAYMENTS, queues.DELIVERIES])
@pytest.mark.parametrize("fresh_process", [False, True], ids=["old_process", "fresh_process"])
def test_what_waits_while_a_key_rotates_arrives_once(
    bank: BankServer,
    provider: Provider,
    rotate: Callable[[], None],
    holds: Callable[..., bool],
    waiting: str,
    fresh_process: bool,
) -> None:
    open_town(bank.url, providers=(provider,))
    signed(provider).send()
    send_receipts([till_receipt(PAID[provider])])
    if waiting == queues.DELIVERIES:
        work()
    held = waiting_on(waiting)

    rotate()
    clock.use(lambda: LATER)
    if fresh_process:
        vault.forget_keys()
        network.forget()
    work()
    ran = run_worker(queues.DELIVERIES)

    assert held >= 1
    assert (len(ran.bodies), ran.failed, len(bank.heard)) == (1, (), 1)
    assert holds(bank.heard[0], at=LATER)
    assert [waiting_on(name) for name in (queues.PAYMENTS, queues.DELIVERIES)] == [0, 0]


@pytest.mark.requirement("SEC-02")
def test_a_hook_is_taken_by_either_key_for_a_day_and_then_by_the_new_one(
    bank: BankServer,
) -> None:
    open_town(bank.url, providers=(Provider.STANDARD,))
    rotate_hook_key()

    def answers(at: datetime) -> list[int]:
        clock.use(lambda: at)
        return [signed(Provider.STANDARD, key=key, at=at).send().status for key in (None, NEW_KEY)]

    assert answers(NOON + timedelta(minutes=1)) == [200, 200]
    assert answers(NOON + timedelta(days=1)) == [401, 200]


def test_makes_a_secret_that_the_bank_is_told_and_nobody_else(bank: BankServer) -> None:
    open_town(bank.url, providers=(Provider.STANDARD,))

    done = succeed("rotate-connection-key", STANDARD, "--use=verify", "--generate")

    secret = done.stdout.strip()
    assert secret.startswith("whsec_")
    assert secret not in done.stderr
    assert "The old one is valid until 2026-11-21 12:00 UTC." in done.stderr
    assert signed(Provider.STANDARD, key=secret).send().status == 200
    assert secret.removeprefix("whsec_") not in everything_stored()


def test_says_nothing_of_an_old_key_where_there_was_none(bank: BankServer) -> None:
    open_town(bank.url, providers=(Provider.FLUX_V1,))
    first = operate(
        *("rotate-connection-key", "--connection=flux-v1", "--use=client"), typed="a-secret\n"
    )
    second = operate(
        *("rotate-connection-key", "--connection=flux-v1", "--use=client"), typed="another\n"
    )

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "The old one" not in first.stderr
    assert "The old one is valid until" in second.stderr


@pytest.mark.parametrize(
    ("given", "use"),
    [
        ("", "verify"),
        ("two words", "verify"),
        ("whsec_", "verify"),
        ("whpk_AAAA", "verify"),
        ("a-secret", "sign"),
        ("x" * 4001, "api"),
    ],
)
def test_refuses_a_key_that_would_sign_or_prove_nothing(
    bank: BankServer, tmp_path: Path, given: str, use: str
) -> None:
    open_town(bank.url, providers=(Provider.STANDARD,))
    connection_id = ConnectionId(PAID[Provider.STANDARD].connection_id)
    before = network.get_connection(connection_id, now=NOON)
    file = tmp_path / "key"
    file.write_text(given)

    arguments = ("rotate-connection-key", STANDARD, f"--use={use}", f"--file={file}")
    done = operate(*arguments)

    assert done.exit_code == EXIT_REFUSED
    assert "Refused: the key" in done.stderr
    assert network.get_connection(connection_id, now=NOON) == before


def test_shows_when_each_master_key_seals_and_no_key(bank: BankServer) -> None:
    clock.use(lambda: NOON)
    succeed("rotate-master-key")

    shown = succeed("show-master-keys").stdout

    assert shown == "1  2026-01-01 00:00\n2  2026-11-20 13:00\n"


def test_setting_a_stage_up_twice_keeps_its_keys(bank: BankServer) -> None:
    clock.use(lambda: NOON)

    first, second = succeed("set-up-stage").stderr, succeed("set-up-stage").stderr

    assert first == second
    assert "There is a ring already." in first
