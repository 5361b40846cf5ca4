"""Moving old entries to the history, and back when something of them changes after all.

A card that is written with every purchase has to stay small, because DynamoDB bills what is written
by the kilobyte. So the oldest entries move to the history nine at a time: only what is left of
their lots stays on the card, added to lots that expire at the same moment. The newest sale that
moved is the card's watermark: a purchase that is not on the card and older than that is looked for
in the history before anybody believes that it is new.

What was bought within a day stays together, since `watching` counts it: else whoever buys often
enough would not be seen to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.loyalty.cards import lots, reviving
from chalicelib.loyalty.cards.filling import with_entry, within
from chalicelib.loyalty.cards.model import SPENT, Card, Claim, Draw, Entry, Fill, Lot
from chalicelib.loyalty.cards.past import Past
from chalicelib.loyalty.cards.standing import moved, returned
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.watching import is_watched

T = TypeVar("T")

ENTRIES_MAX = 11  # With everything else on the card, still under a kilobyte (a write unit).
BATCH = 9
CLAIMS_MAX = 4  # Closed ones; open ones always stay.
FOLLOWED_UP = timedelta(days=8)  # So long somebody makes up for a run that died before it paid.


def move_old(card: Card, scheme: Scheme, *, at: datetime) -> tuple[Card, Past | None]:
    """`card` with its oldest entries moved, where it has too many, and what moved."""
    closed = [claim for claim in card.claims if _is_over(claim, at)]
    moving = _oldest(card.entries) if len(card.entries) > ENTRIES_MAX else ()
    if not moving and len(closed) <= CLAIMS_MAX:
        return card, None
    fills = _going(card.fills, moving, staying=_without(card.entries, moving))
    claims = tuple(closed) if len(closed) > CLAIMS_MAX else _of_fills(closed, fills)
    settled = card
    for name in (*(fill.name for fill in fills), *(claim.claim_id for claim in claims)):
        settled = lots.settle(settled, name)
    gone = {entry.payment_id for entry in moving}
    leaving = tuple(entry for entry in settled.entries if entry.payment_id in gone)
    as_they_were = tuple(entry for entry in card.entries if entry.payment_id in gone)
    drawn = reviving.drawn_by(card.lots, fills, at=at)
    past = Past(card.archived + 1, card.last_past, as_they_were, fills, claims, drawn)
    base, expired = _merged((*settled.base, *(e.lot for e in leaving)), at=at)
    stamped = (card.watermark, *(entry.sold_at for entry in moving))
    return replace(
        settled,
        entries=tuple(e for e in settled.entries if e.payment_id not in gone),
        base=base,
        expired=card.expired + expired,
        fills=_without(card.fills, fills),
        claims=_without(card.claims, claims),
        archived=past.number,
        last_past=past.name,
        counts=moved(card, leaving, scheme),
        watermark=max((one for one in stamped if one is not None), default=None),
    ), past


def bring_back(
    card: Card, past: Sequence[Past], payment_id: str, scheme: Scheme, *, at: datetime
) -> Card:
    """`card` with the purchase's entry out of the history, if it is there; the newest counts.

    Its units come out of the lots that they were added to. Which of these were used meanwhile
    nobody can say any more: the free ones are taken for its own, or those that were free when the
    card began anew. Of those that full cards in the history have drawn, their cards come back with
    it.
    """
    found = [(one, e) for one in reversed(past) for e in one.entries if e.payment_id == payment_id]
    if not found or card.find_entry(payment_id) is not None:
        return card
    moved_with, entry = found[0]
    gone = {SPENT, *(c.claim_id for c in moved_with.claims)}
    gone |= reviving.names_in_history(card, past) & {f.name for f in moved_with.fills}
    own = entry.lot.units - sum(d.units for d in entry.lot.draws if d.by in gone)
    wanted = replace(entry.lot, units=own, draws=())
    card, lot, forfeited = _taken_back(card, moved_with, entry, wanted, at=at)
    own -= forfeited
    expired = min(own - lot.units, card.expired) if lot.is_expired(at) else 0
    spent = entry.lot.units - forfeited - lot.units - expired
    card = replace(card, expired=card.expired - expired)
    if moved_with.number > card.reset_past:
        card = replace(card, counts=returned(card, entry, scheme))
    card, drawn = reviving.revived(card, past, entry, spent, at=at)
    spent -= sum(draw.units for draw in drawn)
    draws = (*lot.draws, *drawn, *((Draw(SPENT, spent),) if spent else ()))
    whole = replace(lot, units=entry.lot.units - forfeited, draws=draws)
    return with_entry(card, replace(entry, lot=whole, forfeited=entry.forfeited + forfeited))


def _taken_back(
    card: Card, moved_with: Past, entry: Entry, wanted: Lot, *, at: datetime
) -> tuple[Card, Lot, int]:
    """`card` without up to `wanted.units` of lots like it, what was taken of those that count, and
    how many had been forfeited.

    What moved before the card began anew was forfeited where it was free; of what was bought before
    and moved later, only what is not there any more.
    """
    forfeited, lost = card.forfeited, replace(wanted, units=0)
    if moved_with.number <= card.reset_past:
        forfeited, lost = _taken_out(forfeited, wanted, at=at)
    left = replace(wanted, units=wanted.units - lost.units)
    base, lot = _taken_out(card.base, left, at=at)
    is_of_before = card.reset_at is not None and entry.sold_at < card.reset_at
    if is_of_before and moved_with.number > card.reset_past:
        left = replace(wanted, units=wanted.units - lot.units)
        forfeited, lost = _taken_out(forfeited, left, at=at)
    return replace(card, base=base, forfeited=forfeited), lot, lost.units


def _taken_out(base: Sequence[Lot], wanted: Lot, *, at: datetime) -> tuple[tuple[Lot, ...], Lot]:
    """`base` without up to `wanted.units` of lots like it, and what was taken, draws included."""
    left, taken = [], replace(wanted, units=0)
    for lot in base:
        is_active = lot.active_at <= at and wanted.active_at <= at
        is_alike = lot.expires_at == wanted.expires_at
        if not is_alike or not (is_active or lot.active_at == wanted.active_at):
            left.append(lot)
            continue
        units = min(lot.units, wanted.units - taken.units)
        kept, moved = within(lot.draws, max(lot.drawn - max(units - lot.free, 0), 0))
        taken = _together(taken, replace(lot, units=units, draws=moved))
        if lot.units > units:
            left.append(replace(lot, units=lot.units - units, draws=kept))
    return tuple(left), replace(taken, active_at=wanted.active_at)


def _oldest(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    by_age = sorted(entries, key=lambda entry: (entry.sold_at, entry.payment_id))
    if is_watched(by_age[BATCH - 1].sold_at, [one.sold_at for one in by_age]):
        return ()
    return tuple(by_age[:BATCH])


def _is_over(claim: Claim, at: datetime) -> bool:
    """Whether it may move. One that was given at once stays while somebody may have to give again
    what it gives.
    """
    if claim.is_open(at):
        return False
    is_given = claim.lease is not None or claim.gives is not None
    return not is_given or claim.closed_at is None or claim.closed_at < at - FOLLOWED_UP


def _going(
    fills: Iterable[Fill], moving: Iterable[Entry], *, staying: Iterable[Entry]
) -> tuple[Fill, ...]:
    """The fills that nothing on the card leads to any more, nor one that is worth more of the same
    purchase: that one would be emptied last.
    """
    every = tuple(fills)
    at_hand = {entry.payment_id for entry in staying}
    drawing = {draw.by for entry in staying for draw in entry.lot.draws}
    causes = {entry.payment_id for entry in moving}
    going = tuple(
        fill
        for fill in every
        if not fill.waits
        and fill.name not in drawing
        and not {fill.cause, fill.undone_by, *fill.deferred_by} & at_hand
        and (fill.cause in causes or fill.undone_by)
    )
    left = [fill for fill in _without(every, going) if not fill.undone_by]
    return tuple(
        fill
        for fill in going
        if not any(one.cause == fill.cause and one.worth_minor > fill.worth_minor for one in left)
    )


def _of_fills(claims: Iterable[Claim], fills: Iterable[Fill]) -> tuple[Claim, ...]:
    names = {fill.claim_id for fill in fills if fill.claim_id}
    return tuple(claim for claim in claims if claim.claim_id in names)


def _without(every: tuple[T, ...], gone: Iterable[T]) -> tuple[T, ...]:
    dropped = {id(one) for one in gone}
    return tuple(one for one in every if id(one) not in dropped)


def _merged(every: Iterable[Lot], *, at: datetime) -> tuple[tuple[Lot, ...], int]:
    """One lot for all that become active and expire together; and how many units had expired.

    What was spent for good is not kept, nor since when units are active, once they are.
    """
    merged: dict[tuple[datetime | None, datetime | None], Lot] = {}
    expired = 0
    for whole in every:
        spent = sum(draw.units for draw in whole.draws if draw.by == SPENT)
        draws = tuple(draw for draw in whole.draws if draw.by != SPENT)
        lot = replace(whole, units=whole.units - spent, draws=draws)
        if lot.is_expired(at):
            expired += lot.free
        left = replace(lot, units=lot.drawn) if lot.is_expired(at) else lot
        if not left.units:
            continue
        key = (left.active_at if left.active_at > at else None, left.expires_at)
        known = merged.get(key)
        merged[key] = left if known is None else _together(known, left)
    return tuple(merged.values()), expired


def _together(one: Lot, other: Lot) -> Lot:
    names = dict.fromkeys(draw.by for draw in (*one.draws, *other.draws))
    draws = tuple(
        Draw(by, sum(draw.units for draw in (*one.draws, *other.draws) if draw.by == by))
        for by in names
    )
    active_at = max(one.active_at, other.active_at)
    return Lot(one.units + other.units, active_at, one.expires_at, draws)
