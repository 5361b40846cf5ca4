"""What a bank was asked to pay on a day: the file to hold against its own books (LOY-03)."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.times import to_text
from chalicelib.payouts import store
from chalicelib.payouts.model import Instruction, PayoutState

STRETCHES_MAX = 200  # Of a thousand payouts each: what one request can look through.
COLUMNS = (
    "payout",
    "currency",
    "amount_minor",
    "state",
    "reference",
    "rail",
    "payment",
    "reason",
    "written_at",
    "changed_at",
)


@dataclass(frozen=True, slots=True)
class DayList:
    """The payouts of a connection's members written on a day, in order of id.

    `is_whole` is False where the day held more than one request can look through.
    """

    on: date
    payouts: tuple[Instruction, ...]
    is_whole: bool

    def to_csv(self) -> str:
        """The list as CSV (RFC 4180), amounts in whole minor units, and then one line of sums for
        each currency: what was ordered, and what of it was executed and did not come back.
        """
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(_row(one) for one in self.payouts)
        for currency in sorted({one.amount.currency for one in self.payouts}):
            mine = [one for one in self.payouts if one.amount.currency == currency]
            paid = [one for one in mine if one.state is PayoutState.EXECUTED]
            for name, counted in (("ordered", mine), ("paid", paid)):
                total = sum(one.amount.minor for one in counted)
                writer.writerow([f"total_{name}", currency, total, len(counted)])
        return text.getvalue()


def list_day(connection_id: ConnectionId, on: date, *, now: datetime) -> DayList:
    """The payouts of `on` for the members of a connection."""
    found: list[Instruction] = []
    after = ""
    for _ in range(STRETCHES_MAX):
        stretch, following = store.list_of_day(on, after=after, now=now)
        found += [one for one in stretch if one.connection_id == connection_id]
        if following is None:
            return DayList(on, tuple(found), is_whole=True)
        after = following
    return DayList(on, tuple(found), is_whole=False)


def _row(one: Instruction) -> tuple[object, ...]:
    return (
        one.payout_id,
        one.amount.currency,
        one.amount.minor,
        one.state.value,
        one.reference,
        one.rail,
        "" if one.provider_id == one.payout_id else _inert(one.provider_id),
        _inert(one.reason),
        to_text(one.written_at),
        to_text(one.changed_at or one.written_at),
    )


def _inert(text: str) -> str:
    """What a bank told, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
