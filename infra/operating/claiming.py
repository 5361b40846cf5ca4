"""What members say is missing, as staff see it."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import NotFound
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.refunds import refunded
from chalicelib.rewards.inquiries import service, store
from chalicelib.rewards.inquiries.model import Inquiry


def list_open(*, now: datetime) -> list[Inquiry]:
    """The open inquiries, those due first at the top."""
    found = [
        store.find_inquiry(one.member_id, one.payment_id, now=now)
        for one in store.list_open(now=now)
    ]
    return sorted((one for one in found if one is not None), key=lambda one: one.due_at)


def get_open(payment_id: PaymentId, *, now: datetime) -> Inquiry:
    """The open inquiry about the payment. :raises NotFound: there is none."""
    still = service.get_open(payment_id, now=now)
    found = store.find_inquiry(still.member_id, payment_id, now=now)
    if found is None:
        raise NotFound("nothing is being looked into for this payment")
    return found


def settle(payment_id: PaymentId, *, now: datetime) -> None:
    """Have the purchase settled anew. :raises NotFound: there is no open inquiry about it."""
    service.settle_anew(_where(get_open(payment_id, now=now)), now=now)


def lines_of(inquiry: Inquiry, *, now: datetime) -> Iterator[str]:
    """How it stands, then the purchase, for who has a reason to see it.

    :raises NotFound: the member or the payment is gone.
    """
    key = active_key_of(inquiry.member_id, now=now)
    known = payments.find_payment(inquiry.payment_id, key=key, now=now) if key else None
    if key is None or known is None:
        raise NotFound("the payment is gone")
    step = inquiry.step.value if inquiry.step else "-"
    yield f"{inquiry.state.value}  waits for {step}  due {inquiry.due_at:%Y-%m-%d %H:%M}"
    payment = known.payment
    paid = f"{payment.amount.to_text()} {payment.amount.currency}"
    yield f"{payment.made_at:%Y-%m-%d %H:%M:%S}  {paid}"
    purchase = purchases.find_purchase(_where(inquiry), key=key, now=now)
    if purchase is None or purchase.receipt is None:
        yield "no receipt"
        return
    receipt, back = purchase.receipt, refunded(purchase)
    yield f"receipt of {receipt.store_id}  {len(receipt.lines)} lines  back {back.minor} minor"


def _where(inquiry: Inquiry) -> Whereabouts:
    return Whereabouts(inquiry.payment_id, inquiry.member_id, inquiry.anchored_at)
