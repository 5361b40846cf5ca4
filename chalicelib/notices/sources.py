"""What a member was told, made anew from what is kept anyway: their book, cards, offers
and claims.

Nothing is written for the list that a member sees. What it says is as it stands now: an offer that
was taken back in part shows what is left of it and what was taken back. Where a notice was
announced under a name that follows from the same facts, it has that name here, too.
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger.accounts import Holding, member_account, member_owner
from chalicelib.ledger.books import store as books
from chalicelib.ledger.books.chain import Posting
from chalicelib.ledger.model import Entry, EntryKind
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.members.announcing import Announcement, notice_id_of
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.notices.cards import HELD, list_of_cards
from chalicelib.offers.participation import store as participations
from chalicelib.offers.participation.model import Participation, Redemption, gift_key
from chalicelib.rewards.inquiries import store as inquiries
from chalicelib.rewards.inquiries.model import Inquiry, InquiryState
from chalicelib.runtime import vault

_HOLDING_BY_KIND = {
    EntryKind.REWARD_AVAILABLE: Holding.AVAILABLE,
    EntryKind.PAYOUT_SETTLED: Holding.PAID,
    EntryKind.PAYOUT_RETURNED: Holding.AVAILABLE,
}
_KIND_BY_ENTRY = {
    EntryKind.REWARD_GIVEN: NoticeKind.OFFER_REDEEMED,
    EntryKind.REWARD_TAKEN_BACK: NoticeKind.ADJUSTED,
    EntryKind.REWARD_AVAILABLE: NoticeKind.REWARD_AVAILABLE,
    EntryKind.PAYOUT_SETTLED: NoticeKind.REWARD_PAID,
    EntryKind.PAYOUT_RETURNED: NoticeKind.REWARD_RETURNED,
    EntryKind.ADJUSTED: NoticeKind.ADJUSTED,
}
_PAYOUTS = frozenset({EntryKind.PAYOUT_SETTLED, EntryKind.PAYOUT_RETURNED})
CARD_KEY = "card:"  # How keys of gifts begin that a full card brought.


def list_told(
    member_id: MemberId, *, key: vault.SealingKey, since: datetime, now: datetime
) -> list[Announcement]:
    """What became of the member's rewards since `since`, in no order."""
    opened = books.find_open_page(member_owner(member_id), now=now)
    postings = books.list_postings_since(opened.page, since, now=now)
    told = [one for posting in postings for one in of_posting(posting)]
    rows = participations.list_participations(member_id, None, key=key, now=now)
    told += [one for row in rows.values() for one in of_participation(member_id, row)]
    told += [
        one
        for inquiry in inquiries.list_inquiries(member_id, now=now)
        for one in of_inquiry(inquiry)
    ]
    told += list_of_cards(member_id, key=key, since=since, now=now)
    return [one for one in told if one.at >= since]


def of_posting(posting: Posting) -> Iterator[Announcement]:
    """What an entry of the member's book tells them, if anything, once it is recorded."""
    entry = posting.entry
    kind = _KIND_BY_ENTRY.get(entry.kind)
    if kind is None or entry.member_id is None:
        return
    if entry.kind is EntryKind.REWARD_GIVEN and entry.key.startswith(CARD_KEY):
        kind = NoticeKind.CARD_COMPLETE
    is_payout = entry.kind in _PAYOUTS
    # Who corrected something by hand named a case, not a payment.
    payment_id = "" if is_payout or entry.kind is EntryKind.ADJUSTED else payment_of(entry.cause)
    subject = entry.cause if is_payout else entry.campaign_id or entry.kind.value
    cause = entry.cause if is_payout else entry.key
    yield Announcement(
        notice_id=notice_id_of(kind, member_id=entry.member_id, subject=subject, cause=cause),
        kind=kind,
        member_id=entry.member_id,
        at=posting.recorded_at,
        subject=subject,
        retailer_id=entry.retailer_id,
        payment_id=payment_id,
        amount=Money(_moved(entry, entry.member_id), entry.currency),
        reason=entry.reason,
    )


def of_participation(member_id: MemberId, taken: Participation) -> Iterator[Announcement]:
    """That an offer was switched on, and what of it is held. What it gave stands in the book."""
    for one in taken.redemptions:
        if one.held and one.kept_minor > 0:
            yield _held(one, member_id, taken)
    if taken.activated_at is None:
        return
    kind, subject = NoticeKind.OFFER_ACTIVATED, taken.campaign_id
    yield Announcement(
        notice_id=notice_id_of(kind, member_id=member_id, subject=subject, cause=subject),
        kind=kind,
        member_id=member_id,
        at=taken.activated_at,
        subject=subject,
        retailer_id=taken.retailer_id,
    )


def _held(redemption: Redemption, member_id: MemberId, taken: Participation) -> Announcement:
    kind, subject = NoticeKind.OFFER_REDEEMED, taken.campaign_id
    cause = gift_key(taken.campaign_id, redemption, 0)
    return Announcement(
        notice_id=notice_id_of(kind, member_id=member_id, subject=subject, cause=cause),
        kind=kind,
        member_id=member_id,
        at=redemption.sold_at,
        subject=subject,
        retailer_id=taken.retailer_id,
        payment_id=redemption.purchase_id,
        amount=Money(redemption.kept_minor, taken.currency),
        reason=REFUSED if redemption.held == REFUSED else HELD,
    )


def of_inquiry(inquiry: Inquiry) -> Iterator[Announcement]:
    """How an inquiry ended."""
    if inquiry.state is not InquiryState.RESOLVED or inquiry.resolved_at is None:
        return
    kind, subject = NoticeKind.CLAIM_DECIDED, inquiry.payment_id
    yield Announcement(
        notice_id=notice_id_of(kind, member_id=inquiry.member_id, subject=subject, cause="claim"),
        kind=kind,
        member_id=inquiry.member_id,
        at=inquiry.resolved_at,
        subject=subject,
        payment_id=inquiry.payment_id,
        reason=inquiry.why.value if inquiry.why else "",
    )


def _moved(entry: Entry, member_id: MemberId) -> int:
    """What the entry moved for the member, in minor units."""
    holding = _HOLDING_BY_KIND.get(entry.kind)
    if holding is not None:
        return entry.minor_on(member_account(member_id, holding))
    return sum(
        entry.minor_on(member_account(member_id, one))
        for one in (Holding.PENDING, Holding.AVAILABLE)
    )
