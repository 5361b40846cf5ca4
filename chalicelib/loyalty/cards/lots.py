"""Lots: drawing units first in, first out, giving them back, working off debt, and the balance.

First in, first out means: what expires first is used first; of what expires together, what became
active first. All functions give a new card and leave the one they got as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty.cards.model import SPENT, Card, ClaimState, Draw, Entry, Lot

Usable = Callable[[Lot], bool]


@dataclass(frozen=True, slots=True)
class Balance:
    """What a card holds at a moment. `active` is what may be spent, and below 0 where there is
    debt; `reserved` is held by open claims. `next_expiry` says when the first units that are left
    expire, and how many.
    """

    pending: int
    active: int
    reserved: int
    expired: int
    next_expiry: datetime | None = None
    next_expiring: int = 0


def with_lots(card: Card, lots: Sequence[Lot]) -> Card:
    """`card` with `lots` in place of its own, in the order of `Card.lots`."""
    kept, rest = lots[: len(card.base)], lots[len(card.base) :]
    entries = tuple(replace(e, lot=lot) for e, lot in zip(card.entries, rest, strict=True))
    return replace(card, base=tuple(kept), entries=entries)


def in_order(lots: Sequence[Lot]) -> list[int]:
    """The places of `lots`, those first that are used first."""

    def order(place: int) -> tuple[bool, float, float, int]:
        lot = lots[place]
        expires = lot.expires_at.timestamp() if lot.expires_at else 0.0
        return lot.expires_at is None, expires, lot.active_at.timestamp(), place

    return sorted(range(len(lots)), key=order)


def draw(card: Card, by: str, units: int, *, usable: Usable) -> tuple[Card, int]:
    """Draw up to `units` for `by` from the usable lots; returns the units that could not be."""
    lots = list(card.lots)
    missing = units
    for place in in_order(lots):
        if missing == 0:
            break
        lot = lots[place]
        if usable(lot) and (taken := min(lot.free, missing)) > 0:
            lots[place] = replace(lot, draws=_added(lot.draws, Draw(by, taken)))
            missing -= taken
    return with_lots(card, lots), missing


def release(card: Card, by: str) -> Card:
    """Give back all that `by` drew to the lots it came from; what was debt is no more."""
    lots = [replace(lot, draws=_without(lot.draws, by)) for lot in card.lots]
    return replace(with_lots(card, lots), debt=_without(card.debt, by))


def give_back(card: Card, by: str, *, drawn_at: datetime) -> Card:
    """Release what `by` drew at `drawn_at`. Where the card began anew since, what it drew before is
    nobody's: it would have been forfeited then, had it lain there.
    """
    began_at = card.reset_at
    if began_at is None or drawn_at >= began_at:
        return release(card, by)
    base = tuple(_less(lot, by) for lot in card.base)
    gone = [replace(lot, units=_drawn_by(lot, by), draws=()) for lot in card.base]
    entries = tuple(_forfeited(e, by) if e.sold_at < began_at else e for e in card.entries)
    forfeited = free_of((*card.forfeited, *gone))
    return release(replace(card, base=base, entries=entries, forfeited=forfeited), by)


def settle(card: Card, by: str) -> Card:
    """Keep what `by` drew, without keeping who it was."""
    return hand_over(card, by, SPENT)


def hand_over(card: Card, by: str, to: str) -> Card:
    """Let `to` have drawn what `by` drew."""
    lots = [replace(lot, draws=_renamed(lot.draws, by, to)) for lot in card.lots]
    return replace(with_lots(card, lots), debt=_renamed(card.debt, by, to))


def work_off(card: Card, *, at: datetime) -> Card:
    """Let the free units of live lots, pending ones too, take the place of debt."""
    for owed in card.debt:
        without = replace(card, debt=tuple(d for d in card.debt if d.by != owed.by))
        drawn, missing = draw(without, owed.by, owed.units, usable=live(at))
        card = with_debt(drawn, owed.by, missing)
    return card


def with_debt(card: Card, by: str, units: int) -> Card:
    """`card` with `units` more of debt for what `by` drew."""
    return replace(card, debt=_added(card.debt, Draw(by, units))) if units else card


def live(at: datetime) -> Usable:
    """Lots that did not expire by `at`, pending ones included."""
    return lambda lot: not lot.is_expired(at)


def active(at: datetime) -> Usable:
    """Lots whose units may be spent at `at`."""
    return lambda lot: lot.active_at <= at and not lot.is_expired(at)


def free_of(every: Iterable[Lot]) -> tuple[Lot, ...]:
    """What is free of all these, one lot for what becomes active and expires together."""
    units: dict[tuple[datetime, datetime | None], int] = {}
    for lot in every:
        key = (lot.active_at, lot.expires_at)
        units[key] = units.get(key, 0) + lot.free
    return tuple(Lot(free, *key) for key, free in units.items() if free)


def free_units(card: Card, *, usable: Usable) -> int:
    """How many units of usable lots are left."""
    return sum(lot.free for lot in card.lots if usable(lot))


def owed(card: Card) -> int:
    """How many units are debt."""
    return sum(draw.units for draw in card.debt)


def without_run_out(card: Card, now: datetime) -> Card:
    """`card` with everything given back that claims hold which ran out by `now`."""
    for claim in card.claims:
        if claim.state is ClaimState.RESERVED and not claim.is_open(now):
            card = give_back(card, claim.claim_id, drawn_at=claim.at)
    return card


def balance_at(card: Card, now: datetime) -> Balance:
    """What the card holds at `now`. Claims that ran out by then hold nothing."""
    card = without_run_out(card, now)
    open_claims = {claim.claim_id for claim in card.claims if claim.is_open(now)}
    lots = card.lots
    living = [lot for lot in lots if lot.free > 0 and not lot.is_expired(now)]
    ends = [lot.expires_at for lot in living if lot.expires_at is not None]
    next_expiry = min(ends, default=None)
    draws = (draw for lot in (*lots, Lot(0, now, draws=card.debt)) for draw in lot.draws)
    return Balance(
        pending=sum(lot.free for lot in living if lot.active_at > now),
        active=sum(lot.free for lot in living if lot.active_at <= now) - owed(card),
        reserved=sum(draw.units for draw in draws if draw.by in open_claims),
        expired=card.expired + sum(lot.free for lot in lots if lot.is_expired(now)),
        next_expiry=next_expiry,
        next_expiring=sum(lot.free for lot in living if next_expiry == lot.expires_at)
        if next_expiry
        else 0,
    )


def _added(draws: tuple[Draw, ...], new: Draw) -> tuple[Draw, ...]:
    units = new.units + sum(draw.units for draw in draws if draw.by == new.by)
    return (*_without(draws, new.by), Draw(new.by, units))


def _without(draws: Iterable[Draw], by: str) -> tuple[Draw, ...]:
    return tuple(draw for draw in draws if draw.by != by)


def _less(lot: Lot, by: str) -> Lot:
    return replace(lot, units=lot.units - _drawn_by(lot, by), draws=_without(lot.draws, by))


def _drawn_by(lot: Lot, by: str) -> int:
    return sum(draw.units for draw in lot.draws if draw.by == by)


def _forfeited(entry: Entry, by: str) -> Entry:
    lot = _less(entry.lot, by)
    forfeited = entry.forfeited + entry.lot.units - lot.units
    return replace(entry, lot=lot, forfeited=forfeited)


def _renamed(draws: tuple[Draw, ...], by: str, to: str) -> tuple[Draw, ...]:
    for one in draws:
        if one.by == by:
            draws = _added(_without(draws, by), Draw(to, one.units))
    return draws
