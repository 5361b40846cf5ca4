"""What is stored is declared, expires by its rule, is unreadable from then on, and is deleted."""

from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId, MemberId, payment_id_of, receipt_id_of
from chalicelib.kernel.refusals import Malformed
from chalicelib.matching import store as matching_store
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network.model import Provider
from chalicelib.privacy import leaving, register, retention
from chalicelib.purchases import reading
from chalicelib.purchases import store as purchases
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing, NoReceipt
from chalicelib.runtime import aws, clock, quarantine, queues, rows, settings, sweeping
from chalicelib.tills import store as tills_store
from infra.resources import TABLES
from tests.makers.journeys import (
    NOON,
    OPENED_AT,
    PAID,
    SHOP,
    as_bank,
    open_town,
    send_receipts,
    till_receipt,
)
from tests.makers.network import BAKERY
from tests.makers.outside import Counted, run_worker, work
from tests.makers.purchases import delayed
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

BANK = ConnectionId("standard")
PAYER = PAID[Provider.STANDARD]
USER = Reference(LinkKind.USER, BANK, PAYER.user)
DAY = timedelta(days=1)

# Row type → how many days after NOON it expires; None for what stays until somebody ends it. A row
# type that is missing here fails the test: its rule has to be thought of.
EXPIRES_AFTER = {
    "PageRow": timedelta(days=7),
    "ClaimRow": timedelta(days=400),
    "CodeStripRow": timedelta(days=7),
    "EarlyChangeRow": timedelta(days=7),
    "RefundWaitingRow": timedelta(days=8),
    "ReviewRow": timedelta(days=35),
    "ReturnLeadRow": timedelta(days=400),
    "SaleCodeRow": timedelta(days=400),
    "UnnamedReturnRow": timedelta(days=7),
    "WaitingRow": timedelta(days=8),
    "PaymentRow": timedelta(days=400),
    "PurchaseRow": None,
    "QuarantineRow": timedelta(days=30),
    "ClientRow": None,
    "RefreshRow": timedelta(days=30),
    "SigningKeyRow": None,
    "ConnectionRow": None,
    "ParticipantRow": None,
    "IdentifierRow": None,
    "TokenRow": None,
    "DepartureRow": timedelta(days=7),
    "TicketRow": timedelta(minutes=10),
    "HeadRow": None,
    "LinkRow": None,
    "SweepRow": None,
    "AccessRow": timedelta(days=730),
    "AttemptsRow": timedelta(days=2),
    "ClocksRow": timedelta(days=100),
    "BudgetRow": None,
    "CampaignRow": None,
    "OfferRow": None,
    "OfferPageRow": None,
    "OfferEventRow": timedelta(days=90),
    "CountsRow": timedelta(days=731),
    "LeaseRow": timedelta(days=400),
    "CompetitionRow": timedelta(days=400),
    "EntryRow": timedelta(days=400),
    "PooledRow": timedelta(days=400),
    "ShardRow": timedelta(days=400),
    "CardRow": None,
    "PastRow": None,
    "DueRow": timedelta(days=30),
    "ClaimCodeRow": timedelta(days=400),
    "UsageRow": timedelta(days=400),
    "SchemeHeadRow": None,
    "SchemeVersionRow": None,
    "DestinationRow": None,
    "RemovedRow": timedelta(days=30),
    "EnvelopeKeyRow": None,
    "ModulusTableRow": None,
    "PayingAccountRow": None,
    "AdjustmentRow": timedelta(days=2557),
    "OpenAdjustmentRow": timedelta(days=2557),
    "LaunchRow": timedelta(days=400),
    "LeaverRow": timedelta(days=30),
    "SubscriberRow": None,
    "BookRow": timedelta(days=2557),
    "DaybookRow": timedelta(days=2557),
    "LateRow": timedelta(days=2557),
    "FoldRow": timedelta(days=60),
    "RetailerDayRow": timedelta(days=2557),
    "ClosingRow": None,
    "OpenHoldRow": timedelta(days=90),
    "HoldDecisionRow": timedelta(days=400),
    "LogPageRow": timedelta(days=30),
    "ToldRow": timedelta(days=90),
    "ReadRow": timedelta(days=366),
    "InstructionRow": timedelta(days=2557),
    "UnpaidRow": timedelta(days=2557),
    "OrderRow": timedelta(days=90),
    "LookUpRow": timedelta(days=90),
    "FileEntryRow": timedelta(days=90),
    "ReportRow": timedelta(days=730),
    "DifferenceRow": timedelta(days=730),
    "ReconciledRow": timedelta(days=2557),
    "InquiryRow": timedelta(days=400),
    "OpenInquiryRow": timedelta(days=90),
}


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))


def joined() -> MemberId:
    """A purchase of the bank's member is joined with its receipt."""
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()
    return members.get_member(USER, now=NOON).member_id


def items(table: str) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = aws.client("dynamodb").scan(
        TableName=settings.table(table)
    )["Items"]
    return found


def test_the_register_knows_every_row_type_and_every_table() -> None:
    declared = {one.__name__: one.retention.lasts for one in register.row_types()}

    assert declared == EXPIRES_AFTER
    assert {entry.table for entry in register.entries()} == {settings.table(t) for t in TABLES}


def test_an_emulator_deletes_nothing_by_the_clock_of_the_machine(embedded_aws: None) -> None:
    """DynamoDB Local would: every ten seconds, whatever is past its end in the world's time."""
    client = aws.client("dynamodb")

    stated = [client.describe_time_to_live(TableName=settings.table(table)) for table in TABLES]

    assert {one["TimeToLiveDescription"]["TimeToLiveStatus"] for one in stated} == {"DISABLED"}


def test_everything_sealed_says_what_is_in_it() -> None:
    sealed = [entry for entry in register.entries() if entry.attribute == "sealed"]

    assert len(sealed) > 5
    assert all(entry.kept.encrypted and entry.kept.holds for entry in sealed)
    assert [e for e in register.entries() if e.kept.encrypted and e not in sealed] == []


def test_every_row_of_a_journey_carries_the_expiry_of_its_rule(town: None) -> None:
    joined()
    send_receipts(till_receipt(PAYER, "R-2", total_minor=1))
    send_receipts([till_receipt(PAYER, "R-3"), till_receipt(PAYER, "R-4", total_minor=1)])
    work()
    timekeeping.write_out(now=NOON)
    expected = {
        "page#": NOON + 7 * DAY,
        "part#": NOON + 400 * DAY,
        "payment": datetime.fromisoformat("2026-11-20T11:41:07+00:00") + 400 * DAY,
        "tills#": NOON + 30 * DAY,
        "clocks": NOON + 100 * DAY,
        "purchase#": None,
        "head": None,
        "holder": None,
        "link#": None,
    }

    seen = set()
    for table in TABLES:
        for item in items(table):
            for prefix, expiry in expected.items():
                if item["sk"]["S"].startswith(prefix) and not item["pk"]["S"].startswith("network"):
                    seen.add(prefix)
                    said = item.get("expires_at", {}).get("N")
                    assert said == (str(rows.epoch(expiry)) if expiry else None), prefix
    assert seen == set(expected)


def test_what_expired_is_read_by_nobody_though_it_is_still_there(town: None) -> None:
    member_id = joined()
    quarantine.keep("tills", "{}", Malformed("no"), sender=BAKERY, now=NOON)
    receipt_id = receipt_id_of(BAKERY, "R-1")
    payment_id = payment_id_of(BANK, PAYER.transaction)
    before = {table: len(items(table)) for table in TABLES}

    def readable(at: datetime) -> list[bool]:
        pages = tills_store.list_pages(SHOP.store_id, since=OPENED_AT, until=NOON, now=at)
        return [
            bool(pages),
            bool(matching_store.list_claims(receipt_id, now=at)),
            bool(quarantine.list_day(NOON.date(), now=at)),
            payments.find_whereabouts(payment_id, now=at) is not None,
        ]

    second = timedelta(seconds=1)
    assert readable(NOON + 7 * DAY - second) == [True, True, True, True]
    assert readable(NOON + 7 * DAY) == [False, True, True, True]
    assert readable(NOON + 30 * DAY) == [False, True, False, True]
    assert readable(NOON + 400 * DAY) == [False, False, False, False]
    assert members.find_member(member_id, now=NOON + 400 * DAY) is not None
    assert {table: len(items(table)) for table in TABLES} == before


def test_the_sweep_deletes_and_counts_what_expired_and_nothing_else(
    town: None, counted: Counted
) -> None:
    joined()
    timekeeping.write_out(now=NOON)
    quarantine.keep("tills", "{}", Malformed("no"), sender=BAKERY, now=NOON)
    configuration = items("network")

    early = retention.sweep(now=NOON + 7 * DAY)
    week = retention.sweep(now=NOON + 7 * DAY + retention.GRACE + timedelta(seconds=1))
    later = retention.sweep(now=NOON + 500 * DAY)

    assert early == dict.fromkeys(retention.TABLES, 0)
    assert week == early | {"tills": 1}  # The page of strangers' receipts; the claim stays.
    assert later["tills"] == 2  # The claim, and the till's clock.
    assert later["cases"] == 1
    assert later["people"] == 1  # The payment.
    assert later["wallets"] == 0
    kept = [one for one in configuration if not one["pk"]["S"].startswith("refresh#")]
    assert items("network") == kept
    assert counted["retention_swept:tills"] == 3
    assert retention.sweep(now=NOON + 500 * DAY) == dict.fromkeys(retention.TABLES, 0)


def test_the_sweep_goes_on_where_it_stopped(town: None) -> None:
    for number in range(retention.ROWS_PER_TABLE_AND_RUN // 1_000):
        quarantine.keep("tills", str(number), Malformed("no"), sender=BAKERY, now=NOON)
    late = NOON + 31 * DAY
    expired = len(items("cases"))
    first = sweeping.sweep_expired("cases", expired_before=late, after=None, rows_max=2)
    second = sweeping.sweep_expired(
        "cases", expired_before=late, after=first.stopped_at, rows_max=100
    )

    assert (first.deleted, second.deleted, second.stopped_at) == (2, expired - 2, None)
    assert items("cases") == []


@pytest.mark.requirement("RCP-13")
def test_after_leaving_nothing_is_found_and_what_was_kept_runs_out(
    town: None, counted: Counted
) -> None:
    member_id = joined()
    path = f"/v1/transactions/{PAYER.transaction}/receipt"
    assert as_bank(Provider.STANDARD, "GET", path).status == 200
    salt_before = members.member_key_of(member_id, now=NOON)

    leaving.switch_off(USER, now=NOON)
    gone_at_once = as_bank(Provider.STANDARD, "GET", path)
    links = [item for item in items("people") if item["sk"]["S"] != "payment"]
    work(queues.PAYMENTS)

    assert (gone_at_once.status, gone_at_once.body["code"]) == (404, "NOT_SUPPORTED")
    assert links == []
    assert counted["purchases_on_last_clock"] == 1
    ends = str(rows.epoch(NOON + 30 * DAY))
    assert [item["expires_at"]["N"] for item in items("wallets")] == [ends] * 2
    assert salt_before is not None
    assert members.member_key_of(member_id, now=NOON + 30 * DAY - timedelta(seconds=1))
    assert members.member_key_of(member_id, now=NOON + 30 * DAY) is None
    retention.sweep(now=NOON + 31 * DAY)
    assert items("wallets") == []


def test_leaving_looks_again_for_what_a_worker_wrote_at_that_moment(town: None) -> None:
    joined()

    leaving.switch_off(USER, now=NOON)

    assert delayed(queues.PAYMENTS) == 1


def test_every_purchase_of_a_member_with_over_a_thousand_is_put_on_its_last_clock(
    town: None,
) -> None:
    """Copies of one row under as many times: only the clock on them matters here."""
    member_id = joined()
    (row,) = [item for item in items("wallets") if item["sk"]["S"].startswith("purchase#")]
    dynamodb = aws.client("dynamodb")
    for first in range(0, 1_020, 20):
        copies = [
            {**row, "sk": {"S": f"purchase#2026-01-01T00:00:00#{number:05}"}}
            for number in range(first, first + 20)
        ]
        puts = [{"PutRequest": {"Item": copy}} for copy in copies]
        dynamodb.batch_write_item(RequestItems={settings.table("wallets"): puts})

    changed = purchases.end_retention(member_id, left_at=NOON, now=NOON)
    again = purchases.end_retention(member_id, left_at=NOON, now=NOON + DAY)

    assert (changed, again) == (1_021, 0)


def test_strangers_receipts_are_forgotten_after_seven_days(town: None) -> None:
    send_receipts([till_receipt(PAYER, f"R-{n}") for n in range(6)])
    work()
    assert len([item for item in items("tills") if item["sk"]["S"].startswith("page#")]) == 1
    clock.use(lambda: NOON + 7 * DAY)

    signed(Provider.STANDARD, at=NOON + 7 * DAY).send()
    run_worker(queues.PAYMENTS)
    retention.sweep(now=NOON + 8 * DAY)

    answer = reading.find_receipt(BANK, PAYER.transaction, now=NOON + 7 * DAY)
    assert answer == NoReceipt(Missing.PENDING)
    assert [item for item in items("tills") if item["sk"]["S"].startswith("page#")] == []
