"""The rules of a scheme, as values: what earns, when, how much, and what it may be spent on.

A scheme gives stamps or points. Units are whole; amounts are whole minor units of the scheme's one
currency; shares and multipliers are exact fractions. A new version of a scheme takes the place of
the one before from its `starts_at` on; what was earned keeps the version that it was earned under.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from chalicelib.kernel.ids import RetailerId, StoreId
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
from chalicelib.loyalty.windows import Window
from chalicelib.receipts.canonical import ChargeKind

ONE = Fraction(1)
FULL_CARDS_MAX = (
    100  # By one purchase: each is entered and paid by itself, so millions would never end.
)


@dataclass(frozen=True, slots=True)
class Matching:
    """Which lines are meant: those of any of these. One that names nothing means every line.

    Categories are compared without regard to case, with any of a line's categories.
    """

    categories: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it names nothing, and so means every line."""
        return not (self.categories or self.gtins or self.skus)


EVERY_LINE = Matching()


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule (or an offer) counts, and for which lines.

    - `stores`: in any of these, or anywhere where none is named.
    - `lines` are those that count, less those that `without` names (where it names anything).
    - `windows`: sold in any of these, or at any time where there is none.
    - `min_spend_minor`: what the lines that count must come to, as far as this payment paid them;
      `min_items`: how many whole items they must be.
    - `tiers`: for members of any of these tiers, or of any where none is named.
    """

    stores: tuple[StoreId, ...] = ()
    lines: Matching = EVERY_LINE
    without: Matching = EVERY_LINE
    windows: tuple[Window, ...] = ()
    min_spend_minor: int = 0
    min_items: int = 0
    tiers: tuple[str, ...] = ()


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `units` in each period. `per` EVER is for as long as the member has the card."""

    units: int
    per: Per


@dataclass(frozen=True, slots=True)
class EarnRule:
    """One way to earn: `units` for every `per`.

    - `per` counts visits (1), whole items, minor units spent, or, of a streak, steps in a row.
    - `step`, of a streak: the period in each of which there has to be a visit.
    - `multiplier` multiplies, and so does the member's tier where `is_tiered`.
    - `is_bonus`: given on top of whatever else wins, and competes with nothing.
    - `priority`: the higher goes first where the scheme says that priority decides.
    """

    rule_id: str
    kind: RuleKind
    units: int = 1
    per: int = 1
    when: Condition = ALWAYS
    rounding: Rounding = Rounding.DOWN
    basis: Basis = Basis.GROSS
    priority: int = 0
    caps: tuple[Cap, ...] = ()
    step: Per = Per.WEEK
    multiplier: Fraction = ONE
    is_tiered: bool = True
    is_bonus: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class FixedCashback:
    """A fixed amount of money."""

    amount_minor: int


@dataclass(frozen=True, slots=True)
class PercentCashback:
    """A share of what was paid for the lines of `lines`, at most `max_minor`. 1/20 is 5 %."""

    share: Fraction
    max_minor: int
    lines: Matching = EVERY_LINE
    basis: Basis = Basis.GROSS
    rounding: Rounding = Rounding.DOWN


@dataclass(frozen=True, slots=True)
class ItemPrice:
    """What one item of `matching` cost, the dearest that was bought; at most `max_minor`."""

    matching: Matching
    max_minor: int


@dataclass(frozen=True, slots=True)
class FreeText:
    """Something that is no money: a free item at the till, a badge, a perk, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class ExtraUnits:
    """Stamps or points of a scheme of the same retailer."""

    scheme_id: str
    units: int


Reward = FixedCashback | PercentCashback | ItemPrice | FreeText | ExtraUnits


@dataclass(frozen=True, slots=True)
class StampCard:
    """A card of `places`, and what a full one gives. What goes over begins the next card, unless
    it `forfeits_rest`.
    """

    places: int
    reward: Reward
    forfeits_rest: bool = False

    @property
    def most_at_once(self) -> int:
        """How many stamps one purchase may give, or one gift of another scheme."""
        return self.places * FULL_CARDS_MAX


@dataclass(frozen=True, slots=True)
class CatalogueReward:
    """What `cost` units may be spent on. A claim's code is good for `claim_hours`."""

    reward_id: str
    title: str
    cost: int
    reward: Reward
    claim_hours: int = 24


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the ladder: reached at `threshold` of what the scheme measures."""

    tier_id: str
    name: str
    threshold: int
    multiplier: Fraction = ONE


@dataclass(frozen=True, slots=True)
class Tiering:
    """How the ladder is climbed and descended. The first tier's threshold is nought."""

    tiers: tuple[Tier, ...]
    measure: Measure = Measure.UNITS
    span: Span = Span.YEAR
    downgrade: Downgrade = Downgrade.NEVER


@dataclass(frozen=True, slots=True)
class Expiry:
    """When what was earned ends: `after` days or months, then at the end of that day, month or
    year in the scheme's zone.
    """

    after: int
    unit: ExpiryUnit = ExpiryUnit.MONTHS
    end_of: ExpiryEnd = ExpiryEnd.DAY


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What earns nothing in the whole scheme.

    - `lines` (gift cards, tobacco), where it names anything.
    - What was paid by loyalty, voucher or gift card earns nothing, unless `own_tender_earns`.
    - Charges (tips, delivery) earn nothing, but for those of `charges_earn`.
    """

    lines: Matching = EVERY_LINE
    own_tender_earns: bool = False
    charges_earn: tuple[ChargeKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """One version of a retailer's stamp card or points.

    - `zone` is the scheme's own, for periods and expiry; windows go by the store's.
    - `starts_at` (included) and `ends_at` (not included; None is without end) bound the sales that
      earn under this version.
    - `pending_days` None means the retailer's return period.
    - `budget_minor` bounds the money that the scheme's rewards may cost, in all.
    """

    scheme_id: str
    version: int
    retailer_id: RetailerId
    name: str
    unit: Unit
    currency: str
    zone: str
    starts_at: datetime
    rules: tuple[EarnRule, ...]
    ends_at: datetime | None = None
    card: StampCard | None = None
    catalogue: tuple[CatalogueReward, ...] = ()
    tiering: Tiering | None = None
    expiry: Expiry | None = None
    pending_days: int | None = None
    membership: Membership = Membership.ACTIVATION
    rejoin: Rejoin = Rejoin.KEEP
    refund_policy: RefundPolicy = RefundPolicy.NEGATIVE
    stacking: Stacking = Stacking.BEST
    caps: tuple[Cap, ...] = ()
    exclusions: Exclusions = field(default_factory=Exclusions)
    min_spend_minor: int = 0
    budget_minor: int | None = None

    @property
    def earning_caps(self) -> tuple[Cap, ...]:
        """Its own caps; of a stamp card, what fills as many cards as one purchase may, too."""
        if self.card is None:
            return self.caps
        return (*self.caps, Cap(self.card.most_at_once, Per.PURCHASE))

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The steps of its ladder, lowest first; none where it has no ladder."""
        return self.tiering.tiers if self.tiering else ()

    def find_rule(self, rule_id: str) -> EarnRule | None:
        """Its rule of that id, or None."""
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)
