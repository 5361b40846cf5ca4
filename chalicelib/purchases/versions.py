"""How a purchase changes: by later events of its payment, versions of its receipt, and returns.

Each function gives the same object back where nothing changes, so that a repeat costs no write.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import Conflicting
from chalicelib.matching.payment import Payment
from chalicelib.purchases.messages import WithdrawMessage
from chalicelib.purchases.model import Cause, LinkedRefund, Purchase, Withdrawal
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.returns import NotThatSale, apply_returns
from chalicelib.receipts.versions import Standing, compare
from chalicelib.runtime import observability

WITHDRAWALS_TOLD_MAX = 20  # A purchase is read whole each time; nobody reads more of its past.
REFUNDS_MAX = 50  # As many as a payment has events: nobody gives one purchase back more often.
# What became of the receipt says something of it, so of a receipt that is taken away it goes too.
_OF_RECEIPT = frozenset({Cause.CORRECTED, Cause.VOIDED, Cause.RETURNED})


def with_payment(purchase: Purchase, payment: Payment) -> Purchase:
    """`purchase` with `payment`'s events; the same where it knows more of them already, because
    whoever read the payment was slow. A refund that the bank now links by itself is no guess any
    more.
    """
    if purchase.payment == payment or len(payment.events) < len(purchase.payment.events):
        return purchase
    linked = {refund.name for refund in payment.refunds}
    guessed = tuple(
        one
        for one in purchase.refunds
        if one.connection_id != payment.connection_id or one.transaction_id not in linked
    )
    return replace(purchase, payment=payment, refunds=guessed, version=purchase.version + 1)


def without_receipt(
    purchase: Purchase, payment: Payment, order: WithdrawMessage, *, at: datetime
) -> Purchase:
    """`purchase` of `payment` as if it never had the receipt, but for the word that it had one."""
    reason = purchase.reason
    withdrawal = Withdrawal(
        version=purchase.version + 1,
        at=at,
        why=order.why.value,
        detail=order.detail,
        note=order.note,
        matched_at=purchase.matched_at,
        matched_why=reason.why if reason else "",
    )
    return Purchase(
        member_id=purchase.member_id,
        payment=payment,
        version=purchase.version + 1,
        told_reference=purchase.told_reference,
        refunds=purchase.refunds,
        changes=tuple(
            replace(change, reference="")
            for change in purchase.changes
            if change.cause not in _OF_RECEIPT
        ),
        withdrawals=(*purchase.withdrawals, withdrawal)[-WITHDRAWALS_TOLD_MAX:],
    )


def with_receipt(purchase: Purchase, receipt: Receipt) -> Purchase:
    """`purchase` with a version of its receipt, if that is newer.

    :raises Conflicting: the version contradicts the one we have.
    """
    if purchase.receipt is None or compare(purchase.receipt, receipt) is not Standing.NEWER:
        return purchase
    return replace(purchase, receipt=receipt, version=purchase.version + 1)


def with_return(purchase: Purchase, returned: Receipt) -> Purchase:
    """`purchase` with a return of its sale, or with a newer version of one it has.

    :raises Conflicting: the return contradicts the one we have.
    :raises NotThatSale: it is in another currency than the sale.
    """
    if purchase.receipt is None:
        return purchase
    others = []
    for known in purchase.returns:
        if known.receipt_id != returned.receipt_id:
            others.append(known)
        elif compare(known, returned) is not Standing.NEWER:
            return purchase
    returns = (*others, returned)
    apply_returns(purchase.receipt, returns)  # Refuses here what could never be shown.
    return replace(purchase, returns=returns, version=purchase.version + 1)


def with_refund(purchase: Purchase, refund: LinkedRefund) -> Purchase:
    """`purchase` with a refund payment that was found to be of it; the same where it has it.

    One whose amount has changed since takes the place of what it was.
    """
    others = []
    for known in purchase.refunds:
        if known.payment_id != refund.payment_id:
            others.append(known)
        elif known.amount == refund.amount:
            return purchase
    if len(others) >= REFUNDS_MAX:
        return purchase
    refunds = (*others, refund)
    return replace(purchase, refunds=refunds, version=purchase.version + 1)


def without_refund(purchase: Purchase, refund_id: PaymentId) -> Purchase:
    """`purchase` without that refund; the same where it has none such."""
    left = tuple(one for one in purchase.refunds if one.payment_id != refund_id)
    if left == purchase.refunds:
        return purchase
    return replace(purchase, refunds=left, version=purchase.version + 1)


def with_change(purchase: Purchase, told: Receipt) -> Purchase:
    """`purchase` with what a till sent after its receipt: a newer version of it, or a return.

    :raises Conflicting: it contradicts what we have.
    :raises NotThatSale: a return is in another currency than the sale.
    """
    if purchase.receipt is not None and told.receipt_id == purchase.receipt.receipt_id:
        return with_receipt(purchase, told)
    return with_return(purchase, told)


def with_early(purchase: Purchase, early: Iterable[Receipt]) -> Purchase:
    """A new `purchase` with the changes that came before it was one; still its first version.

    One that contradicts another or the sale is left out: nobody was shown anything else.
    """
    after = purchase
    for told in early:
        try:
            after = with_change(after, told)
        except (Conflicting, NotThatSale):
            observability.count("conflicts", code=NotThatSale.code)
    return replace(after, version=purchase.version)
