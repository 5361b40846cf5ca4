"""What does not agree about a payout, and what explains it. Pure.

Three parties say what became of each payout: the journal, the order with the states that it went
through, and the rail or the bank in reports of its own. Each difference has a kind, and a word that
explains it where one of ours can.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Instruction,
    PayoutState,
    Reported,
    Returned,
    Unknown,
)

SETTLES_WITHIN = timedelta(hours=24)
# Bacs takes three working days, and a bank's file is read the day after.
SETTLES_WITHIN_BY_RAIL = {"iso20022": timedelta(days=5), "bank": timedelta(days=3)}
# Rails that report what they did by themselves; of the others, the answer to a look is the report.
REPORTING_RAILS = frozenset({"iso20022", "bank"})


class Differs(Enum):
    """What does not agree."""

    NOT_IN_JOURNAL = "not_in_journal"  # the order went through states that the journal has not
    NO_ORDER = "no_order"  # money was set aside, and nothing orders it to be paid
    NOT_SETTLED = "not_settled"  # nobody says what became of it, longer than its rail takes
    DISPUTED = "disputed"  # the rail contradicted itself
    NOT_REPORTED = "not_reported"  # executed, and not in the rail's own report
    REPORTED_OTHERWISE = "reported_otherwise"  # the report says something else became of it
    AMOUNT = "amount"  # the report has another amount
    OVERPAID = "overpaid"  # by the report more money left than the payout is
    UNKNOWN_PAYOUT = "unknown_payout"  # a report of something that we never ordered
    SUMS = "sums"  # a day's journal and its orders come to different sums


class Explained(Enum):
    """Why a difference is there, as far as it is known."""

    NOT_YET = "not_yet"
    MENDED = "mended"  # what was missing has been entered or ordered now
    RAIL_IS_SILENT = "rail_is_silent"
    REPORT_IS_LATE = "report_is_late"
    BY_STAFF = "by_staff"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree. `subject` is a payout's id, a report's, or a day. `reports`
    counts what was reported of the payout when it was found.
    """

    kind: Differs
    subject: str
    explained: Explained = Explained.NOT_YET
    reports: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.kind.value} {self.subject}"


def compare(
    payout: Instruction, reports: Sequence[Reported], *, now: datetime
) -> tuple[Difference, ...]:
    """What does not agree between an order and the reports of it."""
    found = []
    if payout.is_disputed:
        found.append(Difference(Differs.DISPUTED, payout.payout_id))
    if _is_overdue(payout, now=now):
        found.append(Difference(Differs.NOT_SETTLED, payout.payout_id, Explained.RAIL_IS_SILENT))
    found += _compare_reports(payout, reports, now=now)
    return tuple(replace(one, reports=len(reports)) for one in found)


def without_order(reports: Iterable[Reported]) -> tuple[Difference, ...]:
    """Reports of payouts that there are not."""
    return tuple(Difference(Differs.UNKNOWN_PAYOUT, report.report_id) for report in reports)


def settles_within(rail: str) -> timedelta:
    """How long a rail takes at most."""
    return SETTLES_WITHIN_BY_RAIL.get(rail, SETTLES_WITHIN)


def times_left(reports: Iterable[Reported]) -> int:
    """How often the payment left by its entries, less how often it came back."""
    booked = {(type(one.outcome), one.booking) for one in reports if one.booking}
    words = [word for word, _ in booked]
    return words.count(Executed) - words.count(Returned)


def times_debited(reports: Sequence[Reported]) -> int:
    """How often the rail says that the payment left; once where it names no entry."""
    debits = {one.booking for one in reports if isinstance(one.outcome, Executed) and one.booking}
    has_left = any(isinstance(one.outcome, Executed | Returned) for one in reports)
    return max(len(debits), int(has_left))


def _is_overdue(payout: Instruction, *, now: datetime) -> bool:
    is_open = payout.state in (PayoutState.WRITTEN, PayoutState.SENT, PayoutState.UNKNOWN)
    return is_open and now - payout.written_at > settles_within(payout.rail)


def _compare_reports(
    payout: Instruction, reports: Sequence[Reported], *, now: datetime
) -> Iterable[Difference]:
    if any(report.amount not in (None, payout.amount) for report in reports):
        yield Difference(Differs.AMOUNT, payout.payout_id)
    left = times_left(reports)
    if left > (PayoutState.RETURNED not in payout.path):
        yield Difference(Differs.OVERPAID, payout.payout_id)
    if any(not _agrees(payout, report, left=left) for report in reports):
        yield Difference(Differs.REPORTED_OTHERWISE, payout.payout_id)
    if _misses_report(payout, reports, now=now):
        yield Difference(Differs.NOT_REPORTED, payout.payout_id, Explained.REPORT_IS_LATE)


def _misses_report(payout: Instruction, reports: Sequence[Reported], *, now: datetime) -> bool:
    if payout.rail not in REPORTING_RAILS or PayoutState.EXECUTED not in payout.path:
        return False
    if any(isinstance(report.outcome, Executed | Returned) for report in reports):
        return False
    return now - (payout.changed_at or payout.written_at) > settles_within(payout.rail)


def _agrees(payout: Instruction, report: Reported, *, left: int) -> bool:
    """Whether the payout went through what the report says.

    Of money that left twice, what came back once was not the payment.
    """
    match report.outcome:
        case Executed():
            return PayoutState.EXECUTED in payout.path
        case Returned():
            return PayoutState.RETURNED in payout.path or left > 0
        case Failed(is_final=True):
            return payout.state is PayoutState.FAILED
        case Failed() | Accepted() | Unknown():
            return True
