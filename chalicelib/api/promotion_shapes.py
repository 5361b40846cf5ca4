"""Flux's promotions on the wire: offers and cards in the one shape that its apps show.

Source: tryflux/example-promotions-ui (`src/data.json` and the client around it), the only public
example: `{total, items: […]}`, `monetaryEquivelant` spelt so, amounts in minor units, `decimal` a
JSON number, `branding` in every item because the client reads it unasked. `coefficient` is left
out: nothing says what it means.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from chalicelib.banks.flux_receipts import FluxAmount, Number
from chalicelib.kernel.money import Money
from chalicelib.kernel.times import to_text
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.claims import codes
from chalicelib.loyalty.claims.service import Claimed
from chalicelib.loyalty.memberships.listing import Part, Standing
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.terms import Unit
from chalicelib.loyalty.wording import reward_in_words
from chalicelib.network.model import Retailer
from chalicelib.offers.listing.service import Listed

# Retailers have no colours here, and Flux's example client draws nothing without some.
BACKGROUND, ACCENT = "#ffffff", "#1f2933"

_encoder = msgspec.json.Encoder(decimal_format="number")


class FluxHost(msgspec.Struct, rename="camel", omit_defaults=True):
    """Whose promotion it is."""

    name: str
    merchant_id: str
    url: str = ""


class FluxLogo(msgspec.Struct):
    """An image, as an `img` takes it. `srcset` is empty where there is none: `alt` is shown."""

    alt: str
    srcset: str = ""


class FluxBranding(msgspec.Struct, rename="camel"):
    """Colours and logo."""

    primary_color: str
    accent_colors: tuple[str, ...]
    logo: FluxLogo


class FluxTerms(msgspec.Struct):
    """What the small print says, and where all of it is."""

    description: tuple[str, ...]
    url: str


class FluxProgress(msgspec.Struct):
    """How far somebody is, or has to come: stamps are `discrete`, points and money `continuous`."""

    decimal: Number
    description: str
    type: Literal["discrete", "continuous"]


class FluxValue(msgspec.Struct, omit_defaults=True):
    """What the promotion is worth at most, and how far the member is."""

    current: FluxProgress
    target: FluxProgress | None = None
    monetary_equivalent: FluxAmount | None = msgspec.field(default=None, name="monetaryEquivelant")


class FluxRedemption(msgspec.Struct):
    """A time at which it gave something."""

    timestamp: str
    description: str
    monetary_equivalent: FluxAmount = msgspec.field(name="monetaryEquivelant")


class FluxCode(msgspec.Struct):
    """What a till scans."""

    code: str
    type: Literal["CODE_128", "CODE_QR", "ALPHANUMERIC"]
    title: str


class FluxValidity(msgspec.Struct, rename="camel", omit_defaults=True):
    """From when, and until when where it ends."""

    start_date_time: str
    end_date_time: str | None = None


class FluxPromotion(msgspec.Struct, rename="camel", omit_defaults=True):
    """An offer, a stamp card or points. What waits for activation is switched on by its id."""

    id: str
    type: Literal["flux_cashback", "stamp_card", "points"]
    promotion_state: Literal["PENDING_ACTIVATION", "READY"]
    name: str
    description: str
    hosting_organization: tuple[FluxHost, ...]
    branding: FluxBranding
    value: FluxValue
    validity_period: FluxValidity
    terms: FluxTerms | None = None
    redemptions: tuple[FluxRedemption, ...] = ()
    code: FluxCode | None = None
    tags: tuple[str, ...] = ()


class FluxPromotions(msgspec.Struct):
    """Everything at once: `total` is the number of `items`."""

    total: int
    items: tuple[FluxPromotion, ...]


def encode(promotions: FluxPromotions) -> bytes:
    """The promotions as JSON; decimals are numbers."""
    return _encoder.encode(promotions)


def to_offer(one: Listed) -> FluxPromotion:
    """An offer as one member sees it."""
    campaign = one.campaign
    waits = campaign.needs_activation and one.activated_at is None
    most = Money(most_minor(campaign.reward) or 0, campaign.currency)
    return FluxPromotion(
        id=campaign.campaign_id,
        type="flux_cashback",
        promotion_state="PENDING_ACTIVATION" if waits else "READY",
        name=campaign.name,
        description=campaign.description or campaign.name,
        hosting_organization=_hosts(one.retailer),
        branding=_branding(one.retailer),
        value=FluxValue(
            _money_progress(Money(one.rewarded_minor, campaign.currency)),
            _money_progress(most),
            _amount(most),
        ),
        validity_period=FluxValidity(to_text(campaign.starts_at), to_text(campaign.over_at)),
        terms=FluxTerms(campaign.terms, campaign.terms_url),
        redemptions=tuple(
            FluxRedemption(
                to_text(redemption.sold_at),
                campaign.name,
                FluxAmount(redemption.counted_minor, campaign.currency),
            )
            for redemption in one.redemptions
            if redemption.counted_minor
        ),
    )


def to_card(
    standing: Standing, retailer: Retailer, claims: Iterable[Claimed], *, now: datetime
) -> FluxPromotion:
    """A stamp card or points, with the code of the reward that the member reserved last."""
    scheme, card = standing.scheme, standing.card
    return FluxPromotion(
        id=scheme.scheme_id,
        type="stamp_card" if scheme.unit is Unit.STAMPS else "points",
        promotion_state="READY" if standing.part is Part.JOINED else "PENDING_ACTIVATION",
        name=scheme.name,
        description=_description(scheme, retailer),
        hosting_organization=_hosts(retailer),
        branding=_branding(retailer),
        value=_value(scheme, card, now=now),
        validity_period=FluxValidity(
            to_text(scheme.starts_at), to_text(scheme.ends_at) if scheme.ends_at else None
        ),
        redemptions=_full_cards(scheme, card) if card is not None else (),
        code=next(_codes(scheme, claims, now=now), None),
    )


def _value(scheme: Scheme, card: Card | None, *, now: datetime) -> FluxValue:
    """Stamps are shown as soon as they are on the card, points once they may be spent."""
    balance = balance_at(card, now) if card is not None else None
    active = balance.active if balance is not None else 0
    if scheme.card is None:
        return FluxValue(_units(max(active, 0), "points", "continuous"))
    stamps = active + (balance.pending if balance is not None else 0)
    most = most_minor(scheme.card.reward)
    return FluxValue(
        _units(max(stamps, 0), "stamps", "discrete"),
        _units(scheme.card.places, "stamps", "discrete"),
        None if most is None else FluxAmount(most, scheme.currency),
    )


def _units(units: int, description: str, kind: Literal["discrete", "continuous"]) -> FluxProgress:
    return FluxProgress(Decimal(units), description, kind)


def _money_progress(amount: Money) -> FluxProgress:
    return FluxProgress(Decimal(amount.to_text()), amount.currency, "continuous")


def _amount(amount: Money) -> FluxAmount:
    return FluxAmount(amount.minor, amount.currency)


def _full_cards(scheme: Scheme, card: Card) -> tuple[FluxRedemption, ...]:
    """Those that gave money: one that waits for the budget has given nothing yet."""
    return tuple(
        FluxRedemption(to_text(fill.at), "full card", FluxAmount(fill.worth_minor, scheme.currency))
        for fill in card.fills
        if fill.worth_minor and not fill.undone_by and not fill.waits
    )


def _codes(scheme: Scheme, claims: Iterable[Claimed], *, now: datetime) -> Iterator[FluxCode]:
    for claimed in claims:
        if claimed.code is not None and claimed.claim.is_open(now):
            title = claimed.reward.title if claimed.reward else "A full card"
            yield FluxCode(codes.qr_of(scheme.retailer_id, claimed.code), "CODE_QR", title)


def _description(scheme: Scheme, retailer: Retailer) -> str:
    if scheme.card is None:
        return f"Points at {retailer.name}."
    reward = reward_in_words(scheme.card.reward, scheme)
    return f"{scheme.card.places} stamps at {retailer.name}: {reward}."


def _hosts(retailer: Retailer) -> tuple[FluxHost, ...]:
    return (FluxHost(retailer.name, retailer.retailer_id, retailer.website),)


def _branding(retailer: Retailer) -> FluxBranding:
    return FluxBranding(BACKGROUND, (ACCENT,), FluxLogo(retailer.name))
