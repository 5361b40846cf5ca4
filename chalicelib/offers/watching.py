"""Whether a reward that an offer is to give looks like abuse. Pure.

The rules are those of cards (`loyalty/watching`). What they are asked about is what the member got
of all offers of the retailer, as far as their rows hold it, so that who goes from one offer to the
next is seen like who stays with one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.watching import Earned, Hold, HoldReason, judge
from chalicelib.offers.participation.model import Redemption


def find_doubt(redemption: Redemption, others: Iterable[Redemption]) -> HoldReason | None:
    """Why a person should look at `redemption` before it is given, beside the `others`; or None."""
    by_purchase: dict[PaymentId, list[Redemption]] = defaultdict(list)
    for one in others:
        if _was_theirs(one):
            by_purchase[one.purchase_id].append(one)
    before = [_earned(of_one) for of_one in by_purchase.values()]
    verdict = judge(before, _earned([redemption]))
    return verdict.reason if isinstance(verdict, Hold) else None


def _was_theirs(redemption: Redemption) -> bool:
    """Not of somebody else's receipt, nor one that no budget paid."""
    return bool(redemption.gifts) and not any(gift.is_withdrawn for gift in redemption.gifts)


def _earned(of_one: Sequence[Redemption]) -> Earned:
    """What one purchase got of all offers."""
    first, gifts = of_one[0], [gift for one in of_one for gift in one.gifts]
    return Earned(
        purchase_id=first.purchase_id,
        sold_at=first.sold_at,
        units=sum(gift.given_minor for gift in gifts),
        back=sum(gift.taken_minor for gift in gifts),
        place=first.place,
        is_released=any(one.is_released for one in of_one),
    )
