"""One member in one campaign, as a value: what was redeemed, and how much of it is theirs. Pure.

A redemption is of one purchase with one receipt. What it gives follows the newest version of the
purchase: more is another gift, less is taken back from the gifts, the last one first. So every
gift only ever loses, what was spent of the budget for it is told by its number, and doing it all
again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import PaymentId, ReceiptId, RetailerId
from chalicelib.kernel.times import zone_named
from chalicelib.loyalty.earning import Share
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.streaks import near
from chalicelib.loyalty.terms import Per
from chalicelib.loyalty.watching import WATCHED
from chalicelib.offers.campaigns.model import Campaign, Limit


class Refused(Enum):
    """Why a redemption that was decided gave nothing."""

    NONE = ""
    NO_BUDGET = "no_budget"  # somebody else took the last of it


@dataclass(frozen=True, slots=True)
class Kept:
    """What one line earned, in minor units: a share as it is stored."""

    line_id: str
    minor: int


@dataclass(frozen=True, slots=True)
class Gift:
    """Money that was given, and what was taken back of it since, step by step.

    `lease` is the part of the budget that paid for it. With `is_withdrawn` the last step was taken
    because the receipt was: nothing is left to take after it.
    """

    lease: int
    given_minor: int
    taken: tuple[int, ...] = ()
    is_withdrawn: bool = False

    @property
    def taken_minor(self) -> int:
        """What of it was taken back in all."""
        return sum(self.taken)

    @property
    def kept_minor(self) -> int:
        """What of it is the member's."""
        return self.given_minor - self.taken_minor


@dataclass(frozen=True, slots=True)
class Redemption:
    """What one purchase got. `shares` are by line of `receipt_version`, before anything came back.

    It may be paid out from `available_at` on. `place` is the till (`watching.place_of`), where and
    for as long as it is asked about. While it is `held` for a reason its budget is spent and the
    member has nothing of it; once a person has `REFUSED` it, that is for good, and the budget is
    free again.
    """

    purchase_id: PaymentId
    receipt_id: ReceiptId
    receipt_version: int
    sold_at: datetime
    available_at: datetime
    shares: tuple[Kept, ...]
    gifts: tuple[Gift, ...]
    refused: Refused = Refused.NONE
    place: str = ""
    held: str = ""
    is_released: bool = False

    @property
    def kept_minor(self) -> int:
        """What did not come back of it, whether it is held or not."""
        return sum(gift.kept_minor for gift in self.gifts)

    @property
    def budgeted_minor(self) -> int:
        """What of it the budget pays, or will once it is released."""
        return 0 if self.held == REFUSED else self.kept_minor

    @property
    def counted_minor(self) -> int:
        """What the member has of it now."""
        return 0 if self.held else self.kept_minor

    @property
    def is_waiting(self) -> bool:
        """Whether something of it waits for a person."""
        return self.held not in ("", REFUSED) and self.kept_minor > 0

    def is_of(self, purchase_id: PaymentId, receipt_id: ReceiptId | None) -> bool:
        """Whether it is of this purchase with this receipt."""
        return (self.purchase_id, self.receipt_id) == (purchase_id, receipt_id)


@dataclass(frozen=True, slots=True)
class History:
    """What old redemptions that moved to `pages` come to (`archiving.py`).

    `rewards` are those that take a place of the limit, `gifted` those that ever gave anything,
    `kept_minor` what the member has of them.
    """

    pages: int = 0
    redemptions: int = 0
    rewards: int = 0
    gifted: int = 0
    kept_minor: int = 0
    newest_sold_at: datetime | None = None


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class Participation:
    """A member's row of a campaign. `version` counts its writes, 0 where there is none yet.

    `activated_at` is when the member switched the offer on. `ends_at` is the campaign's, so that a
    budget can be given back when the campaign is long over. `redemptions` are the latest; older
    ones are `history`.
    """

    campaign_id: str
    retailer_id: RetailerId
    currency: str
    ends_at: datetime
    activated_at: datetime | None = None
    redemptions: tuple[Redemption, ...] = ()
    version: int = 0
    history: History = NO_HISTORY

    @property
    def kept_minor(self) -> int:
        """What the member has of the campaign in all."""
        return self.history.kept_minor + sum(one.counted_minor for one in self.redemptions)

    @property
    def held_minor(self) -> int:
        """What waits for a person, as far as it is on the row."""
        return sum(one.kept_minor for one in self.redemptions if one.is_waiting)

    @property
    def gifted(self) -> int:
        """How many purchases were ever given something, whether it was taken back or not."""
        return self.history.gifted + sum(1 for one in self.redemptions if one.gifts)

    def find(self, purchase_id: PaymentId, receipt_id: ReceiptId | None) -> Redemption | None:
        """The redemption of this purchase with this receipt, or None."""
        return next((r for r in self.redemptions if r.is_of(purchase_id, receipt_id)), None)

    def of_purchase(self, purchase_id: PaymentId) -> tuple[Redemption, ...]:
        """The redemptions of a purchase, with whatever receipts it ever had."""
        return tuple(one for one in self.redemptions if one.purchase_id == purchase_id)


def new_participation(campaign: Campaign) -> Participation:
    """The member's part in `campaign` before anything happened."""
    return Participation(
        campaign.campaign_id, campaign.retailer_id, campaign.currency, campaign.ends_at
    )


def with_redemption(participation: Participation, redemption: Redemption) -> Participation:
    """`participation` with `redemption`, in the place of the one of the same purchase.

    Beside a new one, tills are forgotten that nobody asks about any more: a row with every reward
    that a member had at hand is within a few bytes of a kilobyte, which is billed.
    """
    key = (redemption.purchase_id, redemption.receipt_id)
    if participation.find(*key) is None:
        since = redemption.sold_at - WATCHED
        at_hand = (
            replace(one, place="") if one.place and one.sold_at <= since else one
            for one in participation.redemptions
        )
        return replace(participation, redemptions=(*at_hand, redemption))
    changed = (redemption if one.is_of(*key) else one for one in participation.redemptions)
    return replace(participation, redemptions=tuple(changed))


def lessened(
    redemption: Redemption, target_minor: int, *, is_withdrawn: bool = False
) -> Redemption:
    """`redemption` with at most `target_minor` kept: less is taken from the last gifts first."""
    excess, gifts = redemption.kept_minor - max(target_minor, 0), list(redemption.gifts)
    for at in reversed(range(len(gifts))):
        taken = min(max(excess, 0), gifts[at].kept_minor)
        if taken:
            steps = (*gifts[at].taken, taken)
            gifts[at] = replace(gifts[at], taken=steps, is_withdrawn=is_withdrawn)
        excess -= taken
    return replace(redemption, gifts=tuple(gifts))


def raised(redemption: Redemption, target_minor: int, *, lease: int) -> Redemption:
    """`redemption` with one more gift, so that `target_minor` are kept."""
    gift = Gift(lease, target_minor - redemption.kept_minor)
    return replace(redemption, gifts=(*redemption.gifts, gift))


def released(redemption: Redemption, at: int, *, lease: int | None) -> Redemption:
    """`redemption` whose gift at place `at`, which its lease could not pay, is paid by another.

    Without any `lease` the gift is dropped, with those after it; where none is left, the redemption
    is refused.
    """
    if lease is not None:
        paid = replace(redemption.gifts[at], lease=lease)
        gifts = (*redemption.gifts[:at], paid, *redemption.gifts[at + 1 :])
        return replace(redemption, gifts=gifts)
    left = redemption.gifts[:at]
    return replace(redemption, gifts=left, refused=Refused.NONE if left else Refused.NO_BUDGET)


def gift_key(campaign_id: str, redemption: Redemption, at: int) -> str:
    """The name of the gift at place `at`, in the journal and in notices."""
    return f"offer:{campaign_id}:{redemption.purchase_id}:{redemption.receipt_id}:{at}"


def shares_of(redemption: Redemption) -> tuple[Share, ...]:
    """What it gave by line, as `taken_back` takes it."""
    return tuple(Share("", one.line_id, one.minor) for one in redemption.shares)


def is_at_limit(
    participation: Participation,
    limit: Limit,
    *,
    sold_at: datetime,
    zone: str,
    most: int,
    past: Sequence[Redemption] = (),
) -> bool:
    """Whether a member has had as many rewards as `limit` allows in the period of `sold_at`.

    One that was taken back whole, or was refused, leaves its place free, one that is held does
    not; `most` is how many redemptions there may ever be. `past` are those that are in the history
    alone, where the sale is late enough to ask for them (`archiving.may_be_past`).
    """
    kept, history = participation.redemptions, participation.history
    if len(kept) + history.redemptions >= most:
        return True
    before, same = history.rewards, list(kept)
    if limit.per is not Per.EVER:
        period = period_of(sold_at, limit.per, zone=zone)
        close = near((*kept, *past), sold_at, limit.per)
        same = [one for one in close if period_of(one.sold_at, limit.per, zone=zone) == period]
        before = 0
    rewarded = [one for one in same if one.budgeted_minor > 0]
    return len(rewarded) + before >= limit.times


def period_of(at: datetime, per: Per, *, zone: str) -> tuple[int, ...]:
    """The day, week (ISO 8601, from Monday) or month of `at`, by the clocks of `zone`."""
    day = at.astimezone(zone_named(zone)).date()
    match per:
        case Per.DAY:
            return (day.year, day.month, day.day)
        case Per.WEEK:
            week = day.isocalendar()
            return (week.year, week.week)
        case Per.MONTH:
            return (day.year, day.month)
        case _:
            return ()
