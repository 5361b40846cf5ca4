"""Finding a payment's receipt: read what is near, decide, claim. The claim is the only write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import PaymentId, ReceiptId, StoreId
from chalicelib.matching import store
from chalicelib.matching.decision import (
    Ambiguous,
    Hold,
    MatchDecision,
    Matched,
    PartKey,
    Why,
    decide_match,
    fitting_parts,
)
from chalicelib.matching.signals import WIDE_WINDOW, PaymentSignals
from chalicelib.matching.store import Claim
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import service as tills

# Whether a claim's payment really has that receipt: False means the claim was left by a crash.
ClaimStands = Callable[[Claim], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A payment that looks for its receipt, and where it may be found."""

    signals: PaymentSignals
    anchored_at: datetime
    stores: tuple[Store, ...]


def find_match(
    question: Question, *, claim_stands: ClaimStands, now: datetime, consistent: bool
) -> MatchDecision:
    """Decide on what stands on the pages now; writes nothing.

    A first look may read eventually consistent pages at half price; the look after the payment was
    written down must be consistent, so that of two sides at least one sees the other.
    """
    receipts = _receipts_near(question, now=now, consistent=consistent)
    fitting = fitting_parts(question.signals, receipts)
    held: dict[PartKey, Hold] = {}
    rivals: Sequence[PaymentSignals] = ()
    if fitting:
        held = _holds(question, [(p.receipt_id, p.index) for p, _ in fitting], claim_stands, now)
        rivals = _rivals(question, [part.receipt for part, _ in fitting], now=now)
    return decide_match(
        question.signals,
        receipts,
        held=held,
        rivals=rivals,
        receipts_complete_after=timedelta(
            seconds=max(s.receipts_within_seconds for s in question.stores)
        ),
        now=now,
    )


def claim_part(question: Question, matched: Matched, *, now: datetime) -> MatchDecision:
    """Claim what was decided; if another payment was faster, the decision becomes abstention."""
    if matched.same_as is not None:
        return matched  # The part is held by the same purchase, told by another source.
    claim = claim_of(question, matched)
    if store.record_claim(claim, now=now):
        return matched
    return Ambiguous(Why.RIVAL_PAYMENT, rivals=1)


def claim_of(question: Question, matched: Matched) -> Claim:
    """The claim that makes `matched` so."""
    signals = question.signals
    return Claim(
        receipt_id=matched.part.receipt_id,
        part=matched.part.index,
        hold=Hold(signals.payment_id, signals.member_id, signals.connection_id),
        anchored_at=question.anchored_at,
    )


def waiting_for(
    stores_receipts: Sequence[Receipt], store_id: StoreId, *, now: datetime, consistent: bool
) -> list[store.Waiting]:
    """The waiting payments of `store_id` that some part of the receipts could belong to."""
    if not stores_receipts:
        return []
    issued = [receipt.issued_at for receipt in stores_receipts]
    waiting = store.list_waiting_around(
        store_id, min(issued), max(issued), now=now, consistent=consistent
    )
    return [w for w in waiting if fitting_parts(w.signals, stores_receipts)]


def _receipts_near(question: Question, *, now: datetime, consistent: bool) -> tuple[Receipt, ...]:
    made_at = question.signals.made_at
    found: dict[ReceiptId, Receipt] = {}
    for place in question.stores:
        found |= tills.receipts_near(
            place,
            since=made_at - WIDE_WINDOW,
            until=made_at + WIDE_WINDOW,
            now=now,
            consistent=consistent,
        )
    return tuple(found.values())


def _holds(
    question: Question, keys: Sequence[PartKey], claim_stands: ClaimStands, now: datetime
) -> dict[PartKey, Hold]:
    """Who holds the parts; a claim that a crash left behind is taken away on the way."""
    mine = question.signals.payment_id
    holds: dict[PartKey, Hold] = {}
    for claim in store.list_claims_on(keys, now=now):
        if claim.hold.payment_id == mine or claim_stands(claim):
            holds[claim.receipt_id, claim.part] = claim.hold
        else:
            store.release_claim(claim)
    return holds


def _rivals(
    question: Question, receipts: Sequence[Receipt], *, now: datetime
) -> tuple[PaymentSignals, ...]:
    """The other payments that wait where and when `receipts` were issued."""
    rivals: dict[PaymentId, PaymentSignals] = {}
    for store_id in sorted({receipt.store_id for receipt in receipts}):
        issued = [r.issued_at for r in receipts if r.store_id == store_id]
        for waiting in store.list_waiting_around(store_id, min(issued), max(issued), now=now):
            rivals[waiting.signals.payment_id] = waiting.signals
    rivals.pop(question.signals.payment_id, None)
    return tuple(rivals.values())
