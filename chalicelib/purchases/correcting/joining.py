"""Joining a payment with a receipt that a person named: claimed first, and finished whoever dies.

A message says what was begun before the part is claimed. If whoever claimed it dies, the message
comes, finds the part held by a payment that has no receipt, and joins the two.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from chalicelib.kernel.ids import MemberId, PaymentId, ReceiptId
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold, Matched
from chalicelib.matching.payment import accept
from chalicelib.matching.questions import Question, claim_of
from chalicelib.matching.signals import Part, parts_of
from chalicelib.matching.standing import Claim
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.purchases import store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.correcting.paper import weigh_by_hand
from chalicelib.purchases.messages import JoinMessage, encode
from chalicelib.purchases.model import KnownPayment, Purchase, Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.settling import claim_stands, join
from chalicelib.purchases.standing import question_of
from chalicelib.purchases.withdrawing import FINISHES_AFTER_SECONDS
from chalicelib.runtime import queues, vault
from chalicelib.tills import service as tills

# Where no purchase lies.
_NOWHERE = Whereabouts(PaymentId("-" * 26), MemberId("-" * 26), datetime(2000, 1, 1, tzinfo=UTC))


def join_by_hand(
    question: Question,
    known: KnownPayment,
    ended: Purchase | None,
    matched: Matched,
    *,
    key: vault.SealingKey,
    now: datetime,
    note: str | None = None,
) -> bool:
    """Claim the part of `matched` and join it; False where another payment was faster.

    `ended` is the payment's purchase, which has no receipt. `note` is what staff said.

    :raises TryAgain: a passing obstacle. Where the part was claimed, it will be done all the same.
    """
    part = matched.part
    if matched.same_as is None:
        order = JoinMessage(
            payment_id=question.signals.payment_id,
            member_id=known.member_id,
            anchored_at=question.anchored_at,
            version=ended.version if ended else 0,
            receipt_id=part.receipt_id,
            part=part.index,
            store_id=part.receipt.store_id,
            issued_at=part.receipt.issued_at,
            why=matched.why,
            note=note,
        )
        queues.send(queues.PAYMENTS, [encode(order)], delay_seconds=FINISHES_AFTER_SECONDS)
        if not matching_store.record_claim(claim_of(question, matched), now=now):
            return False
    _join(question, known, ended, matched, key=key, now=now, note=note)
    return True


def finish(order: JoinMessage, *, now: datetime) -> None:
    """Join what `order` began, if its part was claimed and nothing came of it.

    :raises TryAgain: a passing obstacle; the message will come again.
    """
    member = members.find_member(order.member_id, now=now)
    key = active_key_of(order.member_id, now=now)
    if member is None or key is None:
        return None
    where = Whereabouts(order.payment_id, order.member_id, order.anchored_at)
    purchase = store.find_purchase(where, key=key, now=now)
    known = payments.find_payment(order.payment_id, key=key, now=now)
    if known is None:
        return None
    question = question_of(known, member.digits, now=now)
    if purchase is not None and _is_over(purchase, order):
        if purchase.receipt is not None:  # Whoever joined them may have died before this.
            matching_store.stop_waiting(question.signals)
        return None
    claim = _held(order, now=now)
    if claim is None:
        return None
    part = _part_on_page(order, now=now)
    if part is None:
        return matching_store.release_claim(claim)  # Gone with its page: nothing can be shown.
    matched = Matched(part, weigh_by_hand(question.signals, part), order.why)
    return _join(question, known, purchase, matched, key=key, now=now, note=order.note)


def _join(
    question: Question,
    known: KnownPayment,
    ended: Purchase | None,
    matched: Matched,
    *,
    key: vault.SealingKey,
    now: datetime,
    note: str | None,
) -> None:
    """Join, and forget that the receipt was taken away from the payment before, if it was."""
    join(question, known, ended, matched, key=key, now=now, note=note)
    receipt_id = matched.part.receipt_id
    if receipt_id in known.payment.refused:
        payments.change_payment(
            known.payment.payment_id,
            lambda payment: accept(payment, receipt_id),
            key=key,
            now=now,
        )


def _is_over(purchase: Purchase, order: JoinMessage) -> bool:
    """Whether the payment has a receipt, or had this one and lost it again."""
    return purchase.receipt is not None or any(
        one.version > order.version for one in purchase.withdrawals
    )


def _held(order: JoinMessage, *, now: datetime) -> Claim | None:
    """The claim of the order's payment on the part, if it holds it."""
    for claim in matching_store.list_claims_on([(order.receipt_id, order.part)], now=now):
        if claim.hold.payment_id == order.payment_id:
            return claim
    return None


def _part_on_page(order: JoinMessage, *, now: datetime) -> Part | None:
    place = network.get_store(order.store_id, now=now)
    at = order.issued_at
    near = tills.receipts_near(place, since=at, until=at, now=now, consistent=True)
    receipt = near.get(order.receipt_id)
    parts = {part.index: part for part in parts_of(receipt)} if receipt else {}
    return parts.get(order.part)


def holds_on(
    receipt_id: ReceiptId, parts: Iterable[int], *, asked_by: PaymentId, now: datetime
) -> dict[int, Hold]:
    """Who holds those `parts` of the receipt, by index; what `asked_by` holds stands in any case.

    A claim that a crash left behind gives way. Of a part that nobody holds as much is read as of
    one that somebody holds, so that the time of an answer does not say which it was.
    """
    keys = [(receipt_id, index) for index in parts]
    claims = {claim.part: claim for claim in matching_store.list_claims_on(keys, now=now)}
    holds: dict[int, Hold] = {}
    for _, index in keys:
        claim = claims.get(index)
        if claim is None:
            store.find_held_receipt(_NOWHERE, now=now)
        elif claim.hold.payment_id == asked_by or claim_stands(claim, now=now):
            holds[index] = claim.hold
        else:
            matching_store.release_claim(claim, taken_until=claim.claimed_at)
    return holds
