"""What a member's purchases say: a pure fold, made when it is asked for and never stored.

It holds what criteria ask about and nothing more: when, where, how much, and of which categories
that may be looked at (`sensitive.py`). A purchase without a receipt, or one that was given back
whole, says nothing. Of a bill that several cards paid, each payment says what it paid.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ReceiptId, RetailerId, StoreId
from chalicelib.loyalty.conditions import folded
from chalicelib.loyalty.moneyback import paid_minor
from chalicelib.matching.payment import PaymentState
from chalicelib.offers.audiences.sensitive import harmless
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.refunds import status_of

AREA_SHARE_MIN = 3  # A district is somebody's where a third of the visits are.


@dataclass(frozen=True, slots=True)
class Visit:
    """What a member paid of one receipt, as far as audiences may know it.

    `district` is of the store, empty for none; `minor` of `currency` is what the member paid.
    """

    receipt_id: ReceiptId
    at: datetime
    retailer_id: RetailerId
    district: str
    currency: str
    minor: int
    categories: frozenset[str]


def visits_of(
    purchases: Iterable[Purchase], district_of: Callable[[StoreId], str]
) -> tuple[Visit, ...]:
    """What each of `purchases` says of a visit, in their order: of one receipt perhaps several."""
    read = (_visit(purchase, district_of) for purchase in purchases)
    return tuple(one for one in read if one is not None)


def by_receipt(visits: Iterable[Visit]) -> tuple[Visit, ...]:
    """One visit for each receipt: made with the first of its payments, of what all of them paid."""
    made: dict[ReceiptId, Visit] = {}
    for one in visits:
        other = made.setdefault(one.receipt_id, one)
        if other is not one:
            at, minor = min(one.at, other.at), one.minor + other.minor
            made[one.receipt_id] = replace(other, at=at, minor=minor)
    return tuple(made.values())


def since(visits: Iterable[Visit], days: int, *, at: datetime) -> tuple[Visit, ...]:
    """Those of the last `days` before `at`."""
    first = at - timedelta(days=days)
    return tuple(one for one in visits if first <= one.at < at)


def at_retailer(visits: Iterable[Visit], retailer_id: RetailerId) -> tuple[Visit, ...]:
    """Those at the retailer."""
    return tuple(one for one in visits if one.retailer_id == retailer_id)


def of_category(visits: Iterable[Visit], category: str) -> tuple[Visit, ...]:
    """Those in which something of `category` was bought."""
    wanted = folded(category)
    return tuple(one for one in visits if wanted in one.categories)


def home_districts(visits: Sequence[Visit]) -> frozenset[str]:
    """Where at least a third of the visits are that were made in a shop."""
    counts = Counter(one.district for one in visits if one.district)
    in_shops = sum(counts.values())
    return frozenset(d for d, count in counts.items() if count * AREA_SHARE_MIN >= in_shops)


def district_of_postcode(postcode: str) -> str:
    """The outward part of a British postcode (`SE1 9PF` → `SE1`); of any other, its first word."""
    text = postcode.strip().upper()
    if " " in text:
        return text.split()[0]
    return text[:-3] if len(text) > 4 else text


def _visit(purchase: Purchase, district_of: Callable[[StoreId], str]) -> Visit | None:
    receipt = purchase.receipt
    if receipt is None or purchase.same_as is not None or receipt.total_minor <= 0:
        return None
    if status_of(purchase) in (PaymentState.REFUNDED, PaymentState.REVERSED):
        return None
    categories = {folded(one) for line in receipt.lines for one in line.category}
    return Visit(
        receipt.receipt_id,
        purchase.payment.made_at,
        receipt.retailer_id,
        district_of(receipt.store_id),
        receipt.currency,
        paid_minor(purchase),
        harmless(categories),
    )
