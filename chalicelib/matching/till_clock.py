"""Where one till's clock stands, and how fast it runs, as votes come in one after the other.

A clock is off by an offset that grows with time: quartz keeps its rate for weeks. Both are followed
by a Kalman filter (R. E. Kalman, 1960) of two states; how far single payments scatter is learned
from what they are off by. A vote far from where the clock stands moves nothing; three that agree
with each other mean that the clock was set, and it stands there from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import NamedTuple

from chalicelib.matching.clocks import FEW_VOTES, Belief
from chalicelib.matching.scatter import Reading
from chalicelib.matching.spells import Spell
from chalicelib.matching.till_votes import SPREAD_SECONDS, SPREAD_SECONDS_MIN

VOTES_MAX = 64  # Remembered, of how far payments scatter.
SET_AFTER_VOTES = 3  # That agree with each other and not with the clock.
_STRAY_SPREADS = 6.0
_STRAY_SECONDS = 20.0
_RATE = 1.0  # Seconds an hour: how fast a clock may run, as a standard deviation.
_OFFSET_WALKS = 0.04  # Square seconds an hour, beside what its rate explains.
_RATE_WALKS = 2e-5  # The rate's own variance, an hour: it changes with the weather.
_UNKNOWN_SECONDS_MAX = 60.0  # However long nobody looks.
_SET_AN_HOUR = 0.0005  # How probably a clock was set since somebody looked: once in three months.
_SET_MIN, _SET_MAX, _SET_IF_FEW = 0.0005, 0.03, 0.2


class Unsure(NamedTuple):
    """How surely offset and rate are known: their variances, and the covariance."""

    offset: float
    both: float
    rate: float


def unsure_after(votes: int, spread: float) -> Unsure:
    """How surely a clock is known of which `votes` said at once where it stands."""
    return Unsure(spread * spread / max(votes, 1), 0.0, _RATE * _RATE)


EXACT = Unsure(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TillClock:
    """Where one till's clock stands: till minus bank, in seconds, at UNIX time `at`.

    - `rate`: seconds that it gains in an hour; `unsure`: how well that and the offset are known;
    - `spread`: how far single payments scatter; `votes`: how many said so, at most `VOTES_MAX`;
    - `other_offset`, `other_votes`: where votes that disagree with it gather.
    """

    offset: float
    spread: float = SPREAD_SECONDS
    votes: int = 0
    at: float = 0.0
    other_offset: float = 0.0
    other_votes: int = 0
    rate: float = 0.0
    unsure: Unsure = EXACT

    def is_stray(self, offset: float, at: float) -> bool:
        """Whether a payment made at `at` was printed where this clock does not stand."""
        near = max(_STRAY_SPREADS * self.spread_at(at), _STRAY_SECONDS)
        return self.votes > 0 and abs(offset - self.offset_at(at)) > near

    def with_vote(self, offset: float, at: float) -> "TillClock":
        """The clock after one more payment's word.

        A stray one of before the last says nothing of where it stands now.
        """
        if self.votes == 0:
            return replace(self, offset=offset, votes=1, at=at, unsure=unsure_after(1, self.spread))
        if self.is_stray(offset, at):
            return self._with_stray(offset, at) if at >= self.at else self
        away = offset - self.offset_at(at)
        moved = self._moved_to(max(at, self.at))
        known = moved.unsure
        variance = self.spread**2
        of_offset = known.offset / (known.offset + variance)
        of_rate = known.both / (known.offset + variance)
        votes = min(self.votes + 1, VOTES_MAX)
        surprise = away * away - known.offset - variance
        scatters = variance + surprise / (votes + FEW_VOTES)
        return replace(
            moved,
            offset=moved.offset + of_offset * away,
            rate=moved.rate + of_rate * away,
            unsure=Unsure(
                (1 - of_offset) * known.offset,
                (1 - of_offset) * known.both,
                known.rate - of_rate * known.both,
            ),
            spread=max(sqrt(max(scatters, 0.0)), SPREAD_SECONDS_MIN),
            votes=votes,
            other_votes=max(self.other_votes - 1, 0),
        )

    def _with_stray(self, offset: float, at: float) -> "TillClock":
        near = max(_STRAY_SPREADS * self.spread_at(at), _STRAY_SECONDS)
        if not self.other_votes or abs(offset - self.other_offset) > near:
            return replace(self, other_offset=offset, other_votes=1)
        votes = self.other_votes + 1
        there = self.other_offset + (offset - self.other_offset) / votes
        if votes < SET_AFTER_VOTES:
            return replace(self, other_offset=there, other_votes=votes)
        unsure = unsure_after(votes, self.spread)._replace(rate=self.unsure.rate)
        return TillClock(there, self.spread, votes, max(at, self.at), rate=self.rate, unsure=unsure)

    def _moved_to(self, at: float) -> "TillClock":
        """The same clock, as it is told for `at`."""
        hours = (at - self.at) / 3_600
        offset, both, rate = self.unsure
        unsure = Unsure(
            offset + 2 * hours * both + hours * hours * rate + abs(hours) * _OFFSET_WALKS,
            both + hours * rate,
            rate + abs(hours) * _RATE_WALKS,
        )
        return replace(self, offset=self.offset_at(at), at=at, unsure=unsure)

    def offset_at(self, at: float) -> float:
        """Where the clock stands at `at`: till minus bank, in seconds."""
        return self.offset + self.rate * (at - self.at) / 3_600

    def spread_at(self, at: float) -> float:
        """How far a payment made at `at` may be from that, in seconds (a standard deviation)."""
        unknown = min(max(self._moved_to(at).unsure.offset, 0.0), _UNKNOWN_SECONDS_MAX**2)
        return sqrt(self.spread**2 + unknown)

    def readings(
        self, at: float, general: Belief, spells: Sequence[Spell] = ()
    ) -> tuple[Reading, ...]:
        """Where the clock may stand at `at`; there were `spells` in which it stood elsewhere."""
        if not self.votes:
            return general.of_unknown()
        offset, spread = self.offset_at(at), self.spread_at(at)
        hours = abs(at - self.at) / 3_600
        unsure = _SET_IF_FEW
        if self.votes >= FEW_VOTES:
            unsure = min(_SET_MIN + _SET_AN_HOUR * hours, _SET_MAX)
        set_anew = self.other_votes / (self.other_votes + 2 * SET_AFTER_VOTES)
        readings = [
            Reading((1 - unsure) * (1 - set_anew), offset, spread),
            Reading(unsure, 0.0, 4 * general.between),
        ]
        if set_anew:
            readings.append(Reading((1 - unsure) * set_anew, self.other_offset, 2 * spread))
        elsewhere = [
            Reading(1.0, spell.offset, max(spell.spread, self.spread))
            for spell in spells
            if spell.covers(at) and self.is_stray(spell.offset, at)
        ]
        share = 1.0 / (1 + len(elsewhere))
        return tuple(r._replace(weight=r.weight * share) for r in (*readings, *elsewhere))
