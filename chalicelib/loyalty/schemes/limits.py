"""Ranges: what a number in a scheme may be. Nothing may be negative, and nothing may overflow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from chalicelib.kernel.money import MINOR_MAX
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.loyalty.rules import (
    ONE,
    Cap,
    EarnRule,
    Expiry,
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    PercentCashback,
    Reward,
    Scheme,
)
from chalicelib.loyalty.terms import ExpiryUnit, Per, RuleKind
from chalicelib.loyalty.windows import MINUTES_MAX
from chalicelib.receipts.limits import LINES_MAX, QUANTITY_MAX

EARNED_MAX = 10**15  # What a rule may give for one purchase, whatever it is: far below 2**63.
MULTIPLIER_MAX = 100
STREAK_STEPS = (Per.DAY, Per.WEEK, Per.MONTH)


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most that a number may be. The JSON Schema of the format says the same."""

    least: int
    most: int


UNITS = Range(1, 1_000_000)  # A million points for a visit is a mistake.
AMOUNT = Range(1, MINOR_MAX)
LEAST_SPEND = Range(0, MINOR_MAX)
LEAST_ITEMS = Range(0, UNITS.most)
PRIORITY = Range(-UNITS.most, UNITS.most)
CAP = COST = Range(1, EARNED_MAX)
THRESHOLD = Range(0, EARNED_MAX)
PLACES = Range(1, 1_000)
MINUTES = Range(1, MINUTES_MAX)
PENDING_DAYS = Range(0, 365)
CLAIM_HOURS = Range(1, 8_760)
AFTER = {ExpiryUnit.DAYS: Range(1, 3_650), ExpiryUnit.MONTHS: Range(1, 120)}
PER = {
    RuleKind.VISIT: Range(1, 1),
    RuleKind.ITEM: Range(1, MINOR_MAX),
    RuleKind.SPEND: Range(1, MINOR_MAX),
    RuleKind.STREAK: Range(2, 366),
}
# The most that a rule of each kind may have to count of one purchase.
COUNTED_MAX = {
    RuleKind.VISIT: 1,
    RuleKind.ITEM: int(QUANTITY_MAX) * LINES_MAX,
    RuleKind.SPEND: MINOR_MAX,
    RuleKind.STREAK: 1,
}
PER_FIELD = {
    RuleKind.VISIT: "units",
    RuleKind.ITEM: "per_items",
    RuleKind.SPEND: "per_minor",
    RuleKind.STREAK: "steps",
}


class OutOfRange(NotAllowed):
    """A number is below or above what it may be."""

    code = "out_of_range"


def out_of_range(scheme: Scheme) -> Iterator[OutOfRange]:
    """Every number in `scheme` that is none it may be, with its JSON path and what it may be."""
    for place, rule in enumerate(scheme.rules):
        yield from _of_rule(rule, scheme, f"rules[{place}]")
    yield from _of_caps(scheme.caps, "caps")
    yield from _within("min_spend_minor", scheme.min_spend_minor, LEAST_SPEND)
    if scheme.budget_minor is not None:
        yield from _within("budget_minor", scheme.budget_minor, AMOUNT)
    if scheme.pending_days is not None:
        yield from _within("pending_days", scheme.pending_days, PENDING_DAYS)
    if scheme.expiry is not None:
        yield from _of_expiry(scheme.expiry)
    if scheme.card is not None:
        yield from _within("card.places", scheme.card.places, PLACES)
        yield from _of_reward(scheme.card.reward, "card.reward")
    for place, one in enumerate(scheme.catalogue):
        at = f"catalogue[{place}]"
        yield from _within(f"{at}.cost", one.cost, COST)
        yield from _within(f"{at}.claim_hours", one.claim_hours, CLAIM_HOURS)
        yield from _of_reward(one.reward, f"{at}.reward")
    for place, tier in enumerate(scheme.tiers):
        at = f"tiers.steps[{place}]"
        yield from _within(f"{at}.threshold", tier.threshold, THRESHOLD)
        yield from _multiplier(f"{at}.multiplier", tier.multiplier)


def _of_rule(rule: EarnRule, scheme: Scheme, at: str) -> Iterator[OutOfRange]:
    yield from _within(f"{at}.units", rule.units, UNITS)
    yield from _within(f"{at}.{PER_FIELD[rule.kind]}", rule.per, PER[rule.kind])
    yield from _within(f"{at}.when.min_spend_minor", rule.when.min_spend_minor, LEAST_SPEND)
    yield from _within(f"{at}.when.min_items", rule.when.min_items, LEAST_ITEMS)
    yield from _within(f"{at}.priority", rule.priority, PRIORITY)
    yield from _multiplier(f"{at}.multiplier", rule.multiplier)
    yield from _of_caps(rule.caps, f"{at}.caps")
    if rule.kind is RuleKind.STREAK and rule.step not in STREAK_STEPS:
        yield OutOfRange("a streak's step is a day, a week or a month", field=f"{at}.step")
    if rule.per >= 1 and _most_earned(rule, scheme) > EARNED_MAX:
        detail = "the largest purchase would earn more units than can be counted"
        yield OutOfRange(detail, field=f"{at}.units", code="overflows")


def _most_earned(rule: EarnRule, scheme: Scheme) -> Fraction:
    """What `rule` gives for the largest purchase there may be, in the tier that earns most."""
    steps = -(-COUNTED_MAX[rule.kind] // rule.per)
    tiers = scheme.tiers if rule.is_tiered else ()
    most = max((tier.multiplier for tier in tiers), default=ONE)
    return steps * rule.units * rule.multiplier * most


def _of_caps(caps: Sequence[Cap], at: str) -> Iterator[OutOfRange]:
    for place, cap in enumerate(caps):
        yield from _within(f"{at}[{place}].units", cap.units, CAP)


def _of_expiry(expiry: Expiry) -> Iterator[OutOfRange]:
    yield from _within("expiry.after", expiry.after, AFTER[expiry.unit])


def _of_reward(reward: Reward, at: str) -> Iterator[OutOfRange]:
    match reward:
        case FixedCashback(amount_minor=amount):
            yield from _within(f"{at}.amount_minor", amount, AMOUNT)
        case PercentCashback(share=share, max_minor=most):
            yield from _within(f"{at}.max_minor", most, AMOUNT)
            if share > 1:
                yield OutOfRange("the share is above 100 per cent", field=f"{at}.percent")
        case ItemPrice(max_minor=most):
            yield from _within(f"{at}.max_minor", most, AMOUNT)
        case ExtraUnits(units=units):
            yield from _within(f"{at}.units", units, UNITS)
        case FreeText():
            return
        case never:
            assert_never(never)


def _multiplier(at: str, value: Fraction) -> Iterator[OutOfRange]:
    if value > MULTIPLIER_MAX:
        yield OutOfRange(f"the multiplier is above {MULTIPLIER_MAX}", field=at)


def _within(at: str, value: int, of: Range) -> Iterator[OutOfRange]:
    if not of.least <= value <= of.most:
        yield OutOfRange(f"the number is not between {of.least} and {of.most}", field=at)
