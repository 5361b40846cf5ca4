"""Whether a purchase that would earn looks like abuse. Pure, and from what is held anyway.

Nothing is counted for this: the entries of a card, or what a member got of a retailer's offers, say
how often somebody bought, what came back of it, and at which tills. Honest people do odd things
now and then, so nothing here refuses: an award that looks wrong is held, which the member sees,
until a person has looked (`loyalty/holding`). What is refused for certain is refused elsewhere: a
purchase earns once, however often it is told. That one card earns for one member is decided in
`loyalty/claimants`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.ids import PaymentId, StoreId, natural_id

PLACE_LENGTH = 4  # Base32: a million places. A card holds tens of entries, so two rarely meet.
WATCHED = timedelta(hours=24)
AT_HAND_MAX = 30  # Of one day. From there on enough is at hand for every limit.


class HoldReason(Enum):
    """What looks wrong."""

    BUYING_AND_RETURNING = "buying_and_returning"
    MANY_IN_AN_HOUR = "many_in_an_hour"
    MANY_IN_A_DAY = "many_in_a_day"
    SAME_TILL_IN_A_SHIFT = "same_till_in_a_shift"
    MUCH_AT_ONCE = "much_at_once"
    CARD_OF_ANOTHER_MEMBER = "card_of_another_member"


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing looks wrong."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person should look first."""

    reason: HoldReason


Verdict = Pass | Hold
PASS = Pass()


@dataclass(frozen=True, slots=True)
class Earned:
    """What is remembered of one purchase, or what a new one would earn.

    `units` is what was given in all, `back` what of it was taken back, both in stamps or points, or
    minor units of money. `place` is `place_of` its till. `is_released` says that a person has
    looked at it and let it be.
    """

    purchase_id: PaymentId
    sold_at: datetime
    units: int
    back: int = 0
    place: str = ""
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """From which number on a purchase is held; None: never for that reason.

    - `per_hour`, `per_day`: purchases of one card, or of one member who got offers for them,
      within an hour and within a day.
    - `at_one_till`: at one till within a shift of `shift_hours`: somebody at the till who shows the
      same card for customers that have none.
    - `returned`: wholly returned purchases within `returned_days`, if they are half of all or more.
    - `units_at_once`: what one purchase gives.
    """

    per_hour: int | None = 6
    per_day: int | None = 12
    at_one_till: int | None = 5
    shift_hours: int = 8
    returned: int | None = 3
    returned_days: int = 60
    units_at_once: int | None = None


USUAL = Limits()  # Three times what a busy regular does: coffees for a whole office in one morning.


def place_of(store_id: StoreId, till: str | None) -> str:
    """A short name for the till at which something was sold; the same for ever. Empty: unknown."""
    return natural_id("place", store_id, till)[:PLACE_LENGTH] if till else ""


def is_watched(sold_at: datetime, at_hand: Sequence[datetime]) -> bool:
    """Whether what was sold at `sold_at` is judged with the newest of what is `at_hand`, and so
    does not move to a history yet.
    """
    return sold_at > max(at_hand) - WATCHED and len(at_hand) <= AT_HAND_MAX


def judge(before: Sequence[Earned], purchase: Earned, *, limits: Limits = USUAL) -> Verdict:
    """Whether what `purchase` earns is given at once, or held.

    `before` are the other purchases, in any order; `purchase` itself among them counts once.
    The verdict follows from when things were sold, not from when they were told: the order in which
    purchases arrive does not matter to those that are there.
    """
    others = [one for one in before if one.purchase_id != purchase.purchase_id]
    if limits.units_at_once is not None and purchase.units > limits.units_at_once:
        return Hold(HoldReason.MUCH_AT_ONCE)
    if _returns_in_loops(others, purchase, limits):
        return Hold(HoldReason.BUYING_AND_RETURNING)
    near = _counted(others, purchase)
    if _reaches(limits.at_one_till, near, purchase, hours=limits.shift_hours, at_its_till=True):
        return Hold(HoldReason.SAME_TILL_IN_A_SHIFT)
    if _reaches(limits.per_hour, near, purchase, hours=1):
        return Hold(HoldReason.MANY_IN_AN_HOUR)
    if _reaches(limits.per_day, near, purchase, hours=24):
        return Hold(HoldReason.MANY_IN_A_DAY)
    return PASS


def _counted(others: Sequence[Earned], purchase: Earned) -> list[Earned]:
    """Those that came before: what a person released does not count against the next."""
    return [one for one in others if not one.is_released and one.sold_at <= purchase.sold_at]


def _reaches(
    most: int | None,
    near: Sequence[Earned],
    purchase: Earned,
    *,
    hours: int,
    at_its_till: bool = False,
) -> bool:
    """Whether `purchase` is the one after `most` within `hours`."""
    if most is None or (at_its_till and not purchase.place):
        return False
    since = purchase.sold_at - timedelta(hours=hours)
    within = [
        one
        for one in near
        if one.sold_at > since and (not at_its_till or one.place == purchase.place)
    ]
    return len(within) >= most


def _returns_in_loops(others: Sequence[Earned], purchase: Earned, limits: Limits) -> bool:
    """Whether most of what was bought lately came back whole."""
    if limits.returned is None:
        return False
    since = purchase.sold_at - timedelta(days=limits.returned_days)
    lately = [
        one for one in others if since < one.sold_at <= purchase.sold_at and not one.is_released
    ]
    whole = [one for one in lately if one.units > 0 and one.back >= one.units]
    return len(whole) >= limits.returned and 2 * len(whole) >= len(lately)
