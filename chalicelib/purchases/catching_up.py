"""What a purchase missed while it was written: what the bank told since its payment was read, and
what the shop told of its sale before another source told of the same payment.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.payment import Payment
from chalicelib.purchases import facts, outbox, store
from chalicelib.purchases.clearing import contradiction_of
from chalicelib.purchases.history import noted
from chalicelib.purchases.model import Purchase, Whereabouts, WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.versions import with_early, with_payment
from chalicelib.purchases.withdrawing import withdraw
from chalicelib.runtime import vault


def catch_up(purchase: Purchase, *, key: vault.SealingKey, now: datetime) -> None:
    """Add what the bank told since the payment was read; it may speak against the receipt. And if
    goods came back before the sale was found, the money for them may wait for it.

    Whoever records an event looks for the purchase after that. So of an event and a purchase that
    are written together at least one run sees both.
    :raises TryAgain: the purchase changed underneath.
    """
    purchase = share_changes(purchase, key=key, now=now)
    newest = payments.find_payment(purchase.payment.payment_id, key=key, now=now)
    if newest is not None and len(newest.payment.events) > len(purchase.payment.events):
        update(purchase, newest.payment, key=key, now=now)
    if purchase.returns:
        from chalicelib.purchases.refunding import waiting  # Returns are rare.

        for returned in purchase.returns:
            waiting.look_after_return(purchase.member_id, returned, key=key, now=now)


def share_changes(purchase: Purchase, *, key: vault.SealingKey, now: datetime) -> Purchase:
    """`purchase`, with what the shop told of its sale before, where it has the sale by the claim of
    another source's payment. What is told from now on reaches both.

    :raises TryAgain: the purchase changed underneath.
    """
    holder = _holder(purchase, key=key, now=now)
    if holder is None or holder.receipt is None:
        return purchase
    shared = with_early(purchase, (holder.receipt, *holder.returns))
    if shared == purchase:
        return purchase
    changed = replace(shared, version=purchase.version + 1)
    return _record(purchase, changed, "receipt", key=key, now=now)


def update(purchase: Purchase, payment: Payment, *, key: vault.SealingKey, now: datetime) -> bool:
    """Bring a joined purchase up to its payment's events; False where it knew them.

    Where they contradict its receipt, that is taken away, and the payment waits again.
    :raises TryAgain: the purchase changed underneath.
    """
    changed = with_payment(purchase, payment)
    if changed is purchase:
        return False
    contradiction = contradiction_of(purchase, payment, now=now)
    if contradiction is not None:
        withdraw(purchase, WithdrawnWhy.CONTRADICTED, detail=contradiction.value, now=now)
        return True
    _record(purchase, changed, payment.state.value, key=key, now=now)
    return True


def _holder(purchase: Purchase, *, key: vault.SealingKey, now: datetime) -> Purchase | None:
    """Who claimed the sale of `purchase`, where that is its member's other source."""
    if purchase.same_as is None or purchase.receipt is None:
        return None
    other = payments.find_payment(purchase.same_as, key=key, now=now)
    if other is None:
        return None
    where = Whereabouts(purchase.same_as, purchase.member_id, other.payment.anchored_at)
    holder = store.find_purchase(where, key=key, now=now)
    sale = holder.receipt if holder is not None else None
    return holder if sale is not None and sale.receipt_id == purchase.receipt.receipt_id else None


def _record(
    before: Purchase, changed: Purchase, what: str, *, key: vault.SealingKey, now: datetime
) -> Purchase:
    told = noted(before, changed, now=now)
    outbox.tell(told, NoteKind.UPDATED, now=now)
    if not store.record_version(told, key=key):
        raise TryAgain("the purchase changed underneath")
    facts.updated(told.payment.payment_id, what, version=told.version)
    return told
