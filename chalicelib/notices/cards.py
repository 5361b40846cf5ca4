"""What a card tells of its purchases: stamps and points that were earned, taken back, or are held.

Money that a full card brought stands in the member's book (`sources`), so a card tells of the full
cards alone whose reward is no money.
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.effects import NO_BUDGET
from chalicelib.loyalty.cards.extra import is_withheld
from chalicelib.loyalty.cards.model import Card, Entry, Fill
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.cards.past import in_chain, newest_entries
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import Announcement, notice_id_of
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.runtime import vault

HELD = "held"
RETURNED = "returned"


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


def of_card_entry(
    entry: Entry, member_id: MemberId, scheme_id: str, unit: Unit
) -> Iterator[Announcement]:
    """What a purchase earned, and what of it was taken back."""
    if is_withheld(entry):
        return  # That was told of with the full card whose units they would have been.
    given = sum(one.units for one in entry.given)
    back = sum(one.back for one in entry.given)
    earned = NoticeKind.STAMP_EARNED if unit is Unit.STAMPS else NoticeKind.POINTS_EARNED
    held = REFUSED if entry.held == REFUSED else HELD if entry.held else ""
    if given > 0:
        yield _notice(earned, entry, member_id, scheme_id, units=given, reason=held)
    if back > 0:
        kind = NoticeKind.ADJUSTED
        yield _notice(kind, entry, member_id, scheme_id, units=-back, reason=RETURNED)


def of_fill(fill: Fill, member_id: MemberId, scheme_id: str) -> Iterator[Announcement]:
    """That a card is full whose reward is no money, or money that waits for the budget."""
    if (fill.minor and not fill.waits) or fill.undone_by:
        return
    kind = NoticeKind.CARD_COMPLETE
    yield Announcement(
        notice_id=notice_id_of(kind, member_id=member_id, subject=scheme_id, cause=fill.name),
        kind=kind,
        member_id=member_id,
        at=fill.at,
        subject=scheme_id,
        retailer_id=schemes.retailer_of(scheme_id),
        payment_id=payment_of(fill.cause),
        reason=NO_BUDGET if fill.waits else "",
    )


def _whole(
    card: Card, holder: Holder, *, since: datetime, now: datetime
) -> tuple[tuple[Entry, ...], tuple[Fill, ...]]:
    """The card's entries and fills, those in the history too, where it is young enough."""
    if card.watermark is None or card.watermark < since:
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


def _notice(
    kind: NoticeKind,
    entry: Entry,
    member_id: MemberId,
    scheme_id: str,
    *,
    units: int,
    reason: str,
) -> Announcement:
    cause = f"{entry.payment_id}#{entry.version}"
    return Announcement(
        notice_id=notice_id_of(kind, member_id=member_id, subject=scheme_id, cause=cause),
        kind=kind,
        member_id=member_id,
        at=entry.sold_at,
        subject=scheme_id,
        retailer_id=schemes.retailer_of(scheme_id),
        payment_id=payment_of(entry.payment_id),
        units=units,
        reason=reason,
    )
