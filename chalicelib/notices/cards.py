"""What a card tells: what was earned, taken back or is held, what expires soon, tiers reached.

Money that a full card brought stands in the member's book (`sources`), so a card tells of the full
cards alone whose reward is no money.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.changes import Told, cause_of, entered_at, newest_of, told_of
from chalicelib.loyalty.cards.climbing import Climb, list_climbs
from chalicelib.loyalty.cards.effects import NO_BUDGET
from chalicelib.loyalty.cards.extra import is_withheld
from chalicelib.loyalty.cards.model import Card, Entry, Fill
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.cards.past import in_chain, newest_entries
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.cards.upcoming import Expiring, list_expiring
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import Announcement, notice_id_of
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.runtime import vault

HELD = "held"
RETURNED = "returned"
CHANGED_FOR = timedelta(days=60)  # Goods rarely come back, and receipts rarely are found, later.


def list_of_cards(
    member_id: MemberId, *, key: vault.SealingKey, since: datetime, now: datetime
) -> Iterator[Announcement]:
    """What became of the member's cards since `since`, in no order."""
    for scheme_id, card in cards.list_cards(member_id, key=key, now=now).items():
        holder = Holder(member_id, scheme_id, key)
        entries, fills = _whole(card, holder, since=since, now=now)
        for entry in entries:
            unit = _unit(scheme_id, entry.scheme, now=now)
            yield from of_card_entry(entry, member_id, scheme_id, unit)
        for fill in fills:
            yield from of_fill(fill, member_id, scheme_id)
        scheme = schemes.find_valid(scheme_id, at=now, now=now)
        if scheme is not None:
            yield from of_expiring(
                list_expiring(card, entries, zone=scheme.zone, now=now), member_id, scheme_id
            )
            yield from of_climbs(list_climbs(card, entries, scheme), member_id, scheme_id)


def of_card_entry(
    entry: Entry, member_id: MemberId, scheme_id: str, unit: Unit
) -> Iterator[Announcement]:
    """What a purchase earned, and every change of that, as banks are told; or that it is held."""
    if is_withheld(entry):
        return  # That was told of with the full card whose units they would have been.
    earned = NoticeKind.STAMP_EARNED if unit is Unit.STAMPS else NoticeKind.POINTS_EARNED
    held = REFUSED if entry.held == REFUSED else HELD if entry.held else ""
    for told in [_held(entry)] if held else told_of(entry):
        kind = earned if told.is_first else NoticeKind.ADJUSTED
        reason = held if told.is_first else told.change.reason or RETURNED
        notice = _notice(kind, member_id, scheme_id, cause=told.cause, at=told.at)
        about = payment_of(entry.payment_id)
        yield replace(notice, payment_id=about, units=told.change.units, reason=reason)


def of_fill(fill: Fill, member_id: MemberId, scheme_id: str) -> Iterator[Announcement]:
    """That a card is full whose reward is no money, or money that waits for the budget."""
    if (fill.minor and not fill.waits) or fill.undone_by:
        return
    notice = _notice(NoticeKind.CARD_COMPLETE, member_id, scheme_id, cause=fill.name, at=fill.at)
    reason = NO_BUDGET if fill.waits else ""
    yield replace(notice, payment_id=payment_of(fill.cause), reason=reason)


def of_expiring(
    expiring: Iterable[Expiring], member_id: MemberId, scheme_id: str
) -> Iterator[Announcement]:
    """What expires soon, for as long as something is left of it."""
    for one in expiring:
        notice = _notice(
            NoticeKind.EXPIRING, member_id, scheme_id, cause=one.on.isoformat(), at=one.since
        )
        yield replace(notice, units=one.units, on=one.on)


def of_climbs(
    climbs: Iterable[Climb], member_id: MemberId, scheme_id: str
) -> Iterator[Announcement]:
    """The tiers that were reached."""
    for one in climbs:
        kind = NoticeKind.TIER_CHANGED
        notice = _notice(kind, member_id, scheme_id, cause=one.cause, at=one.at)
        yield replace(notice, reason=one.tier.tier_id)


def _notice(
    kind: NoticeKind, member_id: MemberId, scheme_id: str, *, cause: str, at: datetime
) -> Announcement:
    return Announcement(
        notice_id=notice_id_of(kind, member_id=member_id, subject=scheme_id, cause=cause),
        kind=kind,
        member_id=member_id,
        at=at,
        subject=scheme_id,
        retailer_id=schemes.retailer_of(scheme_id),
    )


def _whole(
    card: Card, holder: Holder, *, since: datetime, now: datetime
) -> tuple[tuple[Entry, ...], tuple[Fill, ...]]:
    """The card's entries and fills, those in the history too, where it is young enough."""
    if card.watermark is None or card.watermark < since - CHANGED_FOR:
        return card.entries, card.fills
    past = in_chain(cards.list_past(holder, now=now), card.last_past)
    fills = {fill.name: fill for one in past for fill in one.fills}
    fills |= {fill.name: fill for fill in card.fills}
    return newest_entries(card, past), tuple(fills.values())


def _unit(scheme_id: str, version: int, *, now: datetime) -> Unit:
    """What the scheme counts in. A version that is gone counted in points, as far as is known."""
    try:
        return schemes.get_version(scheme_id, version, now=now).unit
    except NotFound:
        return Unit.POINTS


def _held(entry: Entry) -> Told:
    """What it would have earned: it counts for nothing yet, or never will."""
    newest, units = newest_of(entry), sum(one.units for one in entry.given)
    change = replace(newest, units=units)
    return Told(change, cause_of(entry, newest), entered_at(entry, newest), is_first=True)
