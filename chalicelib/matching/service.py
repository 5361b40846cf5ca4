"""Finding a payment's receipt: read what is near, decide, claim. The claim is the only write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.kernel.ids import PaymentId, ReceiptId, StoreId
from chalicelib.matching import store
from chalicelib.matching.decision import (
    Ambiguous,
    Beliefs,
    Hold,
    MatchDecision,
    Matched,
    NotYet,
    candidate_keys,
    decide_match,
)
from chalicelib.matching.kept_clocks import KeptClocks
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.scene import PartKey, Scene, scene_of
from chalicelib.matching.signals import WIDE_WINDOW, PaymentSignals
from chalicelib.matching.store import Claim, Waiting
from chalicelib.matching.why import Why
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import service as tills

BELIEFS = Beliefs(KeptClocks({}), BELIEVED)

# Whether a claim's payment really has that receipt: False means the claim was left by a crash.
ClaimStands = Callable[[Claim], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A payment that looks for its receipt, and where it may be found."""

    signals: PaymentSignals
    anchored_at: datetime
    stores: tuple[Store, ...]

    @property
    def patience(self) -> timedelta:
        """How long after a sale its stores have sent everything."""
        return timedelta(seconds=max(store.receipts_within_seconds for store in self.stores))


@dataclass(frozen=True, slots=True)
class Near:
    """What stands around receipts that just came to one store, read once for all who look.

    - `scene`: every receipt issued in [`since`, `until`], those that just came included.
    - `waiting`: every payment that waits there, made within the wide window of
      [`issued_since`, `issued_until`].
    """

    store_id: StoreId
    since: datetime
    until: datetime
    scene: Scene
    issued_since: datetime
    issued_until: datetime
    waiting: tuple[Waiting, ...]

    def covers(self, question: Question) -> bool:
        """Whether every receipt that `question` may be about would be in `scene`."""
        made_at = question.signals.made_at
        is_here = [place.store_id for place in question.stores] == [self.store_id]
        return (
            is_here and self.since <= made_at - WIDE_WINDOW and made_at + WIDE_WINDOW <= self.until
        )

    def without(self, payment_id: PaymentId) -> "Near":
        """The same once a payment has found its receipt."""
        left = tuple(w for w in self.waiting if w.signals.payment_id != payment_id)
        return replace(self, waiting=left)


def find_match(
    question: Question,
    *,
    claim_stands: ClaimStands,
    now: datetime,
    consistent: bool,
    near: Near | None = None,
    reads_holds: bool = True,
) -> MatchDecision:
    """Decide on what stands on the pages now; writes nothing.

    A first look may read eventually consistent pages at half price; the look after the payment was
    written down must be consistent, so that of two sides at least one sees the other. Where `near`
    covers the question, nothing is read that is known. Without `reads_holds`, a part that alone
    fits counts as free: the claim will tell.
    """
    if near is None or not near.covers(question):
        near = None
    scene = (
        near.scene
        if near is not None
        else scene_of(_receipts_near(question, now=now, consistent=consistent))
    )
    keys = candidate_keys(question.signals, scene, BELIEFS)
    held: dict[PartKey, Hold] = {}
    if reads_holds or len(keys) > 1:
        held = _holds(question, keys, claim_stands, now)
    return _decide(question, scene, keys, held, near=near, now=now)


def _decide(
    question: Question,
    scene: Scene,
    keys: Sequence[PartKey],
    held: dict[PartKey, Hold],
    *,
    near: Near | None,
    now: datetime,
) -> MatchDecision:
    """Decide between the parts that may fit; rivals are read only where one could change it."""
    decide = partial(
        decide_match,
        question.signals,
        scene,
        held=held,
        beliefs=BELIEFS,
        receipts_complete_after=question.patience,
        now=now,
    )
    decision = decide(rivals=())
    if not isinstance(decision, Matched | NotYet):
        return decision
    fitting = [scene.parts[key].receipt for key in keys]
    return decide(rivals=_rivals(question, fitting, near=near, now=now))


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


def list_waiting(
    receipts: Sequence[Receipt], store_id: StoreId, *, now: datetime, consistent: bool
) -> tuple[Waiting, ...]:
    """The payments that wait at `store_id` around the time of `receipts`."""
    if not receipts:
        return ()
    issued = [receipt.issued_at for receipt in receipts]
    found = store.list_waiting_around(
        store_id, min(issued), max(issued), now=now, consistent=consistent
    )
    return tuple(found)


def of_interest(waiting: Sequence[Waiting], receipts: Sequence[Receipt]) -> tuple[Waiting, ...]:
    """Those of `waiting` that some part of `receipts` could belong to."""
    scene = scene_of(receipts)
    return tuple(w for w in waiting if candidate_keys(w.signals, scene, BELIEFS))


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
    question: Question, receipts: Sequence[Receipt], *, near: Near | None, now: datetime
) -> tuple[PaymentSignals, ...]:
    """The other payments that wait where and when `receipts` were issued."""
    rivals: dict[PaymentId, PaymentSignals] = {}
    for store_id in sorted({receipt.store_id for receipt in receipts}):
        issued = [r.issued_at for r in receipts if r.store_id == store_id]
        first, last = min(issued), max(issued)
        if near is not None and near.issued_since <= first and last <= near.issued_until:
            found: Sequence[Waiting] = near.waiting
        else:
            found = store.list_waiting_around(store_id, first, last, now=now)
        for waiting in found:
            rivals[waiting.signals.payment_id] = waiting.signals
    rivals.pop(question.signals.payment_id, None)
    return tuple(rivals.values())
