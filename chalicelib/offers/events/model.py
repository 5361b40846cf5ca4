"""What somebody did with an offer, as a value."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

EVENT_ID_LENGTH_MAX = 100


class EventKind(Enum):
    """What the bank's app says happened. The values are part of the API."""

    IMPRESSION = "impression"
    VIEW = "view"
    CLICK = "click"


@dataclass(frozen=True, slots=True)
class OfferEvent:
    """One thing that happened, under the id that the app gave it. It holds no free text."""

    event_id: str
    kind: EventKind
    campaign_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How often an offer was seen, opened, clicked and switched on, on one day or on all."""

    impressions: int = 0
    views: int = 0
    clicks: int = 0
    activations: int = 0
    on: date | None = None

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.impressions + other.impressions,
            self.views + other.views,
            self.clicks + other.clicks,
            self.activations + other.activations,
        )
