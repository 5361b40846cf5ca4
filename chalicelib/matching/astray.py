"""Finding spells: hours for which a clock stood elsewhere, so that its payments find nothing.

What is left over when all that is sure is set aside, payments without a receipt and receipts
without a payment, agrees by accident only: at a till that was set wrong at noon, a handful of pairs
stand at one difference. How surprising that is says whether it is a spell.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple

from chalicelib.matching.clocks import TillKey
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge
from chalicelib.matching.till_votes import Vote

REACH_SECONDS = 6_000.0  # Beyond an hour and a half, clocks are wrong for days, not for hours.
APART_MAX_SECONDS = 5 * 3_600.0  # From one payment of a spell to its next.
VOTES_MIN = 3
ALIKE_MAX = 30  # Prices with more slips than this in reach say nothing about a clock.
_WIDTH_SPREADS = 4.0
_WIDTH_SECONDS_MIN = 6.0
# Of a till in a month: about one spell, at any second of the reach, for a few of its payments.
_SPELL = log(0.02)
_ENOUGH = log(20.0)


class _Left(NamedTuple):
    """A pair that is left over: till minus bank, when, who paid, which slip, and how surprising."""

    offset: float
    at: float
    payment_id: str
    place: int
    surprise: float


def astray_votes(
    left: Iterable[Charge], shelf: Shelf, taken: Collection[int], *, spread: float
) -> Mapping[TillKey, list[Vote]]:
    """Votes on spells, from the charges that are `left` without a slip and the slips not `taken`.

    `spread`: of a till's votes, in seconds, as tills are in general.
    """
    width = max(_WIDTH_SPREADS * spread, _WIDTH_SECONDS_MIN)
    pairs = _pairs(left, shelf, taken, width)
    found = {till: _spells(sorted(given), width) for till, given in pairs.items()}
    return {till: votes for till, votes in found.items() if votes}


def _pairs(
    left: Iterable[Charge], shelf: Shelf, taken: Collection[int], width: float
) -> dict[TillKey, list[_Left]]:
    found: dict[TillKey, list[_Left]] = defaultdict(list)
    spans = ((-REACH_SECONDS, REACH_SECONDS),)
    for charge in left:
        for store in charge.stores:
            for amount in charge.amounts:
                places = [
                    place
                    for place in shelf.of_amount(store, amount, charge.at, spans)
                    if place not in taken
                ]
                if not 0 < len(places) <= ALIKE_MAX:
                    continue
                chance = shelf.strangers(store, amount, charge.at, spans) * width
                surprise = -log(min(max(chance, 1e-6), 1.0) * len(charge.stores))
                for place in places:
                    slip = shelf.slips[place]
                    pair = _Left(slip.at - charge.at, charge.at, charge.payment_id, place, surprise)
                    found[store, slip.till].append(pair)
    return found


def _spells(pairs: Sequence[_Left], width: float) -> list[Vote]:
    """The votes of the spells among a till's pairs, which come by offset."""
    anywhere = log(width / (2 * REACH_SECONDS))
    offsets = [pair.offset for pair in pairs]
    told: dict[str, tuple[float, _Left]] = {}
    for first, pair in enumerate(pairs):
        near = pairs[first : bisect_right(offsets, pair.offset + width)]
        if len(near) < VOTES_MIN:
            continue
        for run in _runs(sorted(near, key=lambda one: one.at)):
            worth = sum(one.surprise for one in run) + anywhere + _SPELL
            if len(run) >= VOTES_MIN and worth >= _ENOUGH:
                for one in run:
                    known = told.get(one.payment_id)
                    if known is None or known[0] < worth:
                        told[one.payment_id] = (worth, one)
    return [Vote(one.at, one.offset, one.payment_id) for _, one in told.values()]


def _runs(by_time: Iterable[_Left]) -> Iterable[list[_Left]]:
    """Pairs that follow each other soon, no payment and no slip twice."""
    run: list[_Left] = []
    for pair in by_time:
        if run and pair.at - run[-1].at > APART_MAX_SECONDS:
            yield run
            run = []
        if all(pair.payment_id != one.payment_id and pair.place != one.place for one in run):
            run.append(pair)
    yield run
