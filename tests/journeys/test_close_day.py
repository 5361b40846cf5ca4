"""The night's Lambda, under its own role, and what operators see of the journal."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger.accounts import liability_account
from chalicelib.ledger.books import store as books
from chalicelib.ledger.closing import invoicing
from chalicelib.ledger.closing import store as closing
from chalicelib.ledger.giving import bring_to, give
from chalicelib.ledger.model import Balances, EntryKind
from chalicelib.ledger.printing import COLUMNS
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Retailer
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Reported, payout_id_of
from chalicelib.payouts.netting import store as unpaid
from chalicelib.payouts.netting.deciding import Why
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import service as reconciling
from chalicelib.runtime import clock, queues
from chalicelib.workers import closing as worker
from infra.local.lambda_events import scheduled_event
from tests.makers.ledger import (
    BOUGHT_AT,
    CAMPAIGN,
    DUE_AT,
    RETAILER,
    balances,
    book_of,
    lose_daybook_row,
    make_gift,
    pounds,
)
from tests.makers.nights import begin, night_after
from tests.makers.operating import WHY, operate
from tests.makers.outside import context
from tests.makers.paying import make_account, make_member, make_payee, record_paying
from tests.makers.paying import set_destination as name_account
from tests.makers.payouts import sent_to
from tests.makers.pdf_text import texts_of

NIGHT = night_after(DUE_AT.date())
PAID_ON = NIGHT.date()


@pytest.fixture
def ada(embedded_aws: None) -> Member:
    """Somebody whose £5 are due today."""
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))
    network.record_retailer(Retailer(RETAILER, "Bakery"))
    begin(DUE_AT.date())
    ada = make_payee()
    give(make_gift(member_id=ada.member_id, available_at=BOUGHT_AT), now=DUE_AT)
    clock.use(lambda: NIGHT)
    return ada


def _wake() -> None:
    event = scheduled_event("close", at=NIGHT, event_id="1", region="eu-west-2")
    worker.close_day(event, context("close_day"))


def _payout_id(member: Member) -> str:
    return payout_id_of(member.member_id, "GBP", PAID_ON)


def test_the_night_pays_and_its_role_allows_all_that_it_does(ada: Member, counted) -> None:
    _wake()
    _wake()

    assert balances(ada.member_id, now=NIGHT) == Balances("GBP", in_payment=500)
    assert [one["payout_id"] for one in sent_to(queues.PAYOUTS)] == [_payout_id(ada)]
    progress = closing.find_progress(now=NIGHT)
    assert progress is not None
    assert (progress.day, counted["days_closed"]) == (PAID_ON, 1)
    assert counted["schedules_done:close_day"] == 2


def test_the_night_ends_when_a_day_is_not_over_and_says_how_far_it_is(ada: Member, counted) -> None:
    clock.use(lambda: DUE_AT + timedelta(hours=1))

    _wake()

    assert (counted["days_closed"], sent_to(queues.PAYOUTS)) == (0, [])


def test_the_night_pays_who_waited_and_counts_what_was_filed_late(ada: Member) -> None:
    ben = make_member("ben", 2)
    late = make_gift(2, member_id=ben.member_id, available_at=BOUGHT_AT)
    give(late, now=DUE_AT)
    _wake()
    waits = unpaid.find(ben.member_id, "GBP", now=NIGHT)
    name_account(ben, now=NIGHT)
    another = make_gift(3, member_id=ben.member_id)
    give(another, now=DUE_AT)
    lose_daybook_row(book_of(ben.member_id, now=NIGHT)[-1])  # Its worker died,
    give(another, now=NIGHT)  # and its message came again a day later.
    clock.use(lambda: NIGHT + timedelta(days=1))

    _wake()

    assert waits is not None
    assert (waits.why, unpaid.find(ben.member_id, "GBP", now=NIGHT)) == (Why.NO_DESTINATION, None)
    assert balances(ben.member_id, now=NIGHT) == Balances("GBP", in_payment=1_000)
    days = closing.list_days(RETAILER, DUE_AT.date(), PAID_ON, now=NIGHT)
    assert [(day.on, day.lines[0].given) for day in days] == [(DUE_AT.date(), 2), (PAID_ON, 1)]


def test_operators_see_what_does_not_agree_and_write_down_why(ada: Member) -> None:
    _wake()
    payout = payouts.get(_payout_id(ada), now=NIGHT)
    payouts.record_outcome(payout.payout_id, Executed("s", NIGHT), now=NIGHT)
    report = Reported("f", "sandbox", payout.payout_id, Executed("s", NIGHT), pounds(499), NIGHT)
    reconciling.record_report(report, now=NIGHT)
    clock.use(lambda: NIGHT + timedelta(days=1))
    _wake()

    listed = operate("list-differences")
    name = f"amount {payout.payout_id}"
    unreasoned = operate("explain-difference", f"--name={name}", "--note=a fee")
    explained = operate("explain-difference", f"--name={name}", "--note=a fee", WHY)
    again = operate("list-differences")
    days = operate("list-reconciled", f"--since={PAID_ON}", f"--until={PAID_ON}")

    assert name in listed.stdout
    assert (unreasoned.exit_code, explained.exit_code) == (1, 0)
    assert "by_staff" in again.stdout
    assert "500" in days.stdout


def test_operators_verify_books_and_find_one_that_was_changed(ada: Member) -> None:
    whole = operate("verify-journal")
    owner = f"member#{ada.member_id}"
    page = books.find_open_page(owner, now=NIGHT).page
    first = page.postings[0]
    forged = replace(first, entry=replace(first.entry, cause="another"))
    books.record_page(
        books.find_open_page(owner, now=NIGHT), replace(page, postings=(forged,)), now=NIGHT
    )

    one = operate("verify-journal", f"--member={ada.member_id}")
    every = operate("verify-journal")

    assert (whole.exit_code, one.exit_code, every.exit_code) == (0, 1, 1)
    assert "filed_otherwise" in one.stdout


@pytest.mark.parametrize("whose", ["--member=nobody", "--retailer=nope"])
def test_a_book_that_is_not_there_is_not_said_to_be_faultless(ada: Member, whose: str) -> None:
    said = operate("verify-journal", whose)

    assert (said.exit_code, said.stdout) == (1, "")
    assert "Refused: there is no such book." in said.stderr


def test_operators_show_a_statement_and_enter_what_a_retailer_paid(
    ada: Member, tmp_path: Path
) -> None:
    _wake()
    about = (f"--retailer={RETAILER}", "--period=2026-12")

    shown = operate("show-statement", *about)
    files = [tmp_path / "statement.csv", tmp_path / "statement.pdf"]
    written = [operate("show-statement", *about, f"--to={file}") for file in files]
    paid = ("--amount=3.00", "--currency=GBP", "--reference=BACS-1")
    funded = [operate("record-funding", f"--retailer={RETAILER}", *paid) for _ in range(2)]

    assert "5.00" in shown.stdout
    assert [one.exit_code for one in (*written, *funded)] == [0, 0, 0, 0]
    assert files[0].read_text("utf-8").splitlines()[1].endswith(",5.00")
    assert files[1].read_bytes().startswith(b"%PDF-")
    assert "3.00" in funded[1].stdout


@pytest.mark.parametrize("amount", ["-3.00", "0.00"])
def test_a_payment_of_nothing_or_less_is_refused_and_enters_nothing(
    ada: Member, amount: str
) -> None:
    said = operate(
        "record-funding",
        f"--retailer={RETAILER}",
        f"--amount={amount}",
        "--currency=GBP",
        "--reference=BACS-1",
    )

    assert said.exit_code == 1
    assert "a payment is of more than nothing" in said.output
    assert invoicing.funding_of(RETAILER, now=DUE_AT) == ()


@pytest.mark.requirement("LOY-05")
def test_the_figures_of_a_statement_are_the_journals_as_csv_and_as_pdf(
    ada: Member, tmp_path: Path
) -> None:
    loaf = make_gift(2, 123_456, member_id=ada.member_id, campaign_id=f"b{CAMPAIGN[1:]}")
    euros = make_gift(3, member_id=ada.member_id, amount=Money(750, "EUR"))
    for gift in (loaf, euros):
        give(gift, now=DUE_AT)
    bring_to(loaf, 3_456, reason="returned", now=DUE_AT)
    bring_to(euros, 750, reason="returned", now=DUE_AT)
    _wake()
    files = [tmp_path / "statement.csv", tmp_path / "statement.pdf"]

    for file in files:
        operate("show-statement", f"--retailer={RETAILER}", "--period=2026-12", f"--to={file}")

    figures = _figures_of_journal(ada)
    lines = [line.split(",")[2:] for line in files[0].read_text("utf-8").splitlines()[1:]]
    shown = texts_of(files[1].read_bytes())
    cells = shown[shown.index(COLUMNS[-1]) + 1 : -1]
    table = [cells[first : first + 7] for first in range(0, len(cells), 7)]
    assert len(figures) == 5
    assert sorted(lines) == figures
    assert sorted(table) == figures
    assert shown[-1].startswith("Hash of the month's last day: ")


def _figures_of_journal(member: Member) -> list[list[str]]:
    """What the member's entries come to, by campaign and in all, in the words of a statement."""
    sums: dict[tuple[str, str], list[int]] = {}
    for posting in book_of(member.member_id, now=NIGHT):
        entry = posting.entry
        place = {EntryKind.REWARD_GIVEN: 0, EntryKind.REWARD_TAKEN_BACK: 2}.get(entry.kind)
        if place is None:
            continue
        minor = abs(entry.minor_on(liability_account(entry.campaign_id)))
        for name in (entry.campaign_id, "TOTAL"):
            counted = sums.setdefault((name, entry.currency), [0, 0, 0, 0])
            counted[place] += 1
            counted[place + 1] += minor
    return sorted(
        [name, currency, str(given), _major(minor), str(back), _major(taken), _major(minor - taken)]
        for (name, currency), (given, minor, back, taken) in sums.items()
    )


def _major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"
