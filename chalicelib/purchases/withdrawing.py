"""Withdrawing: a receipt that is not the payment's is taken away, and nothing of it stays behind.

It begins with a message that says what is to be done, and the same is then done at once. So it may
die after any line, run twice or at once with itself, a match, a refund or its member's leaving:
whoever comes later finishes it, and finds nothing to do where it is done.

1. The payment refuses the receipt, so that nobody joins the two again by themselves.
2. What changed the receipt while it was held is put back where its owner will look for it.
3. The bank's message is queued; it waits for the version that follows.
4. The purchase gets a version without the receipt. From here on nobody is shown it.
5. What the match taught of the member's devices is forgotten, the claim is given back, the same
   member's purchases of the same sale lose it too, and whoever waited for the receipt looks again,
   and so does the payment itself.
"""

from datetime import datetime, timedelta
from functools import partial

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import service as matching
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.payment import Payment, refuse
from chalicelib.matching.standing import Claim
from chalicelib.members import learning
from chalicelib.network import service as network
from chalicelib.purchases import facts, outbox, store
from chalicelib.purchases.access import WAITS, active_key_of
from chalicelib.purchases.history import noted
from chalicelib.purchases.messages import WithdrawMessage, encode
from chalicelib.purchases.model import Purchase, Whereabouts, WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.versions import without_receipt
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.returns import names_no_sale
from chalicelib.runtime import queues, vault
from chalicelib.tills import service as tills
from chalicelib.tills.store import UNMATCHED_RECEIPTS

TRIES_MAX = 3  # Of writing over a version that changes underneath; after that its message goes on.
FINISHES_AFTER_SECONDS = 30  # The message comes when what was begun at once has ended or died.
SAME_SALE_WITHIN = timedelta(days=1)  # Two sources of one purchase differ by hours at most.


def withdraw(
    purchase: Purchase,
    why: WithdrawnWhy,
    *,
    detail: str = "",
    note: str | None = None,
    now: datetime,
) -> None:
    """Take its receipt away from `purchase`: from the member, the bank, and the receipt's claim.

    The two are never joined again by themselves. `detail` is a code that says more than `why`, such
    as what contradicted; `note` is what a member of staff said who does it. A purchase without a
    receipt stays as it is.

    :raises TryAgain: a passing obstacle. Where the message was sent, it will be done all the same.
    """
    if purchase.receipt is not None:
        order = _order_of(purchase, purchase.receipt, why, detail=detail, note=note, now=now)
        _give(order, now=now)


def _order_of(
    purchase: Purchase,
    receipt: Receipt,
    why: WithdrawnWhy,
    *,
    detail: str,
    note: str | None = None,
    refuses: bool = True,
    now: datetime,
) -> WithdrawMessage:
    payment = purchase.payment
    return WithdrawMessage(
        payment_id=payment.payment_id,
        member_id=purchase.member_id,
        anchored_at=payment.anchored_at,
        version=purchase.version,
        receipt_id=receipt.receipt_id,
        part=purchase.part,
        store_id=receipt.store_id,
        issued_at=receipt.issued_at,
        why=why,
        ordered_at=now,
        detail=detail,
        note=note,
        refuses=refuses,
    )


def _give(order: WithdrawMessage, *, now: datetime) -> None:
    queues.send(queues.PAYMENTS, [encode(order)], delay_seconds=FINISHES_AFTER_SECONDS)
    carry_out(order, now=now)


def carry_out(order: WithdrawMessage, *, now: datetime) -> None:
    """Do what `order` says, or what is left of it; doing it again changes nothing.

    Of a member who left meanwhile nothing can be read, shown or told any more: it ends here.

    :raises TryAgain: a passing obstacle; the message will come again.
    """
    key = active_key_of(order.member_id, now=now)
    if key is None:
        return
    for _ in range(TRIES_MAX):
        purchase = store.find_purchase(_where(order), key=key, now=now)
        if purchase is None or _is_done(purchase, order):
            break
        if _take_away(purchase, order, key=key, now=now):
            break
    else:
        raise TryAgain("the purchase changed underneath")
    if purchase is not None:
        _let_go(order, key=key, now=now)


def _where(order: WithdrawMessage) -> Whereabouts:
    return Whereabouts(order.payment_id, order.member_id, order.anchored_at)


def _is_done(purchase: Purchase, order: WithdrawMessage) -> bool:
    """Whether the join that `order` is about has ended; what was joined after it stays."""
    is_held = purchase.receipt is not None and purchase.receipt.receipt_id == order.receipt_id
    return not is_held or any(one.version > order.version for one in purchase.withdrawals)


def _take_away(
    purchase: Purchase, order: WithdrawMessage, *, key: vault.SealingKey, now: datetime
) -> bool:
    """Steps 1 to 4; False where the purchase changed underneath."""
    payment = purchase.payment
    if order.refuses:
        change = partial(_refuse, order=order)
        known = payments.change_payment(order.payment_id, change, key=key, now=now)
        # The payment's row may have expired while its purchase lives on.
        payment = known.payment if known else refuse(payment, order.receipt_id)
    _put_back(purchase, now=now)
    withdrawn = without_receipt(purchase, payment, order, at=now)
    withdrawn = noted(purchase, withdrawn, now=now)
    outbox.tell(withdrawn, NoteKind.WITHDRAWN, now=now)
    if not store.record_version(withdrawn, key=key):
        return False
    facts.withdrawn(order.payment_id, order.why, version=withdrawn.version)
    return True


def _refuse(payment: Payment, *, order: WithdrawMessage) -> Payment:
    return refuse(payment, order.receipt_id)


def _put_back(purchase: Purchase, *, now: datetime) -> None:
    """Keep for the receipt's owner what the purchase alone has: its returns, its newest version.

    A version is kept for no longer than its first submission would have been.
    """
    receipt = purchase.receipt
    if receipt is None:
        return
    for returned in purchase.returns:
        if names_no_sale(returned):
            continue  # It was this member's alone: their refund said so.
        matching_store.keep_change(receipt.receipt_id, returned, now=now)
    received_at = min(receipt.issued_at, now)
    lasts = UNMATCHED_RECEIPTS.lasts or timedelta()
    if receipt.version > 1 and now < received_at + lasts:
        place = network.get_store(receipt.store_id, now=now)
        tills.keep_on_pages(place, [receipt], now=received_at)


def _let_go(order: WithdrawMessage, *, key: vault.SealingKey, now: datetime) -> None:
    """Step 5. Each part of it may be repeated."""
    purchase = store.find_purchase(_where(order), key=key, now=now)
    if purchase is None or (
        purchase.receipt is not None and purchase.receipt.receipt_id == order.receipt_id
    ):
        return  # Joined anew, by hand: it is theirs again.
    learning.forget_device(order.member_id, said_by=order.payment_id, now=now)
    _withdraw_same_sale(order, key=key, now=now)
    payment = purchase.payment
    hold = Hold(order.payment_id, order.member_id, payment.connection_id)
    claim = Claim(order.receipt_id, order.part, hold, order.anchored_at)
    matching_store.release_claim(claim, taken_until=order.ordered_at)
    looks = [order.payment_id] if purchase.receipt is None else []
    outbox.look_at_once([*looks, *_waiting_for_it(order, now=now)])


def _withdraw_same_sale(order: WithdrawMessage, *, key: vault.SealingKey, now: datetime) -> None:
    """Take the receipt from what another source told of the same member's same purchase.

    What a person says of one holds for the other. What contradicts one says nothing of the other
    itself, which only leant on it: that one may find the receipt again on its own evidence.
    """
    sharing = store.list_holding(
        order.member_id,
        order.receipt_id,
        since=order.anchored_at - SAME_SALE_WITHIN,
        until=order.anchored_at + SAME_SALE_WITHIN,
        key=key,
        now=now,
    )
    for one in sharing:
        if one.receipt is None or one.part != order.part or _is_later(one, order):
            continue
        if one.payment.payment_id != order.payment_id:
            _give(
                _order_of(
                    one,
                    one.receipt,
                    order.why,
                    detail="same_purchase",
                    refuses=order.why is not WithdrawnWhy.CONTRADICTED,
                    now=now,
                ),
                now=now,
            )


def _is_later(purchase: Purchase, order: WithdrawMessage) -> bool:
    """Whether the receipt was joined after `order` was given, by who knew better."""
    return purchase.matched_at is not None and purchase.matched_at > order.ordered_at


def _waiting_for_it(order: WithdrawMessage, *, now: datetime) -> list[PaymentId]:
    """The payments that wait for the receipt, which is free now, while it stands on a page."""
    if now >= order.issued_at + WAITS:
        return []
    place = network.get_store(order.store_id, now=now)
    at = order.issued_at
    near = tills.receipts_near(place, since=at, until=at, now=now, consistent=True)
    receipt = near.get(order.receipt_id)
    if receipt is None:
        return []
    waiting = matching.list_waiting([receipt], order.store_id, now=now, consistent=True)
    return [w.signals.payment_id for w in matching.of_interest(waiting, [receipt], now=now)]
