"""Spells in which a till stood elsewhere: set wrong at noon and right again by night.

Where a clock stands now says nothing of them. They show at night, when what the day left unmatched
is set against all that was printed: what belongs together piles up (`clock_learning`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from chalicelib.matching.clocks import TillKey
from chalicelib.matching.till_votes import SPREAD_SECONDS_MIN, Vote

_VOTES_MIN = 3
_TOGETHER_SECONDS = 60.0  # Votes further apart are of two places.
_PAUSE_SECONDS = 12 * 3_600.0  # A till that closes for the night may stand there in the morning.
_EDGE_SECONDS = 1_800.0  # Before its first and after its last payment.


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which a till stood `offset` seconds off: till minus bank, `spread` a standard
    deviation of one payment, `since` and `until` UNIX seconds by the bank's clock.
    """

    offset: float
    spread: float
    since: float
    until: float

    def covers(self, at: float) -> bool:
        """Whether the till may have stood there at `at`."""
        return self.since <= at <= self.until


Spells = Mapping[str, Sequence[Spell]]  # By till; `""` where receipts name none.


def spells_of(votes: Mapping[TillKey, Iterable[Vote]], store: str) -> Spells:
    """The spells that `votes` of what was left unmatched show of the tills of `store`."""
    found = {
        till or "": list(_of_till(given)) for (at, till), given in votes.items() if at == store
    }
    return {till: spells for till, spells in found.items() if spells}


def _of_till(votes: Iterable[Vote]) -> Iterable[Spell]:
    left = sorted(votes)
    while left:
        near = [left[0]]
        for vote in left[1:]:
            is_soon = vote.at - near[-1].at <= _PAUSE_SECONDS
            if is_soon and abs(vote.offset - near[-1].offset) <= _TOGETHER_SECONDS:
                near.append(vote)
        left = [vote for vote in left if vote not in near]
        if len(near) >= _VOTES_MIN:
            yield _spell(near)


def _spell(near: Sequence[Vote]) -> Spell:
    offset = median(vote.offset for vote in near)
    away = median(abs(vote.offset - offset) for vote in near)
    spread = max(1.4826 * away, SPREAD_SECONDS_MIN)
    return Spell(offset, spread, near[0].at - _EDGE_SECONDS, near[-1].at + _EDGE_SECONDS)
