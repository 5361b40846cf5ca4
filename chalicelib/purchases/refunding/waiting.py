"""Looking again at refunds that wait: when goods come back, daily, and when a person decides."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId, PaymentId, ReceiptId
from chalicelib.kernel.refusals import NotAllowed, NotFound, TryAgain
from chalicelib.matching.refunds import (
    RefundFound,
    RefundOpen,
    RefundWhy,
)
from chalicelib.matching.returned import money_back
from chalicelib.network import service as network
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Ending, KnownPayment, Purchase, Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.refunding import candidates, service, store
from chalicelib.purchases.refunding.store import Review, WaitingRefund
from chalicelib.receipts.canonical import Receipt
from chalicelib.runtime import observability, vault
from chalicelib.runtime.emf import Unit

WAITS = timedelta(days=store.WAITING_DAYS)
REVIEWED_WITHIN = timedelta(days=store.REVIEW_DAYS)
CANDIDATES_MAX = 10  # Nobody chooses among more.


class NotOfThatPurchase(NotAllowed):
    """The refund cannot be of the purchase that was named: another shop, more than is left."""

    code = "not_of_that_purchase"


def look_after_return(
    member_id: MemberId, returned: Receipt, *, key: vault.SealingKey, now: datetime
) -> None:
    """Goods of a member came back: look again at the refunds of theirs that it may pay for.

    Those that wait, and those that were guessed to be of another purchase.
    :raises TryAgain: a purchase changed underneath.
    """
    waiting = store.list_waiting(returned.retailer_id, now=now)
    refund_ids = [one.payment_id for one in waiting if one.member_id == member_id]
    amounts = set(money_back(returned))
    around = timedelta(days=candidates.RETURN_DAYS_MAX)
    for purchase in purchases.list_purchases(
        member_id, since=returned.issued_at - around, key=key, now=now
    ):
        refund_ids += [
            one.payment_id
            for one in purchase.refunds
            if one.amount.minor in amounts and one.why not in service.FINAL
        ]
    for payment_id in dict.fromkeys(refund_ids):
        known = payments.find_payment(payment_id, key=key, now=now)
        if known is not None:
            service.settle(known, key=key, now=now)


def look_after_unnamed(versions: Sequence[Receipt], *, now: datetime) -> None:
    """Keep returns that name no sale, and look at the refunds of just that amount that wait.

    `versions` are of such returns; a newer one may be void, or name its sale after all.
    :raises TryAgain: a purchase changed underneath.
    """
    by_return: dict[ReceiptId, list[Receipt]] = defaultdict(list)
    for one in versions:
        by_return[one.receipt_id].append(one)
    for several in by_return.values():
        keys = store.keep_unnamed(several, now=now)
        if not keys:
            continue
        for waiting in store.list_waiting(several[0].retailer_id, now=now):
            if waiting.amount_key in keys:
                look_at(waiting.payment_id, waiting.member_id, now=now)


def look_at(
    payment_id: PaymentId, member_id: MemberId, *, now: datetime
) -> RefundFound | RefundOpen | None:
    """Look again at one refund; None where it or its member is no longer there."""
    key = active_key_of(member_id, now=now)
    known = payments.find_payment(payment_id, key=key, now=now) if key else None
    if key is None or known is None:
        return None
    return service.settle(known, key=key, now=now)


def look_daily(now: datetime) -> int:
    """Look at every refund that waits, and end what waited too long: with a review where something
    fits it, else without its purchase. Returns how many were looked at.

    A refund that meets a passing obstacle is left to the next day.
    """
    looked = 0
    for retailer in network.list_retailers(now=now):
        for waiting in store.list_waiting(retailer.retailer_id, now=now):
            looked += 1
            try:
                _look_at_waiting(waiting, now=now)
            except TryAgain:
                observability.count("looks_put_off")
    _end_old_reviews(now=now)
    reviews = store.list_reviews(now=now)
    observability.observe("refund_reviews", len(reviews), Unit.COUNT)
    return looked


def _look_at_waiting(waiting: WaitingRefund, *, now: datetime) -> None:
    decision = look_at(waiting.payment_id, waiting.member_id, now=now)
    if decision is None:
        store.stop_waiting(waiting)
    if isinstance(decision, RefundOpen) and waiting.waits_since + WAITS <= now:
        _end(waiting, decision, now=now)


def _end(waiting: WaitingRefund, decision: RefundOpen, *, now: datetime) -> None:
    key, known, own = _found(waiting.payment_id, waiting.member_id, now=now)
    if own is None:
        ending = Ending.REFUND_UNLINKED
        if decision.candidates:
            ending = Ending.REFUND_IN_REVIEW
            review = Review(
                payment_id=waiting.payment_id,
                member_id=waiting.member_id,
                since=waiting.waits_since + WAITS,  # A run that died put it up under this name.
                why=decision.why.value,
                candidates=decision.candidates[:CANDIDATES_MAX],
            )
            store.record_review(review)
        service.end_unlinked(known, own, ending, key=key)
    store.stop_waiting(waiting)


def _end_old_reviews(*, now: datetime) -> None:
    for review in store.list_reviews(now=now):
        if review.since + REVIEWED_WITHIN <= now:
            try:
                decide_review(review.payment_id, None, now=now)
            except NotFound:
                store.remove_reviews([review])
            except TryAgain:
                observability.count("looks_put_off")


def decide_review(payment_id: PaymentId, purchase_id: PaymentId | None, *, now: datetime) -> None:
    """Decide a review: the refund is of the purchase `purchase_id`, or (None) of none we know.

    :raises NotFound: no such review, or no such purchase of that member.
    :raises NotOfThatPurchase: the refund cannot be of it. :raises TryAgain: it changed underneath.
    """
    reviews = [one for one in store.list_reviews(now=now) if one.payment_id == payment_id]
    if not reviews:
        raise NotFound("no such refund waits for a review")
    key, known, own = _found(payment_id, reviews[0].member_id, now=now)
    if own is not None and own.refund_of is not None:
        store.remove_reviews(reviews)
        raise NotFound("the refund has found its purchase meanwhile")
    if purchase_id is None:
        service.end_unlinked(known, own, Ending.REFUND_UNLINKED, key=key)
    else:
        _link(known, own, purchase_id, key=key, now=now)
    store.remove_reviews(reviews)


def _link(
    known: KnownPayment,
    own: Purchase | None,
    purchase_id: PaymentId,
    *,
    key: vault.SealingKey,
    now: datetime,
) -> None:
    refund = candidates.signals_of(known, (), now=now)
    if refund is None:
        raise NotOfThatPurchase("the shop of the refund no longer takes part")
    near = candidates.look(known, refund, key=key, now=now)
    bought = [one for one in near.bought if one.payment_id == purchase_id]
    if not bought:
        raise NotFound("the member has no such purchase around the refund")
    if not 0 < refund.amount.minor <= bought[0].left_minor:
        raise NotOfThatPurchase("more came back than is left of the purchase")
    found = RefundFound(purchase_id, RefundWhy.BY_STAFF)
    service.link(known, own, near, found, key=key, now=now)


def _found(
    payment_id: PaymentId, member_id: MemberId, *, now: datetime
) -> tuple[vault.SealingKey, KnownPayment, Purchase | None]:
    key = active_key_of(member_id, now=now)
    known = payments.find_payment(payment_id, key=key, now=now) if key else None
    if key is None or known is None:
        raise NotFound("the refund or its member is gone")
    where = Whereabouts(payment_id, member_id, known.payment.anchored_at)
    return key, known, purchases.find_purchase(where, key=key, now=now)
