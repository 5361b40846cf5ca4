"""Who is judged: our matcher, the rule in the peers' shape with two windows, and the oracle."""

import time
from collections.abc import Callable, Sequence

from chalicelib.matching.batches import match_jointly
from infra.matchbench.block import Block
from infra.matchbench.judging import Answer, Tally
from infra.matchbench.oracle import Oracle
from infra.matchbench.peer_rule import PeerRule

OURS, ORACLE = "ours", "oracle"
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
