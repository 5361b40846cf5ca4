"""Opening an inquiry, looking at it until it ends, and telling the member how it ended.

The end is written, then announced, and only then is the inquiry looked at no more: whoever dies in
between is made up for by the next look.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.refusals import NotAllowed, NotFound, TooOften, TryAgain
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement, NoticeKind, announce, notice_id_of
from chalicelib.members.model import MemberStatus
from chalicelib.network.programmes import Service
from chalicelib.purchases import outbox
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import Own, active_key_of
from chalicelib.purchases.correcting.store import count_attempt
from chalicelib.purchases.messages import RewardMessage, encode
from chalicelib.purchases.model import Whereabouts
from chalicelib.rewards.inquiries import store
from chalicelib.rewards.inquiries.model import (
    REFUSALS,
    Inquiry,
    InquiryState,
    Outcome,
    Why,
    look,
    new_inquiry,
    resolve,
)
from chalicelib.rewards.inquiries.standing import situation_of
from chalicelib.rewards.inquiries.store import Open
from chalicelib.runtime import observability, queues
from chalicelib.runtime.emf import Unit

INQUIRIES_DAILY_MAX = 5  # New ones of a member; nobody misses more in a day, and a person may look.
OLDEST = timedelta(days=60)  # After that the till's receipt is long forgotten.
ORPHANED_AFTER = timedelta(hours=1)  # Much longer than any run that opens one.
REWARD_SERVICES = (Service.STAMPS, Service.OFFERS)


class TooManyInquiries(TooOften):
    """The member opened too many today."""

    code = "too_many_claims"


class NothingBought(NotAllowed):
    """The payment was reversed or is a refund: nothing was bought that could earn."""

    code = "nothing_was_bought"


class TooLongAgo(NotAllowed):
    """The purchase is too old to be looked into."""

    code = "too_long_ago"


class RewardsOff(NotAllowed):
    """The member has neither stamps nor offers switched on."""

    code = "rewards_off"


def open_inquiry(own: Own, *, now: datetime) -> tuple[Inquiry, bool]:
    """The member's inquiry about the payment, as it stands after a look, and whether it is new.

    :raises RewardsOff: there is nothing that the payment could earn.
    :raises NothingBought: nothing was bought. :raises TooLongAgo: it was over sixty days ago.
    :raises TooManyInquiries: not today any more. :raises TryAgain: a passing obstacle.
    """
    member_id, payment_id = own.where.member_id, own.where.payment_id
    standing = store.find_inquiry(member_id, payment_id, now=now)
    if standing is not None:
        is_over = standing.state is InquiryState.RESOLVED
        return standing if is_over else _looked_at(standing, own, now=now), False
    if not any(service in own.member.services for service in REWARD_SERVICES):
        raise RewardsOff("neither stamps nor offers are switched on")
    if own.where.anchored_at + OLDEST < now:
        raise TooLongAgo("the purchase was over sixty days ago")
    if situation_of(own, now=now) is None:
        raise NothingBought("nothing was bought with this payment")
    _count(member_id, payment_id, now=now)
    inquiry = new_inquiry(payment_id, member_id, anchored_at=own.where.anchored_at, now=now)
    store.record_open(inquiry)
    if store.record_new(inquiry, now=now):
        observability.count("claims_opened")
        settle_anew(own.where, now=now)
    return _looked_at(find_inquiry(own, now=now), own, now=now), True


def find_inquiry(own: Own, *, now: datetime) -> Inquiry:
    """The inquiry about the payment. :raises NotFound: there is none."""
    found = store.find_inquiry(own.where.member_id, own.where.payment_id, now=now)
    if found is None:
        raise NotFound("nothing was said to be missing of this transaction")
    return found


def settle_anew(where: Whereabouts, *, now: datetime) -> None:
    """Bring cards and offers up to the purchase once more, or have its receipt looked for."""
    key = active_key_of(where.member_id, now=now)
    purchase = purchases.find_purchase(where, key=key, now=now) if key else None
    if purchase is None or purchase.receipt is None:
        return outbox.look_at_once([where.payment_id])
    message = RewardMessage(where.payment_id, where.member_id, where.anchored_at, purchase.version)
    queues.send(queues.REWARDS, [encode(message)])
    return None


def look_at_open(*, now: datetime, has_time: Callable[[], bool]) -> int:
    """Look at every open inquiry, and observe how many are open and overdue; returns how many
    ended. One that meets a passing obstacle is left to the next run, and so is the rest when there
    is no more time.
    """
    looked: list[Inquiry | None] = []
    every = store.list_open(now=now)
    for still in every:
        if not has_time():
            break
        try:
            looked.append(_look_again(still, now=now))
        except TryAgain:
            observability.count("looks_put_off")
    ended = sum(one is None or one.state is InquiryState.RESOLVED for one in looked)
    overdue = sum(one is not None and one.is_overdue(now) for one in looked)
    observability.observe("claims_open", len(every) - ended, Unit.COUNT)
    observability.observe("claims_overdue", overdue, Unit.COUNT)
    return ended


def refuse(payment_id: PaymentId, why: Why, *, now: datetime) -> Inquiry:
    """End an open inquiry because a person found that nothing is missing.

    :raises NotAllowed: `why` is no reason to refuse. :raises NotFound: it is not open.
    :raises TryAgain: it changed meanwhile.
    """
    if why not in REFUSALS:
        raise NotAllowed("that is no reason to refuse", field="why")
    still = get_open(payment_id, now=now)
    inquiry = store.find_inquiry(still.member_id, payment_id, now=now)
    if inquiry is None or inquiry.state is InquiryState.RESOLVED:
        raise NotFound("nothing is being looked into for this payment")
    ended = resolve(inquiry, Outcome.REFUSED, why, now=now)
    _write(ended)
    _finish(ended, still)
    return ended


def get_open(payment_id: PaymentId, *, now: datetime) -> Open:
    """The open inquiry about the payment. :raises NotFound: there is none."""
    for still in store.list_open(now=now):
        if still.payment_id == payment_id:
            return still
    raise NotFound("nothing is being looked into for this payment")


def _look_again(still: Open, *, now: datetime) -> Inquiry | None:
    """The inquiry after a look; None where there is nothing to look at any more."""
    member = members.find_member(still.member_id, now=now)
    key = active_key_of(still.member_id, now=now)
    inquiry = store.find_inquiry(still.member_id, still.payment_id, now=now)
    if inquiry is None or member is None or member.status is MemberStatus.LEFT:
        if now >= still.opened_at + ORPHANED_AFTER:
            store.forget_open(still)
        return None
    if inquiry.opened_at != still.opened_at:
        # Whoever died while opening it left this row; the inquiry was opened later, under its own.
        store.forget_open(still)
        return None
    if key is None:  # The consent at the bank is suspended; it may be given again.
        return inquiry
    where = Whereabouts(inquiry.payment_id, inquiry.member_id, inquiry.anchored_at)
    return _looked_at(inquiry, Own(where, member, key), now=now)


def _looked_at(inquiry: Inquiry, own: Own, *, now: datetime) -> Inquiry:
    """`inquiry` after a look at the purchase; if it ended, the member is told."""
    after = look(inquiry, situation_of(own, now=now), now=now)
    if after is not inquiry:
        _write(after)
    if after.state is InquiryState.RESOLVED:
        _finish(after, store.to_open(after))
    return after


def _write(inquiry: Inquiry) -> None:
    if not store.record_change(inquiry):
        raise TryAgain("the inquiry was changed by somebody else meanwhile")
    if inquiry.outcome is not None and inquiry.why is not None:
        observability.count(
            "claims_resolved", outcome=inquiry.outcome.value, reason=inquiry.why.value
        )


def _finish(inquiry: Inquiry, still: Open) -> None:
    """Tell the member, and look at it no more."""
    kind, subject = NoticeKind.CLAIM_DECIDED, inquiry.payment_id
    told = Announcement(
        notice_id_of(kind, member_id=inquiry.member_id, subject=subject, cause="claim"),
        kind,
        inquiry.member_id,
        at=inquiry.resolved_at or inquiry.opened_at,
        subject=subject,
        payment_id=inquiry.payment_id,
        reason=inquiry.why.value if inquiry.why else "",
    )
    announce([told])
    store.forget_open(still)


def _count(member_id: MemberId, payment_id: PaymentId, *, now: datetime) -> None:
    """Asked again about one payment, because no answer came, it counts once."""
    most = INQUIRIES_DAILY_MAX
    if not count_attempt(member_id, "rewards", most=most, now=now, about=payment_id):
        tomorrow = datetime.combine(now.astimezone(UTC).date(), time(), UTC) + timedelta(days=1)
        raise TooManyInquiries(
            "too many rewards were said to be missing today",
            after_seconds=int((tomorrow - now).total_seconds()) + 1,
        )
