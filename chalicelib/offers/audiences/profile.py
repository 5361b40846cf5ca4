"""What a member may read about themselves: where they buy, how often, how much, which offers.

The same fold that audiences ask, shown to nobody else and stored nowhere. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import RetailerId
from chalicelib.offers.audiences.history import Visit, at_retailer, home_districts, since
from chalicelib.offers.audiences.model import LOOKED_BACK_DAYS_MAX
from chalicelib.offers.participation.model import Participation

TOP_MAX = 3
MONTH_DAYS = 30
BANDS_MINOR = (0, 5_000, 20_000, 50_000, 100_000)  # Where a band of a month's spending begins.


@dataclass(frozen=True, slots=True)
class Merchant:
    """A retailer of the member's: visits within a year, and what was spent there."""

    retailer_id: RetailerId
    visits: int
    spent_minor: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """An offer the member took part in, and what they have of it."""

    campaign_id: str
    rewards: int
    rewarded_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A year of purchases in one currency.

    - `merchants`, `categories`, `districts`: the three most visited, most visited first.
    - `month_band_minor`: from where to where (None: no end) the last thirty days' spending lies.
    """

    currency: str
    visits: int
    merchants: tuple[Merchant, ...]
    categories: tuple[str, ...]
    districts: tuple[str, ...]
    month_band_minor: tuple[int, int | None]
    taken: tuple[Taken, ...]


def profile_of(
    visits: Sequence[Visit],
    participations: Iterable[Participation],
    *,
    currency: str,
    at: datetime,
) -> Profile:
    """The profile at `at` of a member with these visits and offers."""
    year = [one for one in since(visits, LOOKED_BACK_DAYS_MAX, at=at) if one.currency == currency]
    month = sum(one.minor for one in since(year, MONTH_DAYS, at=at))
    categories = Counter(name for one in year for name in one.categories)
    return Profile(
        currency=currency,
        visits=len(year),
        merchants=_merchants(year),
        categories=_most(categories),
        districts=tuple(sorted(home_districts(year))[:TOP_MAX]),
        month_band_minor=_band(month),
        taken=tuple(
            Taken(
                one.campaign_id,
                one.gifted,
                one.kept_minor,
                one.currency,
            )
            for one in sorted(participations, key=lambda one: one.campaign_id)
        ),
    )


def _merchants(visits: Sequence[Visit]) -> tuple[Merchant, ...]:
    names = {one.retailer_id for one in visits}
    merchants = (_merchant(name, at_retailer(visits, name)) for name in names)
    ranked = sorted(merchants, key=lambda one: (-one.visits, -one.spent_minor, one.retailer_id))
    return tuple(ranked[:TOP_MAX])


def _merchant(retailer_id: RetailerId, visits: Sequence[Visit]) -> Merchant:
    spent = sum(one.minor for one in visits)
    return Merchant(retailer_id, len(visits), spent, max(one.at for one in visits))


def _most(counts: Counter[str]) -> tuple[str, ...]:
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(ranked[:TOP_MAX])


def _band(minor: int) -> tuple[int, int | None]:
    begins = max(one for one in BANDS_MINOR if one <= minor)
    ends = next((one for one in BANDS_MINOR if one > minor), None)
    return begins, ends
