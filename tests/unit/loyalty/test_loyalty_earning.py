"""What a sale earns under a scheme, and why a rule gave nothing."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.loyalty.earning import Award, NotEarned, Share, Standing, cap_key, decide_award
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import (
    Cap,
    Condition,
    EarnRule,
    Exclusions,
    Matching,
    Tier,
    Tiering,
)
from chalicelib.loyalty.sale import Sale, SaleCharge
from chalicelib.loyalty.streaks import step_of
from chalicelib.loyalty.terms import Basis, Per, Rounding, RuleKind, Stacking, Unit
from chalicelib.receipts.canonical import ChargeKind
from tests.makers.loyalty import (
    OPENED,
    POINT_A_POUND,
    SOLD_AT,
    STAMP_A_VISIT,
    sale_line,
    scheme,
    sold,
)

COFFEE = Condition(lines=Matching(categories=("coffee",)))
STAMP_A_COFFEE = EarnRule("coffee", RuleKind.ITEM, when=COFFEE)
STAMPS = {"unit": Unit.STAMPS}


def units(sale: Sale, *rules: EarnRule, standing: Standing | None = None, **more: object) -> int:
    return decide_award(sale, scheme(*rules, **more), standing or Standing()).units


def lost(
    sale: Sale, *rules: EarnRule, standing: Standing | None = None, **more: object
) -> tuple[NotEarned, ...]:
    award = decide_award(sale, scheme(*rules, **more), standing or Standing())
    assert (award.units, award.shares) == (0, ())
    return award.lost


@pytest.mark.requirement("LOY-08")
def test_a_bill_of_27_40_earns_27_points_at_one_a_pound_rounded_down() -> None:
    bill = sold(sale_line("1", gross=1250), sale_line("2", gross=1490))

    award = decide_award(bill, scheme(version=3))

    assert award == Award(
        27,
        shares=(Share("pound", "1", 12), Share("pound", "2", 15)),
        version=3,
        spend_minor=2740,
    )


@pytest.mark.parametrize(
    ("rounding", "points"),
    [(Rounding.DOWN, 27), (Rounding.UP, 28), (Rounding.HALF_UP, 28), (Rounding.HALF_EVEN, 28)],
)
def test_rounds_as_the_rule_says(rounding: Rounding, points: int) -> None:
    bill = sold(sale_line(gross=2750))

    assert units(bill, replace(POINT_A_POUND, rounding=rounding)) == points


def test_earns_on_what_was_spent_without_tax_where_the_rule_says_so() -> None:
    bill = sold(sale_line(gross=1200, net_minor=1000))

    assert units(bill, replace(POINT_A_POUND, basis=Basis.NET)) == 10


@pytest.mark.requirement("LOY-19")
def test_a_stamp_a_coffee_gives_two_for_two_and_none_for_tea() -> None:
    bill = sold(
        sale_line("1", gross=700, quantity=Decimal(2)),
        sale_line("2", gross=300, category=("Drinks", "Tea")),
    )

    award = decide_award(bill, scheme(STAMP_A_COFFEE, **STAMPS))

    assert award.shares == (Share("coffee", "1", 2, RuleKind.ITEM),)


def test_a_sku_and_a_gtin_name_a_line_too() -> None:
    bill = sold(
        sale_line("1", sku="FW", category=()),
        sale_line("2", gtin="05012345678900", category=()),
        sale_line("3", sku="TEA", gtin="40123455", category=()),
    )
    named = Condition(lines=Matching(skus=("FW",), gtins=("5012345678900",)))

    award = decide_award(bill, scheme(replace(STAMP_A_COFFEE, when=named), **STAMPS))

    assert [share.line_id for share in award.shares] == ["1", "2"]


def test_free_items_earn_no_stamp_and_weighed_ones_earn_one() -> None:
    bill = sold(
        sale_line("free", gross=0),
        sale_line("beans", gross=900, quantity=Decimal("0.347"), unit="kg"),
    )

    award = decide_award(bill, scheme(STAMP_A_COFFEE, **STAMPS))

    assert award.shares == (Share("coffee", "beans", 1, RuleKind.ITEM),)


def test_a_visit_earns_once_whatever_was_bought() -> None:
    bill = sold(sale_line("1"), sale_line("2"))

    award = decide_award(bill, scheme(STAMP_A_VISIT, **STAMPS))

    assert award.shares == (Share("visit", "", 1, RuleKind.VISIT),)


def test_a_visit_below_the_minimum_earns_nothing_and_says_what_is_missing() -> None:
    over_five = replace(STAMP_A_VISIT, when=Condition(min_spend_minor=500))

    assert lost(sold(sale_line(gross=380)), over_five) == (
        NotEarned("visit", EarnWhy.BELOW_MINIMUM, missing_minor=120),
    )
    assert units(sold(sale_line(gross=500)), over_five) == 1


def test_says_how_much_more_a_first_point_takes() -> None:
    assert lost(sold(sale_line(gross=88))) == (
        NotEarned("pound", EarnWhy.ROUNDED_TO_NOTHING, missing_minor=12),
    )


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Condition(stores=(StoreId("store-york"),)), EarnWhy.OTHER_STORE),
        (Condition(tiers=("gold",)), EarnWhy.OTHER_TIER),
        (Condition(lines=Matching(categories=("Cake",))), EarnWhy.NO_SUCH_LINES),
        (Condition(without=Matching(categories=("Drinks",))), EarnWhy.NO_SUCH_LINES),
    ],
)
def test_says_which_condition_was_not_met(condition: Condition, why: EarnWhy) -> None:
    assert lost(sold(), replace(POINT_A_POUND, when=condition)) == (NotEarned("pound", why),)


def test_rules_that_gave_nothing_for_different_reasons_have_no_reason_in_common() -> None:
    elsewhere = replace(POINT_A_POUND, when=Condition(stores=(StoreId("store-york"),)))
    cake = replace(STAMP_A_COFFEE, when=Condition(lines=Matching(categories=("Cake",))))

    assert decide_award(sold(), scheme(elsewhere, cake)).why is EarnWhy.NO_RULE
    assert decide_award(sold(), scheme(elsewhere)).why is EarnWhy.OTHER_STORE


def test_says_how_many_items_are_missing() -> None:
    three = replace(STAMP_A_COFFEE, when=replace(COFFEE, min_items=3))

    assert lost(sold(), three) == (NotEarned("coffee", EarnWhy.TOO_FEW_ITEMS, missing_items=2),)


@pytest.mark.parametrize(
    ("sale", "why"),
    [
        (sold(is_withdrawn=True), EarnWhy.WITHDRAWN),
        (sold(is_told_twice=True), EarnWhy.TOLD_TWICE),
        (sold(retailer_id=RetailerId("other")), EarnWhy.OTHER_RETAILER),
        (sold(currency="EUR"), EarnWhy.OTHER_CURRENCY),
        (sold(sold_at=OPENED - timedelta(seconds=1)), EarnWhy.NOT_STARTED),
        (sold(sold_at=SOLD_AT + timedelta(days=1)), EarnWhy.ENDED),
        (sold(paid_minor=0), EarnWhy.NOTHING_PAID),
    ],
)
def test_a_sale_that_is_none_of_the_schemes_earns_nothing(sale: Sale, why: EarnWhy) -> None:
    award = decide_award(sale, scheme(ends_at=SOLD_AT + timedelta(days=1)))

    assert award == Award(0, why=why, version=1)


def test_a_scheme_ends_with_its_last_moment_and_begins_with_its_first() -> None:
    window = scheme(starts_at=SOLD_AT, ends_at=SOLD_AT + timedelta(seconds=1))

    earned = [
        decide_award(sold(sold_at=SOLD_AT + timedelta(seconds=late)), window).units
        for late in (-1, 0, 1)
    ]

    assert earned == [0, 3, 0]


def test_excluded_lines_earn_nothing_and_reach_no_minimum() -> None:
    cards = Exclusions(lines=Matching(categories=("Gift cards",)))
    gift = sale_line("2", gross=2000, category=("gift  CARDS",))

    assert units(sold(sale_line(), gift), exclusions=cards) == 3
    assert decide_award(sold(gift), scheme(exclusions=cards)) == Award(
        0, why=EarnWhy.EXCLUDED, version=1
    )
    below = decide_award(sold(sale_line(), gift), scheme(exclusions=cards, min_spend_minor=351))
    assert (below.why, below.missing_minor) == (EarnWhy.BELOW_MINIMUM, 1)


def test_what_was_paid_by_gift_card_earns_nothing_unless_the_scheme_says() -> None:
    bill = sold(sale_line(gross=2000), paid_minor=1500, own_tender_minor=500)

    assert units(bill) == 15
    assert units(bill, exclusions=Exclusions(own_tender_earns=True)) == 20


def test_charges_earn_nothing_unless_the_scheme_says() -> None:
    bill = sold(
        sale_line(gross=1000),
        charges=(
            SaleCharge("charge#0", ChargeKind.DELIVERY, 300, 250),
            SaleCharge("charge#1", ChargeKind.TIP, 200, 200),
        ),
        due_minor=1500,
        paid_minor=1500,
    )
    delivery = Exclusions(charges_earn=(ChargeKind.DELIVERY,))

    assert units(bill) == 10
    assert decide_award(bill, scheme(exclusions=delivery)).shares == (
        Share("pound", "1", 10),
        Share("pound", "charge#0", 3),
    )


def test_each_of_two_payments_earns_on_its_own_part_and_one_counts_items() -> None:
    larger = sold(sale_line(gross=3000), paid_minor=2000)
    smaller = replace(larger, paid_minor=1000, is_largest_part=False)

    assert (units(larger), units(smaller)) == (20, 10)
    assert units(larger, STAMP_A_COFFEE) == 1
    assert lost(smaller, STAMP_A_COFFEE) == (NotEarned("coffee", EarnWhy.SMALLER_PART),)
    assert lost(smaller, STAMP_A_VISIT) == (NotEarned("visit", EarnWhy.SMALLER_PART),)


def test_lines_taken_back_in_an_exchange_do_not_count() -> None:
    bill = sold(
        sale_line("1", gross=1500), sale_line("2", gross=1000, is_return=True), paid_minor=500
    )

    assert decide_award(bill, scheme()).shares == (Share("pound", "1", 5),)


DOUBLE_COFFEE = replace(POINT_A_POUND, rule_id="double", units=2, when=COFFEE)
CAKE_AND_COFFEE = sold(
    sale_line("1", gross=700), sale_line("2", gross=450, category=("Food", "Cake"))
)


@pytest.mark.parametrize(
    ("stacking", "shares"),
    [
        (Stacking.BEST, (Share("double", "1", 14), Share("pound", "2", 4))),
        (
            Stacking.ALL,
            (Share("double", "1", 14), Share("pound", "1", 7), Share("pound", "2", 4)),
        ),
        (Stacking.PRIORITY, (Share("pound", "1", 7), Share("pound", "2", 4))),
    ],
)
def test_stacks_rules_as_the_scheme_says(stacking: Stacking, shares: tuple[Share, ...]) -> None:
    first = replace(POINT_A_POUND, priority=1 if stacking is Stacking.PRIORITY else 0)

    award = decide_award(CAKE_AND_COFFEE, scheme(first, DOUBLE_COFFEE, stacking=stacking))

    assert award.shares == shares


def test_names_the_rule_that_won_over_another() -> None:
    everything = replace(POINT_A_POUND, rule_id="triple", units=3)

    award = decide_award(CAKE_AND_COFFEE, scheme(DOUBLE_COFFEE, everything))

    assert award.lost == (NotEarned("double", EarnWhy.OTHER_RULE_BETTER, by="triple"),)
    assert award.rule_ids == ("triple",)


def test_names_the_rule_that_went_before_another() -> None:
    first = replace(POINT_A_POUND, priority=1)

    award = decide_award(CAKE_AND_COFFEE, scheme(first, DOUBLE_COFFEE, stacking=Stacking.PRIORITY))

    assert award.lost == (NotEarned("double", EarnWhy.OTHER_RULE_FIRST, by="pound"),)


def test_a_bonus_comes_on_top_of_whatever_wins() -> None:
    bonus = EarnRule("welcome", RuleKind.VISIT, units=5, is_bonus=True)

    award = decide_award(CAKE_AND_COFFEE, scheme(POINT_A_POUND, bonus))

    assert award.units == 16
    assert award.shares[-1] == Share("welcome", "", 5, RuleKind.VISIT)


def test_a_dear_bottle_earns_by_its_price_and_a_cheap_one_as_a_bottle() -> None:
    bottle = EarnRule("bottle", RuleKind.ITEM, units=5)
    bill = sold(sale_line("cheap", gross=400), sale_line("dear", gross=4000))

    award = decide_award(bill, scheme(POINT_A_POUND, bottle))

    assert award.shares == (
        Share("bottle", "cheap", 5, RuleKind.ITEM),
        Share("pound", "dear", 40),
    )


def test_a_rules_cap_leaves_what_is_left_of_it() -> None:
    capped = replace(POINT_A_POUND, caps=(Cap(10, Per.DAY), Cap(6, Per.PURCHASE)))
    used = Standing(units_by_cap={cap_key("pound", Per.DAY): 7})

    assert units(sold(sale_line(gross=900)), capped) == 6
    assert units(sold(sale_line(gross=900)), capped, standing=used) == 3


def test_a_cap_that_is_reached_is_named() -> None:
    full = Standing(units_by_cap={cap_key("pound", Per.EVER): 50, cap_key("", Per.WEEK): 9})
    of_rule = replace(POINT_A_POUND, caps=(Cap(50, Per.EVER),))

    assert lost(sold(), of_rule, standing=full) == (
        NotEarned("pound", EarnWhy.CAP_REACHED, by="pound"),
    )
    assert lost(sold(), caps=(Cap(9, Per.WEEK),), standing=full) == (
        NotEarned("pound", EarnWhy.CAP_REACHED),
    )


def test_the_schemes_cap_takes_from_all_rules_alike() -> None:
    bonus = EarnRule("welcome", RuleKind.VISIT, units=9, is_bonus=True)

    award = decide_award(
        sold(sale_line(gross=900)), scheme(POINT_A_POUND, bonus, caps=(Cap(8, Per.PURCHASE),))
    )

    assert award.shares == (Share("pound", "1", 4), Share("welcome", "", 4, RuleKind.VISIT))


LADDER = Tiering(
    (Tier("bronze", "Bronze", 0), Tier("gold", "Gold", 500, multiplier=Fraction(3, 2)))
)


@pytest.mark.requirement("LOY-14")
def test_a_tier_multiplies_what_is_earned_exactly() -> None:
    bill = sold(sale_line(gross=2740))

    bronze, gold = (
        units(bill, tiering=LADDER, standing=Standing(tier_id)) for tier_id in ("bronze", "gold")
    )

    assert (bronze, gold) == (27, 40)


def test_a_rule_that_is_not_tiered_gives_all_tiers_the_same() -> None:
    plain = replace(POINT_A_POUND, is_tiered=False)

    assert units(sold(), plain, tiering=LADDER, standing=Standing("gold")) == 3


FIVE_WEEKS = EarnRule("weeks", RuleKind.STREAK, units=10, per=5, step=Per.WEEK)
THIS_WEEK = step_of(Per.WEEK, SOLD_AT, zone="Europe/London")


def visited(*weeks_ago: int) -> Standing:
    return Standing(streaks={"weeks": frozenset(THIS_WEEK - week for week in weeks_ago)})


def test_a_streak_earns_with_the_visit_that_completes_it() -> None:
    award = decide_award(sold(), scheme(FIVE_WEEKS), visited(1, 2, 3, 4))

    assert award.shares == (Share("weeks", "", 10, RuleKind.STREAK),)
    assert award.streak_visits == ("weeks",)


def test_a_streak_that_goes_on_counts_the_visit_and_says_how_many_are_missing() -> None:
    award = decide_award(sold(), scheme(FIVE_WEEKS), visited(1, 3))

    assert award.lost == (NotEarned("weeks", EarnWhy.STREAK_GOES_ON, missing_items=3),)
    assert (award.units, award.streak_visits) == (0, ("weeks",))


def test_a_second_visit_in_a_week_is_no_step_of_the_streak() -> None:
    award = decide_award(sold(), scheme(FIVE_WEEKS), visited(0, 1, 2, 3))

    assert award.lost == (NotEarned("weeks", EarnWhy.VISITED_ALREADY),)


def test_a_late_visit_that_fills_a_gap_completes_the_streak() -> None:
    award = decide_award(sold(), scheme(FIVE_WEEKS), visited(-2, -1, 1, 2))

    assert award.units == 10
