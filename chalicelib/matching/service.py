"""Finding a payment's receipt: read what is near, decide, claim. The claim is the only write."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.kernel.ids import PaymentId, ReceiptId, StoreId
from chalicelib.matching import reach, store
from chalicelib.matching.candidates import is_of_interest, weighty_keys
from chalicelib.matching.decision import THRESHOLD, Beliefs, decide_match
from chalicelib.matching.kept_clocks import KeptClocks, StoreClocks
from chalicelib.matching.outcome import Ambiguous, Hold, MatchDecision, Matched, NotYet
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.reach import Window
from chalicelib.matching.scene import PartKey, Scene, scene_of
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.store import Claim, Waiting
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.matching.why import Why
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills import service as tills

# Whether a claim's payment really has that receipt: False means the claim was left by a crash.
ClaimStands = Callable[[Claim], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A payment that looks for its receipt, where it may be found, and how surely it has to be."""

    signals: PaymentSignals
    anchored_at: datetime
    stores: tuple[Store, ...]
    threshold: float = THRESHOLD

    @property
    def patience(self) -> timedelta:
        """How long after a sale its stores have sent everything."""
        return timedelta(seconds=max(store.receipts_within_seconds for store in self.stores))


@dataclass(frozen=True, slots=True)
class Near:
    """What stands around receipts that just came to one store, read once for all who look.

    - `scene`: every receipt issued `within`, those that just came included.
    - `waiting`: every payment that waits there and may be for a receipt that was `issued` then.
    """

    store_id: StoreId
    within: Window
    scene: Scene
    issued: Window
    waiting: tuple[Waiting, ...]

    def covers(self, question: Question, beliefs: Beliefs) -> bool:
        """Whether every receipt that `question` may be about would be in `scene`."""
        if [place.store_id for place in question.stores] != [self.store_id]:
            return False
        spans = beliefs.clocks.reaches(self.store_id)
        printed = reach.printed_in(question.signals.made_at, spans)
        return all(self.within.covers(window) for window in printed)

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
    stores = (place.store_id for place in question.stores)
    beliefs = beliefs_of(stores, threshold=question.threshold, now=now)
    if near is None or not near.covers(question, beliefs):
        near = None
    scene = (
        near.scene
        if near is not None
        else scene_of(_receipts_near(question, beliefs, now=now, consistent=consistent))
    )
    keys = weighty_keys(question.signals, scene, beliefs)
    held: dict[PartKey, Hold] = {}
    if reads_holds or len(keys) > 1:
        held = _holds(question, keys, claim_stands, now)
    return _decide(question, scene, keys, held, beliefs, near=near, now=now)


def beliefs_of(
    stores: Iterable[StoreId], *, now: datetime, threshold: float = THRESHOLD
) -> Beliefs:
    """What is known of `stores` before looking: their tills' clocks, and how much never comes."""
    clocks: dict[str, StoreClocks] = {}
    missing: dict[str, float] = {}
    for store_id in stores:
        clocks[store_id] = timekeeping.store_clocks(store_id, now=now)
        missing[store_id] = clocks[store_id].missing(BELIEVED.missing)
    return Beliefs(KeptClocks(clocks), replace(BELIEVED, missing_at=missing), threshold)


def _decide(
    question: Question,
    scene: Scene,
    keys: Sequence[PartKey],
    held: dict[PartKey, Hold],
    beliefs: Beliefs,
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
        beliefs=beliefs,
        receipts_complete_after=question.patience,
        now=now,
    )
    decision = decide(rivals=())
    if not isinstance(decision, Matched | NotYet):
        return decision
    fitting = [scene.parts[key].receipt for key in keys]
    return decide(rivals=_rivals(question, fitting, beliefs, near=near, now=now))


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
    """The payments that wait at `store_id` and may be for one of `receipts`, by its clocks."""
    if not receipts:
        return ()
    spans = beliefs_of((store_id,), now=now).clocks.reaches(store_id)
    issued = [receipt.issued_at for receipt in receipts]
    return _list_waiting(store_id, issued, spans, now=now, consistent=consistent)


def _list_waiting(
    store_id: StoreId,
    issued: Sequence[datetime],
    spans: reach.Spans,
    *,
    now: datetime,
    consistent: bool,
) -> tuple[Waiting, ...]:
    found = {
        waiting.signals.payment_id: waiting
        for paid in reach.paid_in(issued, spans)
        for waiting in store.list_waiting_between(
            store_id, paid.since, paid.until, now=now, consistent=consistent
        )
    }
    return tuple(found.values())


def of_interest(
    waiting: Sequence[Waiting], receipts: Sequence[Receipt], *, now: datetime
) -> tuple[Waiting, ...]:
    """Those of `waiting` that some part of `receipts` may decide."""
    if not waiting or not receipts:
        return ()
    scene = scene_of(receipts)
    beliefs = beliefs_of(sorted({receipt.store_id for receipt in receipts}), now=now)
    return tuple(w for w in waiting if is_of_interest(w.signals, scene, beliefs))


def window_around(
    store_id: StoreId, receipts: Sequence[Receipt], *, now: datetime
) -> tuple[Window, Window]:
    """When `receipts` of one store were issued, and what `Near.within` is for them."""
    spans = beliefs_of((store_id,), now=now).clocks.reaches(store_id)
    issued = [receipt.issued_at for receipt in receipts]
    return Window(min(issued), max(issued)), reach.around(issued, spans)


def _receipts_near(
    question: Question, beliefs: Beliefs, *, now: datetime, consistent: bool
) -> tuple[Receipt, ...]:
    found: dict[ReceiptId, Receipt] = {}
    for place in question.stores:
        spans = beliefs.clocks.reaches(place.store_id)
        for printed in reach.printed_in(question.signals.made_at, spans):
            found |= tills.receipts_near(
                place, since=printed.since, until=printed.until, now=now, consistent=consistent
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
            holds[claim.receipt_id, claim.part] = replace(claim.hold, made_at=claim.anchored_at)
        else:
            store.release_claim(claim, taken_until=claim.claimed_at)
    return holds


def _rivals(
    question: Question,
    receipts: Sequence[Receipt],
    beliefs: Beliefs,
    *,
    near: Near | None,
    now: datetime,
) -> tuple[PaymentSignals, ...]:
    """The other payments that wait where and when `receipts` were issued."""
    rivals: dict[PaymentId, PaymentSignals] = {}
    for store_id in sorted({receipt.store_id for receipt in receipts}):
        issued = [r.issued_at for r in receipts if r.store_id == store_id]
        if near is not None and near.issued.covers(Window(min(issued), max(issued))):
            found: Sequence[Waiting] = near.waiting
        else:
            spans = beliefs.clocks.reaches(store_id)
            found = _list_waiting(store_id, issued, spans, now=now, consistent=True)
        for waiting in found:
            rivals[waiting.signals.payment_id] = waiting.signals
    rivals.pop(question.signals.payment_id, None)
    return tuple(rivals.values())
