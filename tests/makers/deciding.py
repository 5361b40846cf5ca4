"""Deciding one payment among a few receipts of one store."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.matching.decision import THRESHOLD, Beliefs, decide_match
from chalicelib.matching.kept_clocks import KeptClocks, StoreClocks
from chalicelib.matching.outcome import Ambiguous, Hold, MatchDecision, Matched, NotYet
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.scene import PartKey, scene_of
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.till_clock import TillClock
from chalicelib.matching.why import Why
from chalicelib.receipts.canonical import Receipt
from tests.makers.matching import HIGH_STREET, SALE_AT

MUCH_LATER = SALE_AT + timedelta(hours=1)

ON_TIME = TillClock(0.0, 3.0, 64, SALE_AT.timestamp())


def decide(
    paid: PaymentSignals,
    *receipts: Receipt,
    held: Mapping[PartKey, Hold] | None = None,
    rivals: Sequence[PaymentSignals] = (),
    now: datetime = MUCH_LATER,
    clock: TillClock | None = None,
    threshold: float = THRESHOLD,
) -> MatchDecision:
    """What is decided of `paid`, long after all receipts should have come."""
    tills = {"": clock} if clock else {}
    return decide_match(
        paid,
        scene_of(receipts),
        held=held or {},
        rivals=rivals,
        beliefs=Beliefs(KeptClocks({HIGH_STREET: StoreClocks(tills)}), BELIEVED, threshold),
        receipts_complete_after=timedelta(seconds=30),
        now=now,
    )


def matched_to(decision: MatchDecision) -> tuple[str, Why] | None:
    """The receipt and the reason, or None."""
    if isinstance(decision, Matched):
        return decision.part.receipt.reference, decision.why
    return None


def unsure(decision: MatchDecision) -> tuple[Why, int] | None:
    """Why it abstains and between how many, or None."""
    return (decision.why, decision.rivals) if isinstance(decision, Ambiguous) else None


def put_off(decision: MatchDecision) -> tuple[Why, datetime] | None:
    """Why it waits and until when, or None."""
    return (decision.why, decision.look_again_at) if isinstance(decision, NotYet) else None
