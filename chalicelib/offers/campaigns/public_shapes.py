"""A campaign as its retailer writes and reads it (docs/offers.md).

Conditions, lines, rewards and exclusions are written as in the rule format of schemes. Amounts are
whole minor units of the campaign's currency; instants are RFC 3339. Whatever may be left out has
the value that its shape says.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.loyalty.schemes.public_fields import Code, Name, Sentence
from chalicelib.loyalty.schemes.public_shapes import AnyReward, ExclusionsShape, WhenShape
from chalicelib.loyalty.terms import Per
from chalicelib.offers.audiences.model import LOOKED_BACK_DAYS_MAX

Currency = Annotated[str, Meta(min_length=3, max_length=3, examples=["GBP"])]
Instant = Annotated[str, Meta(max_length=40, examples=["2026-12-01T00:00:00Z"])]


class CriterionShape(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Whom an offer is for, by the member's own purchases. A member has to meet all of them."""


class NewShape(CriterionShape, frozen=True, omit_defaults=True, tag="new"):
    """Has bought nothing of the retailer within `days`."""

    days: int = LOOKED_BACK_DAYS_MAX


class LapsedShape(CriterionShape, frozen=True, omit_defaults=True, tag="lapsed"):
    """Bought something of the retailer within a year, but nothing within the last `days`."""

    days: int


class FrequentShape(CriterionShape, frozen=True, omit_defaults=True, tag="frequent"):
    """Bought at the retailer at least `visits` times within `days`."""

    visits: int
    days: int


class CategoryShape(CriterionShape, frozen=True, omit_defaults=True, tag="category"):
    """Bought goods of `category` at least `visits` times within `days`, at any retailer.

    Categories that say something about a person's health, belief and the like are refused.
    """

    category: Code
    visits: int
    days: int


class SpendShape(CriterionShape, frozen=True, omit_defaults=True, tag="spend"):
    """Spent `min_minor` to `max_minor` at the retailer within `days`."""

    days: int
    min_minor: int = 0
    max_minor: int | None = None


class AreaShape(CriterionShape, frozen=True, omit_defaults=True, tag="area"):
    """Shops mostly in one of `districts` (outward postcodes, `SE1`)."""

    districts: Annotated[tuple[Code, ...], Meta(max_length=50)]
    days: int = 90


class NearbyShape(CriterionShape, frozen=True, omit_defaults=True, tag="nearby"):
    """Says, when asking for offers, to be within `kilometres` of one of the retailer's shops."""

    kilometres: int


AnyCriterion = (
    NewShape | LapsedShape | FrequentShape | CategoryShape | SpendShape | AreaShape | NearbyShape
)


class LimitShape(msgspec.Struct, frozen=True):
    """At most `times` rewards for one member per `day`, `week`, `month`, or `ever`."""

    times: int
    per: Per


class BudgetShape(msgspec.Struct, frozen=True):
    """What the campaign may give in all."""

    amount_minor: int
    currency: Currency


class CampaignShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """An offer: cashback for purchases that qualify, for an audience, within a budget.

    Without `limit` each member gets it once. Without `pending_days` a reward is pending for the
    retailer's return period.
    """

    name: Name
    currency: Currency
    zone: Annotated[str, Meta(max_length=60, examples=["Europe/London"])]
    starts_at: Instant
    ends_at: Instant
    reward: AnyReward
    budget: BudgetShape
    description: Annotated[str, Meta(max_length=500)] = ""
    terms: Annotated[tuple[Sentence, ...], Meta(max_length=20)] = ()
    terms_url: Annotated[str, Meta(max_length=300, pattern="^(https://.*)?$")] = ""
    condition: WhenShape = WhenShape()
    exclusions: ExclusionsShape = ExclusionsShape()
    audience: Annotated[tuple[AnyCriterion, ...], Meta(max_length=6)] = ()
    limit: LimitShape = LimitShape(1, Per.EVER)
    needs_activation: bool = False
    is_stackable: bool = False
    excludes_schemes: bool = False
    priority: int = 0
    pending_days: int | None = None


def to_document(given: CampaignShape) -> str:
    """`given` as the JSON that is kept."""
    return msgspec.json.encode(given).decode()


def from_document(document: str, budget: BudgetShape) -> CampaignShape:
    """What `document` holds, with the budget that it has now."""
    given = msgspec.json.decode(document, type=CampaignShape)
    return msgspec.structs.replace(given, budget=budget)
