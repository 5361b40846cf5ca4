"""What follows from a card that changed: money given or taken back, codes, and notices.

Everything here is named by what it follows from, so that whoever repeats it changes nothing. It is
done after the card was written, by every run that settles the purchase again: if the one that wrote
the card died, the next one makes up for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.money import Money
from chalicelib.ledger import giving
from chalicelib.ledger.giving import Gift
from chalicelib.loyalty.cards.awarding import Settled
from chalicelib.loyalty.cards.model import Card, Entry, Fill
from chalicelib.loyalty.cards.standing import tier_at
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import codes
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.terms import Unit
from chalicelib.members import announcing
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of


def follow(settled: Settled, holder: Holder, scheme: Scheme, *, now: datetime) -> None:
    """Do what follows from `settled`: first money, then codes, then notices.

    :raises TryAgain: a passing obstacle; doing all of it again is safe.
    """
    if settled.card is None or (settled.entry is None and not settled.fills):
        return
    for fill in settled.fills:
        if fill.minor:
            giving.bring_to(
                gift_of(fill, holder, scheme),
                fill.minor if fill.undone_by else 0,
                reason=settled.reason,
                now=now,
            )
        if fill.claim_id and not fill.undone_by:
            codes.let_be_found(holder, scheme, fill.claim_id, now=now)
    announcing.announce(_announcements(settled, holder, scheme, now=now))


def gift_of(fill: Fill, holder: Holder, scheme: Scheme) -> Gift:
    """The money of a full card. A card's numbers are never used again, so nor is the key."""
    return Gift(
        key=f"card:{scheme.scheme_id}:{fill.number}",
        member_id=holder.member_id,
        amount=Money(fill.minor, scheme.currency),
        campaign_id=scheme.scheme_id,
        retailer_id=scheme.retailer_id,
        cause=fill.cause,
        at=fill.at,
        available_at=fill.due_at,
    )


def _announcements(
    settled: Settled, holder: Holder, scheme: Scheme, *, now: datetime
) -> Iterator[Announcement]:
    said = _Said(holder, scheme, settled.reason, now)
    if settled.entry is not None:
        yield from said.of_entry(settled.entry)
        if settled.card is not None:
            yield from said.of_tier(settled.card, settled.entry)
    for fill in settled.fills:
        yield from said.of_fill(fill)


class _Said:
    """Notices to one member about one scheme."""

    def __init__(self, holder: Holder, scheme: Scheme, reason: str, now: datetime) -> None:
        self.holder, self.scheme, self.reason, self.now = holder, scheme, reason, now

    def of_entry(self, entry: Entry) -> Iterator[Announcement]:
        if not entry.changed:
            return
        is_first = entry.changed == entry.lot.units and entry.changed > 0
        kind = NoticeKind.ADJUSTED
        if is_first:
            stamps = self.scheme.unit is Unit.STAMPS
            kind = NoticeKind.STAMP_EARNED if stamps else NoticeKind.POINTS_EARNED
        cause = f"{entry.payment_id}#{entry.version}"
        reason = "" if is_first else self.reason
        yield self._notice(kind, cause, entry.payment_id, units=entry.changed, reason=reason)

    def of_fill(self, fill: Fill) -> Iterator[Announcement]:
        amount = Money(fill.minor, self.scheme.currency) if fill.minor else None
        yield self._notice(NoticeKind.CARD_COMPLETE, fill.name, fill.cause, units=0, amount=amount)
        if fill.undone_by:
            yield self._notice(
                NoticeKind.ADJUSTED,
                f"{fill.name}#undone",
                fill.undone_by,
                units=0,
                amount=-amount if amount else None,
                reason=self.reason,
            )

    def of_tier(self, card: Card, entry: Entry) -> Iterator[Announcement]:
        """The tier, where it is another one than it would be without this purchase."""
        tier = tier_at(card, self.scheme, self.now)
        before = tier_at(_without(card, entry), self.scheme, self.now)
        if tier is not None and before is not None and tier.tier_id != before.tier_id:
            cause = f"{tier.tier_id}#{entry.payment_id}"
            reason = tier.tier_id
            kind = NoticeKind.TIER_CHANGED
            yield self._notice(kind, cause, entry.payment_id, units=0, reason=reason)

    def _notice(
        self,
        kind: NoticeKind,
        cause: str,
        payment_id: str,
        *,
        units: int,
        amount: Money | None = None,
        reason: str = "",
    ) -> Announcement:
        member_id, subject = self.holder.member_id, self.scheme.scheme_id
        return Announcement(
            notice_id=notice_id_of(kind, member_id=member_id, subject=subject, cause=cause),
            kind=kind,
            member_id=member_id,
            at=self.now,
            subject=subject,
            retailer_id=self.scheme.retailer_id,
            payment_id=payment_id,
            units=units,
            amount=amount,
            reason=reason,
        )


def _without(card: Card, entry: Entry) -> Card:
    return replace(card, entries=tuple(one for one in card.entries if one is not entry))
