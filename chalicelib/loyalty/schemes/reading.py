"""From the rule format to a scheme's values. Every problem is told, with its place, at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import TypeVar, assert_never

from chalicelib.kernel.gtins import is_gtin
from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import NotAllowed, Rejected
from chalicelib.kernel.times import local_day, parse_instant, zone_named
from chalicelib.loyalty.rules import (
    ONE,
    Cap,
    CatalogueReward,
    Condition,
    EarnRule,
    Exclusions,
    Expiry,
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    Matching,
    PercentCashback,
    Reward,
    Scheme,
    StampCard,
    Tier,
    Tiering,
)
from chalicelib.loyalty.schemes import public_shapes as shapes
from chalicelib.loyalty.terms import Per, RuleKind
from chalicelib.loyalty.window_format import read_days, read_minutes, read_opening
from chalicelib.loyalty.windows import Window

UTC_ZONE = "UTC"

T = TypeVar("T")


class UnknownStore(NotAllowed):
    """The retailer has no store of that number."""

    code = "unknown_store"


class NotAFraction(NotAllowed):
    """The text is no fraction above nought."""

    code = "fraction"


class NotAGtin(NotAllowed):
    """The text is no number of goods."""

    code = "gtin"


class NotADay(NotAllowed):
    """The text is no day of the calendar."""

    code = "day"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a scheme's document does not say itself.

    `store_ids` are the retailer's stores by its own numbers; `now` is when a scheme starts that
    does not say when. `others` are the retailer's other schemes, in each version that holds or
    will; `zones` those of its stores, and `return_days` its return period.
    """

    scheme_id: str
    version: int
    retailer_id: RetailerId
    store_ids: Mapping[str, StoreId]
    now: datetime
    others: tuple[Scheme, ...] = ()
    zones: tuple[str, ...] = ()
    return_days: int = 0


@dataclass(slots=True)
class Reader:
    """Reads one document and remembers each problem that it finds, with its JSON path."""

    around: Surroundings
    problems: list[Rejected] = field(default_factory=list)
    _zone: str = UTC_ZONE
    _since: date = date.min

    def scheme(self, given: shapes.SchemeShape) -> Scheme:
        """The scheme that `given` describes; where `problems` has any, with stand-ins for them."""
        starts_at = self._instant(given.starts_at, "starts_at") or self.around.now
        self._zone = given.zone if self._try(lambda: zone_named(given.zone), "zone") else UTC_ZONE
        self._since = local_day(starts_at, self._zone)
        return Scheme(
            scheme_id=self.around.scheme_id,
            version=self.around.version,
            retailer_id=self.around.retailer_id,
            name=given.name,
            unit=given.unit,
            currency=given.currency,
            zone=self._zone,
            starts_at=starts_at,
            ends_at=self._instant(given.ends_at, "ends_at"),
            rules=tuple(self._rule(one, f"rules[{at}]") for at, one in enumerate(given.rules)),
            card=self._card(given.card),
            catalogue=self._catalogue(given.catalogue),
            tiering=self._tiering(given.tiers),
            expiry=_expiry(given.expiry),
            pending_days=given.pending_days,
            membership=given.membership,
            rejoin=given.rejoin,
            refund_policy=given.refunds,
            stacking=given.stacking,
            caps=_caps(given.caps),
            exclusions=Exclusions(
                self._lines(given.exclusions.lines, "exclusions.lines"),
                given.exclusions.own_tender_earns,
                given.exclusions.charges_earn,
            ),
            min_spend_minor=given.min_spend_minor,
            budget_minor=given.budget_minor,
        )

    def _rule(self, given: shapes.AnyRule, at: str) -> EarnRule:
        kind, per = _counts(given)
        return EarnRule(
            rule_id=given.id,
            kind=kind,
            units=given.units,
            per=per,
            when=self.condition(given.when, f"{at}.when"),
            rounding=given.rounding,
            basis=given.basis if isinstance(given, shapes.SpendRule) else EarnRule("", kind).basis,
            priority=given.priority,
            caps=_caps(given.caps),
            step=given.step if isinstance(given, shapes.StreakRule) else Per.WEEK,
            multiplier=self._fraction(given.multiplier, f"{at}.multiplier"),
            is_tiered=given.is_tiered,
            is_bonus=given.is_bonus,
            name=given.name,
        )

    def condition(self, given: shapes.WhenShape, at: str) -> Condition:
        """The condition that stands at the JSON path `at`."""
        windows = (
            self._window(one, f"{at}.windows[{place}]") for place, one in enumerate(given.windows)
        )
        return Condition(
            stores=self._stores(given.stores, f"{at}.stores"),
            lines=self._lines(given.lines, f"{at}.lines"),
            without=self._lines(given.without, f"{at}.without"),
            windows=tuple(one for one in windows if one is not None),
            min_spend_minor=given.min_spend_minor,
            min_items=given.min_items,
            tiers=given.tiers,
        )

    def _stores(self, given: Iterable[str], at: str) -> tuple[StoreId, ...]:
        found = []
        for place, reference in enumerate(given):
            store_id = self.around.store_ids.get(reference)
            if store_id is None:
                self._note(UnknownStore("there is no such store", field=f"{at}[{place}]"))
            else:
                found.append(store_id)
        return tuple(found)

    def _lines(self, given: shapes.LinesShape, at: str) -> Matching:
        for place, gtin in enumerate(given.gtins):
            if not is_gtin(gtin):
                self._note(NotAGtin("a GTIN is 8 to 14 digits", field=f"{at}.gtins[{place}]"))
        return Matching(given.categories, given.gtins, given.skus)

    def _window(self, given: shapes.WindowShape, at: str) -> Window | None:
        since = self._since
        if given.since is not None:
            said = self._try(lambda: _day(given.since or ""), f"{at}.since")
            since = said or since
        days = self._try(lambda: read_days(given.days, since=since), at)
        opens_at = self._try(lambda: read_opening(given.opens_at), at)
        minutes = self._try(lambda: read_minutes(given.minutes), at)
        if days is None or opens_at is None or minutes is None:
            return None
        return Window(days, opens_at, minutes, text=given.days)

    def _catalogue(
        self, given: Iterable[shapes.CatalogueRewardShape]
    ) -> tuple[CatalogueReward, ...]:
        return tuple(
            CatalogueReward(
                one.id,
                one.title,
                one.cost,
                self.reward(one.reward, f"catalogue[{at}].reward"),
                one.claim_hours,
            )
            for at, one in enumerate(given)
        )

    def _card(self, given: shapes.CardShape | None) -> StampCard | None:
        if given is None:
            return None
        reward = self.reward(given.reward, "card.reward")
        return StampCard(given.places, reward, given.forfeits_rest)

    def _tiering(self, given: shapes.TiersShape | None) -> Tiering | None:
        if given is None:
            return None
        tiers = (
            Tier(
                one.id,
                one.name,
                one.threshold,
                self._fraction(one.multiplier, f"tiers.steps[{at}].multiplier"),
            )
            for at, one in enumerate(given.steps)
        )
        return Tiering(tuple(tiers), given.measure, given.span, given.downgrade)

    def reward(self, given: shapes.AnyReward, at: str) -> Reward:
        """The reward that stands at the JSON path `at`."""
        match given:
            case shapes.FixedCashbackShape():
                return FixedCashback(given.amount_minor)
            case shapes.PercentCashbackShape():
                share = self._fraction(given.percent, f"{at}.percent") / 100
                lines = self._lines(given.lines, f"{at}.lines")
                return PercentCashback(share, given.max_minor, lines, given.basis, given.rounding)
            case shapes.ItemPriceShape():
                return ItemPrice(self._lines(given.lines, f"{at}.lines"), given.max_minor)
            case shapes.FreeTextShape():
                return FreeText(given.text)
            case shapes.ExtraUnitsShape():
                return ExtraUnits(f"{self.around.retailer_id}.{given.scheme}", given.units)
            case never:
                assert_never(never)

    def _fraction(self, text: str, at: str) -> Fraction:
        return self._try(lambda: _fraction(text), at) or ONE

    def _instant(self, text: str | None, at: str) -> datetime | None:
        return None if text is None else self._try(lambda: parse_instant(text), at)

    def _try(self, read: Callable[[], T], at: str) -> T | None:
        try:
            return read()
        except Rejected as refusal:
            place = f"{at}.{refusal.field}" if refusal.field else at
            self._note(type(refusal)(refusal.detail, field=place, code=refusal.code))
            return None

    def _note(self, problem: Rejected) -> None:
        self.problems.append(problem)


def _counts(given: shapes.AnyRule) -> tuple[RuleKind, int]:
    """What kind of rule `given` is, and how many of what it counts make a step."""
    match given:
        case shapes.VisitRule():
            return RuleKind.VISIT, 1
        case shapes.ItemRule():
            return RuleKind.ITEM, given.per_items
        case shapes.SpendRule():
            return RuleKind.SPEND, given.per_minor
        case shapes.StreakRule():
            return RuleKind.STREAK, given.steps
        case never:
            assert_never(never)


def _caps(given: Iterable[shapes.CapShape]) -> tuple[Cap, ...]:
    return tuple(Cap(one.units, one.per) for one in given)


def _expiry(given: shapes.ExpiryShape | None) -> Expiry | None:
    return None if given is None else Expiry(given.after, given.unit, given.end_of)


def _fraction(text: str) -> Fraction:
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise NotAFraction("the text is no fraction") from error
    if value <= 0:
        raise NotAFraction("the fraction is not above nought")
    return value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotADay("the text is no day") from error
