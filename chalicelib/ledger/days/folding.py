"""What a day's entries come to: who owes what, what falls due when, and whose money moved. Pure.

A day's entries are folded in stretches, each shard of the daybook by itself, and the folds added
up. Whatever order they come in, the sums are the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.ledger.accounts import Holding, member_account
from chalicelib.ledger.giving import given_minor
from chalicelib.ledger.model import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class Line:
    """What one campaign gave and took back, in minor units of one currency, and how often."""

    retailer_id: RetailerId
    campaign_id: str
    currency: str
    given: int = 0
    given_minor: int = 0
    taken_back: int = 0
    taken_back_minor: int = 0

    @property
    def owed_minor(self) -> int:
        """What the retailer owes for it; below nought where more was taken back than given."""
        return self.given_minor - self.taken_back_minor

    @property
    def name(self) -> tuple[str, str, str]:
        """What lines are added up by."""
        return self.retailer_id, self.campaign_id, self.currency


@dataclass(frozen=True, slots=True)
class Due:
    """A gift that becomes available on a day. `at` is when it was earned."""

    member_id: MemberId
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """Money that was set aside for a payout."""

    member_id: MemberId
    payout_id: str
    currency: str
    minor: int


@dataclass
class Fold:
    """What was folded so far. `moved` are the members whose available money changed, in order."""

    on: date
    lines: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    due: dict[date, list[Due]] = field(default_factory=dict)
    moved: dict[MemberId, None] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    entries: int = 0

    def add(self, entry: Entry) -> None:
        """Fold one entry in."""
        self.entries += 1
        if entry.kind in (EntryKind.REWARD_GIVEN, EntryKind.REWARD_TAKEN_BACK):
            self._add_line(line_of(entry))
        member_id = entry.member_id
        if member_id is None:
            return
        if entry.kind is EntryKind.REWARD_GIVEN and entry.due_at is not None:
            due_on = max(entry.due_at.date(), self.on)
            self.due.setdefault(due_on, []).append(Due(member_id, entry.key, entry.at))
        if entry.minor_on(member_account(member_id, Holding.AVAILABLE)):
            self.moved[member_id] = None
        if entry.kind is EntryKind.PAYOUT_WRITTEN:
            minor = entry.minor_on(member_account(member_id, Holding.IN_PAYMENT))
            self.set_aside.append(SetAside(member_id, entry.cause, entry.currency, minor))

    def _add_line(self, line: Line) -> None:
        before = self.lines.get(line.name)
        self.lines[line.name] = line if before is None else add_lines(before, line)


def line_of(entry: Entry) -> Line:
    """An entry that gives or takes back, as a line of its campaign."""
    line = Line(entry.retailer_id, entry.campaign_id, entry.currency)
    if entry.kind is EntryKind.REWARD_GIVEN:
        return replace(line, given=1, given_minor=given_minor(entry))
    return replace(line, taken_back=1, taken_back_minor=-given_minor(entry))


def add_lines(one: Line, other: Line) -> Line:
    """Two lines of the same campaign and currency together."""
    return replace(
        one,
        given=one.given + other.given,
        given_minor=one.given_minor + other.given_minor,
        taken_back=one.taken_back + other.taken_back,
        taken_back_minor=one.taken_back_minor + other.taken_back_minor,
    )


def add_up(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line for each campaign and currency, in order."""
    summed: dict[tuple[str, str, str], Line] = {}
    for line in lines:
        before = summed.get(line.name)
        summed[line.name] = line if before is None else add_lines(before, line)
    return tuple(summed[name] for name in sorted(summed))
