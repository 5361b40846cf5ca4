"""Paying what a member's row of a campaign says: budget, journal and notices, each exactly once.

The row is written before anything is paid. From then on every run that sees it does the same: it
spends of the lease that the row names, brings the journal to what the row says, gives the budget
back what was taken back, and announces it. Each of these has a name of its own and finds itself
done.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.budgets import service as budgets
from chalicelib.budgets.leasing import slot_of
from chalicelib.budgets.service import Purse
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger import giving
from chalicelib.ledger.giving import Gift as LedgerGift
from chalicelib.loyalty.cards.deadlines import active_at
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.members.announcing import Announcement, NoticeKind, announce, notice_id_of
from chalicelib.network import service as network
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.participation import store
from chalicelib.offers.participation.archiving import move_old
from chalicelib.offers.participation.model import (
    Gift,
    Participation,
    Redemption,
    Refused,
    gift_key,
    lessened,
    raised,
    released,
    with_redemption,
)
from chalicelib.runtime import vault

RETURNED, WITHDRAWN = "returned", "withdrawn"  # Reasons of an adjustment, as notices have them.
RELEASES_MAX = 20  # A lease closes between choosing and spending it; that often is a bug.


class Changed(Exception):
    """The member's row changed since it was read: read it and decide anew."""


class Payer:
    """Pays one member, and gathers what to announce until all of it is paid.

    Of what is held the budget is spent, and nothing else is done; of what was refused the budget
    gets everything back.
    """

    def __init__(self, member_id: MemberId, key: vault.SealingKey, now: datetime) -> None:
        self._member_id, self._key, self._now = member_id, key, now
        self._slot = slot_of(member_id)
        self._announcements: dict[str, Announcement] = {}

    def announce(self) -> None:
        """Announce what was paid and taken back. :raises TryAgain: the queue did not take it."""
        announce(self._announcements.values())

    def tidied(self, participation: Participation, campaign: Campaign) -> Participation:
        """The row with its oldest redemptions moved to the history, where it has too many.

        :raises Changed: the row changed since `participation` was read.
        """
        moved, page = move_old(participation, campaign)
        if page is None:
            return participation
        if not store.record_moved(self._member_id, moved, page, key=self._key):
            raise Changed
        return replace(moved, version=moved.version + 1)

    def bring_to(
        self,
        participation: Participation,
        redemption: Redemption,
        target_minor: int,
        *,
        is_withdrawn: bool = False,
    ) -> Participation:
        """Have the member keep `target_minor` of `redemption`; returns the row as it is then.

        With `is_withdrawn` it is taken back because the receipt was, else because goods were
        returned. Where the budget cannot pay, less, or nothing at all.

        :raises Changed: the row changed since `participation` was read.
        """
        changed = self._aimed(participation, redemption, target_minor, is_withdrawn=is_withdrawn)
        before = participation.find(redemption.purchase_id, redemption.receipt_id)
        if changed != before:
            if not changed.gifts and changed.refused is Refused.NONE:
                return participation  # Nothing was ever given, and nothing can be.
            participation = self._record(participation, changed)
        return self._pay(participation, changed)

    def can_pay(self, campaign: Campaign, minor: int) -> bool:
        """Whether the campaign's budget has `minor` left now. It reads all its open leases."""
        purse = Purse(campaign.campaign_id, campaign.ends_at)
        return budgets.get_standing(purse, now=self._now).left_minor >= minor

    def give_up(self, participation: Participation, redemption: Redemption) -> None:
        """Give the budget back all that was spent for `redemption`, of which nothing was given."""
        purse = _purse(participation)
        for at, gift in enumerate(redemption.gifts):
            entry = _entry(redemption, participation, at)
            budgets.give_back(purse, gift.lease, entry, 0, now=self._now)

    def _aimed(
        self,
        participation: Participation,
        redemption: Redemption,
        target_minor: int,
        *,
        is_withdrawn: bool,
    ) -> Redemption:
        missing = target_minor - redemption.kept_minor
        is_final = redemption.refused is not Refused.NONE or redemption.held == REFUSED
        if missing == 0 or (is_final and missing > 0):
            return redemption
        if missing < 0:
            return lessened(redemption, target_minor, is_withdrawn=is_withdrawn)
        lease = self._lease(participation, missing)
        return redemption if lease is None else raised(redemption, target_minor, lease=lease)

    def _pay(self, participation: Participation, redemption: Redemption) -> Participation:
        """Pay every gift, whoever wrote it: who did may have died before it was paid or told of."""
        at = 0
        for _ in range(RELEASES_MAX + len(redemption.gifts)):
            if at >= len(redemption.gifts):
                return participation
            if self._pay_gift(participation, redemption, at):
                at += 1
                continue
            lease = self._lease(participation, redemption.gifts[at].given_minor)
            redemption = released(redemption, at, lease=lease)
            participation = self._record(participation, redemption)
        raise TryAgain("the leases of the budget kept closing")

    def _pay_gift(
        self,
        participation: Participation,
        redemption: Redemption,
        at: int,
    ) -> bool:
        """Pay one gift; False where its lease was closed before it could."""
        gift, purse = redemption.gifts[at], _purse(participation)
        entry = _entry(redemption, participation, at)
        is_spent = budgets.spend(
            purse, gift.lease, entry, gift.given_minor, slot=self._slot, now=self._now
        )
        if not is_spent:
            return False
        if not redemption.held:
            given = self._ledger_gift(participation, redemption, at)
            giving.bring_to(given, gift.taken_minor, reason=_last_reason(gift), now=self._now)
            self._tell(gift, given)
        kept_minor = 0 if redemption.held == REFUSED else gift.kept_minor
        if kept_minor < gift.given_minor:
            budgets.give_back(purse, gift.lease, entry, kept_minor, now=self._now)
        return True

    def _ledger_gift(
        self, participation: Participation, redemption: Redemption, at: int
    ) -> LedgerGift:
        return LedgerGift(
            key=gift_key(participation.campaign_id, redemption, at),
            member_id=self._member_id,
            amount=Money(redemption.gifts[at].given_minor, participation.currency),
            campaign_id=participation.campaign_id,
            retailer_id=participation.retailer_id,
            cause=redemption.purchase_id,
            at=redemption.sold_at,
            available_at=redemption.available_at,
        )

    def _tell(self, gift: Gift, given: LedgerGift) -> None:
        self._note(NoticeKind.OFFER_REDEEMED, given, given.amount, cause=given.key, reason="")
        for step, taken in enumerate(gift.taken):
            amount = Money(-taken, given.amount.currency)
            cause = f"{given.key}#{step}"
            is_last = step == len(gift.taken) - 1
            reason = _last_reason(gift) if is_last else RETURNED
            self._note(NoticeKind.ADJUSTED, given, amount, cause=cause, reason=reason)

    def _note(
        self, kind: NoticeKind, given: LedgerGift, amount: Money, *, cause: str, reason: str
    ) -> Announcement:
        notice_id = notice_id_of(
            kind, member_id=self._member_id, subject=given.campaign_id, cause=cause
        )
        note = self._announcements[notice_id] = Announcement(
            notice_id=notice_id,
            kind=kind,
            member_id=self._member_id,
            at=self._now,
            subject=given.campaign_id,
            retailer_id=given.retailer_id,
            payment_id=given.cause,
            amount=amount,
            reason=reason,
        )
        return note

    def _lease(self, participation: Participation, wanted_minor: int) -> int | None:
        return budgets.lease_for(
            _purse(participation), slot=self._slot, wanted_minor=wanted_minor, now=self._now
        )

    def _record(self, participation: Participation, redemption: Redemption) -> Participation:
        changed = with_redemption(participation, redemption)
        if not store.record_participation(self._member_id, changed, key=self._key):
            raise Changed
        return replace(changed, version=changed.version + 1)


def available_at(campaign: Campaign, sold_at: datetime, *, now: datetime) -> datetime:
    """When a reward for a sale of `sold_at` may be paid out: its goods cannot come back any more.

    That is the end of the day, in the campaign's zone, on which its pending days are over: local
    days, also where a clock changes meanwhile. Schemes count the same.
    """
    days = campaign.pending_days
    if days is None:
        days = network.get_retailer(campaign.retailer_id, now=now).return_days
    return active_at(sold_at, pending_days=days, zone=campaign.zone)


def _purse(participation: Participation) -> Purse:
    return Purse(participation.campaign_id, participation.ends_at)


def _entry(redemption: Redemption, participation: Participation, at: int) -> str:
    names = (redemption.purchase_id, redemption.receipt_id, str(at))
    return budgets.entry_of(participation.campaign_id, *names)


def _last_reason(gift: Gift) -> str:
    """Why the last step was taken of it; those before were returns."""
    return WITHDRAWN if gift.is_withdrawn else RETURNED
