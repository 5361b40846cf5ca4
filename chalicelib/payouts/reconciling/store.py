"""Reports and differences, in table `money`.

reports#<payout's day>    <payout id> <report id>    what a rail or bank reported of a payout
reports#unknown           <day> <report id>          what it reported of none of ours
differences               <kind> <subject>           what does not agree, until it does
differences#<month>       <kind> <subject>           what did not, by the month it was mended
differences#settled       <kind> <subject>           what a person ended: it is not listed anew
reconciled                <day>                      what the parties' sums of a day came to
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.money import Money
from chalicelib.ledger.books.store import ENTRIES, JOURNAL
from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Outcome,
    Reported,
    Returned,
    Unknown,
    written_on,
)
from chalicelib.payouts.reconciling.comparing import Difference, Differs, Explained
from chalicelib.runtime import packing, rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

DIFFERENCES_MAX = 10_000
UNKNOWN_READ_MAX = 1_000
_OPEN, _SETTLED, _UNKNOWN = "differences", "differences#settled", "reports#unknown"

REPORTS = Retention(
    name="payment_reports",
    reason="What banks report of payments is kept for two years, to answer questions about them.",
    lasts=timedelta(days=730),
    since="the report",
)
_OPERATION = Kept(Category.OPERATION, Purpose.ACCOUNTING, Erasure.KEEP)
_STAFF = Kept(Category.STAFF, Purpose.ACCOUNTING, Erasure.KEEP)


class ReportRow(rows.Row):
    """One line of a report."""

    Meta = rows.table_meta("money")
    privacy = {"content": ENTRIES}
    retention = REPORTS

    content = BinaryAttribute(legacy_encoding=False)


class DifferenceRow(rows.Row):
    """Something that does not agree. `note` is what a person found out, `noted_by` who."""

    Meta = rows.table_meta("money")
    privacy = {
        "since": _OPERATION,
        "explained": _OPERATION,
        "note": _OPERATION,
        "noted_by": _STAFF,
        "ended": _OPERATION,
        "reports": _OPERATION,
    }
    retention = REPORTS

    since = UnicodeAttribute()
    explained = UnicodeAttribute()
    note = UnicodeAttribute(null=True)
    noted_by = UnicodeAttribute(null=True)
    ended = UnicodeAttribute(null=True)
    reports = NumberAttribute(null=True)


class ReconciledRow(rows.Row):
    """What a day's journal, orders and reports came to, by rail and currency."""

    Meta = rows.table_meta("money")
    privacy = {"content": _OPERATION, "differences": _OPERATION}
    retention = JOURNAL

    content = BinaryAttribute(legacy_encoding=False)
    differences = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Open:
    """A difference with its age: it is there since `since`."""

    difference: Difference
    since: datetime
    note: str = ""
    noted_by: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """What the payouts written on a day come to, of one rail and currency, in minor units."""

    rail: str
    currency: str
    ordered: int = 0
    ordered_minor: int = 0
    executed: int = 0
    executed_minor: int = 0
    reported_minor: int = 0
    returned_minor: int = 0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A day's sums, and how many differences there were among its payouts."""

    on: date
    sums: tuple[Sums, ...]
    differences: int


@dataclass(frozen=True, slots=True)
class _Report:
    rail: str
    payout_id: str
    word: str
    at: datetime
    provider_id: str = ""
    reason: str = ""
    is_final: bool = True
    amount: Money | None = None
    booking: str = ""


@dataclass(frozen=True, slots=True)
class _SumsOfDay:
    sums: tuple[Sums, ...]


def record_report(reported: Reported, *, is_ours: bool, now: datetime) -> None:
    """Keep one line of a report; `is_ours` says that there is such a payout."""
    row = ReportRow(*_place(reported, is_ours=is_ours), content=packing.pack(_packed(reported)))
    rows.put(row.keep_from(now))


def list_reports(on: date, *, now: datetime) -> dict[str, list[Reported]]:
    """What was reported of the payouts written on the day, by payout."""
    by_payout: dict[str, list[Reported]] = {}
    after = "\x00"
    while found := rows.list_between(ReportRow, f"reports#{on}", after, "~", now=now):
        for row in found:
            reported = _to_reported(row)
            by_payout.setdefault(reported.payout_id, []).append(reported)
        after = found[-1].sk + "\x00"
    return by_payout


def list_reports_of(payout_id: str, *, now: datetime) -> list[Reported]:
    """What was reported of one payout. :raises NoSuchPayout: it is no payout's id."""
    pk = f"reports#{written_on(payout_id)}"
    found = rows.list_prefixed(ReportRow, pk, f"{payout_id} ", now=now, limit=rows.ROWS_READ_MAX)
    return [_to_reported(row) for row in found]


def list_unknown(first: date, last: date, *, now: datetime) -> list[Reported]:
    """What was reported from `first` to `last` of payouts that there are not, at most 1,000."""
    found = rows.list_between(
        ReportRow, _UNKNOWN, f"{first}", f"{last}~", now=now, limit=UNKNOWN_READ_MAX
    )
    return [_to_reported(row) for row in found]


def list_open(*, now: datetime) -> list[Open]:
    """Every difference that there is, by kind and subject."""
    found = rows.list_prefixed(DifferenceRow, _OPEN, "", now=now, limit=DIFFERENCES_MAX)
    return [_to_open(row) for row in found]


def find_open(name: str, *, now: datetime) -> Open | None:
    """The difference known by `name`, or None."""
    row = rows.find(DifferenceRow, _OPEN, name, now=now)
    return _to_open(row) if row else None


def find_settled(name: str, *, now: datetime) -> Open | None:
    """The difference of this name as a person ended it, or None."""
    row = rows.find(DifferenceRow, _SETTLED, name, now=now)
    return _to_open(row) if row else None


def settle(one: Open, *, now: datetime) -> None:
    """A person ended a difference: it is kept as such, and then listed no more."""
    rows.put(_row_of(one, _SETTLED).keep_from(now))
    end(one, now=now)


def record_open(one: Open, *, now: datetime) -> None:
    """Write a difference, over what stood there."""
    rows.put(_row_of(one, _OPEN).keep_from(now))


def end(one: Open, *, now: datetime) -> None:
    """A difference is there no more: it moves to those that were mended this month."""
    row = _row_of(one, f"{_OPEN}#{now:%Y-%m}")
    row.ended = now.isoformat()
    rows.put(row.keep_from(now))
    rows.delete(DifferenceRow(_OPEN, one.difference.name))


def record_reconciled(day: Reconciled) -> None:
    """Write what a day came to, over what it came to before: later words change it."""
    content = packing.pack(_SumsOfDay(day.sums))
    row = ReconciledRow("reconciled", f"{day.on}", content=content, differences=day.differences)
    rows.put(row.keep_from(datetime.combine(day.on, time(), UTC)))


def list_reconciled(first: date, last: date, *, now: datetime) -> list[Reconciled]:
    """What the days from `first` to `last` came to, those that had payouts."""
    found = rows.list_between(ReconciledRow, "reconciled", f"{first}", f"{last}", now=now)
    return [
        Reconciled(
            date.fromisoformat(row.sk),
            packing.unpack(row.content, _SumsOfDay).sums,
            int(row.differences),
        )
        for row in found
    ]


def _place(reported: Reported, *, is_ours: bool) -> tuple[str, str]:
    line = f"{reported.payout_id} {reported.report_id}"
    if not is_ours:
        return _UNKNOWN, f"{reported.at.date()} {line}"
    return f"reports#{written_on(reported.payout_id)}", line


def _row_of(one: Open, pk: str) -> DifferenceRow:
    row = DifferenceRow(pk, one.difference.name)
    row.since, row.explained = one.since.isoformat(), one.difference.explained.value
    row.note, row.noted_by = one.note or None, one.noted_by or None
    row.reports = one.difference.reports or None
    return row


def _to_open(row: DifferenceRow) -> Open:
    kind, _, subject = row.sk.partition(" ")
    reports = int(row.reports or 0)
    difference = Difference(Differs(kind), subject, Explained(row.explained), reports)
    since = datetime.fromisoformat(row.since)
    return Open(difference, since, row.note or "", row.noted_by or "")


def _packed(reported: Reported) -> _Report:
    outcome = reported.outcome
    return _Report(
        rail=reported.rail,
        payout_id=reported.payout_id,
        word=_WORDS[type(outcome)],
        at=reported.at,
        provider_id=getattr(outcome, "provider_id", ""),
        reason=getattr(outcome, "reason", ""),
        is_final=getattr(outcome, "is_final", True),
        amount=reported.amount,
        booking=reported.booking,
    )


def _to_reported(row: ReportRow) -> Reported:
    held = packing.unpack(row.content, _Report)
    report_id = row.sk.partition(" ")[2]
    outcome = _outcome(held)
    said = Reported(report_id, held.rail, held.payout_id, outcome, held.amount, held.at)
    return replace(said, booking=held.booking)


_WORDS: dict[type, str] = {
    Accepted: "accepted",
    Executed: "executed",
    Failed: "failed",
    Returned: "returned",
    Unknown: "unknown",
}


def _outcome(held: _Report) -> Outcome:
    match held.word:
        case "accepted":
            return Accepted(held.provider_id)
        case "executed":
            return Executed(held.provider_id, held.at)
        case "failed":
            return Failed(held.reason, held.is_final)
        case "returned":
            return Returned(held.reason, held.at)
        case _:
            return Unknown()
