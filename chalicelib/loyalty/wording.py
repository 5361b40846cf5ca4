"""What a sale earned and why, in plain words. Codes are for machines, these are for people."""

from decimal import Decimal
from typing import assert_never

from chalicelib.kernel.money import Money
from chalicelib.loyalty.earning import ALL_RULES, Award, NotEarned
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import (
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    PercentCashback,
    Reward,
    Scheme,
)
from chalicelib.loyalty.terms import Per, Unit

_OF_SALE = {
    EarnWhy.WITHDRAWN: "the purchase does not count any more",
    EarnWhy.TOLD_TWICE: "the same payment is known from another source, and earns there",
    EarnWhy.OTHER_RETAILER: "it was bought from another retailer",
    EarnWhy.OTHER_CURRENCY: "it was paid in another currency",
    EarnWhy.NOT_STARTED: "the scheme had not started",
    EarnWhy.ENDED: "the scheme had ended",
    EarnWhy.NOTHING_PAID: "nothing of it was paid by this card",
    EarnWhy.NO_RULE: "none of its rules gave anything",
    EarnWhy.EXCLUDED: "nothing that was bought counts in this scheme",
}
_OF_RULE = {
    EarnWhy.EXCLUDED: "nothing that was bought counts",
    EarnWhy.OTHER_STORE: "it counts in other stores",
    EarnWhy.OUTSIDE_WINDOW: "it counts at other times",
    EarnWhy.OTHER_TIER: "it counts for other tiers",
    EarnWhy.NO_SUCH_LINES: "nothing that it counts was bought",
    EarnWhy.SMALLER_PART: "the card that paid the larger part has it",
    EarnWhy.VISITED_ALREADY: "there was a visit in the same period already",
    EarnWhy.ROUNDED_TO_NOTHING: "it did not come to a whole unit",
}
_PERIOD = {
    Per.PURCHASE: "purchase",
    Per.DAY: "day",
    Per.WEEK: "week",
    Per.MONTH: "month",
    Per.EVER: "card",
}


def in_words(award: Award, scheme: Scheme) -> tuple[str, ...]:
    """Sentences that say what `award` is made of and what gave nothing, the total first."""
    if award.why in _OF_SALE and not award.lost:
        return (f"Nothing was earned: {_OF_SALE[award.why]}.",)
    if not award.lost and not award.units:
        least = _money(award.missing_minor, scheme)
        return (f"Nothing was earned: it takes {least} more.",)
    lines = [f"{units_in_words(award.units, scheme)} earned."]
    for rule_id in award.rule_ids:
        units = sum(share.units for share in award.shares if share.rule_id == rule_id)
        lines.append(f"{units_in_words(units, scheme)} by {_rule(rule_id, scheme)}.")
    lines += [
        f"Nothing by {_rule(one.rule_id, scheme)}: {_why(one, scheme)}." for one in award.lost
    ]
    return tuple(lines)


def more_for(units: int, scheme: Scheme, *, minor: int = 0, items: int = 0) -> str:
    """`£1.20 more for 1 stamp`, `2 items more for 10 points`."""
    missing = _money(minor, scheme) if minor else _counted(items, "item")
    return f"{missing} more for {units_in_words(units, scheme)}"


def reward_in_words(reward: Reward, scheme: Scheme) -> str:
    """`£3.00 cashback`, `5 % cashback, at most £5.00`, `A free coffee`: ends a sentence."""
    match reward:
        case FixedCashback(amount_minor=minor):
            return f"{_money(minor, scheme)} cashback"
        case PercentCashback(share=share, max_minor=most):
            percent = Decimal(share.numerator * 100) / Decimal(share.denominator)
            return f"{percent.normalize():f} % cashback, at most {_money(most, scheme)}"
        case ItemPrice(max_minor=most):
            return f"the price of an item back, at most {_money(most, scheme)}"
        case FreeText(text=text):
            return text
        case ExtraUnits(units=units):
            return f"{units:,} extra stamps or points"
        case never:
            assert_never(never)


def _why(lost: NotEarned, scheme: Scheme) -> str:
    match lost.why:
        case EarnWhy.BELOW_MINIMUM:
            return f"it takes {_money(lost.missing_minor, scheme)} more"
        case EarnWhy.TOO_FEW_ITEMS:
            return f"it takes {_counted(lost.missing_items, 'item')} more"
        case EarnWhy.STREAK_GOES_ON:
            steps = _counted(lost.missing_items, _step(lost.rule_id, scheme))
            return f"it takes {steps} more in a row"
        case EarnWhy.ROUNDED_TO_NOTHING if lost.missing_minor:
            return f"it takes {_money(lost.missing_minor, scheme)} more"
        case EarnWhy.CAP_REACHED:
            whose = "the scheme's" if lost.by == ALL_RULES else "its"
            return f"{whose} limit is reached"
        case EarnWhy.OTHER_RULE_BETTER | EarnWhy.OTHER_RULE_FIRST:
            better = "earns more" if lost.why is EarnWhy.OTHER_RULE_BETTER else "goes first"
            return f"{_rule(lost.by, scheme)} {better}" if lost.by else f"another rule {better}"
        case _:
            return _OF_RULE[lost.why]


def units_in_words(units: int, scheme: Scheme) -> str:
    """`1 stamp`, `20 points`."""
    return _counted(units, "stamp" if scheme.unit is Unit.STAMPS else "point")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _money(minor: int, scheme: Scheme) -> str:
    amount = Money(minor, scheme.currency).to_text()
    return f"£{amount}" if scheme.currency == "GBP" else f"{amount} {scheme.currency}"


def _rule(rule_id: str, scheme: Scheme) -> str:
    rule = scheme.find_rule(rule_id)
    return f"“{rule.name}”" if rule is not None and rule.name else f"“{rule_id}”"


def _step(rule_id: str, scheme: Scheme) -> str:
    rule = scheme.find_rule(rule_id)
    return _PERIOD[rule.step] if rule is not None else "visit"
