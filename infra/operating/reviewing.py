"""A refund that waits for a person, and what it may be of, as staff see it."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import NotFound
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.refunding import store
from chalicelib.purchases.refunding.store import Review
from chalicelib.purchases.refunds import refunded
from chalicelib.runtime import vault


def get_review(payment_id: PaymentId, *, now: datetime) -> Review:
    """The review of a refund. :raises NotFound: it waits for no person."""
    for review in store.list_reviews(now=now):
        if review.payment_id == payment_id:
            return review
    raise NotFound("no such refund waits for a review")


def lines_of(review: Review, *, now: datetime) -> Iterator[str]:
    """The refund, then each purchase that it may be of, for who has a reason to see them."""
    key = active_key_of(review.member_id, now=now)
    if key is None:
        raise NotFound("the member of the refund is gone")
    known = payments.find_payment(review.payment_id, key=key, now=now)
    if known is not None:
        event = known.payment.first_ref
        amount = f"{event.amount.to_text()} {event.amount.currency}"
        yield f"{event.made_at:%Y-%m-%d %H:%M:%S}  refund  {amount}"
    for payment_id, share in review.candidates:
        line = _purchase_line(payment_id, key=key, now=now)
        yield f"{line}  {share / 10_000:.2f} %  {payment_id}"


def _purchase_line(payment_id: PaymentId, *, key: vault.SealingKey, now: datetime) -> str:
    where = payments.find_whereabouts(payment_id, now=now)
    purchase = purchases.find_purchase(where, key=key, now=now) if where else None
    if purchase is None:
        return "gone"
    payment, back = purchase.payment, refunded(purchase)
    shop = purchase.receipt.store_id if purchase.receipt else "-"
    paid = f"{payment.amount.to_text()} {payment.amount.currency}"
    return f"{payment.made_at:%Y-%m-%d %H:%M:%S}  {paid}  given back {back.minor} minor  {shop}"
