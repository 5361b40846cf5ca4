"""Till clocks in a few bytes: what many sure matches said, kept between Lambdas.

A till's clock is followed as a running mean that forgets: the last sixty-four votes count. A vote
far from where the clock stands moves nothing; three that agree with each other mean that the clock
was set, and it stands there from then on. A lost vote is one of many; a doubled one counts as one
of sixty-four at most: neither changes what is decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import hypot, sqrt
from struct import Struct

from chalicelib.matching.clocks import (
    FEW_VOTES,
    Belief,
    TillKey,
    VotedClocks,
    merged_spans,
)
from chalicelib.matching.rates import MISSING_MAX
from chalicelib.matching.scatter import Reading, Shape
from chalicelib.matching.till_votes import SPREAD_SECONDS, SPREAD_SECONDS_MIN

KEPT_REACH_SECONDS = 1_800.0  # With card facts that agree, a clock nobody knows may be far off.
VOTES_MAX = 64  # Remembered; a clock that drifts is followed within a day's votes.
SET_AFTER_VOTES = 3  # That agree with each other and not with the clock.
DRIFT_SECONDS_PER_HOUR = 0.5  # What a clock may do while nobody looks.
DRIFT_SECONDS_MAX = 60.0
_STRAY_SPREADS = 6.0
_STRAY_SECONDS = 20.0
_UNSURE = 0.03  # The share of readings by which any clock may have been set just now.
_COUNTED_MAX = 2_000  # Payments, then all counts are halved: what a store does changes.
_COUNTED_BELIEVED = 50  # So many payments does count what is believed of all stores.
_VERSION = 2
_HEAD = Struct(">BII")  # version, matched, and of version 1 a count that is not used any more
_COUNTS = Struct(">IIIII")  # matched by then, found, waited, hundredths absent, minute
_TILL = Struct(">iHBIiB")  # offset and spread in tenths, votes, minute, other offset, its votes


@dataclass(frozen=True, slots=True)
class TillClock:
    """Where one till's clock stands: till minus bank, in seconds.

    - `votes`: how many payments say so, at most `VOTES_MAX`; `at`: UNIX seconds of the last one.
    - `other_offset`, `other_votes`: where votes that disagree with it gather.
    """

    offset: float
    spread: float = SPREAD_SECONDS
    votes: int = 0
    at: float = 0.0
    other_offset: float = 0.0
    other_votes: int = 0

    def with_vote(self, offset: float, at: float) -> "TillClock":
        """The clock after one more payment's word."""
        if self.votes == 0:
            return replace(self, offset=offset, votes=1, at=at)
        away = offset - self.offset
        if abs(away) <= max(_STRAY_SPREADS * self.spread, _STRAY_SECONDS):
            votes = min(self.votes + 1, VOTES_MAX)
            variance = self.spread**2 + (away * away - self.spread**2) / (votes + FEW_VOTES)
            return replace(
                self,
                offset=self.offset + away / votes,
                spread=max(sqrt(max(variance, 0.0)), SPREAD_SECONDS_MIN),
                votes=votes,
                at=max(at, self.at),
                other_votes=max(self.other_votes - 1, 0),
            )
        return self._with_stray(offset, at)

    def _with_stray(self, offset: float, at: float) -> "TillClock":
        near = max(_STRAY_SPREADS * self.spread, _STRAY_SECONDS)
        if not self.other_votes or abs(offset - self.other_offset) > near:
            return replace(self, other_offset=offset, other_votes=1)
        votes = self.other_votes + 1
        there = self.other_offset + (offset - self.other_offset) / votes
        if votes < SET_AFTER_VOTES:
            return replace(self, other_offset=there, other_votes=votes)
        return TillClock(there, self.spread, votes, max(at, self.at))

    def readings(self, at: float, general: Belief) -> tuple[Reading, ...]:
        """Where the clock may stand at `at`."""
        if not self.votes:
            return general.of_unknown()
        hours = abs(at - self.at) / 3_600
        drift = min(DRIFT_SECONDS_PER_HOUR * hours, DRIFT_SECONDS_MAX)
        spread = sqrt(self.spread**2 * (1 + 1 / self.votes) + drift * drift)
        unsure = _UNSURE if self.votes >= FEW_VOTES else 0.2
        set_anew = self.other_votes / (self.other_votes + 2 * SET_AFTER_VOTES)
        readings = [
            Reading((1 - unsure) * (1 - set_anew), self.offset, spread),
            Reading(unsure, 0.0, 4 * general.between),
        ]
        if set_anew:
            readings.append(Reading((1 - unsure) * set_anew, self.other_offset, 2 * spread))
        return tuple(readings)


@dataclass(frozen=True, slots=True)
class Tally:
    """Payments of a store that were made until `until` (UNIX seconds): those that `found` their
    receipt, those that `waited` though all should have come, and of how many of these it is
    `absent`, each as probably as the last look said. `matched` is the store's count by then.
    """

    matched: int = 0
    found: int = 0
    waited: int = 0
    absent: float = 0.0
    until: float = 0.0

    def with_night(self, matched: int, *, waited: int, absent: float, until: float) -> "Tally":
        """The counts until `until`, where `waited` more wait; these where that was counted."""
        if until <= self.until:
            return self
        found = self.found + max(matched - self.matched, 0)
        all_waited, all_absent = self.waited + waited, self.absent + absent
        if found + all_waited > _COUNTED_MAX:
            found, all_waited, all_absent = found // 2, all_waited // 2, all_absent / 2
        return Tally(matched, found, all_waited, all_absent, until)


NO_TALLY = Tally()


@dataclass(frozen=True, slots=True)
class StoreClocks:
    """The clocks of a store's tills, by till (`""` where receipts name none).

    `matched` counts payments that found their receipt, up to now; `tally` says how many receipts
    never come, as of last night. Matches alone, which count at once, would say too few.
    """

    tills: Mapping[str, TillClock] = field(default_factory=dict)
    matched: int = 0
    tally: Tally = NO_TALLY

    def with_vote(self, till: str | None, offset: float, at: float) -> "StoreClocks":
        """The clocks after one payment's word about `till`; it counts as matched, too."""
        name = till or ""
        voted = self.tills.get(name, TillClock(0.0)).with_vote(offset, at)
        return replace(self, tills={**self.tills, name: voted}, matched=self.matched + 1)

    def learned(self, voted: VotedClocks, store: str, at: float) -> "StoreClocks":
        """These clocks where tills that were learned at once from everything at hand stand there.

        A till that has more votes of its own keeps what it has.
        """
        tills = dict(self.tills)
        for name, (offset, spread, votes) in voted.standing(store, at).items():
            known = tills.get(name or "")
            if known is None or known.votes < votes:
                tills[name or ""] = TillClock(offset, spread, min(votes, VOTES_MAX), at)
        return replace(self, tills=tills)

    def missing(self, believed: float) -> float:
        """The share of payments here whose receipt never comes; `believed` counts as fifty."""
        tally = self.tally
        of = tally.found + tally.waited + _COUNTED_BELIEVED
        return min((tally.absent + _COUNTED_BELIEVED * believed) / of, MISSING_MAX)

    def to_bytes(self) -> bytes:
        """A version, the counts, then seventeen bytes and a name for each till."""
        tally = self.tally
        counts = (tally.matched, tally.found, tally.waited, round(100 * tally.absent))
        minute = int(tally.until // 60)
        parts = [
            _HEAD.pack(_VERSION, _within(self.matched), 0),
            _COUNTS.pack(*map(_within, counts), minute),
        ]
        for name, till in sorted(self.tills.items()):
            encoded = name.encode()[:255]
            packed = _TILL.pack(
                _tenths(till.offset),
                min(round(till.spread * 10), 65_535),
                till.votes,
                int(till.at // 60),
                _tenths(till.other_offset),
                till.other_votes,
            )
            parts += [bytes([len(encoded)]), encoded, packed]
        return b"".join(parts)


NO_CLOCKS = StoreClocks()


def from_bytes(kept: bytes) -> StoreClocks:
    """What `to_bytes` wrote, now or in version 1, which counted what is counted anew.

    :raises ValueError: it is of a later version.
    """
    version, matched, _ = _HEAD.unpack_from(kept)
    if version > _VERSION:
        raise ValueError("the clocks are of a later version")
    tills, place, tally = {}, _HEAD.size, Tally(matched)
    if version > 1:
        then, found, waited, hundredths, counted_to = _COUNTS.unpack_from(kept, place)
        tally = Tally(then, found, waited, hundredths / 100, counted_to * 60.0)
        place += _COUNTS.size
    while place < len(kept):
        length = kept[place]
        name = kept[place + 1 : place + 1 + length].decode()
        offset, spread, votes, minute, other, other_votes = _TILL.unpack_from(
            kept, place + 1 + length
        )
        tills[name] = TillClock(
            offset / 10, spread / 10, votes, minute * 60.0, other / 10, other_votes
        )
        place += 1 + length + _TILL.size
    return StoreClocks(tills, matched, tally)


def _within(count: int) -> int:
    return min(count, 2**32 - 1)


def _tenths(seconds: float) -> int:
    return round(max(min(seconds * 10, 2**31 - 1), -(2**31)))


class KeptClocks:
    """The clocks of some stores, as the matcher asks of them."""

    def __init__(self, stores: Mapping[str, StoreClocks], shape: Shape | None = None) -> None:
        self._stores = stores
        self._shape = shape or Shape()

    @property
    def shape(self) -> Shape:
        """How differences scatter about a reading."""
        return self._shape

    def readings(
        self, till: TillKey, at: float, *, without: str | None = None
    ) -> tuple[Reading, ...]:
        """Where the clock of `till` may stand at `at`. A till without votes: as its store's do.

        A payment that has not been decided has no vote yet, so there is none to leave out.
        """
        del without
        store = self._stores.get(till[0], NO_CLOCKS)
        known = store.tills.get(till[1] or "")
        general = _general(store)
        if known is None:
            return general.of_unknown()
        return known.readings(at, general)

    def reaches(self, store: str) -> tuple[tuple[float, float], ...]:
        """About nought, and about wherever a till of the store stands."""
        spans = [(-KEPT_REACH_SECONDS, KEPT_REACH_SECONDS)]
        for clock in self._stores.get(store, NO_CLOCKS).tills.values():
            if clock.votes:
                place = clock.offset
                spans.append((place - KEPT_REACH_SECONDS, place + KEPT_REACH_SECONDS))
        return merged_spans(spans)


def _general(store: StoreClocks) -> Belief:
    """What the store's tills are like: as far apart as those that are known, and no closer."""
    offsets = [c.offset for c in store.tills.values() if c.votes >= FEW_VOTES]
    spreads = sorted(c.spread for c in store.tills.values() if c.votes >= FEW_VOTES)
    if len(offsets) < 3:
        return Belief()
    mean = sum(offsets) / len(offsets)
    between = sqrt(sum((offset - mean) ** 2 for offset in offsets) / (len(offsets) - 1))
    return Belief(max(hypot(between, abs(mean)), 20.0), spreads[len(spreads) // 2])


def far_offsets(store: StoreClocks, beyond: float) -> Iterable[float]:
    """Where clocks of the store stand further off than `beyond` seconds, each once a minute."""
    found = {
        round(clock.offset / 60) * 60.0
        for clock in store.tills.values()
        if clock.votes >= FEW_VOTES and abs(clock.offset) > beyond
    }
    return sorted(found)
