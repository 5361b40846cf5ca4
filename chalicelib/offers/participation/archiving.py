"""Moving old redemptions to the history, and back when something of their purchase changes. Pure.

A row that is written with every reward has to stay small, because DynamoDB bills what is written by
the kilobyte. So the oldest redemptions move to pages nine at a time, and the row keeps their sums.
What moves is of earlier periods of the campaign's limit than the newest on the row, so that a sale
of now never asks the pages; a sale that is late does, before anybody believes that it is new. What
was bought within a day stays together, since `watching` counts it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.terms import Per
from chalicelib.loyalty.watching import is_watched
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.participation.model import (
    History,
    Participation,
    Redemption,
    period_of,
)

KEPT_MAX = 9  # As many as with everything else on the row are mostly within a write unit.
MOVED = 9
PAGES_MAX = 200
REDEMPTIONS_MAX = PAGES_MAX * MOVED  # Nearly five a day for a year; more are refused by the limit.


@dataclass(frozen=True, slots=True)
class Page:
    """Redemptions that moved together, as they stood then. Numbers begin at one."""

    number: int
    redemptions: tuple[Redemption, ...]


def move_old(participation: Participation, campaign: Campaign) -> tuple[Participation, Page | None]:
    """`participation` with its oldest redemptions moved, where it has too many, and what moved."""
    kept = participation.redemptions
    if len(kept) <= KEPT_MAX:
        return participation, None
    by_age = sorted(kept, key=lambda one: (one.sold_at, one.purchase_id, one.receipt_id))
    newest = _period(by_age[-1].sold_at, campaign)
    is_ever = campaign.limit.per is Per.EVER  # Then the sums are enough.
    movable = [one for one in by_age if is_ever or _period(one.sold_at, campaign) < newest]
    if len(movable) < MOVED or is_watched(movable[MOVED - 1].sold_at, [r.sold_at for r in kept]):
        return participation, None
    moving = tuple(movable[:MOVED])
    page = Page(participation.history.pages + 1, moving)
    staying = tuple(one for one in kept if one not in moving)
    history = _with(participation.history, moving, sign=1)
    return replace(participation, redemptions=staying, history=history), page


def may_be_past(participation: Participation, sold_at: datetime, campaign: Campaign | None) -> bool:
    """Whether a sale of `sold_at` may be in the history, or in a period that is partly there.

    `campaign` is None where it is closed, and gives nothing more.
    """
    newest = participation.history.newest_sold_at
    if newest is None:
        return False
    if sold_at <= newest:
        return True
    if campaign is None or campaign.limit.per is Per.EVER:
        return False
    return _period(sold_at, campaign) <= _period(newest, campaign)


def bring_back(
    participation: Participation, pages: Sequence[Page], purchase_id: PaymentId
) -> Participation:
    """`participation` with the purchase's redemptions out of `pages`, where they are there."""
    found = tuple(one for one in left_in(participation, pages) if one.purchase_id == purchase_id)
    if not found:
        return participation
    return replace(
        participation,
        redemptions=(*participation.redemptions, *found),
        history=_with(participation.history, found, sign=-1),
    )


def left_in(participation: Participation, pages: Iterable[Page]) -> tuple[Redemption, ...]:
    """The redemptions that are in `pages` alone: the newest of each that is not on the row."""
    newest = {
        (one.purchase_id, one.receipt_id): one
        for page in sorted(pages, key=lambda page: page.number)
        if page.number <= participation.history.pages
        for one in page.redemptions
    }
    at_hand = {(one.purchase_id, one.receipt_id) for one in participation.redemptions}
    return tuple(one for key, one in newest.items() if key not in at_hand)


def _with(history: History, moved: Sequence[Redemption], *, sign: int) -> History:
    """`history` with what `moved` into it (`sign` 1), or out of it (-1)."""
    stamps = (history.newest_sold_at, *(one.sold_at for one in moved))
    return History(
        pages=history.pages + (sign > 0),
        redemptions=history.redemptions + sign * len(moved),
        rewards=history.rewards + sign * sum(one.budgeted_minor > 0 for one in moved),
        gifted=history.gifted + sign * sum(bool(one.gifts) for one in moved),
        kept_minor=history.kept_minor + sign * sum(one.counted_minor for one in moved),
        newest_sold_at=max((one for one in stamps if one is not None), default=None),
    )


def _period(at: datetime, campaign: Campaign) -> tuple[int, ...]:
    return period_of(at, campaign.limit.per, zone=campaign.zone)
