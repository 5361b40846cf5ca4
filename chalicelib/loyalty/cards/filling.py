"""Stamp cards that are full: filling them, and emptying them again when goods come back.

A full card draws its places from the lots, oldest first, and what is left begins the next card. If
a stamp in a full card is taken back, a loose one takes its place, and where that is younger than
all the others the reward is due with it; only where there is none, the card is full no more, its
reward goes back, and its other stamps lie loose again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.model import WAITING, Card, Claim, ClaimState, Draw, Entry, Fill
from chalicelib.loyalty.rules import ExtraUnits

COLLECTED_WITHIN = timedelta(days=365)  # A full card whose reward is no money is good for a year.

LeaseFor = Callable[[int], int | None]  # The lease that can pay so much; None: the budget cannot.


class Undoing(Enum):
    """Which full cards may be emptied again."""

    ANY = "any"  # what was paid for one is set off later
    ONLY_PENDING = "only_pending"  # none whose reward is due


@dataclass(frozen=True, slots=True)
class Filling:
    """What a scheme version says of full cards. `minor` is what one is worth, if that is money, and
    `most_minor` what all that one purchase fills are worth together; None where nothing bounds it.
    `whole_minor` is what one was worth before goods came back, where some did.

    `claims` says that the reward is collected with a code instead; `gives` are units that it is on
    another card.
    """

    places: int
    minor: int = 0
    most_minor: int | None = None
    whole_minor: int = 0
    claims: bool = False
    forfeits_rest: bool = False
    gives: ExtraUnits | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """`units` to be taken out of the lot of a purchase, because of the purchase `cause`."""

    payment_id: str
    units: int
    undoing: Undoing
    cause: str


def fill_up(card: Card, filling: Filling, *, cause: str, scheme: int, at: datetime) -> Card:
    """`card` with every full card that its loose stamps make, pending ones included."""
    while lots.free_units(card, usable=lots.live(at)) >= filling.places:
        number = card.fills_made + 1
        minor = _worth(card, filling, cause)
        fill = Fill(number, cause, scheme, at, at, minor, gives=filling.gives)
        if minor:
            fill = replace(fill, lease=WAITING)
        if (whole := max(filling.minor, filling.whole_minor)) > minor:
            fill = replace(fill, whole_minor=whole)
        card, _ = lots.draw(card, fill.name, filling.places, usable=lots.live(at))
        held = (lot for lot in card.lots if any(draw.by == fill.name for draw in lot.draws))
        due_at = max(at, *(lot.active_at for lot in held))
        claims = card.claims
        if filling.claims:
            fill = replace(fill, claim_id=f"{fill.name}#{cause}")
            claims = (*claims, Claim(fill.claim_id, "", scheme, 0, at, at + COLLECTED_WITHIN))
        fills = (*card.fills, replace(fill, due_at=due_at))
        card = replace(card, fills=fills, claims=claims, fills_made=number)
    return card


def _worth(card: Card, filling: Filling, cause: str) -> int:
    if filling.most_minor is None:
        return filling.minor
    given = sum(one.worth_minor for one in card.fills if one.cause == cause and not one.undone_by)
    return min(filling.minor, max(filling.most_minor - given, 0))


def with_leases(card: Card, lease_for: LeaseFor, *, cause: str | None = None) -> Card:
    """`card` with a lease for each full card whose reward waits, where there is one.

    With a `cause`, only those that this purchase filled.
    """

    def leased(fill: Fill) -> Fill:
        if not fill.waits or cause not in (None, fill.cause):
            return fill
        lease = lease_for(fill.minor)
        if lease is not None:
            return replace(fill, lease=lease)
        return fill if fill.has_waited else replace(fill, has_waited=True)

    fills = tuple(leased(fill) for fill in card.fills)
    return card if fills == card.fills else replace(card, fills=fills)


def forfeit_rest(card: Card, before: Card, payment_id: str) -> Card:
    """`card` without the loose stamps of a purchase that filled a card, where it filled one."""
    entry = card.find_entry(payment_id)
    if entry is None or card.fills_made == before.fills_made or entry.lot.free <= 0:
        return card
    rest = entry.lot.free
    lot = replace(entry.lot, units=entry.lot.units - rest)
    return with_entry(card, replace(entry, lot=lot, forfeited=entry.forfeited + rest))


def take_units(card: Card, taking: Taking, *, at: datetime) -> tuple[Card, int]:
    """Take units out of the lot of a purchase, spent or not.

    Returns the card and how many of them are debt now, for which nothing else could stand in.
    """
    entry, undoing, cause = card.find_entry(taking.payment_id), taking.undoing, taking.cause
    if entry is None or taking.units <= 0:
        return card, 0
    lot = replace(entry.lot, units=entry.lot.units - taking.units)
    kept, orphaned = within(lot.draws, lot.units)
    card = with_entry(card, replace(entry, lot=replace(lot, draws=kept)))
    short = 0
    for draw in orphaned:
        if any(fill.name == draw.by and fill.undone_by for fill in card.fills):
            continue  # In the place of one that is worth more.
        card, missing = lots.draw(card, draw.by, draw.units, usable=lots.live(at))
        if not missing:
            continue
        fill = _undoable(card, draw.by, undoing=undoing, at=at)
        if fill is not None:
            card = _emptied(card, fill, missing, cause=cause, undoing=undoing, at=at)
        else:
            card = lots.with_debt(card, draw.by, missing)
            short += missing
    return defer(lots.work_off(card, at=at), cause=cause, at=at), short


def defer(card: Card, *, cause: str, at: datetime) -> Card:
    """`card`, whose full cards that are not due by `at` are due no sooner than their stamps are.

    What is due by then may have been paid. `cause` is what let younger stamps in.
    """

    def deferred(fill: Fill) -> Fill:
        held = (lot for lot in card.lots if any(draw.by == fill.name for draw in lot.draws))
        due_at = max((lot.active_at for lot in held), default=at)
        if fill.undone_by or fill.due_at <= at or due_at <= fill.due_at:
            return fill
        given = () if fill.waits else (cause,)
        return replace(fill, due_at=due_at, deferred_by=(*fill.deferred_by, *given))

    fills = tuple(deferred(fill) for fill in card.fills)
    return card if fills == card.fills else replace(card, fills=fills)


def with_entry(card: Card, entry: Entry) -> Card:
    """`card` with `entry` in the place of what its purchase had."""
    others = tuple(entry if one.payment_id == entry.payment_id else one for one in card.entries)
    if card.find_entry(entry.payment_id) is None:
        others = (*others, entry)
    return replace(card, entries=others)


def within(draws: tuple[Draw, ...], units: int) -> tuple[tuple[Draw, ...], tuple[Draw, ...]]:
    """What of `draws` fits into `units`, the earliest first, and what does not."""
    kept, orphaned, left = [], [], units
    for draw in draws:
        fits = min(draw.units, left)
        left -= fits
        if fits:
            kept.append(replace(draw, units=fits))
        if draw.units > fits:
            orphaned.append(replace(draw, units=draw.units - fits))
    return tuple(kept), tuple(orphaned)


def _undoable(card: Card, by: str, *, undoing: Undoing, at: datetime) -> Fill | None:
    fill = next((one for one in card.fills if one.name == by and not one.undone_by), None)
    if fill is None or (undoing is Undoing.ONLY_PENDING and fill.due_at <= at):
        return None
    claim = card.find_claim(fill.claim_id) if fill.claim_id else None
    return None if claim is not None and not claim.is_open(at) else fill


def _emptied(
    card: Card, fill: Fill, missing: int, *, cause: str, undoing: Undoing, at: datetime
) -> Card:
    """`card`, on which `fill` has `missing` stamps too few: of all full cards that its purchase
    filled the one is emptied that is worth least, and its stamps take the places. So they come to
    as much as if what came back had never been there.
    """
    while missing:
        fellows = (_undoable(card, f.name, undoing=undoing, at=at) for f in card.fills)
        of_purchase = [f for f in fellows if f is not None and f.cause == fill.cause]
        least = min(of_purchase, key=lambda one: (one.worth_minor, -one.number))
        if least.worth_minor == fill.worth_minor:
            return _undo(card, fill, cause=cause, at=at)
        card = _undo(card, least, cause=cause, at=at)
        card, missing = lots.draw(card, fill.name, missing, usable=lots.live(at))
    return card


def _undo(card: Card, fill: Fill, *, cause: str, at: datetime) -> Card:
    card = lots.give_back(card, fill.name, drawn_at=fill.at)
    fills = tuple(replace(f, undone_by=cause) if f.number == fill.number else f for f in card.fills)
    claims = tuple(
        replace(c, state=ClaimState.CANCELLED, closed_at=at) if c.claim_id == fill.claim_id else c
        for c in card.claims
    )
    return replace(card, fills=fills, claims=claims)
