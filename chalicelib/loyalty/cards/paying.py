"""Paying for full cards: budget and journal, each exactly once, by what the card says.

The card names the lease before anything is paid. From then on every run that sees it does the
same: it spends of that lease, brings the journal to what the card says, and gives the budget back
what was taken back. A lease that is closed without the spend will never have it, so the card then
names another one, or says that the reward waits.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger import giving
from chalicelib.ledger.giving import Gift
from chalicelib.loyalty import funding
from chalicelib.loyalty.cards import desk, reviving
from chalicelib.loyalty.cards.desk import Opened, Purchased
from chalicelib.loyalty.cards.filling import LeaseFor, with_leases
from chalicelib.loyalty.cards.model import WAITING, Card, Fill
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.cards.past import newest_fills
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.rules import Scheme
from chalicelib.runtime import observability

_EVER_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Payer:
    """Pays the full cards of a holder. `scheme` is the newest version; `reason` why something is
    taken back.
    """

    holder: Holder
    scheme: Scheme
    reason: str
    now: datetime

    def pay(self, fill: Fill) -> Fill:
        """Bring budget and journal to what `fill` says; returns it as it is on the card then.

        :raises TryAgain: a passing obstacle; paying again is safe.
        """
        if not fill.minor:
            return fill
        for _ in range(funding.RELEASES_MAX):
            if fill.waits or (fill.undone_by and fill.lease == WAITING):
                return fill  # Nothing was given, and there is nothing to take back.
            if self._is_spent(fill):
                self._bring_to(fill)
                return fill
            if fill.undone_by:
                return fill  # Nobody ever paid for it, and nobody will.
            fill = self._relet(fill)
        raise TryAgain("the leases of the budget kept closing")

    def pay_waiting(self, card: Card) -> tuple[Fill, ...]:
        """Pay the full cards whose rewards waited, as far as the budget goes by now."""
        if not any(fill.waits for fill in card.fills):
            return tuple(self.pay(one) for one in card.fills if one.has_waited)
        _, after = desk.change_card(
            self.holder, self.scheme, partial(_with_leases, self.lease_for), now=self.now
        )
        fills = after.card.fills if after.card else ()
        return tuple(self.pay(one) for one in fills if one.has_waited)

    def lease_for(self, minor: int) -> int | None:
        """The lease that can pay `minor`, or None."""
        return funding.lease_for(self.scheme, self.holder.member_id, minor, now=self.now)

    def _is_spent(self, fill: Fill) -> bool:
        """Whether the budget has paid; what was given before there was one always is."""
        if fill.lease is None:
            return True
        return funding.spend(
            self.scheme.scheme_id,
            self.holder.member_id,
            fill.lease,
            fill.name,
            fill.minor,
            now=self.now,
        )

    def _bring_to(self, fill: Fill) -> None:
        *deferred, gift = gifts_of(fill, self.holder, self.scheme)
        for earlier in deferred:
            giving.bring_to(earlier, fill.minor, reason=self.reason, now=self.now)
        taken = fill.minor if fill.undone_by else fill.minor - fill.worth_minor
        giving.bring_to(gift, taken, reason=self.reason, now=self.now)
        if taken and fill.lease is not None:
            member_id, scheme_id = self.holder.member_id, self.scheme.scheme_id
            kept = fill.minor - taken
            funding.give_back(scheme_id, member_id, fill.lease, fill.name, kept, now=self.now)

    def _relet(self, fill: Fill) -> Fill:
        """`fill` as the card has it once it names no longer the lease that could not pay."""
        observability.count("card_leases_changed")
        # A full card may be in the history by now, from where it comes back to be changed.
        of = Purchased(fill.name, _EVER_AGO)
        change = partial(_relet, fill, self.lease_for)
        _, after = desk.change_card(self.holder, self.scheme, change, of=of, now=self.now)
        found = _find(after, fill.number)
        if found is None:
            raise TryAgain("the full card is not there")
        return found


def gifts_of(fill: Fill, holder: Holder, scheme: Scheme) -> tuple[Gift, ...]:
    """The money of a full card, the last one that which stands: a gift is due when it was given to
    be, so where the card came to be due later there is another. The ones before are taken back.

    A card's numbers are never used again, so nor are the keys.
    """
    gift = Gift(
        key=f"card:{scheme.scheme_id}:{fill.number}",
        member_id=holder.member_id,
        amount=Money(fill.minor, scheme.currency),
        campaign_id=scheme.scheme_id,
        retailer_id=scheme.retailer_id,
        cause=payment_of(fill.cause) or fill.cause,
        at=fill.at,
        available_at=fill.due_at,
    )
    times = range(1, len(fill.deferred_by) + 1)
    return (gift, *(replace(gift, key=f"{gift.key}:{time}") for time in times))


def _with_leases(lease_for: LeaseFor, opened: Opened) -> Card | None:
    return with_leases(opened.card, lease_for) if opened.card else None


def _relet(fill: Fill, lease_for: LeaseFor, opened: Opened) -> Card | None:
    found = _find(opened, fill.number)
    if opened.card is None or found is None or found.undone_by or found.lease != fill.lease:
        return opened.card  # Somebody else was faster.
    lease = lease_for(found.minor)
    changed = replace(found, lease=WAITING, has_waited=True)
    if lease is not None:
        changed = replace(found, lease=lease)
    card = reviving.with_fill(opened.card, opened.past, found)
    fills = tuple(changed if one.number == found.number else one for one in card.fills)
    return replace(card, fills=fills)


def _find(opened: Opened, number: int) -> Fill | None:
    if opened.card is None:
        return None
    return newest_fills(opened.card, opened.past).get(number)
