"""What is asked when a payment looks for its receipt, and what was read for all who ask. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import PaymentId, StoreId
from chalicelib.matching import reach
from chalicelib.matching.decision import THRESHOLD, Beliefs
from chalicelib.matching.outcome import Hold, MatchDecision, Matched
from chalicelib.matching.reach import Window
from chalicelib.matching.scene import Scene
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.standing import Claim, Waiting
from chalicelib.network.model import Store
from chalicelib.tills.pages import complete_after

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
        """How long after a sale everything that its stores sent stands on pages."""
        return max(complete_after(store) for store in self.stores)


@dataclass(frozen=True, slots=True)
class Scenery:
    """Every receipt of one store that was issued `within`."""

    within: Window
    scene: Scene


@dataclass(frozen=True, slots=True)
class Near:
    """What stands at one store, read once for all who look.

    - `waiting`: every payment that waits there and was made in a window of `paid`;
    - `scenery`: the receipts around some that just came, those included.
    """

    store_id: StoreId
    paid: tuple[Window, ...]
    waiting: tuple[Waiting, ...]
    scenery: Scenery | None = None

    def scene_of(self, question: Question, beliefs: Beliefs) -> Scene | None:
        """A scene with every receipt that `question` may be about; None where that is not known."""
        if self.scenery is None:
            return None
        if [place.store_id for place in question.stores] != [self.store_id]:
            return None
        spans = beliefs.clocks.reaches(self.store_id)
        printed = reach.printed_in(question.signals.made_at, spans)
        is_known = all(self.scenery.within.covers(window) for window in printed)
        return self.scenery.scene if is_known else None

    def who_paid(
        self, store_id: StoreId, issued: Sequence[datetime], spans: reach.Spans
    ) -> list[Waiting] | None:
        """Who waits and may have paid for receipts `issued` then; None where that is not known."""
        windows = reach.paid_in(issued, spans)
        if store_id != self.store_id or not all(
            any(known.covers(window) for known in self.paid) for window in windows
        ):
            return None
        return [
            one
            for one in self.waiting
            if any(window.has(one.signals.made_at) for window in windows)
        ]

    def without(self, payment_id: PaymentId) -> "Near":
        """The same once a payment has found its receipt."""
        left = tuple(w for w in self.waiting if w.signals.payment_id != payment_id)
        return replace(self, waiting=left)


# Looks again for the receipt of a payment that waits, in what was read around it; None where it
# does not wait any more.
Settle = Callable[[Waiting, Near], MatchDecision | None]


def claim_of(question: Question, matched: Matched) -> Claim:
    """The claim that makes `matched` so."""
    signals = question.signals
    return Claim(
        receipt_id=matched.part.receipt_id,
        part=matched.part.index,
        hold=Hold(signals.payment_id, signals.member_id, signals.connection_id),
        anchored_at=question.anchored_at,
    )
