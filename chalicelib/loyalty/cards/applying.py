"""Bringing a card up to what the newest version of a purchase is worth.

A version is applied once; what is older than what the entry knows changes nothing, so messages may
come in any order and any number of times. Units come and go in the purchase's own lot.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.changes import (
    CORRECTED,
    OFFER_INSTEAD,
    RETURNED,
    WITHDRAWN,
    newest_of,
)
from chalicelib.loyalty.cards.filling import (
    Filling,
    Taking,
    Undoing,
    fill_up,
    forfeit_rest,
    take_units,
    with_entry,
)
from chalicelib.loyalty.cards.model import Card, ClaimState, Entry, Fill, Given, Lot
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.cards.revaluing import Revaluing, revalued
from chalicelib.loyalty.terms import RefundPolicy

EARLIER_MAX = 3  # The first change and the last two: those between were announced long ago.


@dataclass(frozen=True, slots=True)
class Worth:
    """What the newest version of a purchase is worth on a card.

    `given` is what it earned, with what its returns demand back; of a receipt that
    `is_withdrawn`, everything, and no policy lets anybody keep that: it was never theirs. So it is
    where it `is_excluded`, because an offer takes its place; policies hold then. The other fields
    are those of `Entry`.
    """

    payment_id: str
    sold_at: datetime
    version: int
    scheme: int
    sale_print: int
    given: tuple[Given, ...]
    active_at: datetime
    expires_at: datetime | None = None
    tier_id: str = ""
    visits: tuple[str, ...] = ()
    spend_minor: int = 0
    is_visit: bool = True
    place: str = ""
    held: str = ""
    is_released: bool = False
    is_withdrawn: bool = False
    is_excluded: bool = False
    completed: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """What counts if all that is demanded is taken back."""
        return 0 if self.held else sum(one.units - one.back for one in self.given)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to remember of it.

        Of extra units it is, even where they are back before they came: nobody reads the newest
        version of them again, so whoever is late must find that they are over.
        """
        counts = self.is_visit and bool(self.visits or self.spend_minor)
        return self.units <= 0 and not counts and not self.held and not is_extra(self.payment_id)


def is_known(entry: Entry, worth: Worth) -> bool:
    """Whether `entry` is up to `worth`: within a version, what was held comes first.

    The offer that excludes it may be given for the very version by which it was earned.
    """
    if worth.is_excluded and worth.version == entry.version and entry.wanted > 0:
        return False
    return (worth.version, not worth.held) <= (entry.version, not entry.held)


def bring_up(
    card: Card,
    worth: Worth,
    *,
    filling: Filling | None,
    policy: RefundPolicy,
    at: datetime,
    follow: Callable[[Card], Card] = lambda card: card,
) -> Card:
    """`card` after the version of a purchase that `worth` tells of; the same where it knew it.

    `follow` is what follows from it for other purchases, before cards are filled.
    """
    entry = card.find_entry(worth.payment_id)
    if entry is not None and is_known(entry, worth):
        return card
    if entry is None and worth.is_nothing:
        return card
    before = lapse(card, at)
    after = (
        _entered(before, worth, at=at)
        if entry is None
        else _with_change(before, entry, worth, policy=policy, at=at)
    )
    after = follow(after)
    if filling is None:
        return after
    if entry is not None and filling.most_minor is not None:
        is_any = worth.is_withdrawn or policy is RefundPolicy.NEGATIVE
        undoing = Undoing.ANY if is_any else Undoing.ONLY_PENDING
        how = Revaluing(worth.payment_id, reason_of(entry, worth), undoing, at)
        after = revalued(after, filling.minor, filling.most_minor, how)
    full = fill_up(after, filling, cause=worth.payment_id, scheme=worth.scheme, at=at)
    return forfeit_rest(full, after, worth.payment_id) if filling.forfeits_rest else full


def lapse(card: Card, at: datetime) -> Card:
    """`card` with the claims closed that nobody redeemed in time; their units are back."""
    for claim in card.claims:
        if claim.state is ClaimState.RESERVED and not claim.is_open(at):
            lapsed = replace(claim, state=ClaimState.CANCELLED, closed_at=claim.until)
            claims = tuple(lapsed if c is claim else c for c in card.claims)
            back = lots.give_back(card, claim.claim_id, drawn_at=claim.at)
            card = replace(back, claims=claims)
    return lots.work_off(card, at=at)


def _entered(card: Card, worth: Worth, *, at: datetime) -> Card:
    lot = Lot(worth.units, worth.active_at, worth.expires_at)
    entry = _up_to(Entry(worth.payment_id, worth.sold_at, 0, worth.scheme, 0, (), lot), worth)
    entry = replace(entry, changed=worth.units, lag_seconds=_lag_seconds(entry, at))
    return lots.work_off(with_entry(card, entry), at=at)


def as_worth(entry: Entry) -> Worth:
    """What the version that `entry` knows is worth."""
    return Worth(
        payment_id=entry.payment_id,
        sold_at=entry.sold_at,
        version=entry.version,
        scheme=entry.scheme,
        sale_print=entry.sale_print,
        given=entry.given,
        active_at=entry.lot.active_at,
        expires_at=entry.lot.expires_at,
        tier_id=entry.tier_id,
        visits=entry.visits,
        spend_minor=entry.spend_minor,
        is_visit=entry.is_visit,
        place=entry.place,
        held=entry.held,
        is_released=entry.is_released,
        completed=entry.completed,
    )


def changed(
    card: Card, entry: Entry, worth: Worth, *, policy: RefundPolicy, cause: str, at: datetime
) -> Card:
    """`card`, on which `entry` is worth what `worth` says; `cause` is the purchase that made it so.

    What is taken back empties full cards in the name of `cause`.
    """
    counted = entry.lot.units
    known = _up_to(entry, worth)
    more = worth.units - entry.wanted
    if worth.is_withdrawn:
        card = with_entry(card, replace(known, kept=0, forfeited=0))
        taking = Taking(entry.payment_id, counted, Undoing.ANY, cause)
        return take_units(card, taking, at=at)[0]
    if more >= 0:
        kept = max(entry.kept - more, 0)
        units = worth.units + kept - entry.forfeited
        lot = replace(entry.lot, units=units)
        return lots.work_off(with_entry(card, replace(known, lot=lot, kept=kept)), at=at)
    return _less(card, known, -more, policy=policy, cause=cause, at=at)


def _up_to(entry: Entry, worth: Worth) -> Entry:
    """`entry` with everything that `worth` says, but the units that count."""
    return replace(
        entry,
        version=worth.version,
        sale_print=worth.sale_print,
        given=worth.given,
        tier_id=worth.tier_id,
        visits=worth.visits,
        spend_minor=worth.spend_minor,
        is_visit=worth.is_visit,
        place=worth.place,
        held=worth.held,
        is_released=worth.is_released,
        completed=worth.completed,
    )


def _less(
    card: Card, entry: Entry, demanded: int, *, policy: RefundPolicy, cause: str, at: datetime
) -> Card:
    """Take `demanded` units back as far as `policy` does: from what was forfeited anyway first."""
    forfeited = max(entry.forfeited - demanded, 0)
    demanded -= entry.forfeited - forfeited
    entry = replace(entry, forfeited=forfeited)
    taken = demanded
    if policy is RefundPolicy.ONLY_PENDING and entry.lot.active_at <= at:
        taken = 0
    kept = replace(entry, kept=entry.kept + demanded - taken)
    undoing = Undoing.ANY if policy is RefundPolicy.NEGATIVE else Undoing.ONLY_PENDING
    taking = Taking(entry.payment_id, taken, undoing, cause)
    after, short = take_units(with_entry(card, kept), taking, at=at)
    if short and policy is not RefundPolicy.NEGATIVE:
        kept = replace(kept, kept=kept.kept + short)
        less = replace(taking, units=taken - short)
        after, _ = take_units(with_entry(card, kept), less, at=at)
    return after


def reason_of(entry: Entry, worth: Worth) -> str:
    """Why `worth` differs from what the entry says."""
    if worth.is_withdrawn:
        return WITHDRAWN
    if worth.is_excluded:
        return OFFER_INSTEAD
    return CORRECTED if worth.sale_print != entry.sale_print else RETURNED


def _with_change(
    card: Card, before: Entry, worth: Worth, *, policy: RefundPolicy, at: datetime
) -> Card:
    """`card` with the entry changed, which remembers by how much and why."""
    before = card.find_entry(before.payment_id) or before  # Lapsing may have changed its draws.
    card = changed(card, before, worth, policy=policy, cause=before.payment_id, at=at)
    entry, reason = card.find_entry(before.payment_id), reason_of(before, worth)
    if entry is None:
        return card
    earlier = before.earlier
    if before.changed:
        earlier = (*earlier, newest_of(before))
        earlier = earlier[:1] + earlier[1:][1 - EARLIER_MAX :]
    units = entry.lot.units - before.lot.units
    said = replace(
        entry,
        changed=units,
        reason=reason if units else "",
        earlier=earlier,
        lag_seconds=_lag_seconds(entry, at),
    )
    return with_entry(replace(card, fills=explained(card.fills, entry.payment_id, reason)), said)


def _lag_seconds(entry: Entry, at: datetime) -> int:
    return (at - entry.sold_at) // timedelta(seconds=1)


def explained(fills: tuple[Fill, ...], payment_id: str, reason: str) -> tuple[Fill, ...]:
    """`fills`, of which those that the purchase just emptied say why."""
    return tuple(
        replace(fill, undone_why=reason)
        if fill.undone_by == payment_id and not fill.undone_why
        else fill
        for fill in fills
    )
