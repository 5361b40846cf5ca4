"""What follows from a card that changed: money given or taken back, codes, and notices.

Everything here is named by what it follows from, so that whoever repeats it changes nothing. It is
done after the card was written, by every run that settles the purchase again: if the one that wrote
the card died, the next one makes up for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.money import Money
from chalicelib.loyalty.cards.awarding import Settled
from chalicelib.loyalty.cards.changes import told_of
from chalicelib.loyalty.cards.climbing import climb_cause
from chalicelib.loyalty.cards.eligibility import Barred
from chalicelib.loyalty.cards.model import WAITING, Card, Entry, Fill
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.cards.paying import Payer
from chalicelib.loyalty.cards.standing import tier_at
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import codes
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.terms import Unit
from chalicelib.loyalty.tiers import period_at
from chalicelib.members import announcing
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of

NO_BUDGET = "no_budget"  # Why the reward of a full card waits.


def follow(settled: Settled, holder: Holder, scheme: Scheme, *, now: datetime) -> None:
    """Do what follows from `settled`: first money, then codes, then notices.

    :raises TryAgain: a passing obstacle; doing all of it again is safe.
    """
    if settled.card is None or (settled.entry is None and not settled.fills):
        return
    payer = Payer(holder, scheme, settled.reason, now)
    settled = replace(settled, fills=tuple(payer.pay(fill) for fill in settled.fills))
    for fill in settled.fills:
        if fill.claim_id and not fill.undone_by:
            codes.let_be_found(holder, scheme, fill.claim_id, now=now)
    announcing.announce(_announcements(settled, holder, scheme, now=now))


def tell_of_fills(fills: Sequence[Fill], holder: Holder, scheme: Scheme, *, now: datetime) -> None:
    """Announce full cards as they are by now. :raises TryAgain: the queue did not take it."""
    said = _Said(holder, scheme, "", now)
    announcing.announce([note for fill in fills for note in said.of_fill(fill)])


def _announcements(
    settled: Settled, holder: Holder, scheme: Scheme, *, now: datetime
) -> Iterator[Announcement]:
    said = _Said(holder, scheme, settled.reason, now)
    if settled.entry is not None:
        yield from said.of_entry(settled.entry)
        if settled.card is not None:
            yield from said.of_tier(settled.card, settled.entry)
    for fill in settled.fills:
        why = Barred.LEFT_SCHEME.value if fill.number in settled.withheld else ""
        yield from said.of_fill(fill, why=why)


class _Said:
    """Notices to one member about one scheme."""

    def __init__(self, holder: Holder, scheme: Scheme, reason: str, now: datetime) -> None:
        self.holder, self.scheme, self.reason, self.now = holder, scheme, reason, now

    def of_entry(self, entry: Entry) -> Iterator[Announcement]:
        """The last change, and those before it, which somebody may have died before announcing."""
        for told in told_of(entry):
            yield self._notice(
                self._earned if told.is_first else NoticeKind.ADJUSTED,
                told.cause,
                entry.payment_id,
                units=told.change.units,
                reason="" if told.is_first else told.change.reason or self.reason,
            )

    @property
    def _earned(self) -> NoticeKind:
        is_stamps = self.scheme.unit is Unit.STAMPS
        return NoticeKind.STAMP_EARNED if is_stamps else NoticeKind.POINTS_EARNED

    def of_fill(self, fill: Fill, *, why: str = "") -> Iterator[Announcement]:
        """The full card; `why` its reward is not given."""
        is_given = bool(fill.minor) and fill.lease != WAITING
        amount = Money(fill.minor, self.scheme.currency) if is_given else None
        kind, cause = NoticeKind.CARD_COMPLETE, fill.name
        if fill.has_waited:
            yield self._notice(kind, cause, fill.cause, units=0, reason=NO_BUDGET)
            cause = f"{fill.name}#paid"
        if is_given or not fill.has_waited:
            yield self._notice(kind, cause, fill.cause, units=0, amount=amount, reason=why)
        if is_given:
            yield from self._of_backs(fill)
            left = fill.worth_minor
            amount = Money(left, self.scheme.currency) if left else None
        if fill.undone_by:
            yield self._notice(
                NoticeKind.ADJUSTED,
                f"{fill.name}#undone",
                fill.undone_by,
                units=0,
                amount=-amount if amount else None,
                reason=fill.undone_why or self.reason,
            )

    def _of_backs(self, fill: Fill) -> Iterator[Announcement]:
        """What was taken back of a full card that stayed full, each by what was back by then."""
        total = 0
        for back in fill.backs:
            total += back.minor
            yield self._notice(
                NoticeKind.ADJUSTED,
                f"{fill.name}#back:{total}",
                fill.cause,
                units=0,
                amount=-Money(back.minor, self.scheme.currency),
                reason=back.why,
            )

    def of_tier(self, card: Card, entry: Entry) -> Iterator[Announcement]:
        """The tier that this purchase reached, if it is still the member's: once in a period,
        whichever purchases of it are settled again.
        """
        tiering = self.scheme.tiering
        reached = tier_at(card, self.scheme, entry.sold_at)
        if tiering is None or reached is None:
            return
        before = tier_at(_without(card, entry), self.scheme, entry.sold_at)
        if reached == before or reached != tier_at(card, self.scheme, self.now):
            return
        period = period_at(tiering, entry.sold_at, zone=self.scheme.zone)
        cause = climb_cause(reached, period)
        yield self._notice(NoticeKind.TIER_CHANGED, cause, "", units=0, reason=reached.tier_id)

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
            payment_id=payment_of(payment_id),
            units=units,
            amount=amount,
            reason=reason,
        )


def _without(card: Card, entry: Entry) -> Card:
    return replace(card, entries=tuple(one for one in card.entries if one is not entry))
