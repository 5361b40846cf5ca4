"""What is said of an award, what rewards are worth, and which tier and standing a member has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.conditions import counted
from chalicelib.loyalty.earning import Award, NotEarned, Share, Standing, cap_key, decide_award
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rewarding import most_minor, worth_minor
from chalicelib.loyalty.rules import (
    Cap,
    Condition,
    EarnRule,
    Exclusions,
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    Matching,
    PercentCashback,
    Reward,
    Scheme,
    Tier,
    Tiering,
)
from chalicelib.loyalty.standing import Archived, Past, past_of, standing_of
from chalicelib.loyalty.terms import (
    Basis,
    Downgrade,
    Measure,
    Per,
    Rounding,
    RuleKind,
    Span,
    Stacking,
)
from chalicelib.loyalty.tiers import Score, period_of, score_of, tier_of
from chalicelib.loyalty.what_if import Missing, what_if
from chalicelib.loyalty.wording import in_words
from tests.makers.loyalty import POINT_A_POUND, SOLD_AT, STAMP_A_VISIT, sale_line, scheme, sold

BILL = sold(
    sale_line("1", gross=760, quantity=Decimal(2)),
    sale_line("2", gross=450, net_minor=450, category=("Cake",)),
)
COFFEE = Matching(("Coffee",))
LADDER = Tiering(
    (
        Tier("bronze", "Bronze", 0),
        Tier("silver", "Silver", 100, Fraction(5, 4)),
        Tier("gold", "Gold", 500, Fraction(3, 2)),
    )
)


@pytest.mark.requirement("LOY-16")
@pytest.mark.parametrize(
    ("reward", "worth", "most"),
    [
        (FixedCashback(300), 300, 300),
        (PercentCashback(Fraction(5, 100), 1_000), 60, 1_000),
        (PercentCashback(Fraction(5, 100), 1_000, rounding=Rounding.UP), 61, 1_000),
        (PercentCashback(Fraction(5, 100), 40), 40, 40),
        (PercentCashback(Fraction(1, 10), 1_000, COFFEE, Basis.NET), 63, 1_000),
        (PercentCashback(Fraction(1), 1_000, Matching(("Tea",))), 0, 1_000),
        (ItemPrice(COFFEE, 1_000), 380, 1_000),
        (ItemPrice(COFFEE, 300), 300, 300),
        (ItemPrice(Matching(), 1_000), 450, 1_000),
        (ItemPrice(Matching(("Tea",)), 1_000), 0, 1_000),
        (FreeText("A cake of your choice"), None, None),
        (ExtraUnits("bean-and-leaf.points", 50), None, None),
    ],
)
def test_a_reward_is_worth_what_it_says(
    reward: Reward, worth: int | None, most: int | None
) -> None:
    assert (worth_minor(reward, counted(BILL, Exclusions())), most_minor(reward)) == (worth, most)


def test_a_reward_without_a_sale_is_worth_what_is_fixed_of_it() -> None:
    rewards = (FixedCashback(300), PercentCashback(Fraction(1), 9), ItemPrice(COFFEE, 9))

    assert [worth_minor(one, None) for one in rewards] == [300, 0, 0]


def test_a_part_of_a_bill_is_paid_back_by_its_part() -> None:
    half = counted(replace(BILL, paid_minor=605), Exclusions())

    assert worth_minor(PercentCashback(Fraction(1, 10), 1_000), half) == 60


@pytest.mark.parametrize("why", list(EarnWhy))
def test_every_reason_is_said_in_words(why: EarnWhy) -> None:
    lost = (NotEarned("pound", why, missing_minor=120, missing_items=2, by="pound"),)
    of_rule, of_sale = Award(0, lost=lost, why=why), Award(0, why=why, missing_minor=120)
    spoken = [EarnWhy.EARNED, EarnWhy.WITHDRAWN, EarnWhy.TOLD_TWICE, EarnWhy.OTHER_RETAILER]
    of_whole = [*spoken, EarnWhy.OTHER_CURRENCY, EarnWhy.NOT_STARTED, EarnWhy.ENDED]

    if why not in (*of_whole, EarnWhy.NOTHING_PAID, EarnWhy.NO_RULE):
        said = in_words(of_rule, scheme(replace(POINT_A_POUND, name="A point a pound")))
        assert said[1].startswith("Nothing by “A point a pound”: ")
        assert why.value not in said[1]
    (sentence,) = in_words(of_sale, scheme())
    assert sentence.startswith("Nothing was earned: ")


def test_money_is_said_in_the_schemes_currency() -> None:
    award = Award(0, why=EarnWhy.BELOW_MINIMUM, missing_minor=120)

    assert in_words(award, scheme(currency="EUR")) == (
        "Nothing was earned: it takes 1.20 EUR more.",
    )


GOLD = Tiering((Tier("gold", "Gold", 0, Fraction(3, 2)),))
STEPS = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(1, 3), Fraction(7, 2)])


@pytest.mark.parametrize(
    ("made", "gross", "missing"),
    [
        (
            scheme(POINT_A_POUND, min_spend_minor=500),
            380,
            Missing("", 5, "£1.20 more for 5 points", minor=120),
        ),
        (
            scheme(
                replace(STAMP_A_VISIT, multiplier=Fraction(2), when=Condition(min_spend_minor=500))
            ),
            380,
            Missing("visit", 2, "£1.20 more for 2 points", minor=120),
        ),
        (
            scheme(POINT_A_POUND, tiering=GOLD),
            2_740,
            Missing("pound", 2, "£0.60 more for 2 points", minor=60),
        ),
        (
            scheme(replace(POINT_A_POUND, multiplier=Fraction(1, 3))),
            350,
            Missing("pound", 1, "£2.50 more for 1 point", minor=250),
        ),
        (
            scheme(replace(POINT_A_POUND, rounding=Rounding.UP)),
            350,
            Missing("pound", 1, "£0.51 more for 1 point", minor=51),
        ),
    ],
)
def test_what_is_missing_is_for_what_it_would_really_earn(
    made: Scheme, gross: int, missing: Missing
) -> None:
    found = what_if(sold(sale_line(gross=gross)), made, Standing("gold"))

    assert found.missing == missing


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        (replace(POINT_A_POUND, rounding=Rounding.DOWN), 90),
        (replace(POINT_A_POUND, rounding=Rounding.HALF_UP), 40),
        (replace(POINT_A_POUND, rounding=Rounding.HALF_EVEN), 41),
        (replace(POINT_A_POUND, multiplier=Fraction(1, 3)), 290),
        (replace(POINT_A_POUND, basis=Basis.NET), 115),
    ],
)
def test_words_and_what_is_missing_say_the_same_amount(rule: EarnRule, missing: int) -> None:
    dime = sold(sale_line(gross=10, net_minor=8))

    found = what_if(dime, scheme(rule))

    amount = f"£{missing / 100:.2f}"
    assert found.words[1] == f"Nothing by “pound”: it takes {amount} more."
    assert found.missing == Missing("pound", 1, f"{amount} more for 1 point", minor=missing)


def test_what_is_missing_for_money_without_tax_is_told_with_it() -> None:
    of = scheme(replace(POINT_A_POUND, basis=Basis.NET))

    found = what_if(sold(sale_line(gross=240, net_minor=200)), of)

    assert found.award.units == 2
    assert found.missing == Missing("pound", 1, "£1.20 more for 1 point", minor=120)


def test_another_item_costs_what_one_of_them_costs() -> None:
    third = EarnRule("third", RuleKind.ITEM, units=10, per=3)
    pounds = replace(POINT_A_POUND, caps=(Cap(7, Per.PURCHASE),))
    of = scheme(third, pounds, stacking=Stacking.ALL)

    found = what_if(sold(sale_line(gross=600, quantity=Decimal(2))), of)

    assert found.award.units == 6
    assert found.missing == Missing("pound", 1, "£1.00 more for 1 point", minor=100)
    items_only = what_if(sold(sale_line(gross=700, quantity=Decimal(2))), of)
    assert items_only.missing == Missing("third", 10, "1 item more for 10 points", items=1)


@given(st.integers(1, 2_000), st.sampled_from(list(Rounding)), STEPS, st.sampled_from([1, 7, 100]))
def test_with_a_penny_less_than_is_missing_nothing_more_is_earned(
    gross: int, rounding: Rounding, multiplier: Fraction, per: int
) -> None:
    of = scheme(replace(POINT_A_POUND, rounding=rounding, multiplier=multiplier, per=per))

    found = what_if(sold(sale_line(gross=gross)), of)

    assert found.missing is not None
    more = found.missing.minor
    almost, with_it = (
        decide_award(sold(sale_line(gross=gross + one)), of).units for one in (more - 1, more)
    )
    assert (almost, with_it) == (found.award.units, found.award.units + found.missing.units)


def test_a_hint_that_would_earn_nothing_is_not_given() -> None:
    capped = replace(POINT_A_POUND, caps=(Cap(3, Per.PURCHASE),))

    assert what_if(sold(sale_line(gross=350)), scheme(capped)).missing is None


@pytest.mark.parametrize(
    ("rounding", "gross", "minor"),
    [
        (Rounding.DOWN, 350, 50),
        (Rounding.DOWN, 400, 100),
        (Rounding.HALF_UP, 340, 10),
        (Rounding.HALF_UP, 350, 100),
        (Rounding.HALF_EVEN, 340, 10),
        (Rounding.HALF_EVEN, 400, 51),
    ],
)
def test_a_hint_says_the_least_that_earns_more(rounding: Rounding, gross: int, minor: int) -> None:
    of = scheme(replace(POINT_A_POUND, rounding=rounding))
    found = what_if(sold(sale_line(gross=gross)), of)

    less = decide_award(sold(sale_line(gross=gross + minor - 1)), of).units
    assert found.missing == Missing(
        "pound", 1, f"£{minor // 100}.{minor % 100:02} more for 1 point", minor=minor
    )
    assert less == found.award.units


def test_what_is_missing_for_a_minimum_of_the_scheme_is_said_too() -> None:
    found = what_if(sold(), scheme(STAMP_A_VISIT, min_spend_minor=500))

    assert found.missing == Missing("", 1, "£1.50 more for 1 point", minor=150)


@pytest.mark.requirement("LOY-14")
@pytest.mark.parametrize(
    ("counts", "downgrade", "tier_id"),
    [
        ({}, Downgrade.NEVER, "bronze"),
        ({2026: 99}, Downgrade.NEVER, "bronze"),
        ({2026: 100}, Downgrade.NEVER, "silver"),
        ({2026: 5_000}, Downgrade.NEVER, "gold"),
        ({2024: 500}, Downgrade.NEVER, "gold"),
        ({2025: 500}, Downgrade.ONE_DOWN, "gold"),
        ({2024: 500}, Downgrade.ONE_DOWN, "silver"),
        ({2023: 500}, Downgrade.ONE_DOWN, "bronze"),
        ({2024: 500, 2025: 500}, Downgrade.ONE_DOWN, "gold"),
        ({2025: 120}, Downgrade.BY_BALANCE, "silver"),
        ({2024: 500, 2025: 120}, Downgrade.BY_BALANCE, "silver"),
        ({2024: 500}, Downgrade.BY_BALANCE, "bronze"),
        ({2024: 500, 2026: 500}, Downgrade.BY_BALANCE, "gold"),
        ({2027: 500}, Downgrade.NEVER, "bronze"),
    ],
)
def test_a_tier_is_reached_at_once_and_lost_at_a_periods_end(
    counts: dict[int, int], downgrade: Downgrade, tier_id: str
) -> None:
    ladder = replace(LADDER, downgrade=downgrade)

    assert tier_of(ladder, counts, period=2026).tier_id == tier_id


def test_two_years_away_are_two_steps_down() -> None:
    ladder = replace(LADDER, downgrade=Downgrade.ONE_DOWN)

    found = [tier_of(ladder, {2024: 500}, period=year).tier_id for year in range(2024, 2028)]

    assert found == ["gold", "gold", "silver", "bronze"]


@pytest.mark.requirement("LOY-15")
@pytest.mark.parametrize(
    ("counts", "place", "count", "missing"),
    [
        ({}, 0, 0, 100),
        ({2026: 40}, 0, 40, 60),
        ({2026: 100}, 1, 100, 400),
        ({2025: 120, 2026: 40}, 1, 40, 460),
        ({2026: 5_000}, 2, 5_000, None),
    ],
)
def test_a_score_is_what_this_period_counted_and_what_the_next_tier_lacks(
    counts: dict[int, int], place: int, count: int, missing: int | None
) -> None:
    above = None if missing is None else LADDER.tiers[place + 1]

    found = score_of(LADDER, counts, period=2026)

    assert found == Score(count, LADDER.tiers[place], above, missing)


def test_periods_follow_the_calendar() -> None:
    last, first = datetime(2026, 12, 31).date(), datetime(2027, 1, 1).date()

    found = {span: (period_of(span, last), period_of(span, first)) for span in Span}

    assert {span: after - before for span, (before, after) in found.items()} == {
        Span.MONTH: 1,
        Span.QUARTER: 1,
        Span.YEAR: 1,
        Span.EVER: 0,
    }


def test_a_new_tier_begins_with_the_purchase_after_the_one_that_reached_it() -> None:
    of = scheme(tiering=LADDER)
    first = decide_award(sold(sale_line(gross=10_000)), of, standing_of(of, (), sold_at=SOLD_AT))
    past = past_of(first, SOLD_AT)

    before, same, later = (
        standing_of(of, [past], sold_at=SOLD_AT + timedelta(seconds=after)).tier_id
        for after in (-1, 0, 1)
    )

    assert (first.tier_id, first.units) == ("bronze", 100)
    assert (before, same, later) == ("bronze", "bronze", "silver")


@pytest.mark.parametrize(
    ("measure", "tier_id"),
    [(Measure.UNITS, "silver"), (Measure.VISITS, "bronze"), (Measure.SPEND, "gold")],
)
def test_a_ladder_counts_what_it_measures(measure: Measure, tier_id: str) -> None:
    of = scheme(tiering=replace(LADDER, measure=measure))
    past = Past(SOLD_AT, {"pound": 120}, spend_minor=12_000)

    found = standing_of(of, [past], sold_at=SOLD_AT + timedelta(days=1))

    assert found.tier_id == tier_id


def test_caps_count_late_purchases_of_the_period_too() -> None:
    of = scheme(caps=(Cap(40, Per.DAY), Cap(400, Per.EVER)))
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    past = [Past(at + timedelta(hours=hours), {"pound": 5}) for hours in (-30, -1, 0, 1)]

    used = standing_of(of, past, sold_at=at, archived=Archived({cap_key("pound", Per.EVER): 7}))

    assert {per: used.units_by_cap[cap_key("pound", per)] for per in (Per.DAY, Per.EVER)} == {
        Per.DAY: 10,
        Per.EVER: 27,
    }


def test_what_is_left_of_an_award_counts_on() -> None:
    weeks = EarnRule("weeks", RuleKind.STREAK, per=5, when=Condition(min_spend_minor=1))
    award = decide_award(BILL, scheme(POINT_A_POUND, weeks))

    whole, some, none = (
        past_of(award, SOLD_AT, back) for back in ((), (Share("pound", "2", 4),), award.shares)
    )

    assert (whole.units_by_rule, whole.streaks, whole.spend_minor) == (
        {"pound": 12},
        ("weeks",),
        1_210,
    )
    assert (some.units_by_rule, some.is_visit) == ({"pound": 8}, True)
    assert none == Past(SOLD_AT, {}, is_visit=False)


def test_a_visit_that_earned_nothing_yet_is_a_step_of_its_streak() -> None:
    weeks = EarnRule("weeks", RuleKind.STREAK, per=2)
    of = scheme(weeks)
    first = decide_award(BILL, of, Standing())
    later = SOLD_AT + timedelta(days=7)

    second = decide_award(
        replace(BILL, sold_at=later), of, standing_of(of, [past_of(first, SOLD_AT)], sold_at=later)
    )

    assert (first.units, second.units) == (0, 1)
