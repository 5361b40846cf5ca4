"""Offers on the wire, for banks that show them to their members."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.offers.campaigns.public_shapes import Instant
from chalicelib.offers.events.model import EVENT_ID_LENGTH_MAX, EventKind

EVENTS_MAX = 25


class WhyShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why the member sees the offer, in words and in fields."""

    criterion: Annotated[str, Meta(examples=["everybody", "frequent", "nearby"])]
    words: str
    fields: dict[str, str | int] = {}


class RewardTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is given: `fixed_cashback`, `percent_cashback` or `item_price`, at most `most_minor`.

    `percent` is text: `5`, `2.5`.
    """

    kind: str
    most_minor: int
    percent: str | None = None


class OrderedBy(msgspec.Struct, frozen=True):
    """Why the offer stands where it stands: what it would be worth for a usual basket, visits to
    the retailer, and purchases of such goods in the last ninety days (each counted up to ten).
    """

    worth_minor: int
    visits: int
    goods: int


class OfferAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An offer as this member sees it. `held_minor` is what they would have of it and somebody
    looks at first; `kilometres` is to its nearest shop, rounded up.
    """

    id: str
    retailer: str
    name: str
    reward: RewardTold
    currency: str
    starts_at: str
    ends_at: str
    needs_activation: bool
    why_am_i_seeing_this: tuple[WhyShape, ...]
    ordered_by: OrderedBy
    description: str = ""
    terms: tuple[str, ...] = ()
    terms_url: str = ""
    min_spend_minor: int = 0
    activated_at: str | None = None
    is_used_up: bool = False
    rewarded_minor: int = 0
    held_minor: int = 0
    kilometres: int | None = None


class OffersAnswer(msgspec.Struct, frozen=True):
    """The offers, best for the member first; none while offers are switched off."""

    offers: tuple[OfferAnswer, ...]


class ActivationAnswer(msgspec.Struct, frozen=True):
    """That the offer is switched on, and since when."""

    offer: str
    activated_at: str


class EventBody(msgspec.Struct, frozen=True):
    """What the member did, under an id of the app's own; the same id counts once."""

    event_id: Annotated[str, Meta(min_length=1, max_length=EVENT_ID_LENGTH_MAX)]
    kind: EventKind
    at: Instant


class EventsBody(msgspec.Struct, frozen=True):
    """Events of one offer."""

    events: Annotated[tuple[EventBody, ...], Meta(min_length=1, max_length=EVENTS_MAX)]


class EventsAnswer(msgspec.Struct, frozen=True):
    """How many of the events were new."""

    counted: int


class MerchantTold(msgspec.Struct, frozen=True):
    """A retailer where the member buys: visits within a year, and what was spent there."""

    retailer: str
    visits: int
    spent_minor: int
    last_at: str


class TakenTold(msgspec.Struct, frozen=True):
    """An offer that the member took part in, and what they have of it."""

    offer: str
    rewards: int
    rewarded_minor: int
    currency: str


class ProfileAnswer(msgspec.Struct, frozen=True):
    """A year of the member's purchases in one currency, the three most of each.

    `month_from_minor` to `month_to_minor` (null: no end) is the band of the last thirty days.
    """

    currency: str
    visits: int
    merchants: tuple[MerchantTold, ...]
    categories: tuple[str, ...]
    districts: tuple[str, ...]
    month_from_minor: int
    month_to_minor: int | None
    offers: tuple[TakenTold, ...]


class FluxActivation(msgspec.Struct, frozen=True, rename="camel"):
    """Which offer the account switches on."""

    offer_id: Annotated[str, Meta(min_length=1, max_length=100)]
