"""Till clocks in a few bytes: what many sure matches said, kept between Lambdas.

A till's clock is followed as a running mean that forgets: the last sixty-four votes count. A vote
far from where the clock stands moves nothing; three that agree with each other mean that the clock
was set, and it stands there from then on. A lost vote is one of many; a doubled one counts as one
of sixty-four at most: neither changes what is decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from math import hypot, sqrt
from struct import Struct

from chalicelib.matching.clocks import (
    FEW_VOTES,
    Belief,
    TillKey,
    VotedClocks,
    merged_spans,
)
from chalicelib.matching.prices import NO_PRICES, Prices, Sum, prices_from
from chalicelib.matching.rates import MISSING_MAX
from chalicelib.matching.scatter import Reading, Shape, TailCounts
from chalicelib.matching.spells import Spells
from chalicelib.matching.till_clock import VOTES_MAX, TillClock, Unsure, unsure_after

KEPT_REACH_SECONDS = 1_800.0  # With card facts that agree, a clock nobody knows may be far off.
_SPELL_REACH = 120.0  # Seconds; a spell is looked for where it was.
_COUNTED_MAX = 2_000  # Payments, then all counts are halved: what a store does changes.
_COUNTED_BELIEVED = 50  # So many payments does count what is believed of all stores.
_VERSION = 3
_HALF_MAX = 65_504.0  # Of a float of two bytes.
_HEAD = Struct(">BII")  # version, matched, and of version 1 a count that is not used any more
_COUNTS = Struct(">IIIII")  # matched by then, found, waited, hundredths absent, minute
_TAIL = Struct(">IIII")  # hundredths of pairs, far, late, seconds
# Offset and spread in tenths, votes, minute, other offset, its votes; then rate and `Unsure`.
_TILL = Struct(">iHBIiBeeee")
_TILL_OF_1 = Struct(">iHBIiB")


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
NO_TAIL = TailCounts()


@dataclass(frozen=True, slots=True)
class StoreClocks:
    """The clocks of a store's tills, by till (`""` where receipts name none).

    `matched` counts payments that found their receipt, up to now; `tally` says how many receipts
    never come, as of last night, and `tail` how many come long before or after the card. Matches
    alone, which count at once, would say too few of either. `prices` are those of all receipts.
    `spells` are of the last days, as far as whoever looks has just learned of them; they are not
    kept.
    """

    tills: Mapping[str, TillClock] = field(default_factory=dict)
    matched: int = 0
    tally: Tally = NO_TALLY
    tail: TailCounts = NO_TAIL
    prices: Prices = NO_PRICES
    spells: Spells = field(default_factory=dict)

    def with_vote(self, till: str | None, offset: float, at: float) -> "StoreClocks":
        """The clocks after one payment's word about `till`; it counts as matched, too."""
        name = till or ""
        known = self.tills.get(name, TillClock(0.0))
        tail = self.tail
        is_of_old = at < known.at and known.is_stray(offset, at)  # A spell, and over.
        if known.votes >= FEW_VOTES and not is_of_old:
            away = offset - known.offset_at(at)
            tail = tail.plus(1.0, Shape(tail=tail.tail()).of_tail(away, known.spread_at(at)), away)
        return replace(
            self,
            tills={**self.tills, name: known.with_vote(offset, at)},
            matched=self.matched + 1,
            tail=_forgetting(tail),
        )

    def with_sums(self, sums: Iterable[Sum]) -> "StoreClocks":
        """The clocks where slips of `sums` were counted, too."""
        return replace(self, prices=self.prices.plus(sums))

    def with_night(self, unmatched: Sequence[TailCounts], until: float) -> "StoreClocks":
        """These clocks once the payments made until `until` (UNIX seconds) are counted: those that
        found their receipt, and what is said of each that still waits (`Ambiguous.near`).
        """
        tail = TailCounts(*map(sum, zip(self.tail, *unmatched, strict=True)))
        absent = sum(max(1.0 - said.pairs, 0.0) for said in unmatched)
        tally = self.tally.with_night(
            self.matched, waited=len(unmatched), absent=absent, until=until
        )
        return replace(self, tally=tally, tail=_forgetting(tail))

    def learned(self, voted: VotedClocks, store: str, at: float) -> "StoreClocks":
        """These clocks where tills that were learned at once from everything at hand stand there.

        A till that has more votes of its own keeps what it has.
        """
        tills = dict(self.tills)
        for name, (offset, spread, votes) in voted.standing(store, at).items():
            known = tills.get(name or "")
            if known is None or known.votes < votes:
                unsure = unsure_after(votes, spread)
                clock = TillClock(offset, spread, min(votes, VOTES_MAX), at, unsure=unsure)
                tills[name or ""] = clock
        return replace(self, tills=tills)

    def missing(self, believed: float) -> float:
        """The share of payments here whose receipt never comes; `believed` counts as fifty."""
        tally = self.tally
        of = tally.found + tally.waited + _COUNTED_BELIEVED
        return min((tally.absent + _COUNTED_BELIEVED * believed) / of, MISSING_MAX)

    def to_bytes(self) -> bytes:
        """A version, the counts, the prices, then twenty-five bytes and a name for each till."""
        tally = self.tally
        counts = (tally.matched, tally.found, tally.waited, round(100 * tally.absent))
        minute = int(tally.until // 60)
        parts = [
            _HEAD.pack(_VERSION, _within(self.matched), 0),
            _COUNTS.pack(*map(_within, counts), minute),
            _TAIL.pack(*(_within(round(100 * count)) for count in self.tail)),
            self.prices.to_bytes(),
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
                *(_half(number) for number in (till.rate, *till.unsure)),
            )
            parts += [bytes([len(encoded)]), encoded, packed]
        return b"".join(parts)


NO_CLOCKS = StoreClocks()


def from_bytes(kept: bytes) -> StoreClocks:
    """What `to_bytes` wrote, now or in a version before: what that did not count is counted anew.

    :raises ValueError: it is of a later version.
    """
    version, matched, _ = _HEAD.unpack_from(kept)
    if version > _VERSION:
        raise ValueError("the clocks are of a later version")
    tills, place, tally, tail, prices = {}, _HEAD.size, Tally(matched), NO_TAIL, NO_PRICES
    if version > 1:
        then, found, waited, hundredths, counted_to = _COUNTS.unpack_from(kept, place)
        tally = Tally(then, found, waited, hundredths / 100, counted_to * 60.0)
        place += _COUNTS.size
        tail = TailCounts(*(count / 100 for count in _TAIL.unpack_from(kept, place)))
        place += _TAIL.size
    if version > 2:
        prices, place = prices_from(kept, place)
    till = _TILL if version > 1 else _TILL_OF_1
    while place < len(kept):
        length = kept[place]
        name = kept[place + 1 : place + 1 + length].decode()
        offset, spread, votes, minute, other, other_votes, *running = till.unpack_from(
            kept, place + 1 + length
        )
        rate, unsure = 0.0, unsure_after(votes, spread / 10)
        if running:
            rate, unsure = running[0], Unsure(*running[1:])
        tills[name] = TillClock(
            offset / 10, spread / 10, votes, minute * 60.0, other / 10, other_votes, rate, unsure
        )
        place += 1 + length + till.size
    return StoreClocks(tills, matched, tally, tail, prices)


def _forgetting(tail: TailCounts) -> TailCounts:
    return tail if tail.pairs <= _COUNTED_MAX else TailCounts(*(count / 2 for count in tail))


def _within(count: int) -> int:
    return min(count, 2**32 - 1)


def _half(number: float) -> float:
    return max(min(number, _HALF_MAX), -_HALF_MAX)


def _tenths(seconds: float) -> int:
    return round(max(min(seconds * 10, 2**31 - 1), -(2**31)))


class KeptClocks:
    """The clocks of some stores, as the matcher asks of them."""

    def __init__(self, stores: Mapping[str, StoreClocks]) -> None:
        self._stores = stores
        counts = (store.tail for store in stores.values())
        self._shape = Shape(tail=TailCounts(*map(sum, zip(*counts, strict=True))).tail())

    @property
    def shape(self) -> Shape:
        """How differences scatter about a reading, at these stores together."""
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
        return known.readings(at, general, store.spells.get(till[1] or "", ()))

    def reaches(self, store: str) -> tuple[tuple[float, float], ...]:
        """About nought, and about wherever a till of the store stands."""
        clocks = self._stores.get(store, NO_CLOCKS)
        spans = [(-KEPT_REACH_SECONDS, KEPT_REACH_SECONDS)]
        for clock in clocks.tills.values():
            if clock.votes:
                place = clock.offset
                spans.append((place - KEPT_REACH_SECONDS, place + KEPT_REACH_SECONDS))
        for spell in chain.from_iterable(clocks.spells.values()):
            spans.append((spell.offset - _SPELL_REACH, spell.offset + _SPELL_REACH))
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
