"""What support does to a match by hand: it joins what the evidence alone does not, or parts it.

Support sees both sides and answers for it by name: each is written down with its reason before it
is done (`privacy/access_log.py`), and the reason is kept with the purchase. What no hand may do is
take a receipt that another payment holds: that one is withdrawn first, with a reason of its own.
"""

from datetime import datetime, timedelta

from chalicelib.kernel.ids import ReceiptId, StoreId, receipt_id_of
from chalicelib.kernel.refusals import NotAllowed, NotFound
from chalicelib.matching.outcome import Matched
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.matching.signals import Part, parts_of
from chalicelib.matching.why import Why
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import store, withdrawing
from chalicelib.purchases.access import Own
from chalicelib.purchases.correcting.joining import holds_on, join_by_hand
from chalicelib.purchases.correcting.paper import weigh_by_hand
from chalicelib.purchases.correcting.service import HasReceipt, NothingToWithdraw
from chalicelib.purchases.model import WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.standing import question_of
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import service as tills

DAYS_AROUND_MAX = 7  # As long as receipts that nobody holds are kept.
DAY = timedelta(days=1)


class ReceiptUnknown(NotFound):
    """The store has no such receipt within a week of the payment, or it is kept no longer."""

    code = "receipt_unknown"


class HeldByAnother(NotAllowed):
    """Every part of the receipt belongs to another payment."""

    code = "held_by_another"


class NotACharge(NotAllowed):
    """The payment was reversed, or is a refund: no sale's receipt belongs to it."""

    code = "not_a_charge"


def force_match(own: Own, *, store_id: StoreId, reference: str, note: str, now: datetime) -> None:
    """Join the payment with the receipt that `store_id` calls `reference`, whatever speaks against.

    The first part that nobody holds is taken, those of the payment's amount first. `note` is why,
    in words. The same again changes nothing.

    :raises HasReceipt: the payment has another one. :raises HeldByAnother: no part is free.
    :raises ReceiptUnknown: there is no such receipt. :raises NotACharge: nothing was bought.
    :raises TryAgain: a passing obstacle.
    """
    place = network.get_store(store_id, now=now)
    receipt_id = receipt_id_of(place.retailer_id, reference)
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is not None and purchase.receipt is not None:
        if purchase.receipt.receipt_id == receipt_id:
            return
        raise HasReceipt("the payment has another receipt; withdraw that one first")
    known = payments.find_payment(own.where.payment_id, key=own.key, now=now)
    if known is None or known.payment.state in (PaymentState.REVERSED, PaymentState.REFUND_ONLY):
        raise NotACharge("the payment was reversed, is a refund, or is known no longer")
    receipt = _find(place, receipt_id, around=known.payment.made_at, now=now)
    if receipt is None:
        raise ReceiptUnknown("the store has no such receipt within a week of the payment")
    question = question_of(known, own.member.digits, now=now)
    for part in _free(receipt, known.payment, now=now):
        matched = Matched(part, weigh_by_hand(question.signals, part), Why.FORCED)
        if join_by_hand(question, known, purchase, matched, key=own.key, now=now, note=note):
            return
    raise HeldByAnother("every part of the receipt belongs to another payment")


def withdraw_match(own: Own, *, note: str, now: datetime) -> None:
    """Take the receipt of the payment away. `note` is why, in words.

    :raises NothingToWithdraw: it has none. :raises TryAgain: a passing obstacle.
    """
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is None or purchase.receipt is None:
        raise NothingToWithdraw("the payment has no receipt")
    withdrawing.withdraw(purchase, WithdrawnWhy.BY_STAFF, note=note, now=now)


def _find(
    place: Store, receipt_id: ReceiptId, *, around: datetime, now: datetime
) -> Receipt | None:
    """The receipt, looked for a day at a time, the payment's own first."""
    for days in sorted(range(-DAYS_AROUND_MAX, DAYS_AROUND_MAX + 1), key=abs):
        since = around + (days * DAY) - DAY / 2
        near = tills.receipts_near(place, since=since, until=since + DAY, now=now, consistent=False)
        if receipt_id in near:
            return near[receipt_id]
    return None


def _free(receipt: Receipt, payment: Payment, *, now: datetime) -> list[Part]:
    """The parts that nobody else holds, those of the payment's amount first."""
    parts = list(parts_of(receipt))
    indices = [part.index for part in parts]
    holds = holds_on(receipt.receipt_id, indices, asked_by=payment.payment_id, now=now)
    amounts = {amount.minor for amount in payment.amounts}
    free = [
        part
        for part in parts
        if part.index not in holds or holds[part.index].payment_id == payment.payment_id
    ]
    return sorted(free, key=lambda part: part.amount_minor not in amounts)
