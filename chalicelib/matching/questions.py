"""What is asked when a payment looks for its receipt, and what was read for all who ask. Pure."""

from collections.abc import Callable
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
