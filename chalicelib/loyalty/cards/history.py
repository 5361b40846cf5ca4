"""The history of a card: what earned, what became of it, and what it was spent on. Pure.

It is told from the entries, full cards and claims that stand on the card and that moved to its
history, each as it stands now. Units that expired are told by their moment as long as their lot is
on the card; of those that moved away before, only how many there were is known (`Balance.expired`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.model import Card, Claim, ClaimState, Entry, Fill
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.cards.past import Past, newest_fills

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOTS_OF_HISTORY = "history"


class Happened(Enum):
    """What a line of the history is about; of one moment, in this order. Part of the API."""

    EARNED = "earned"
    FILLED = "filled"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Expired:
    """`units` that expired at `at` unused: of one purchase, or of those in the history."""

    at: datetime
    units: int
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a line stands in the history: lines are in the order of their marks."""

    micros: int
    rank: int
    name: str

    @property
    def order(self) -> tuple[int, int, str]:
        """By which marks are compared."""
        return self.micros, self.rank, self.name


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, and its place."""

    mark: Mark
    what: Entry | Fill | Claim | Expired


def list_lines(card: Card, past: Sequence[Past], *, now: datetime) -> tuple[Line, ...]:
    """Everything that ever happened on the card, newest first; each purchase once."""
    entries = {entry.payment_id: entry for one in past for entry in one.entries}
    entries |= {entry.payment_id: entry for entry in card.entries}
    claims = {claim.claim_id: claim for one in past for claim in one.claims}
    claims |= {claim.claim_id: claim for claim in card.claims}
    lines = [
        *(_line(one.sold_at, _kind(name), name, one) for name, one in entries.items()),
        *(_line(one.at, Happened.CLAIMED, name, one) for name, one in claims.items()),
        *(
            _line(one.at, Happened.FILLED, one.name, one)
            for one in newest_fills(card, past).values()
        ),
        *(
            _line(one.at, Happened.EXPIRED, one.payment_id or _LOTS_OF_HISTORY, one)
            for one in _expired(card, now)
        ),
    ]
    return tuple(sorted(lines, key=lambda line: line.mark.order, reverse=True))


def page_of(
    lines: Sequence[Line], *, before: Mark | None, limit: int
) -> tuple[tuple[Line, ...], Mark | None]:
    """Up to `limit` lines after the place `before`, and the place of the next page, if any."""
    rest = [line for line in lines if before is None or line.mark.order < before.order]
    shown = tuple(rest[:limit])
    return shown, shown[-1].mark if len(rest) > limit else None


def closed_as(claim: Claim, *, now: datetime) -> tuple[ClaimState, datetime | None]:
    """How a claim ended and when: one whose time is over is cancelled since then."""
    if claim.state is ClaimState.RESERVED and not claim.is_open(now):
        return ClaimState.CANCELLED, claim.until
    return claim.state, claim.closed_at


def _kind(name: str) -> Happened:
    return Happened.GIVEN if is_extra(name) else Happened.EARNED


def _line(at: datetime, kind: Happened, name: str, what: Entry | Fill | Claim | Expired) -> Line:
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    # A full card's claim has a `#` in its id, which addresses cut off.
    return Line(Mark(micros, list(Happened).index(kind), name.replace("#", "-")), what)


def _expired(card: Card, now: datetime) -> Iterator[Expired]:
    """What is left of lots that are over, those of the history together by their moment."""
    card = lots.without_run_out(card, now)
    of_history: dict[datetime, int] = {}
    for lot in card.base:
        if lot.expires_at is not None and lot.expires_at <= now and lot.free:
            of_history[lot.expires_at] = of_history.get(lot.expires_at, 0) + lot.free
    for entry in card.entries:
        lot = entry.lot
        if lot.expires_at is not None and lot.expires_at <= now and lot.free:
            yield Expired(lot.expires_at, lot.free, entry.payment_id)
    for at, units in of_history.items():
        yield Expired(at, units)
