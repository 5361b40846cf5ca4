"""A master key goes out of use: what it sealed is sealed anew and stays readable."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from click.testing import Result

from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, clock, ring, settings, vault
from infra import resealing
from infra.cli.terminal import EXIT_REFUSED
from tests.makers.api import token_of
from tests.makers.bank_server import bank_server
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.members import numbered
from tests.makers.operating import operate
from tests.makers.outside import ask, work
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

PROVIDERS = (Provider.STANDARD, Provider.MONZO)  # Monzo's member has a token, too.
SEALING = NOON + timedelta(hours=2)
RETIRED = NOON + timedelta(days=36, hours=1)
TABLES = ("wallets", "people", "network")


@pytest.fixture(autouse=True)
def rotated(embedded_aws: None) -> Iterator[None]:
    """Two members with a purchase each, all under key 1; key 2 seals now."""
    with bank_server() as bank:
        open_town(bank.url, providers=PROVIDERS)
        for provider in PROVIDERS:
            signed(provider).send()
            send_receipts([till_receipt(PAID[provider], f"R-{provider.value}")])
        work()
        operate("rotate-master-key")
        clock.use(lambda: SEALING)
        yield
    clock.use(None)


def numbers_of(*tables: str) -> list[int]:
    """The number of the master key of every sealed value, in order."""
    return sorted(
        item["sealed"]["B"][0]
        for table in tables
        for item in aws.client("dynamodb").scan(TableName=settings.table(table))["Items"]
        if "sealed" in item
    )


def rows_in(*tables: str) -> int:
    """How many rows the tables have."""
    scans = [aws.client("dynamodb").scan(TableName=settings.table(table)) for table in tables]
    return sum(len(scan["Items"]) for scan in scans)


def read_and_said(done: Result) -> tuple[str, str]:
    """The last state of the bar, without the bar and the time, and the sentence after it."""
    bar, said = done.stderr.splitlines()
    *words, _drawn, counted, _remaining = bar.split()
    return " ".join((*words, counted)), said


def receipt_total(provider: Provider) -> int:
    """What the bank reads of its customer's purchase, in pence."""
    bearer = token_of(f"client-{PAID[provider].connection_id}")
    path = f"/v1/transactions/{PAID[provider].transaction}/receipt"
    said = ask("GET", path, headers={"Authorization": f"Bearer {bearer}"})
    total: int = said.body["receipt"]["total"]["minor"]
    return total


def test_seals_everything_anew_and_everything_is_read_as_before() -> None:
    before = numbers_of(*TABLES)

    done = operate("reseal-rows", "--number=1")
    again = operate("reseal-rows", "--number=1")

    assert before == [1] * len(before)
    assert numbers_of(*TABLES) == [2] * len(before)
    rows = f"rows read, of about {rows_in(*TABLES)}/{rows_in(*TABLES)}"
    assert read_and_said(done) == (rows, f"{len(before)} sealed anew; 0 open to nobody.")
    assert read_and_said(again) == (rows, "0 sealed anew; 0 open to nobody.")
    vault.forget_keys()
    network.forget()
    assert [receipt_total(one) for one in PROVIDERS] == [PAID[one].minor for one in PROVIDERS]
    assert all(details_open(number, now=SEALING) for number in (1, 2))


def details_open(number: int, *, now: datetime) -> bool:
    """Whether all that is kept of a member is readable."""
    member = members.find_member(numbered(number).member_id, now=now)
    return member is not None and member.anchor is not None


def test_keeps_a_key_while_a_row_is_sealed_under_it_and_then_retires_it() -> None:
    early = operate("retire-master-key", "--number=1")
    operate("reseal-rows", "--number=1")
    clock.use(lambda: RETIRED)
    with_pages = operate("retire-master-key", "--number=1")
    forget_pages()
    done = operate("retire-master-key", "--number=1")

    assert "another has sealed for 36 days" in " ".join(early.stderr.split())
    assert "rows are sealed under this master key" in with_pages.stderr
    assert ["rows read" in one.stderr for one in (early, with_pages, done)] == [False, True, True]
    assert [early.exit_code, with_pages.exit_code, done.exit_code] == [1, 1, 0]
    assert operate("show-master-keys").stdout == "2  2026-11-20 13:00\n"
    vault.forget_keys()
    assert [receipt_total(one) for one in PROVIDERS] == [PAID[one].minor for one in PROVIDERS]


def forget_pages() -> None:
    """What TTL does to receipt pages within days."""
    dynamodb, table = aws.client("dynamodb"), settings.table("tills")
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def test_what_nobody_can_open_keeps_no_key() -> None:
    head = {"pk": {"S": numbered(1).member_id}, "sk": {"S": "head"}}
    aws.client("dynamodb").update_item(
        TableName=settings.table("wallets"), Key=head, UpdateExpression="REMOVE salt"
    )
    forget_pages()

    done = resealing.reseal(1, now=SEALING)

    assert done.unreadable == 3  # The head, the purchase and the payment of the forgotten member.
    assert resealing.count(1, now=SEALING) == resealing.Counted(0, 3)


def test_refuses_to_seal_anew_what_seals_now() -> None:
    refused = operate("reseal-rows", "--number=2")

    assert (refused.exit_code, numbers_of(*TABLES)[-1]) == (EXIT_REFUSED, 1)


def test_reads_no_table_for_a_key_that_is_not_there() -> None:
    refused = operate("reseal-rows", "--number=9")

    *bar, said = refused.stderr.splitlines()
    assert (refused.exit_code, said) == (
        EXIT_REFUSED,
        "Refused: the ring has no master key of that number.",
    )
    assert all(" 0/" in line for line in bar)


def test_loses_no_race_with_somebody_who_writes_the_row() -> None:
    (row, *_) = resealing.sweeping.list_sealed("network", 1, after=None, rows_max=10).found
    network.stop_telling(network.list_connections(now=SEALING)[0].connection_id, now=SEALING)

    replaced = resealing.sweeping.replace_sealed(row, b"\x02 an old value")

    assert replaced is False
    assert network.list_connections(now=SEALING)[0].told_until == SEALING
    assert ring.sealing_key().number == 2
