"""Who is judged: our matcher, the rule in the peers' shape with two windows, and the oracle."""

import time
from collections.abc import Callable, Sequence
from random import Random

from chalicelib.kernel.ids import PaymentId
from chalicelib.matching.batches import match_jointly
from chalicelib.matching.outcome import Matched, NothingNear
from chalicelib.matching.sides import ChargeKind
from infra.matchbench.block import Block
from infra.matchbench.judging import Answer, Tally
from infra.matchbench.live import Live, Settled
from infra.matchbench.oracle import Oracle
from infra.matchbench.peer_rule import PeerRule
from infra.matchbench.sending import DELAYS
from infra.matchbench.street import DAY_SECONDS

OURS, ORACLE = "ours", "oracle"
LIVE, LIVE_FIRST, LIVE_LATER = "live", "live, first days", "live, later"
FIRST_DAYS = 2  # In which a store begins to be known.
PEERS = {"peer_60": 60.0, "peer_180": 180.0}  # seconds to both sides


def ours(block: Block) -> list[Answer]:
    """What the matcher says that is told nothing about clocks or rates."""
    return [
        Answer(
            outcome.best_receipt_id,
            outcome.probability,
            outcome.why.value,
            is_accepted=outcome.receipt_id is not None,
        )
        for outcome in match_jointly(block.charges, block.slips)
    ]


def _peer(window_seconds: float) -> Callable[[Block], Sequence[Answer]]:
    return lambda block: list(
        PeerRule(block.slips, window_seconds=window_seconds).answers(block.charges)
    )


CONTESTANTS: dict[str, Callable[[Block], Sequence[Answer]]] = {
    OURS: ours,
    **{name: _peer(seconds) for name, seconds in PEERS.items()},
    ORACLE: lambda block: Oracle(block).answers(),
}


def contest(block: Block, tallies: dict[str, Tally]) -> None:
    """Let everybody answer for every payment of `block`, and count."""
    for name, answers in CONTESTANTS.items():
        tally = tallies.setdefault(name, Tally())
        began = time.process_time()
        found = answers(block)
        tally.seconds += time.process_time() - began
        for charge, answer in zip(block.charges, found, strict=True):
            tally.count(block, charge.payment_id, answer)


def contest_live(block: Block, tallies: dict[str, Tally], *, seed: str) -> None:
    """Let the platform decide as the days go by, and whoever sees them whole, on its purchases."""
    began = time.process_time()
    settled = Live(block, DELAYS, Random(seed)).play()
    seconds = time.process_time() - began
    tallies.setdefault(LIVE, Tally()).seconds += seconds
    for name in (OURS, ORACLE):
        found = CONTESTANTS[name](block)
        for charge, answer in zip(block.charges, found, strict=True):
            if charge.kind is not ChargeKind.REFUND:
                tallies.setdefault(name, Tally()).count(block, charge.payment_id, answer)
    first_days_end = block.street.starts_at + FIRST_DAYS * DAY_SECONDS
    for charge in block.charges:
        if charge.kind is ChargeKind.REFUND:
            continue
        became = settled[PaymentId(charge.payment_id)]
        for name in (LIVE, LIVE_FIRST if charge.at < first_days_end else LIVE_LATER):
            tally = tallies.setdefault(name, Tally())
            tally.count(block, charge.payment_id, _answer(became))
            if isinstance(became.decision, Matched):
                tally.waited[round(became.at.timestamp() - charge.at)] += 1


def _answer(became: Settled) -> Answer:
    """A decision in the judge's words. It names no receipt that it does not accept."""
    decision = became.decision
    if isinstance(decision, Matched):
        reference = decision.part.receipt.reference
        return Answer(reference, decision.probability, decision.why.value)
    probability = 0.0 if isinstance(decision, NothingNear) else decision.probability
    return Answer(None, probability, decision.why.value, is_accepted=False)
