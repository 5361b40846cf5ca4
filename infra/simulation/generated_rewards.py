"""Histories about rewards, drawn from a seed: what two members buy in some days, what of it comes
back or was somebody else's, what they spend, and the nights that pay; and faults anywhere.

How one ends is not drawn. Whatever goes wrong, it ends as it does when nothing does: that is played
first. What follows upon one another is hours apart, so that nobody is so late that it is another
history.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

from infra.simulation.faults import Fault, Kind
from infra.simulation.history import Ending, History, Input
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    bought,
    brought_back,
    claimed,
    confirmed,
    history_of,
    nights,
    settled_again,
)
from infra.simulation.reward_town import BUN, CASH, with_everything
from infra.simulation.second_thoughts import not_mine_of
from infra.simulation.town import ADA, BELA, Person

PREFIX = "rewards-"
PURCHASES_MAX = 4
NIGHTS_COUNT = 8
FAULTS_MAX = 6
RUNS_WITH_FAULTS = 50
CALLS_WITH_FAULTS = 14
SLOT = 4 * HOUR  # Longer than anything that failed takes to come again.
# A tenth of these is paid, fails, comes back, is paid late, or finds the rail away.
_PRICES = (1420, 1310, 1320, 1330, 1360)
_FAULTS = tuple(kind for kind in Kind if not kind.value.startswith(("bank", "paused")))


def generate(seed: int) -> tuple[History, tuple[Fault, ...]]:
    """The history of `seed` and the faults that are put into it."""
    chance = random.Random(f"{PREFIX}{seed}")
    slots = iter(range(SLOT, 60 * SLOT, SLOT))
    inputs: list[Input] = [*nights(1, NIGHTS_COUNT)]
    endings: dict[str, Ending] = {}
    for number in range(1, chance.randint(1, PURCHASES_MAX) + 1):
        told, ending = _purchase(chance, chance.choice((ADA, BELA)), number, slots)
        inputs += told
        endings[f"t-{number}"] = ending
    for number in range(chance.randint(0, 3)):
        inputs += _claim(chance, chance.choice((ADA, BELA)), number, slots)
    history = history_of(f"{PREFIX}{seed}", inputs, endings, {}, opens=with_everything)
    history = replace(history, disturbed=frozenset(), ends_as_undisturbed=True)
    return history, _faults(chance)


def _purchase(
    chance: random.Random, person: Person, number: int, slots: Iterator[int]
) -> tuple[list[Input], Ending]:
    """Something is bought; of every second nothing more is heard."""
    at, minor = next(slots), chance.choice(_PRICES)
    told = list(bought(person, number, at_seconds=at, minor=minor))
    ending = Ending(f"R-{number}")
    match chance.randint(0, 5):
        case 0:
            late = next(slots) + chance.choice((0, DAY, 6 * DAY))
            told.append(brought_back(number, at_seconds=late, bought_at_seconds=at, minor=minor))
            ending = Ending(f"R-{number}", returns=1)
        case 1:
            told.append(replace(not_mine_of(person, number), at_seconds=next(slots)))
            ending = Ending(None)
        case 2:
            told.append(settled_again(person, number, at_seconds=next(slots) + 7 * DAY))
    return told, ending


def _claim(
    chance: random.Random, person: Person, number: int, slots: Iterator[int]
) -> Iterator[Input]:
    """A reward is claimed, and redeemed, or given up, or neither."""
    name = f"c{number}"
    reward = chance.choice((BUN, CASH))
    yield claimed(person, "reserve_reward", name, reward, at_seconds=next(slots))
    match chance.randint(0, 2):
        case 0:
            yield confirmed(person, name, at_seconds=next(slots), name=f"{name}t", reference="T1")
        case 1:
            at = next(slots)
            yield claimed(person, "cancel_claim", name, at_seconds=at, name=f"{name}g")


def _faults(chance: random.Random) -> tuple[Fault, ...]:
    """Up to six, at places that may or may not be reached."""
    drawn: dict[tuple[int, int], Fault] = {}
    for _ in range(chance.randint(1, FAULTS_MAX)):
        run, call = chance.randint(1, RUNS_WITH_FAULTS), chance.randint(1, CALLS_WITH_FAULTS)
        drawn[run, call] = Fault(run, call, chance.choice(_FAULTS))
    return tuple(sorted(drawn.values(), key=lambda fault: (fault.run, fault.call)))
