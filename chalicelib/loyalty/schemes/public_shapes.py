"""The rule format: a scheme as its retailer writes and reads it (docs/schemes.md).

`docs/scheme.schema.json` is made of these shapes, and held equal to them by a test. Amounts are
whole minor units of the scheme's currency. Fractions are text (`3/2`, `1.5`, `2`), times of day
`HH:MM`, instants RFC 3339. Whatever may be left out has the value that its shape says.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.loyalty.schemes import limits
from chalicelib.loyalty.schemes.public_fields import (
    MONTHS_UNLESS_DAYS,
    AmountMinor,
    Code,
    Currency,
    Day,
    FractionText,
    Gtin,
    Id,
    Instant,
    LeastSpend,
    Name,
    Sentence,
    StreakStep,
    TimeOfDay,
    Units,
    within,
)
from chalicelib.loyalty.terms import (
    Basis,
    Downgrade,
    ExpiryEnd,
    ExpiryUnit,
    Measure,
    Membership,
    Per,
    RefundPolicy,
    Rejoin,
    Rounding,
    RuleKind,
    Span,
    Stacking,
    Unit,
)
from chalicelib.receipts.canonical import ChargeKind


class LinesShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines of any of these categories, GTINs or SKUs."""

    categories: Annotated[tuple[Code, ...], Meta(max_length=100)] = ()
    gtins: Annotated[tuple[Gtin, ...], Meta(max_length=500)] = ()
    skus: Annotated[tuple[Code, ...], Meta(max_length=500)] = ()


class WindowShape(msgspec.Struct, frozen=True, omit_defaults=True, rename={"opens_at": "from"}):
    """`minutes` from `from`, by the store's clock, on the days of an iCalendar recurrence rule.

    `since` is the first day; without it, the day on which the scheme starts.
    """

    days: Annotated[str, Meta(min_length=1, max_length=200, examples=["FREQ=WEEKLY;BYDAY=FR"])]
    opens_at: TimeOfDay = "00:00"
    minutes: Annotated[int, within(limits.MINUTES)] = 1440
    since: Day | None = None


class WhenShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a rule counts. Stores are named by the retailer's own numbers."""

    stores: Annotated[tuple[Code, ...], Meta(max_length=500)] = ()
    lines: LinesShape = LinesShape()
    without: LinesShape = LinesShape()
    windows: Annotated[tuple[WindowShape, ...], Meta(max_length=20)] = ()
    min_spend_minor: LeastSpend = 0
    min_items: Annotated[int, within(limits.LEAST_ITEMS)] = 0
    tiers: Annotated[tuple[Id, ...], Meta(max_length=10)] = ()


class CapShape(msgspec.Struct, frozen=True):
    """At most `units` in each period, of the scheme's zone."""

    units: Annotated[int, within(limits.CAP)]
    per: Per


class RuleShape(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", kw_only=True):
    """What every rule has: `units` for each visit, item, amount or run that it counts."""

    id: Id
    units: Units = 1
    name: Annotated[str, Meta(max_length=100)] = ""
    when: WhenShape = WhenShape()
    rounding: Rounding = Rounding.DOWN
    priority: Annotated[int, within(limits.PRIORITY)] = 0
    caps: Annotated[tuple[CapShape, ...], Meta(max_length=5)] = ()
    multiplier: FractionText = "1"
    is_tiered: bool = True
    is_bonus: bool = False


class VisitRule(RuleShape, frozen=True, omit_defaults=True, tag="visit", kw_only=True):
    """Units for a visit, whatever was bought."""


class ItemRule(RuleShape, frozen=True, omit_defaults=True, tag="item", kw_only=True):
    """Units for every `per_items` whole items."""

    per_items: Annotated[int, within(limits.PER[RuleKind.ITEM])] = 1


class SpendRule(RuleShape, frozen=True, omit_defaults=True, tag="spend", kw_only=True):
    """Units for every `per_minor` spent, with tax or without."""

    per_minor: Annotated[int, within(limits.PER[RuleKind.SPEND])]
    basis: Basis = Basis.GROSS


class StreakRule(RuleShape, frozen=True, omit_defaults=True, tag="streak", kw_only=True):
    """Units for a visit in each of `steps` days, weeks or months in a row."""

    steps: Annotated[int, within(limits.PER[RuleKind.STREAK])]
    step: StreakStep = Per.WEEK


AnyRule = VisitRule | ItemRule | SpendRule | StreakRule


class RewardShape(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What is given."""


class FixedCashbackShape(RewardShape, frozen=True, omit_defaults=True, tag="fixed_cashback"):
    """A fixed amount, paid to the member's account."""

    amount_minor: AmountMinor


class PercentCashbackShape(RewardShape, frozen=True, omit_defaults=True, tag="percent_cashback"):
    """A share of what was paid for `lines`, at most `max_minor`. `percent` is text: `5`, `2.5`."""

    percent: FractionText
    max_minor: AmountMinor
    lines: LinesShape = LinesShape()
    basis: Basis = Basis.GROSS
    rounding: Rounding = Rounding.DOWN


class ItemPriceShape(RewardShape, frozen=True, omit_defaults=True, tag="item_price"):
    """What one of `lines` cost, the dearest that was bought; at most `max_minor`."""

    lines: LinesShape
    max_minor: AmountMinor


class FreeTextShape(RewardShape, frozen=True, omit_defaults=True, tag="free_text"):
    """A free item at the till, a badge, a perk: in words."""

    text: Sentence


class ExtraUnitsShape(RewardShape, frozen=True, omit_defaults=True, tag="extra_units"):
    """Stamps or points of another of the retailer's schemes, which gives none itself. There is no
    code.
    """

    scheme: Id
    units: Units


AnyReward = (
    FixedCashbackShape | PercentCashbackShape | ItemPriceShape | FreeTextShape | ExtraUnitsShape
)


class CardShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stamp card. What goes over its places begins the next, unless it `forfeits_rest`."""

    places: Annotated[int, within(limits.PLACES)]
    reward: AnyReward
    forfeits_rest: bool = False


class CatalogueRewardShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `cost` units may be spent on. The code of a claim is good for `claim_hours`."""

    id: Id
    title: Name
    cost: Annotated[int, within(limits.COST)]
    reward: AnyReward
    claim_hours: Annotated[int, within(limits.CLAIM_HOURS)] = 24


class TierShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of the ladder. The first has the threshold 0."""

    id: Id
    name: Name
    threshold: Annotated[int, within(limits.THRESHOLD)]
    multiplier: FractionText = "1"


class TiersShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ladder: what it measures, in which period, and what happens at a period's end."""

    steps: Annotated[tuple[TierShape, ...], Meta(min_length=1, max_length=10)]
    measure: Measure = Measure.UNITS
    span: Span = Span.YEAR
    downgrade: Downgrade = Downgrade.NEVER


class ExpiryShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """After so many days or months, at the end of that day, month or year, by the scheme's zone."""

    after: Annotated[int, within(limits.AFTER[ExpiryUnit.DAYS])]
    unit: ExpiryUnit = ExpiryUnit.MONTHS
    end_of: ExpiryEnd = ExpiryEnd.DAY


class ExclusionsShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """What earns nothing: `lines`; own tender and charges, but for what is said here."""

    lines: LinesShape = LinesShape()
    own_tender_earns: bool = False
    charges_earn: Annotated[tuple[ChargeKind, ...], Meta(max_length=6)] = ()


class SchemeShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stamp card or points, as the retailer writes it.

    Without `starts_at` it starts now; without `ends_at` it goes on. Without `pending_days` what is
    earned becomes active after the retailer's return period.
    """

    name: Name
    unit: Unit
    currency: Currency
    zone: Annotated[str, Meta(max_length=60, examples=["Europe/London"])]
    rules: Annotated[tuple[AnyRule, ...], Meta(min_length=1, max_length=20)]
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    card: CardShape | None = None
    catalogue: Annotated[tuple[CatalogueRewardShape, ...], Meta(max_length=50)] = ()
    tiers: TiersShape | None = None
    expiry: Annotated[ExpiryShape | None, MONTHS_UNLESS_DAYS] = None
    pending_days: Annotated[int, within(limits.PENDING_DAYS)] | None = None
    membership: Membership = Membership.ACTIVATION
    rejoin: Rejoin = Rejoin.KEEP
    refunds: RefundPolicy = RefundPolicy.NEGATIVE
    stacking: Stacking = Stacking.BEST
    caps: Annotated[tuple[CapShape, ...], Meta(max_length=5)] = ()
    exclusions: ExclusionsShape = ExclusionsShape()
    min_spend_minor: LeastSpend = 0
    budget_minor: AmountMinor | None = None


def starting(shape: SchemeShape, starts_at: str | None) -> SchemeShape:
    """`shape` with its start as it came to be."""
    return msgspec.structs.replace(shape, starts_at=starts_at)
