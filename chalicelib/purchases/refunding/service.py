"""Settling one refund payment: find the purchase it gives back, or let it wait.

Every function here may run twice, at once with itself, late, or die after any line. The refund goes
to the purchase first, where its name keeps it from counting twice, and then to its own row, which
ends the search; a run that comes back finds the first and does the rest. A refund that waits is
written down before the second look, and a return is written before waiting refunds are read, so of
a refund and its return that arrive together at least one sees the other.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.banks.payments import PaymentEvent
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import ReceiptId, payment_id_of
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Hold
from chalicelib.matching.refunds import (
    RefundFound,
    RefundOpen,
    RefundSignals,
    RefundWhy,
)
from chalicelib.matching.standing import Claim
from chalicelib.members import service as members
from chalicelib.purchases import facts, outbox
from chalicelib.purchases import store as purchases
from chalicelib.purchases.history import noted
from chalicelib.purchases.model import (
    Ending,
    KnownPayment,
    LinkedRefund,
    Purchase,
    RefundOf,
    Whereabouts,
)
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.refunding import candidates, store
from chalicelib.purchases.refunding.candidates import Near
from chalicelib.purchases.refunding.store import WaitingRefund
from chalicelib.purchases.versions import with_refund, with_return, without_refund
from chalicelib.runtime import vault

# Decisions that no later guess changes; a person's still follows the amount that the bank tells.
FINAL = frozenset({RefundWhy.LINKED_BY_BANK.value, RefundWhy.BY_STAFF.value})


def settle(
    known: KnownPayment, *, key: vault.SealingKey, now: datetime
) -> RefundFound | RefundOpen | None:
    """Find the purchase of a refund payment, or let it wait; None where nothing is left to find.

    What was found before is weighed again with what has come since, and may move. What is no longer
    certain stays where it is, and follows the amount that the bank tells.
    :raises TryAgain: a purchase changed underneath.
    """
    own = purchases.find_purchase(_where(known), key=key, now=now)
    before = own.refund_of if own is not None else None
    member = members.find_member(known.member_id, now=now)
    refund = candidates.signals_of(known, member.digits.registered if member else (), now=now)
    if member is None or refund is None or _is_linked_by_bank(before):
        return None
    decision, near = _decide(known, refund, since=member.activated_at, key=key, now=now)
    if before is not None and (isinstance(decision, RefundOpen) or before.why in FINAL):
        decision = _as_before(before, near) or decision
    if isinstance(decision, RefundOpen) and own is None:
        for waiting in waits_of(known, refund):
            store.keep_waiting(waiting)
        decision, near = _decide(known, refund, since=member.activated_at, key=key, now=now)
    if isinstance(decision, RefundFound):
        link(known, own, near, decision, key=key, now=now)
    elif own is None:
        facts.refund_waits(known, decision.why.value)
    return decision


def _is_linked_by_bank(before: RefundOf | None) -> bool:
    return before is not None and before.why == RefundWhy.LINKED_BY_BANK.value


def _as_before(before: RefundOf, near: Near) -> RefundFound | None:
    """What was decided before, where it is still possible."""
    minor = near.refund.amount.minor
    for one in near.bought:
        if one.payment_id == before.payment_id and minor <= one.left_minor:
            return RefundFound(
                one.payment_id, RefundWhy(before.why), before.per_million / 1_000_000
            )
    return None


def _decide(
    known: KnownPayment,
    refund: RefundSignals,
    *,
    since: datetime,
    key: vault.SealingKey,
    now: datetime,
) -> tuple[RefundFound | RefundOpen, Near]:
    near = candidates.look(known, refund, key=key, now=now)
    return near.decide(known_since=since), near


def waits_of(known: KnownPayment, refund: RefundSignals) -> list[WaitingRefund]:
    """The rows under which `refund` waits, one at each retailer it may be of."""
    return [
        WaitingRefund(
            retailer_id=retailer_id,
            payment_id=refund.payment_id,
            member_id=known.member_id,
            made_at=refund.made_at,
            amount_key=store.amount_key(retailer_id, refund.amount),
            waits_since=known.first_seen_at,
        )
        for retailer_id in refund.retailers
    ]


def link(
    known: KnownPayment,
    own: Purchase | None,
    near: Near,
    found: RefundFound,
    *,
    key: vault.SealingKey,
    now: datetime,
) -> None:
    """Make `found` so: the refund to its purchase, away from another, then onto its own row.

    :raises TryAgain: a purchase changed underneath.
    """
    before = own.refund_of if own is not None else None
    target = _give_back(near, found, key=key, now=now)
    if before is None or before.payment_id != found.payment_id:
        if before is not None:
            _take_away(known, before, key=key, now=now)
        at = target.payment.anchored_at
        refund_of = RefundOf(found.payment_id, at, found.why.value, found.per_million)
        _end(known, own, Ending.REFUND_LINKED, key=key, refund_of=refund_of)
        facts.refund_linked(known, found.why.value)
    for waiting in waits_of(known, near.refund):
        store.stop_waiting(waiting)


def _give_back(near: Near, found: RefundFound, *, key: vault.SealingKey, now: datetime) -> Purchase:
    """Write the refund to its purchase, with the return that names no sale where one is its own."""
    refund, weighed = near.refund, near.purchase(found.payment_id)
    target = purchases.find_purchase(_of(weighed), key=key, now=now)
    if target is None or without_refund(target, refund.payment_id) != weighed:
        raise TryAgain("the purchase changed underneath")  # Perhaps by another refund.
    changed = target
    if found.why is not RefundWhy.LINKED_BY_BANK:
        changed = with_refund(target, _linked(refund, found))
    returned = near.return_of(target)
    if returned is not None and _claim_return(target, returned.receipt_id, now=now):
        changed = with_return(changed, returned)
    _record(target, changed, key=key, now=now)
    return target


def end_unlinked(
    known: KnownPayment, own: Purchase | None, ending: Ending, *, key: vault.SealingKey
) -> None:
    """Let a refund end, for now or for good, without its purchase.

    :raises TryAgain: its row changed underneath.
    """
    _end(known, own, ending, key=key)
    facts.ended(known.payment.payment_id, ending)


def yield_to_bank(
    event: PaymentEvent, known: KnownPayment, *, key: vault.SealingKey, now: datetime
) -> None:
    """The bank links a refund to `known` by itself; where it had told of the same one before
    without a link, what was guessed of that, or waits, ends.

    :raises TryAgain: a purchase changed underneath.
    """
    guessed_id = payment_id_of(event.connection_id, event.transaction_id)
    if guessed_id == known.payment.payment_id:
        return
    alone = payments.find_payment(guessed_id, key=key, now=now)
    if alone is None or alone.member_id != known.member_id or not alone.payment.names_no_sale:
        return
    own = purchases.find_purchase(_where(alone), key=key, now=now)
    before = own.refund_of if own is not None else None
    bank_says = RefundOf(
        known.payment.payment_id, known.payment.anchored_at, RefundWhy.LINKED_BY_BANK.value
    )
    if before == bank_says:
        return
    if before is not None:
        _take_away(alone, before, key=key, now=now)
    _end(alone, own, Ending.REFUND_LINKED, key=key, refund_of=bank_says)
    refund = candidates.signals_of(alone, (), now=now)
    for waiting in waits_of(alone, refund) if refund is not None else ():
        store.stop_waiting(waiting)
    facts.refund_linked(alone, RefundWhy.LINKED_BY_BANK.value)


def _linked(refund: RefundSignals, found: RefundFound) -> LinkedRefund:
    return LinkedRefund(
        payment_id=refund.payment_id,
        connection_id=refund.connection_id,
        transaction_id=refund.transaction_id,
        amount=refund.amount,
        at=refund.made_at,
        why=found.why.value,
        per_million=found.per_million,
    )


def _claim_return(purchase: Purchase, return_id: ReceiptId, *, now: datetime) -> bool:
    """Claim an unnamed return for `purchase`, so that no other purchase ever has it."""
    payment = purchase.payment
    hold = Hold(payment.payment_id, purchase.member_id, payment.connection_id)
    claim = Claim(return_id, 0, hold, payment.anchored_at)
    return matching_store.record_claim(claim, now=now)


def _take_away(
    known: KnownPayment, before: RefundOf, *, key: vault.SealingKey, now: datetime
) -> None:
    where = Whereabouts(before.payment_id, known.member_id, before.anchored_at)
    wrong = purchases.find_purchase(where, key=key, now=now)
    if wrong is not None:
        _record(wrong, without_refund(wrong, known.payment.payment_id), key=key, now=now)


def _record(before: Purchase, changed: Purchase, *, key: vault.SealingKey, now: datetime) -> None:
    if changed is before:
        return
    told = noted(before, _one_version_on(before, changed), now=now)
    if told.receipt is not None:
        outbox.tell(told, NoteKind.UPDATED, now=now)
    if not purchases.record_version(told, key=key):
        raise TryAgain("the purchase changed underneath")
    facts.updated(before.payment.payment_id, "refund", version=told.version)


def _one_version_on(before: Purchase, changed: Purchase) -> Purchase:
    """Two changes at once make one version."""
    return replace(changed, version=before.version + 1)


def _end(
    known: KnownPayment,
    own: Purchase | None,
    ending: Ending,
    *,
    key: vault.SealingKey,
    refund_of: RefundOf | None = None,
) -> None:
    version = own.version + 1 if own is not None else 1
    alone = Purchase(
        known.member_id, known.payment, version=version, ending=ending, refund_of=refund_of
    )
    if own is not None and (own.ending, own.refund_of) == (ending, refund_of):
        return
    is_written = (
        purchases.record_purchase(alone, key=key)
        if own is None
        else purchases.record_version(alone, key=key)
    )
    if not is_written:
        raise TryAgain("the refund changed underneath")


def _where(known: KnownPayment) -> Whereabouts:
    payment = known.payment
    return Whereabouts(payment.payment_id, known.member_id, payment.anchored_at)


def _of(purchase: Purchase) -> Whereabouts:
    payment = purchase.payment
    return Whereabouts(payment.payment_id, purchase.member_id, payment.anchored_at)
