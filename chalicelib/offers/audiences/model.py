"""Who an offer is for, in words that can be shown to whoever sees it.

A criterion looks at the member's own purchases in the programme, and at nothing else: no list of
names, no bought data, no guess about a person. Amounts are minor units of the campaign's currency.
"""

from dataclasses import dataclass
from enum import Enum

LOOKED_BACK_DAYS_MAX = 366  # What a year of purchases says; older ones say little and cost reads.


class Interest(Enum):
    """What a criterion looks at. The values are part of the API."""

    NEW = "new"
    LAPSED = "lapsed"
    FREQUENT = "frequent"
    CATEGORY = "category"
    SPEND = "spend"
    AREA = "area"
    NEARBY = "nearby"


@dataclass(frozen=True, slots=True)
class New:
    """Has bought nothing of the retailer within `days`."""

    days: int = LOOKED_BACK_DAYS_MAX


@dataclass(frozen=True, slots=True)
class Lapsed:
    """Bought something of the retailer, but nothing within the last `days`."""

    days: int


@dataclass(frozen=True, slots=True)
class Frequent:
    """Bought at the retailer at least `visits` times within `days`."""

    visits: int
    days: int


@dataclass(frozen=True, slots=True)
class CategoryBuyer:
    """Bought goods of `category` at least `visits` times within `days`, wherever."""

    category: str
    visits: int
    days: int


@dataclass(frozen=True, slots=True)
class SpendBand:
    """Spent between `min_minor` and `max_minor` (None: no bound) at the retailer within `days`."""

    min_minor: int
    max_minor: int | None
    days: int


@dataclass(frozen=True, slots=True)
class Area:
    """Shops mostly in one of `districts`: outward postcodes of stores, such as `SE1`."""

    districts: tuple[str, ...]
    days: int = 90


@dataclass(frozen=True, slots=True)
class Nearby:
    """Says to be within `kilometres` of a shop of the retailer, when asking for offers."""

    kilometres: int


Criterion = New | Lapsed | Frequent | CategoryBuyer | SpendBand | Area | Nearby


@dataclass(frozen=True, slots=True)
class Audience:
    """Members who meet all of `criteria`; everybody, where there is none."""

    criteria: tuple[Criterion, ...] = ()

    @property
    def is_everybody(self) -> bool:
        """Whether it asks nothing of anybody's history."""
        return not self.criteria

    @property
    def looks_back_days(self) -> int:
        """How many days of purchases it asks about; nought where it asks about none.

        Whoever lapsed bought something before the days in which they bought nothing.
        """
        asked = (
            LOOKED_BACK_DAYS_MAX if isinstance(one, Lapsed) else one.days
            for one in self.criteria
            if not isinstance(one, Nearby)
        )
        return max(asked, default=0)


EVERYBODY = Audience()
