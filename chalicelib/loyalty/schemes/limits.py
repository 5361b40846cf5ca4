"""Ranges: what a number in a scheme may be. Nothing may be negative, and nothing may overflow."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import assert_never

from chalicelib.kernel.money import MINOR_MAX
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.loyalty.rules import (
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

UNITS_MAX = 1_000_000  # A million points for a visit is a mistake.
EARNED_MAX = 10**15  # What the largest payment there is may earn: far below 2**63.
MULTIPLIER_MAX = 100
STEPS_MAX = 366
PLACES_MAX = 1_000
DAYS_MAX = {ExpiryUnit.DAYS: 3_650, ExpiryUnit.MONTHS: 120}
PENDING_DAYS_MAX = 365
CLAIM_HOURS_MAX = 8_760

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
        yield from _of_rule(rule, f"rules[{place}]")
    yield from _of_caps(scheme.caps, "caps")
    yield from _within("min_spend_minor", scheme.min_spend_minor, 0, MINOR_MAX)
    if scheme.budget_minor is not None:
        yield from _within("budget_minor", scheme.budget_minor, 1, MINOR_MAX)
    if scheme.pending_days is not None:
        yield from _within("pending_days", scheme.pending_days, 0, PENDING_DAYS_MAX)
    if scheme.expiry is not None:
        yield from _of_expiry(scheme.expiry)
    if scheme.card is not None:
        yield from _within("card.places", scheme.card.places, 1, PLACES_MAX)
        yield from _of_reward(scheme.card.reward, "card.reward")
    for place, one in enumerate(scheme.catalogue):
        at = f"catalogue[{place}]"
        yield from _within(f"{at}.cost", one.cost, 1, EARNED_MAX)
        yield from _within(f"{at}.claim_hours", one.claim_hours, 1, CLAIM_HOURS_MAX)
        yield from _of_reward(one.reward, f"{at}.reward")
    for place, tier in enumerate(scheme.tiers):
        at = f"tiers.steps[{place}]"
        yield from _within(f"{at}.threshold", tier.threshold, 0, EARNED_MAX)
        yield from _multiplier(f"{at}.multiplier", tier.multiplier)


def _of_rule(rule: EarnRule, at: str) -> Iterator[OutOfRange]:
    yield from _within(f"{at}.units", rule.units, 1, UNITS_MAX)
    most = STEPS_MAX if rule.kind is RuleKind.STREAK else MINOR_MAX
    least = 2 if rule.kind is RuleKind.STREAK else 1
    yield from _within(f"{at}.{PER_FIELD[rule.kind]}", rule.per, least, most)
    yield from _within(f"{at}.when.min_spend_minor", rule.when.min_spend_minor, 0, MINOR_MAX)
    yield from _within(f"{at}.when.min_items", rule.when.min_items, 0, UNITS_MAX)
    yield from _within(f"{at}.priority", rule.priority, -UNITS_MAX, UNITS_MAX)
    yield from _multiplier(f"{at}.multiplier", rule.multiplier)
    yield from _of_caps(rule.caps, f"{at}.caps")
    if rule.kind is RuleKind.STREAK and rule.step in (Per.PURCHASE, Per.EVER):
        yield OutOfRange("a streak's step is a day, a week or a month", field=f"{at}.step")
    if rule.per >= 1 and rule.units * MINOR_MAX // rule.per > EARNED_MAX:
        detail = "the largest payment would earn more units than can be counted"
        yield OutOfRange(detail, field=f"{at}.units", code="overflows")


def _of_caps(caps: Sequence[Cap], at: str) -> Iterator[OutOfRange]:
    for place, cap in enumerate(caps):
        yield from _within(f"{at}[{place}].units", cap.units, 1, EARNED_MAX)


def _of_expiry(expiry: Expiry) -> Iterator[OutOfRange]:
    yield from _within("expiry.after", expiry.after, 1, DAYS_MAX[expiry.unit])


def _of_reward(reward: Reward, at: str) -> Iterator[OutOfRange]:
    match reward:
        case FixedCashback(amount_minor=amount):
            yield from _within(f"{at}.amount_minor", amount, 1, MINOR_MAX)
        case PercentCashback(share=share, max_minor=most):
            yield from _within(f"{at}.max_minor", most, 1, MINOR_MAX)
            if share > 1:
                yield OutOfRange("the share is above 100 per cent", field=f"{at}.percent")
        case ItemPrice(max_minor=most):
            yield from _within(f"{at}.max_minor", most, 1, MINOR_MAX)
        case ExtraUnits(units=units):
            yield from _within(f"{at}.units", units, 1, UNITS_MAX)
        case FreeText():
            return
        case never:
            assert_never(never)


def _multiplier(at: str, value: Fraction) -> Iterator[OutOfRange]:
    if value > MULTIPLIER_MAX:
        yield OutOfRange(f"the multiplier is above {MULTIPLIER_MAX}", field=at)


def _within(at: str, value: int, least: int, most: int) -> Iterator[OutOfRange]:
    if not least <= value <= most:
        yield OutOfRange(f"the number is not between {least} and {most}", field=at)
