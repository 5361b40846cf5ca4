"""Days of the platform's own decision, with a fixed seed: it fails when matching gets worse."""

from dataclasses import replace
from random import Random

import pytest

from infra.matchbench.contestants import LIVE, contest_live
from infra.matchbench.generating import draw_block
from infra.matchbench.judging import Tally
from infra.matchbench.scenarios import Split, groups

DAYS, SLIPS = 4, 3_600

# Group and street, least recall, most wrong matches, most seconds to half of the matches. Beside
# each stands what was seen when it was written.
BOUNDS = {
    ("sales", "600 a day"): (0.92, 0, 360),  # 0.9348, 0, 331
    ("codes", "90% of slips"): (0.98, 0, 25),  # 0.9932, 0, 16
    ("missing", "40% of receipts"): (0.45, 0, 360),  # 0.4896, 0, 331
}


def played(group: str, street: str) -> dict[str, Tally]:
    """What everybody came to in the first days on one street."""
    cells = next(one.cells for one in groups(Split.HELD_OUT) if one.name == group)
    chosen = next(cell.street for cell in cells if cell.name == street)
    few_days = replace(chosen, days=DAYS)
    block = draw_block(few_days, Random(f"{group}-{street}"), name="b", slips=SLIPS)
    tallies: dict[str, Tally] = {}
    contest_live(block, tallies, seed="quality")
    return tallies


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize(("group", "street"), BOUNDS)
def test_finds_as_many_receipts_as_they_come_as_it_did_and_no_strangers(
    group: str, street: str
) -> None:
    recall_min, wrong_max, half_within_max = BOUNDS[group, street]

    tallies = played(group, street)

    live = tallies[LIVE]
    assert live.wrong <= wrong_max
    assert live.recall >= recall_min
    assert live.waited_at_most(0.5) <= half_within_max
