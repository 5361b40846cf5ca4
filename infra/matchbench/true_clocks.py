"""What the tills' clocks really say: known to the generator and the oracle, never to a matcher."""

import math
from dataclasses import dataclass
from random import Random

from infra.matchbench.street import (
    DAY_SECONDS,
    SUMMER_TIME_ENDS_AT,
    Street,
    SummerTime,
)

HOUR = 3_600.0
# The shop opens at nine at the earliest and somebody sees the clock within six hours.
SET_WRONG_FROM, SET_WRONG_TO, SET_WRONG_HOURS_MAX = 9 * HOUR, 17 * HOUR, 6.0


@dataclass(frozen=True, slots=True)
class Spell:
    """From `begins` to before `ends` (UNIX seconds) the clock is `added` seconds further on."""

    begins: float
    ends: float
    added: float


@dataclass(frozen=True, slots=True)
class TrueClock:
    """A till's clock shows `offset_at` seconds more than the true time."""

    offset: float
    drift_a_day: float
    starts_at: float
    spells: tuple[Spell, ...]
    jitter_seconds: float

    def offset_at(self, at: float) -> float:
        """Seconds by which the clock is ahead at the true time `at`."""
        offset = self.offset + self.drift_a_day * (at - self.starts_at) / DAY_SECONDS
        for spell in self.spells:
            if spell.begins <= at < spell.ends:
                offset += spell.added
        return offset

    def is_disturbed_at(self, at: float) -> bool:
        """Whether the clock says something else than it usually does."""
        return any(spell.begins <= at < spell.ends for spell in self.spells)


def draw_clock(street: Street, random: Random) -> TrueClock:
    """A till's clock on `street`. Each till has a jitter of its own, around the street's."""
    offset = random.gauss(0.0, street.skew_seconds)
    if random.random() < street.hours_wrong_share:
        offset += random.choice((-3, -2, -1, 1, 2, 3)) * HOUR
    spells = list(_set_wrong(street, random))
    if random.random() < street.local_as_utc_share:
        offset += HOUR
        if street.summer_time is not SummerTime.NOT_THEN:
            spells.append(Spell(SUMMER_TIME_ENDS_AT, math.inf, -HOUR))
    spells += _summer_time(street, random)
    drift = street.drift_seconds_a_day * random.uniform(-1.0, 1.0)
    jitter = street.jitter_seconds * random.uniform(0.7, 1.4)
    return TrueClock(offset, drift, street.starts_at, tuple(spells), jitter)


def _set_wrong(street: Street, random: Random) -> list[Spell]:
    spells = []
    for day in range(street.days):
        if random.random() < street.set_wrong_a_day:
            begins = street.starts_at + day * DAY_SECONDS
            begins += random.uniform(SET_WRONG_FROM, SET_WRONG_TO)
            added = street.set_wrong_by_seconds * random.uniform(0.5, 1.5)
            lasts = random.uniform(1.0, SET_WRONG_HOURS_MAX) * HOUR
            spells.append(Spell(begins, begins + lasts, random.choice((-added, added))))
    return spells


def _summer_time(street: Street, random: Random) -> list[Spell]:
    ends = SUMMER_TIME_ENDS_AT
    if street.summer_time is SummerTime.FORGOTTEN:
        return [Spell(ends, ends + random.uniform(5.0, 12.0) * HOUR, HOUR)]
    if street.summer_time is SummerTime.FOLDED:
        return [Spell(ends, ends + HOUR, -HOUR)]
    return []
