"""Finding a payment's receipt: read what is near, decide, claim. The claim is the only write.

What stands where is asked of whoever keeps it: the platform's tables (`service`), or the memory of
a benchmark that plays days.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from chalicelib.kernel.ids import ReceiptId, StoreId
from chalicelib.matching import reach
from chalicelib.matching.candidates import is_of_interest, weighty_keys
from chalicelib.matching.decision import THRESHOLD, Beliefs, decide_match
from chalicelib.matching.kept_clocks import KeptClocks, StoreClocks
from chalicelib.matching.outcome import Ambiguous, Hold, MatchDecision, Matched, NotYet
from chalicelib.matching.prices import Prices
from chalicelib.matching.questions import ClaimStands, Near, Question, Settle, claim_of
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.reach import Window
from chalicelib.matching.scene import PartKey, Scene, scene_of
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.standing import Lists, Pages, Timekeeping, Waiting
from chalicelib.matching.why import Why
from chalicelib.receipts.canonical import Receipt

NEARLY_SURE = 0.9  # Below it, so much may be meant that others would have to settle all of it.


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds receipts among what stands on `pages` and `lists`, by the clocks that are known."""

    pages: Pages
    lists: Lists
    timekeeping: Timekeeping

    def look(
        self,
        question: Question,
        *,
        claim_stands: ClaimStands,
        now: datetime,
        consistent: bool,
        near: Near | None = None,
    ) -> MatchDecision:
        """Decide and claim. Who holds the parts is read only where it matters: where several fit,
        or where somebody else could have the part. It may be ours, from a run that died after its
        claim.
        """
        for reads_holds in (False, True):
            decision = self.find_match(
                question,
                claim_stands=claim_stands,
                now=now,
                consistent=consistent,
                near=near,
                reads_holds=reads_holds,
            )
            if isinstance(decision, Matched):
                decision = self.claim_part(question, decision, now=now)
            if not isinstance(decision, Ambiguous) or decision.why is not Why.RIVAL_PAYMENT:
                return decision
        return decision

    def settle_awaited(
        self, near: Near, receipts: Sequence[Receipt], settle: Settle, *, now: datetime
    ) -> frozenset[ReceiptId]:
        """Let `settle` look again for those who wait for `receipts`; the receipts it found."""
        found: set[ReceiptId] = set()
        for waiting in self.of_interest(near.waiting, receipts, now=now):
            decision = settle(waiting, near)
            if decision is None or isinstance(decision, Matched):
                near = near.without(waiting.signals.payment_id)
            if isinstance(decision, Matched):
                found.add(decision.part.receipt_id)
        return frozenset(found)

    def find_match(
        self,
        question: Question,
        *,
        claim_stands: ClaimStands,
        now: datetime,
        consistent: bool,
        near: Near | None = None,
        reads_holds: bool = True,
    ) -> MatchDecision:
        """Decide on what stands on the pages now; writes nothing.

        A first look may read eventually consistent pages at half price; the look after the payment
        was written down must be consistent, so that of two sides at least one sees the other. Where
        `near` covers the question, nothing is read that is known. Without `reads_holds`, a part
        that alone fits counts as free: the claim will tell.
        """
        stores = (place.store_id for place in question.stores)
        beliefs = self.beliefs_of(stores, threshold=question.threshold, now=now)
        scene = near.scene_of(question, beliefs) if near is not None else None
        if scene is None:
            found = self._receipts_near(question, beliefs, now=now, consistent=consistent)
            scene = scene_of(found)
        keys = weighty_keys(question.signals, scene, beliefs)
        held: dict[PartKey, Hold] = {}
        if reads_holds or len(keys) > 1:
            held = self._holds(question, keys, claim_stands, now)
        return self._decide(question, scene, keys, held, beliefs, near=near, now=now)

    def beliefs_of(
        self, stores: Iterable[StoreId], *, now: datetime, threshold: float = THRESHOLD
    ) -> Beliefs:
        """What is known of `stores` before looking: their clocks, their prices, and how much never
        comes.
        """
        clocks: dict[str, StoreClocks] = {}
        missing: dict[str, float] = {}
        prices: dict[str, Prices] = {}
        for store_id in stores:
            clocks[store_id] = self.timekeeping.store_clocks(store_id, now=now)
            missing[store_id] = clocks[store_id].missing(BELIEVED.missing)
            prices[store_id] = clocks[store_id].prices
        rates = replace(BELIEVED, missing_at=missing, prices_at=prices)
        return Beliefs(KeptClocks(clocks), rates, threshold)

    def _decide(
        self,
        question: Question,
        scene: Scene,
        keys: Sequence[PartKey],
        held: dict[PartKey, Hold],
        beliefs: Beliefs,
        *,
        near: Near | None,
        now: datetime,
    ) -> MatchDecision:
        """Decide between the parts that may fit, together with the other payments that may be for
        them. Where they are known, they may make sure what is nearly so, as they leave fewer parts.
        Before anything is accepted they are read, unless that was just done with the receipts.
        """
        decide = partial(
            decide_match,
            question.signals,
            scene,
            held=held,
            beliefs=beliefs,
            receipts_complete_after=question.patience,
            now=now,
        )
        fitting = [scene.parts[key].receipt for key in keys]
        decision = decide(rivals=())
        if not _may_others_change(decision):
            return decision
        known = self._known_rivals(question, fitting, beliefs, near)
        if known is not None:
            decision = decide(rivals=known)
        is_newest = known is not None and near is not None and near.scenery is not None
        if is_newest or not isinstance(decision, Matched | NotYet):
            return decision
        return decide(rivals=self._rivals(question, fitting, beliefs, now=now))

    def claim_part(self, question: Question, matched: Matched, *, now: datetime) -> MatchDecision:
        """Claim what was decided; if another payment was faster, it becomes abstention."""
        if matched.same_as is not None:
            return matched  # The part is held by the same purchase, told by another source.
        claim = claim_of(question, matched)
        if self.lists.record_claim(claim, now=now):
            return matched
        return Ambiguous(Why.RIVAL_PAYMENT, rivals=1)

    def list_waiting(
        self, receipts: Sequence[Receipt], store_id: StoreId, *, now: datetime, consistent: bool
    ) -> tuple[Waiting, ...]:
        """The payments that wait at `store_id` and may be for one of `receipts`, by its clocks."""
        if not receipts:
            return ()
        spans = self.beliefs_of((store_id,), now=now).clocks.reaches(store_id)
        issued = [receipt.issued_at for receipt in receipts]
        return self._list_waiting(store_id, issued, spans, now=now, consistent=consistent)

    def _list_waiting(
        self,
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
            for waiting in self.lists.list_waiting_between(
                store_id, paid.since, paid.until, now=now, consistent=consistent
            )
        }
        return tuple(found.values())

    def of_interest(
        self, waiting: Sequence[Waiting], receipts: Sequence[Receipt], *, now: datetime
    ) -> tuple[Waiting, ...]:
        """Those of `waiting` that some part of `receipts` may decide."""
        if not waiting or not receipts:
            return ()
        scene = scene_of(receipts)
        beliefs = self.beliefs_of(sorted({receipt.store_id for receipt in receipts}), now=now)
        return tuple(w for w in waiting if is_of_interest(w.signals, scene, beliefs))

    def are_awaited(self, receipts: Sequence[Receipt], store_id: StoreId, *, now: datetime) -> bool:
        """Whether some payment that waits at `store_id` may be decided by `receipts`."""
        waiting = self.list_waiting(receipts, store_id, now=now, consistent=False)
        return bool(self.of_interest(waiting, receipts, now=now))

    def window_around(
        self, store_id: StoreId, receipts: Sequence[Receipt], *, now: datetime
    ) -> tuple[tuple[Window, ...], Window]:
        """When payments for `receipts` of one store may be made, and when all receipts were issued
        that these payments may be for.
        """
        spans = self.beliefs_of((store_id,), now=now).clocks.reaches(store_id)
        issued = [receipt.issued_at for receipt in receipts]
        return tuple(reach.paid_in(issued, spans)), reach.around(issued, spans)

    def _receipts_near(
        self, question: Question, beliefs: Beliefs, *, now: datetime, consistent: bool
    ) -> tuple[Receipt, ...]:
        found: dict[ReceiptId, Receipt] = {}
        for place in question.stores:
            spans = beliefs.clocks.reaches(place.store_id)
            for printed in reach.printed_in(question.signals.made_at, spans):
                found |= self.pages.receipts_near(
                    place, since=printed.since, until=printed.until, now=now, consistent=consistent
                )
        return tuple(found.values())

    def _holds(
        self, question: Question, keys: Sequence[PartKey], claim_stands: ClaimStands, now: datetime
    ) -> dict[PartKey, Hold]:
        """Who holds the parts; a claim that a crash left behind is taken away on the way."""
        mine = question.signals.payment_id
        holds: dict[PartKey, Hold] = {}
        for claim in self.lists.list_claims_on(keys, now=now):
            if claim.hold.payment_id == mine or claim_stands(claim):
                holds[claim.receipt_id, claim.part] = replace(claim.hold, made_at=claim.anchored_at)
            else:
                self.lists.release_claim(claim, taken_until=claim.claimed_at)
        return holds

    def _rivals(
        self,
        question: Question,
        receipts: Sequence[Receipt],
        beliefs: Beliefs,
        *,
        now: datetime,
    ) -> tuple[PaymentSignals, ...]:
        """The other payments that wait where and when `receipts` were issued."""
        found: list[Waiting] = []
        for store_id, issued in _issued_by_store(receipts):
            spans = beliefs.clocks.reaches(store_id)
            found += self._list_waiting(store_id, issued, spans, now=now, consistent=True)
        return _others(question, found)

    def _known_rivals(
        self, question: Question, receipts: Sequence[Receipt], beliefs: Beliefs, near: Near | None
    ) -> tuple[PaymentSignals, ...] | None:
        """As `_rivals`, from what was read before; None where that is not all."""
        if near is None:
            return None
        found: list[Waiting] = []
        for store_id, issued in _issued_by_store(receipts):
            waiting = near.who_paid(store_id, issued, beliefs.clocks.reaches(store_id))
            if waiting is None:
                return None
            found += waiting
        return _others(question, found)


def _may_others_change(decision: MatchDecision) -> bool:
    """Whether another payment could take the part away, or leave no other than it."""
    if isinstance(decision, Ambiguous):
        return decision.probability >= NEARLY_SURE
    return isinstance(decision, Matched | NotYet)


def _issued_by_store(receipts: Sequence[Receipt]) -> Iterator[tuple[StoreId, list[datetime]]]:
    for store_id in sorted({receipt.store_id for receipt in receipts}):
        yield store_id, [r.issued_at for r in receipts if r.store_id == store_id]


def _others(question: Question, found: Iterable[Waiting]) -> tuple[PaymentSignals, ...]:
    """Each of `found` once, but for who asks."""
    others = {waiting.signals.payment_id: waiting.signals for waiting in found}
    others.pop(question.signals.payment_id, None)
    return tuple(others.values())
