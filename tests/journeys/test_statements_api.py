"""What a retailer's campaigns owe for a month: over HTTP, in files, and from raw entries."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.ledger import checking, service
from chalicelib.ledger.accounts import retailer_owner
from chalicelib.ledger.closing import invoicing
from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.days import store as daybook
from chalicelib.ledger.days.folding import add_up, line_of
from chalicelib.ledger.days.totals import breaks
from chalicelib.ledger.giving import give, take_back
from chalicelib.ledger.model import EntryKind, Leg
from chalicelib.ledger.statements import Period, make_statement, read_period
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Retailer
from chalicelib.runtime import clock
from tests.makers.api import call, make_client, token_of
from tests.makers.ledger import make_gift, pounds
from tests.makers.nights import begin, close_until
from tests.makers.payouts import open_queues

pytestmark = pytest.mark.usefixtures("now")

BAKERY, CINEMA = RetailerId("bakery"), RetailerId("cinema")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
PATH = "/v1/retailers/self/statements/2026-11"
DAYS = (1, 1, 3, 17, 30)


def _at(day: int) -> datetime:
    return datetime(2026, 11, day, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def closed_month(shared_aws: None) -> datetime:
    """Gifts of two campaigns of the bakery and one of the cinema; three are taken back in part.

    Every day of the month is closed; returns when the last one was.
    """
    open_queues()
    for retailer_id in (BAKERY, CINEMA):
        network.record_retailer(Retailer(retailer_id, retailer_id.title()))
    begin(FIRST)
    for number, day in enumerate(DAYS):
        for campaign, retailer in (("buns", BAKERY), ("bread", BAKERY), ("popcorn", CINEMA)):
            gift = make_gift(
                number,
                100 + number,
                key=f"{campaign}:{number}",
                member_id=MemberId(f"member{number:020}"),
                campaign_id=campaign,
                retailer_id=retailer,
                at=_at(day),
                available_at=_at(day) + timedelta(days=30),
            )
            give(gift, now=_at(day))
            if number % 2 == 0:
                take_back(
                    gift.key,
                    "line-1",
                    member_id=gift.member_id,
                    amount=pounds(50),
                    originated_at=gift.at,
                    reason="returned",
                    now=_at(day) + timedelta(hours=12 if day < 30 else 0),
                )
    return close_until(LAST)


@pytest.fixture
def now(closed_month: datetime) -> Iterator[datetime]:
    """The night in which the month was closed."""
    clock.use(lambda: closed_month)
    yield closed_month
    clock.use(None)


def _token(retailer_id: str = BAKERY) -> str:
    make_client(f"{retailer_id}-client", retailer_id, ClientKind.RETAILER)
    return token_of(f"{retailer_id}-client")


@pytest.mark.requirement("LOY-18")
def test_a_statement_is_what_was_given_less_what_was_taken_back() -> None:
    said = call("GET", PATH, token=_token())

    line = {
        "currency": "GBP",
        "given": 5,
        "given_minor": 510,
        "taken_back": 3,
        "taken_back_minor": 150,
        "owed_minor": 360,
    }
    assert said.status == 200
    assert said.body["lines"] == [line | {"campaign": "bread"}, line | {"campaign": "buns"}]
    assert said.body["totals"] == [
        {name: value * 2 if isinstance(value, int) else value for name, value in line.items()}
    ]
    assert (said.body["is_final"], said.body["closed_until"]) == (True, "2026-12-01")


@pytest.mark.requirement("LOY-18")
def test_a_statements_totals_are_those_of_the_raw_entries(now: datetime) -> None:
    statement = invoicing.statement_of(BAKERY, read_period("2026-11"), now=now)

    filed = [
        one.posting.entry
        for day in range(30)
        for shard in range(daybook.SHARDS)
        for one in daybook.list_filed(FIRST + timedelta(days=day), shard, after="", now=now)[0]
    ]
    kinds = (EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK)
    raw = add_up(line_of(e) for e in filed if e.kind in kinds and e.retailer_id == BAKERY)
    assert statement.lines == raw
    assert sum(line.owed_minor for line in raw) == 720


def test_days_are_chained_and_whoever_changes_one_is_found_out(now: datetime) -> None:
    days = closing.list_days(BAKERY, FIRST, LAST, now=now)

    assert [day.on.day for day in days] == [1, 2, 3, 4, 17, 30]
    assert breaks(days, before=bytes(32)) == ()
    forged = (days[0], *days[2:])
    assert breaks(forged, before=bytes(32)) == (date(2026, 11, 3),)


def test_a_month_that_is_not_over_is_provisional(now: datetime) -> None:
    days = closing.list_days(BAKERY, FIRST, date(2026, 11, 10), now=now)

    so_far = make_statement(BAKERY, Period(2026, 11), days, next_day=date(2026, 11, 11))
    early = make_statement(BAKERY, Period(2026, 11), (), next_day=date(2026, 10, 4))

    assert (so_far.is_final, so_far.closed_until) == (False, date(2026, 11, 11))
    assert [line.given for line in so_far.totals] == [6]
    assert (early.closed_until, early.lines, early.last_hash) == (FIRST, (), "")


def test_a_statement_as_a_file_says_the_same() -> None:
    said = call("GET", f"{PATH}?as=csv", token=_token())

    rows = list(csv.reader(io.StringIO(said.body)))
    assert said.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert rows[1] == ["bakery", "2026-11", "bread", "GBP", "5", "5.10", "3", "1.50", "3.60"]
    assert rows[-1] == ["bakery", "2026-11", "TOTAL", "GBP", "10", "10.20", "6", "3.00", "7.20"]


def test_a_retailer_sees_its_own_campaigns_and_no_others() -> None:
    said = call("GET", PATH, token=_token(CINEMA))

    assert [line["campaign"] for line in said.body["lines"]] == ["popcorn"]


@pytest.mark.parametrize(
    ("period", "status", "code"),
    [("2026-13", 422, "not_a_period"), ("november", 422, "not_a_period")],
)
def test_what_is_no_month_is_refused(period: str, status: int, code: str) -> None:
    said = call("GET", f"/v1/retailers/self/statements/{period}", token=_token())

    assert (said.status, said.body["code"]) == (status, code)


def test_a_bank_sees_no_statement() -> None:
    make_client("bank", "bank")

    said = call("GET", PATH, token=token_of("bank"))

    assert (said.status, said.body["code"]) == (403, "not_permitted")


def test_a_month_is_invoiced_once_and_paid_down(now: datetime) -> None:
    again = invoicing.invoice_month(2026, 11, now=now)
    owed = invoicing.funding_of(BAKERY, now=now)

    paid = {"reference": "BACS-1", "at": now, "now": now}
    invoicing.record_funding(BAKERY, pounds(700), **paid)
    invoicing.record_funding(BAKERY, pounds(700), **paid)

    assert (len(again), owed) == (2, (pounds(-720),))
    assert invoicing.funding_of(BAKERY, now=now) == (pounds(-20),)
    book = service.list_postings(retailer_owner(BAKERY), since=service.FROM_THE_START, now=now)
    assert [posting.entry.key for posting in book] == ["invoice:2026-11:GBP:1", "received:BACS-1"]
    assert book[0].entry.legs == (
        Leg("campaign#bread#liability", 360),
        Leg("campaign#buns#liability", 360),
        Leg("retailer#bakery#funding", -720),
    )
    assert checking.check_pages(checking.read_book(retailer_owner(BAKERY), now=now), now=now) == ()


def test_a_statement_is_printed_the_same_each_time(now: datetime) -> None:
    from infra.operating.statement_pdf import to_pdf

    statement = invoicing.statement_of(BAKERY, read_period("2026-11"), now=now)

    printed = to_pdf(statement, name="Bäckerei Łódź")

    assert printed.startswith(b"%PDF-")
    assert printed == to_pdf(statement, name="Bäckerei Łódź")
