"""How many candidate pairs the matcher weighs in a second of one core."""

import time
from dataclasses import replace
from random import Random
from typing import NamedTuple

from chalicelib.matching.clocks import VotedClocks
from chalicelib.matching.evidence import Said
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.weighing import Scales
from infra.matchbench.generating import draw_block
from infra.matchbench.street import Street

ROUNDS = 3


class Speed(NamedTuple):
    """Pairs weighed, and the processor seconds that it took."""

    pairs: int
    seconds: float

    @property
    def pairs_per_second(self) -> float:
        """Of one core."""
        return self.pairs / self.seconds


def measure(street: Street, *, seed: str) -> Speed:
    """Weigh the charges of a shop of three prices, where nearly every slip is a candidate.

    Only pairs that were weighed to the end count, card facts and all.
    """
    crowded = replace(
        street, price_points=3, items_max=1, till_digits_share=0.5, till_code_share=0.5
    )
    block = draw_block(crowded, Random(seed), name="s")
    scales = Scales(Shelf(block.slips), Said(block.slips), VotedClocks({}), BELIEVED)
    pairs, began = 0, time.process_time()
    for _ in range(ROUNDS):
        pairs += sum(len(scales.weigh(charge)) for charge in block.charges)
    return Speed(pairs, time.process_time() - began)
