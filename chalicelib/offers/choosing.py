"""Which of several offers a sale gets. No clock, no storage.

The best for the member wins: of the offers that are alone, and the stackable ones taken together,
whichever gives most; where two give the same, the one that ends first. A retailer's priority goes
before that. What lost is named, with the reason.

Stackable offers together never give more than was paid, line by line: what would be too much is
left out of those that end later. Their sum does not depend on that order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from math import lcm

from chalicelib.loyalty.allocation import share_out, total_of
from chalicelib.offers.deciding import NotWon, OfferWhy, Worth
from chalicelib.offers.participation.model import Kept


@dataclass(frozen=True, slots=True)
class Held:
    """What a sale has got: a campaign of it, whether others may be given beside, and by line."""

    campaign_id: str
    is_stackable: bool
    shares: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a sale gets, the most urgent first, and what it does not get."""

    won: tuple[Worth, ...]
    lost: tuple[NotWon, ...]


def choose(judged: Iterable[Worth | NotWon], held: Held | None = None) -> Chosen:
    """What a sale gets of what was `judged`, where it got `held` already (before a crash, say).

    Beside an offer that is alone there is no other; beside stackable ones the other stackable ones.
    """
    every = tuple(judged)
    lost = [one for one in every if isinstance(one, NotWon)]
    worths = [one for one in every if isinstance(one, Worth)]
    together = stacked(
        (one for one in worths if one.campaign.is_stackable), held.shares if held else ()
    )
    if held is None:
        ways = [together, *((one,) for one in worths if not one.campaign.is_stackable)]
    else:
        ways = [together] if held.is_stackable else []
    won = min((way for way in ways if way), key=_rank, default=())
    by = held.campaign_id if held else won[0].campaign.campaign_id if won else ""
    are_stacked = together in ways and won == together
    got = {one.campaign.campaign_id for one in won}
    for one in worths:
        if one.campaign.campaign_id not in got:
            is_beside = are_stacked and one.campaign.is_stackable
            why = OfferWhy.NOTHING_LEFT if is_beside else OfferWhy.OTHER_OFFER_BETTER
            lost.append(NotWon(one.campaign.campaign_id, why.value, by=by))
    return Chosen(won, tuple(lost))


def stacked(worths: Iterable[Worth], given: Sequence[Kept] = ()) -> tuple[Worth, ...]:
    """What each of `worths` gives beside the others and beside what was `given`, by line.

    The most urgent comes first. One that has nothing left to give is not among them.
    """
    used: dict[str, Fraction] = defaultdict(Fraction)
    for one in given:
        used[one.line_id] += one.minor
    before = sum(one.minor for one in given)
    so_far, found = Fraction(before), []
    for worth in sorted(worths, key=_urgency):
        parts = _parts(worth, used)
        for line_id, part in parts:
            used[line_id] += part
        so_far += sum(part for _, part in parts)
        minor = int(so_far) - before  # Of the exact sum, so that spending more never gives less.
        if minor > 0:
            before += minor
            found.append(worth if minor == worth.minor else _lowered(worth, minor, parts))
    return tuple(found)


def _parts(worth: Worth, used: dict[str, Fraction]) -> list[tuple[str, Fraction]]:
    """What of each line of `worth` was paid and not `used`, and no more than its exact share."""
    whole = total_of(worth.weights)
    paid = {line.line_id: worth.of.spent((line,)) for line in worth.of.lines}
    parts = []
    for line_id, weight in worth.weights:
        left = max(paid[line_id] - used[line_id], Fraction(0))
        parts.append((line_id, min(Fraction(worth.minor * weight, whole), left)))
    return parts


def _lowered(worth: Worth, minor: int, parts: Sequence[tuple[str, Fraction]]) -> Worth:
    whole = lcm(*(part.denominator for _, part in parts))
    weights = [(line_id, int(part * whole)) for line_id, part in parts]
    shared = zip(weights, share_out(minor, weights), strict=True)
    shares = tuple(Kept(line_id, part) for (line_id, _), part in shared if part)
    return replace(worth, minor=minor, shares=shares)


def _rank(way: Sequence[Worth]) -> tuple[int, int, datetime, str]:
    """The better way of rewarding a sale has the smaller rank."""
    first = min(way, key=_urgency)
    return (
        -max(one.campaign.priority for one in way),
        -sum(one.minor for one in way),
        *_urgency(first),
    )


def _urgency(worth: Worth) -> tuple[datetime, str]:
    return (worth.campaign.ends_at, worth.campaign.campaign_id)
