"""Full cards that stay full though goods of the purchase that filled them came back. Pure.

Where a full card is worth a share of its purchase, or the price of an item of it, it is worth what
the purchase would give as it is now, but never more than it would have given as it was bought. What
is too much is taken back of its reward (`Fill.backs`). Where goods did not come back after all, it
is given anew under a new number: what was taken back of a gift or a budget never comes back under
its old name, so that whoever is late with an older version does no harm.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.changes import CORRECTED
from chalicelib.loyalty.cards.filling import Undoing
from chalicelib.loyalty.cards.model import WAITING, Back, Card, Fill


@dataclass(frozen=True, slots=True)
class Revaluing:
    """Which purchase changed, why, and what may be taken back of what it filled."""

    cause: str
    why: str
    undoing: Undoing
    at: datetime


def revalued(card: Card, minor: int, most_minor: int, how: Revaluing) -> Card:
    """`card`, whose full cards of the purchase are worth `minor` each by now, and `most_minor` all
    together; what is worth most goes first.
    """
    filled = [one for one in card.fills if one.cause == how.cause and not one.undone_by]
    for fill in sorted(filled, key=lambda one: (-one.worth_minor, one.number)):
        target = min(minor, most_minor, _whole_minor(fill))
        card, left = _brought_to(card, fill, target, how)
        most_minor = max(most_minor - left, 0)
    return card


def _brought_to(card: Card, fill: Fill, target: int, how: Revaluing) -> tuple[Card, int]:
    """`card` with `fill` worth `target`, as far as that may be; and what it is worth then."""
    less = fill.worth_minor - target
    if less == 0 or (less > 0 and _stays(fill, how)):
        return card, fill.worth_minor
    if fill.lease == WAITING:  # Nothing was given yet.
        changed = replace(fill, minor=target, backs=(), whole_minor=_whole_minor(fill))
    elif less > 0:
        changed = replace(fill, backs=(*fill.backs, Back(less, how.why)))
    elif card.reset_at is None or fill.at >= card.reset_at:
        return _given_anew(card, fill, target, how), target
    else:
        return card, fill.worth_minor
    fills = tuple(changed if one is fill else one for one in card.fills)
    return replace(card, fills=fills), target


def _whole_minor(fill: Fill) -> int:
    return max(fill.minor, fill.whole_minor)


def _stays(fill: Fill, how: Revaluing) -> bool:
    return how.undoing is Undoing.ONLY_PENDING and fill.due_at <= how.at


def _given_anew(card: Card, fill: Fill, target: int, how: Revaluing) -> Card:
    """`card` with another full card, of the same stamps, in the place of `fill`."""
    anew = replace(
        fill,
        number=card.fills_made + 1,
        at=how.at,
        due_at=max(how.at, fill.due_at),
        minor=target,
        whole_minor=_whole_minor(fill),
        lease=WAITING,
        has_waited=False,
        deferred_by=(),
        backs=(),
    )
    gone = replace(fill, undone_by=how.cause, undone_why=CORRECTED)
    fills = tuple(gone if one is fill else one for one in card.fills)
    card = lots.hand_over(card, fill.name, anew.name)
    return replace(card, fills=(*fills, anew), fills_made=anew.number)
