"""A retailer's statement of a month: what each campaign owes, less what was taken back. Pure.

It is added up from the retailer's days, which are folded from the entries themselves, so its totals
are the journal's. What was given in one month and taken back in another stands in each as it
happened: a month may owe less than nothing, and that is a credit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.ledger.accounts import funding_account, liability_account
from chalicelib.ledger.days.folding import Line, add_up
from chalicelib.ledger.days.totals import RetailerDay
from chalicelib.ledger.model import LEGS_MAX, Entry, EntryKind, Leg

_PERIOD = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


class NotAPeriod(NotAllowed):
    """The period is no month, written as `2026-11`."""

    code = "not_a_period"


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar month, in UTC."""

    year: int
    month: int

    @property
    def name(self) -> str:
        """As `2026-11`."""
        return f"{self.year}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def following(self) -> date:
        """The first day after it."""
        is_december = self.month == 12
        return date(self.year + is_december, 1 if is_december else self.month + 1, 1)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a retailer's campaigns gave and took back in a month, a line for each and currency.

    `closed_until` is the first day that is not in it: the month's end, or where days of it are
    still to be closed the first of those. `last_hash` is that of its last day with lines, in hex.
    """

    retailer_id: RetailerId
    period: Period
    lines: tuple[Line, ...]
    days: int
    closed_until: date
    last_hash: str

    @property
    def is_final(self) -> bool:
        """Whether every day of the month is closed."""
        return self.closed_until >= self.period.following

    @property
    def totals(self) -> tuple[Line, ...]:
        """The lines of each currency together, with no campaign."""
        return add_up(
            Line(
                line.retailer_id,
                "",
                line.currency,
                given=line.given,
                given_minor=line.given_minor,
                taken_back=line.taken_back,
                taken_back_minor=line.taken_back_minor,
            )
            for line in self.lines
        )


def read_period(text: str) -> Period:
    """A month as `2026-11`. :raises NotAPeriod: it is none."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise NotAPeriod("the period is not a month such as 2026-11", field="period")
    return Period(int(found[1]), int(found[2]))


def make_statement(
    retailer_id: RetailerId, period: Period, days: Sequence[RetailerDay], *, next_day: date
) -> Statement:
    """The statement of `period` from its days; `next_day` is the first that is not closed."""
    return Statement(
        retailer_id=retailer_id,
        period=period,
        lines=add_up(line for day in days for line in day.lines),
        days=len(days),
        closed_until=min(max(next_day, period.first), period.following),
        last_hash=days[-1].hash.hex() if days else "",
    )


def invoices_of(statement: Statement, *, at: datetime) -> tuple[Entry, ...]:
    """The entries that move what is owed from the campaigns to the retailer: an invoice each.

    One for each currency, or more where there are more campaigns than an entry has legs. Currencies
    in which every campaign comes to nought have none.
    """
    invoices = []
    for total in statement.totals:
        owing = [
            line
            for line in statement.lines
            if line.currency == total.currency and line.owed_minor != 0
        ]
        for part, first in enumerate(range(0, len(owing), LEGS_MAX - 1), start=1):
            some = owing[first : first + LEGS_MAX - 1]
            invoices.append(_invoice(statement, total.currency, part, some, at=at))
    return tuple(invoices)


def _invoice(
    statement: Statement, currency: str, part: int, lines: Iterable[Line], *, at: datetime
) -> Entry:
    legs = [Leg(liability_account(line.campaign_id), line.owed_minor) for line in lines]
    owed = sum(leg.minor for leg in legs)
    if owed:
        legs.append(Leg(funding_account(statement.retailer_id), -owed))
    name = f"{statement.period.name}:{currency}:{part}"
    return Entry(
        key=f"invoice:{name}",
        kind=EntryKind.INVOICED,
        member_id=None,
        at=at,
        currency=currency,
        legs=tuple(legs),
        retailer_id=statement.retailer_id,
        cause=name,
    )
