"""What `make simulate` plays: everything, the part that fits into a minute, or every pair, too."""

from enum import Enum

from infra.simulation import (
    calendar_histories,
    claim_histories,
    mishaps,
    months,
    reward_histories,
)
from infra.simulation.jobs import Family, Job, names_in_both_orders
from infra.simulation.planted import bugs
from infra.simulation.world import World

SEEDS_PER_JOB = 50
REWARDED_PER_JOB = 10  # Each is played twice, and eight nights long.
_PAIRED = ("lone-ada", "lone-cleo", "batch", "weak", "disowned-ada", "said_mine-ada")
_PAIRED_ONCE = ("corrected-ada", "cleared", "refund_then_return")
_BOUNDED = ("lone-ada",)
_BOUNDED_SINGLES = (
    "corrected-cleo",
    "weak",
    "rivals",
    "contradicted",
    "said_mine-ada",
    "refund_then_return",
)
_REWARDS_PAIRED = ("offered",)
_REWARDS_BOUNDED = ("offer_returned", "card_emptied", "confirmed_twice")
_MONTHS = tuple(make().name for make in months.HISTORIES)
# Hundreds of calls in a night, or thousands in months: each meets the paired kinds alone, drawn
# ones in pairs, and none freezes.
_NIGHTS = ("cashback_closed", "left_with_money", "named_anew", "payouts_redriven")
_GROUPS = (reward_histories, calendar_histories, claim_histories, mishaps)
PAIRS_DRAWN = 200  # Of each history about rewards; of the months half of it.


class Extent(Enum):
    """How much is played."""

    BOUNDED = "bounded"  # what fits into a minute of two processors
    USUAL = "usual"
    ALL_PAIRS = "all_pairs"  # also every pair of faults of the histories about rewards


def plan(*, seed: int, seeds_count: int, extent: Extent) -> list[Job]:
    """What is played, longest first. `seeds_count` histories are drawn from `seed` on, and for
    each ten of them one with rewards.
    """
    seeds = range(seed, seed + seeds_count, SEEDS_PER_JOB)
    rewarded_count = -(-seeds_count // 10)
    rewarded = range(seed, seed + rewarded_count, REWARDED_PER_JOB)
    drawn = [
        *(_drawn(Family.REWARDED, at, seed + rewarded_count, REWARDED_PER_JOB) for at in rewarded),
        *(_drawn(Family.SEEDED, at, seed + seeds_count, SEEDS_PER_JOB) for at in seeds),
    ]
    planted = [Job(Family.PLANTED, name) for name in bug_names()]
    if extent is Extent.BOUNDED:
        return [*_bounded(), *drawn, *planted]
    return [*_pairs(extent, seed), *drawn, *_singles(), *planted]


def bug_names() -> tuple[str, ...]:
    """The names of the planted bugs."""
    return tuple(bug.name for bug in bugs(World()))


def reward_names() -> tuple[str, ...]:
    """The histories about rewards but that of months, as given and reversed."""
    return names_in_both_orders(*(make().name for group in _GROUPS for make in group.HISTORIES))


def _drawn(family: Family, first: int, end: int, most: int) -> Job:
    return Job(family, str(first), min(most, end - first))


def _bounded() -> list[Job]:
    singles = names_in_both_orders(*_BOUNDED_SINGLES)[::2]
    return [
        *(Job(Family.SAMPLED, name) for name in _MONTHS),  # None of the faults: only the course.
        *(Job(Family.PAIRS, name) for name in names_in_both_orders(*_BOUNDED)),
        *(Job(Family.PLAIN, name) for name in _REWARDS_BOUNDED),
        *(Job(family, name) for family in (Family.SINGLES, Family.PAUSES) for name in singles),
        *(Job(Family.CALM, name) for name in reward_names()),
    ]


def _pairs(extent: Extent, seed: int) -> list[Job]:
    paired = (*names_in_both_orders(*_PAIRED), *names_in_both_orders(*_PAIRED_ONCE)[::2])
    sampled = [name for name in reward_names() if name not in _REWARDS_PAIRED]
    of_rewards = [Job(Family.SAMPLED, name, PAIRS_DRAWN, seed) for name in sampled]
    if extent is Extent.ALL_PAIRS:
        of_rewards = [Job(Family.PAIRS, name) for name in sampled]
    return [
        *(Job(Family.SAMPLED, name, PAIRS_DRAWN // 2, seed) for name in _MONTHS),
        *of_rewards,
        *(Job(Family.PLAIN, name) for name in _NIGHTS),
        *(Job(Family.PAIRS, name) for name in (*reversed(paired), *_REWARDS_PAIRED)),
    ]


def _singles() -> list[Job]:
    others = [n for n in names_in_both_orders() if n not in (*_NIGHTS, *_MONTHS)]
    return [Job(family, n) for family in (Family.SINGLES, Family.PAUSES) for n in others]
