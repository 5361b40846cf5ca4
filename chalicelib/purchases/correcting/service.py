"""What the person who paid may say of a match: "not mine", and "this is mine".

Each may be said again and has the same answer. Who says "this is mine" must hold the paper, and may
not learn from the answers whether a receipt exists that is not theirs: there is one refusal for all
reasons, after the same reads, and few attempts a day.
"""

from datetime import UTC, datetime, time, timedelta

from chalicelib.kernel.ids import ReceiptId
from chalicelib.kernel.refusals import NotAllowed, TooOften
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Matched
from chalicelib.matching.payment import PaymentState
from chalicelib.matching.questions import Question
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.why import Why
from chalicelib.purchases import store, withdrawing
from chalicelib.purchases.access import Own
from chalicelib.purchases.correcting.joining import holds_on, join_by_hand
from chalicelib.purchases.correcting.paper import (
    NEAR,
    SAME_DAY,
    Paper,
    fitting,
    is_rather_of,
    named_by,
)
from chalicelib.purchases.correcting.store import count_attempt
from chalicelib.purchases.model import KnownPayment, WithdrawnWhy
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.standing import question_of
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import service as tills

ATTEMPTS_PER_PAYMENT_DAILY = 5  # A number is mistyped twice or thrice.
ATTEMPTS_PER_MEMBER_DAILY = 20  # Somebody sorts a drawer of receipts; a machine tries thousands.
STORES_READ_MAX = 5  # A name of fifty shops would be a day's receipts of all of them.
_NO_RECEIPT = ReceiptId("-" * 26)  # Looked for where there is none, so that it takes as long.


class NothingToWithdraw(NotAllowed):
    """The payment has no such version of a receipt that could be taken away."""

    code = "nothing_to_withdraw"


class HasReceipt(NotAllowed):
    """The payment has another receipt. If that is not theirs, the person says so first."""

    code = "has_a_receipt"


class NotConfirmed(NotAllowed):
    """The number does not lead to a receipt that may be this payment's; why is not said."""

    code = "receipt_not_confirmed"


class TooManyAttempts(TooOften):
    """Of this payment or this member, receipts were claimed too often today."""

    code = "too_many_attempts"


def say_not_mine(own: Own, *, version: int, now: datetime) -> None:
    """Take away the receipt that the person was shown in `version`; said again, it changes nothing.

    :raises NothingToWithdraw: there is none, or none of that version.
    :raises TryAgain: a passing obstacle.
    """
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is not None and any(one.version > version for one in purchase.withdrawals):
        return
    if purchase is None or purchase.receipt is None or version > purchase.version:
        raise NothingToWithdraw("the payment has no receipt of that version", field="version")
    withdrawing.withdraw(purchase, WithdrawnWhy.NOT_MINE, now=now)


def say_mine(own: Own, paper: Paper, *, now: datetime) -> None:
    """Join the payment with the receipt that `paper` names, if nothing contradicts it.

    :raises HasReceipt: the payment has another one.
    :raises TooManyAttempts: not today any more.
    :raises NotConfirmed: it cannot be joined, for whatever reason.
    :raises TryAgain: a passing obstacle.
    """
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is not None and purchase.receipt is not None:
        if paper.names(purchase.receipt):
            return
        raise HasReceipt("the payment has another receipt")
    _count(own, now=now)
    known = payments.find_payment(own.where.payment_id, key=own.key, now=now)
    if known is None or known.payment.state not in (PaymentState.AUTHORISED, PaymentState.CLEARED):
        raise _not_confirmed()
    question = question_of(known, own.member.digits, now=now)
    found = named_by(paper, _receipts_of_the_day(question, now=now))
    matched = _decide(question, known, found, now=now)
    if matched is None or not join_by_hand(
        question, known, purchase, matched, key=own.key, now=now
    ):
        raise _not_confirmed()
    joined = store.find_held_receipt(own.where, now=now)
    if joined != matched.part.receipt_id:  # Found by itself, in the same moment.
        raise HasReceipt("the payment has another receipt")


def _count(own: Own, *, now: datetime) -> None:
    member_id = own.where.member_id
    bounds = (
        (own.where.payment_id, ATTEMPTS_PER_PAYMENT_DAILY),
        ("all", ATTEMPTS_PER_MEMBER_DAILY),
    )
    for of, most in bounds:
        if not count_attempt(member_id, of, most=most, now=now):
            tomorrow = datetime.combine(now.astimezone(UTC).date(), time(), UTC) + timedelta(days=1)
            raise TooManyAttempts(
                "receipts were claimed too often today",
                after_seconds=int((tomorrow - now).total_seconds()) + 1,
            )


def _receipts_of_the_day(question: Question, *, now: datetime) -> list[Receipt]:
    """What stands on the pages of the payment's shops, around the day on which it was made."""
    made_at = question.signals.made_at
    found: dict[ReceiptId, Receipt] = {}
    for place in question.stores[:STORES_READ_MAX]:
        found |= tills.receipts_near(
            place, since=made_at - SAME_DAY, until=made_at + SAME_DAY, now=now, consistent=False
        )
    return list(found.values())


def _decide(
    question: Question, known: KnownPayment, receipt: Receipt | None, *, now: datetime
) -> Matched | None:
    """The part of `receipt` that the payment may have; who holds its parts is read in any case."""
    fits = fitting(question.signals, receipt) if receipt else []
    parts = [part.index for part, _ in fits] or [0]
    receipt_id = receipt.receipt_id if receipt else _NO_RECEIPT
    holds = holds_on(receipt_id, parts, asked_by=question.signals.payment_id, now=now)
    rivals = _rivals(question, receipt, now=now)
    for part, evidence in fits:
        hold = holds.get(part.index)
        if any(is_rather_of(rival, part, evidence) for rival in rivals):
            continue
        if hold is None or hold.payment_id == question.signals.payment_id:
            return Matched(part, evidence, Why.SAID_MINE)
        if hold.member_id == known.member_id and hold.connection_id != known.payment.connection_id:
            return Matched(part, evidence, Why.SAID_MINE, same_as=hold.payment_id)
    return None


def _rivals(question: Question, receipt: Receipt | None, *, now: datetime) -> list[PaymentSignals]:
    """What others paid there about when `receipt` was printed, and wait for."""
    at = receipt.issued_at if receipt else question.signals.made_at
    store_id = receipt.store_id if receipt else question.stores[0].store_id
    found = matching_store.list_waiting_between(store_id, at - NEAR, at + NEAR, now=now)
    member_id = question.signals.member_id
    return [one.signals for one in found if one.signals.member_id != member_id]


def _not_confirmed() -> NotConfirmed:
    return NotConfirmed("no receipt of that number can be joined with this payment")
