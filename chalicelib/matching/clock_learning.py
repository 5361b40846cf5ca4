"""Learning till clocks from payments that nobody has matched yet.

Of all pairs of one amount at one store, those that belong together pile up where the till's clock
stands; all others lie anywhere. The pile is looked for near nought first, and where the payments
that are still unexplained are left over, as far as time zones and wrongly set clocks reach.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chalicelib.matching.clocks import TillKey
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge
from chalicelib.matching.till_votes import Vote

NEAR_SECONDS = 1_200.0
FAR_SECONDS = 15 * 3_600.0  # The widest zones are fourteen hours off; wrong mornings are twelve.
ALIKE_MAX = 30  # Prices with more slips than this in reach say nothing about a clock.
_WIDTHS = (6.0, 20.0, 60.0, 200.0)  # Piles of tills between very steady and very slow.
_VOTES_MIN = {NEAR_SECONDS: 3.0, FAR_SECONDS: 4.0}
_SURPRISE_MIN = {NEAR_SECONDS: 4.0, FAR_SECONDS: 7.0}  # A far search has many places to be wrong.
_PILES_MAX = 3  # A till that is set wrong at noon stands at two places.

Residuals = dict[TillKey, list[tuple[float, float, float, str]]]


def first_votes(charges: Sequence[Charge], shelf: Shelf) -> Mapping[TillKey, list[Vote]]:
    """Votes on every till whose clock shows by itself, from charges and slips alone."""
    votes: dict[TillKey, list[Vote]] = defaultdict(list)
    left = list(charges)
    for reach in (NEAR_SECONDS, FAR_SECONDS):
        for _ in range(_PILES_MAX):
            found = _piles(_residuals(left, shelf, reach), reach)
            if not found:
                break
            explained = set()
            for till, given in found.items():
                votes[till] += given
                explained |= {vote.payment_id for vote in given}
            left = [charge for charge in left if charge.payment_id not in explained]
    return votes


def _residuals(charges: Iterable[Charge], shelf: Shelf, reach: float) -> Residuals:
    found: Residuals = defaultdict(list)
    spans = ((-reach, reach),)
    for charge in charges:
        places = [
            place
            for store in charge.stores
            for amount in charge.amounts
            for place in shelf.of_amount(store, amount, charge.at, spans)
        ]
        if 0 < len(places) <= ALIKE_MAX:
            for place in places:
                slip = shelf.slips[place]
                residual = (slip.at - charge.at, charge.at, 1 / len(places), charge.payment_id)
                found[slip.store, slip.till].append(residual)
    return found


def _piles(residuals: Residuals, reach: float) -> dict[TillKey, list[Vote]]:
    found = {}
    for till, pairs in residuals.items():
        pile = _pile(sorted(pairs), reach)
        if pile:
            found[till] = pile
    return found


def _pile(pairs: list[tuple[float, float, float, str]], reach: float) -> list[Vote]:
    """The votes of the most surprising pile, or none where nothing surprises."""
    weight = sum(share for _, _, share, _ in pairs)
    best, best_span = _SURPRISE_MIN[reach], (0, 0)
    for width in _WIDTHS:
        expected = weight * width / (2 * reach)
        first, held = 0, 0.0
        for last, (offset, _, share, _) in enumerate(pairs):
            held += share
            while offset - pairs[first][0] > width:
                held -= pairs[first][2]
                first += 1
            if held >= _VOTES_MIN[reach]:
                surprise = (held - expected) / (expected + 0.5) ** 0.5
                # Of two piles alike, the narrower says more.
                if surprise > 1.05 * best:
                    best, best_span = surprise, (first, last + 1)
    inside = pairs[best_span[0] : best_span[1]]
    return [Vote(at, offset, payer) for offset, at, share, payer in inside if share >= 0.3]
