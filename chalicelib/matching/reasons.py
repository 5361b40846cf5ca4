"""Why a charge has its slip, or has none: the reason that is the most use to whoever asks."""

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.matching.evidence import Fact
from chalicelib.matching.posterior import Shares
from chalicelib.matching.sides import Slip
from chalicelib.matching.weighing import Pair
from chalicelib.matching.why import Why

CARD_RATIO_MIN = 100.0  # From here on the card says more than chance would.
UNSURE_SPREAD_SECONDS = 45.0  # A clock known no better than this is not known.
SAME_SALE_SECONDS = 2.0


class Best(NamedTuple):
    """The most probable receipt of a charge: by which slip, how probable, and the next receipt's.

    Parts of one receipt that are alike count together: each of them shows the right one.
    """

    pair: Pair
    share: float
    runner_up: float


def best_of(pairs: Sequence[Pair], shares: Shares, slips: Sequence[Slip]) -> Best:
    """The most probable receipt among `pairs`, which are not empty."""
    by_receipt: dict[str, float] = {}
    for pair in pairs:
        receipt_id = slips[pair.place].receipt_id
        by_receipt[receipt_id] = by_receipt.get(receipt_id, 0.0) + shares.get(pair.place, 0.0)
    ranked = sorted(by_receipt.items(), key=lambda item: (-item[1], item[0]))
    receipt_id, share = ranked[0]
    own = [pair for pair in pairs if slips[pair.place].receipt_id == receipt_id]
    best = max(own, key=lambda pair: (shares.get(pair.place, 0.0), -pair.place))
    return Best(best, share, ranked[1][1] if len(ranked) > 1 else 0.0)


def why_accepted(pair: Pair) -> Why:
    """Whether the card's facts or time and amount carry the match."""
    return (
        Why.CARD_FACTS_AGREE if _card(pair.facts) >= CARD_RATIO_MIN else Why.TIME_AND_AMOUNT_AGREE
    )


def why_not(
    pairs: Sequence[Pair],
    shares: Shares,
    slips: Sequence[Slip],
    *,
    alone: float,
    spread: float,
    threshold: float,
) -> Why:
    """Why nothing was accepted.

    - `alone`: the best slip's probability if no other charge wanted any;
    - `spread`: how surely the best slip's clock is known, in seconds.
    """
    if not pairs:
        return Why.NO_RECEIPT_YET
    best, share, _ = best_of(pairs, shares, slips)
    receipt_id = slips[best.place].receipt_id
    others = [
        pair
        for pair in pairs
        if slips[pair.place].receipt_id != receipt_id and shares.get(pair.place, 0.0) > 1e-4
    ]
    if any(is_same_sale(slips[best.place], slips[other.place]) for other in others):
        return Why.SAME_SALE_TWICE
    if any(not fact.agrees and fact.ratio < 0.05 for fact in best.facts):
        return Why.CARD_FACTS_DIFFER
    if alone >= threshold:
        return Why.RIVAL_PAYMENT
    if others and sum(shares.get(p.place, 0.0) for p in others) > (1 - share) / 2:
        return Why.SEVERAL_RECEIPTS
    if best.weight < 1:
        return Why.NO_RECEIPT_YET
    if spread > UNSURE_SPREAD_SECONDS:
        return Why.CLOCK_UNKNOWN
    return Why.COMMON_AMOUNT if len(pairs) > 1 else Why.PROBABILITY_TOO_LOW


def is_same_sale(first: Slip, second: Slip) -> bool:
    """Whether two slips look like one sale that was sent under two names."""
    if first.receipt_id == second.receipt_id or first.till != second.till:
        return False
    if first.store != second.store or abs(first.at - second.at) > SAME_SALE_SECONDS:
        return False
    if first.content is not None and second.content is not None:
        return first.content == second.content
    return (first.amount_minor, first.last_four, first.auth_code) == (
        second.amount_minor,
        second.last_four,
        second.auth_code,
    )


def _card(facts: Sequence[Fact]) -> float:
    ratio = 1.0
    for fact in facts:
        ratio *= fact.ratio if fact.what != "place" else 1.0
    return ratio
