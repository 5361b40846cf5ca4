"""Full cards that come back from the history, because one of their stamps is taken back. Pure.

When a full card moves to the history, the parts of lots that it has drawn move with it. So it can
come back as it was: the stamps of the purchase that is looked at go into that purchase's own lot,
the others into lots of the card. Then it is emptied, or a loose stamp takes the place, as on
any card that is at hand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty.cards.model import Card, Draw, Entry, Fill, Lot
from chalicelib.loyalty.cards.past import Past, newest_fills


def drawn_by(every: Iterable[Lot], fills: Iterable[Fill], *, at: datetime) -> tuple[Lot, ...]:
    """What `fills` have drawn: one lot for all that one of them drew of what expires together.

    Since when units are active is not kept, once they are.
    """
    names = {fill.name for fill in fills}
    drawn: dict[tuple[str, datetime | None, datetime | None], Lot] = {}
    for lot in every:
        for draw in lot.draws:
            if draw.by not in names:
                continue
            key = (draw.by, lot.active_at if lot.active_at > at else None, lot.expires_at)
            known = drawn.get(key)
            units = draw.units + (known.units if known else 0)
            active_at = max(lot.active_at, known.active_at) if known else lot.active_at
            drawn[key] = Lot(units, active_at, lot.expires_at, (Draw(draw.by, units),))
    return tuple(drawn.values())


def with_fill(card: Card, past: Sequence[Past], fill: Fill) -> Card:
    """`card` with a full card of its history at hand again; the same where it is at hand."""
    if any(one.number == fill.number for one in card.fills):
        return card
    return _with(card, fill, _drawn(past, fill))


def with_fills_of(card: Card, past: Sequence[Past], payment_id: str) -> Card:
    """`card` with all that the purchase filled, and that is full, at hand again."""
    for fill in newest_fills(card, past).values():
        if fill.cause == payment_id and not fill.undone_by:
            card = with_fill(card, past, fill)
    return card


def names_in_history(card: Card, past: Sequence[Past]) -> set[str]:
    """By which the full cards have drawn whose stamps are in the history as well."""
    at_hand = {fill.number for fill in card.fills}
    fills = newest_fills(card, past).values()
    return {one.name for one in fills if one.number not in at_hand and not one.undone_by}


def revived(
    card: Card, past: Sequence[Past], entry: Entry, units: int, *, at: datetime
) -> tuple[Card, tuple[Draw, ...]]:
    """`card` with the full cards that have drawn `units` of the lot of `entry`, and these draws.

    Those come first that the entry names, then the newest: units of lots that expire together are
    one as good as the other. What was collected at a till stays in the history. With a full card
    come those of its purchase that are worth less: one of them is emptied in its place.
    """
    named = {draw.by: draw.units for draw in entry.lot.draws}
    draws: list[Draw] = []
    found = _in_order(card, past, named, at=at)
    for fill in found:
        lots = _drawn(past, fill)
        alike = [lot for lot in lots if lot.expires_at == entry.lot.expires_at]
        most = sum(lot.units for lot in alike)
        own = min(units, named.get(fill.name, most), most)
        if own:
            card = _with(card, fill, _without(lots, own, expires_at=entry.lot.expires_at))
            draws.append(Draw(fill.name, own))
            units -= own
    back = {draw.by for draw in draws}
    for fill in found:
        fellows = (one for one in found if one.name in back and one.cause == fill.cause)
        if fill.name not in back and any(one.worth_minor > fill.worth_minor for one in fellows):
            card = _with(card, fill, _drawn(past, fill))
    return card, tuple(draws)


def _in_order(
    card: Card, past: Sequence[Past], named: dict[str, int], *, at: datetime
) -> list[Fill]:
    names = names_in_history(card, past)
    found = [
        fill
        for fill in newest_fills(card, past).values()
        if fill.name in names and not _is_collected(card, fill, at)
    ]
    return sorted(found, key=lambda fill: (fill.name not in named, -fill.number))


def _is_collected(card: Card, fill: Fill, at: datetime) -> bool:
    """Whether its reward is no money, and was collected or is good no more."""
    claim = card.find_claim(fill.claim_id) if fill.claim_id else None
    return bool(fill.claim_id) and (claim is None or not claim.is_open(at))


def _drawn(past: Sequence[Past], fill: Fill) -> tuple[Lot, ...]:
    """The parts of lots that moved with `fill` when it moved last."""
    for one in reversed(past):
        if any(moved.number == fill.number for moved in one.fills):
            return tuple(lot for lot in one.drawn if lot.draws[0].by == fill.name)
    return ()


def _without(lots: Iterable[Lot], units: int, *, expires_at: datetime | None) -> tuple[Lot, ...]:
    """`lots` without `units` of those that expire at `expires_at`."""
    left = []
    for lot in lots:
        gone = min(units, lot.units) if lot.expires_at == expires_at else 0
        units -= gone
        if lot.units > gone:
            rest = Draw(lot.draws[0].by, lot.units - gone)
            left.append(replace(lot, units=rest.units, draws=(rest,)))
    return tuple(left)


def _with(card: Card, fill: Fill, lots: tuple[Lot, ...]) -> Card:
    fills = tuple(sorted((*card.fills, fill), key=lambda one: one.number))
    return replace(card, fills=fills, base=(*card.base, *lots))
