"""A small benchmark with a fixed seed, on held-out streets: it fails when matching gets worse."""

import pytest

from infra.matchbench.contestants import ORACLE, OURS, PEERS, contest
from infra.matchbench.generating import blocks
from infra.matchbench.judging import Tally
from infra.matchbench.scenarios import Split, groups
from infra.matchbench.verdict import share_of_oracle

PAYMENTS = 1_300

# Group and street, least recall, most wrong matches, least share of the oracle's recall. Beside
# each stands what was seen when it was written: recall, wrong matches, share.
BOUNDS = {
    ("sales", "600 a day"): (0.92, 2, 0.94),  # 0.9414, 0, 0.961
    ("digits", "on 100%"): (0.99, 0, 0.99),  # 1.0000, 0, 1.000
    ("wallets", "40%, kinds unknown"): (0.96, 1, 1.0),  # 0.9775, 0, 1.024
    ("codes", "90% of slips"): (0.98, 0, 0.98),  # 0.9953, 0, 0.999
    ("skew", "200 s, digits"): (0.98, 0, 0.98),  # 0.9961, 0, 1.001
    ("shapes", "exponential"): (0.81, 2, 0.93),  # 0.8466, 0, 0.984
    ("tails", "15% late, mean 60 s"): (0.79, 2, 0.94),  # 0.8167, 0, 0.986
    ("tips", "untold, 50%"): (0.84, 2, 0.88),  # 0.8765, 0, 0.916
    ("returns", "50% linked"): (0.93, 2, 0.95),  # 0.9544, 0, 0.978
    ("reused", "counter, 25%"): (0.96, 1, 0.97),  # 0.9863, 0, 0.995
    ("reused", "stale, 30%"): (0.90, 2, 0.94),  # 0.9288, 0, 0.975
}


def played(group: str, street: str) -> dict[str, Tally]:
    """What everybody came to on one street."""
    cells = next(one.cells for one in groups(Split.HELD_OUT) if one.name == group)
    chosen = next(cell.street for cell in cells if cell.name == street)
    tallies: dict[str, Tally] = {}
    for block in blocks(chosen, seed=f"quality-{group}-{street}", payments=PAYMENTS):
        contest(block, tallies)
    return tallies


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize(("group", "street"), BOUNDS)
def test_finds_as_many_receipts_as_it_did_and_no_strangers(group: str, street: str) -> None:
    recall_min, wrong_max, share_min = BOUNDS[group, street]

    tallies = played(group, street)

    ours = tallies[OURS]
    assert ours.wrong <= wrong_max
    assert ours.recall >= recall_min
    assert share_of_oracle(tallies) >= share_min
    assert ours.wrong <= min(tallies[name].wrong for name in PEERS)
    assert tallies[ORACLE].recall >= 0.5
