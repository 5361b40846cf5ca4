"""What holds for any sale and any scheme: of what is earned, and of what comes back."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.loyalty.allocation import NothingToShareBy, share_out
from chalicelib.loyalty.choosing import rounded
from chalicelib.loyalty.earning import Standing, cap_key, decide_award, earned_units
from chalicelib.loyalty.rules import Cap, Condition, EarnRule, Matching, Scheme
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.standing import past_of, standing_of
from chalicelib.loyalty.streaks import completed_by, row_at
from chalicelib.loyalty.taking_back import taken_back
from chalicelib.loyalty.terms import Per, Rounding, RuleKind, Stacking
from tests.makers.loyalty import SOLD_AT, sale_line, scheme, sold

CATEGORIES = ("Coffee", "Tea", "Cake")
conditions = st.builds(
    Condition,
    lines=st.sampled_from([Matching(), *(Matching((one,)) for one in CATEGORIES)]),
    min_spend_minor=st.sampled_from([0, 0, 300, 1_000, 3_000, 6_000]),
    min_items=st.sampled_from([0, 0, 2]),
)
caps = st.lists(
    st.builds(Cap, st.integers(1, 40), st.sampled_from([Per.PURCHASE, Per.DAY, Per.EVER])),
    max_size=1,
)


@st.composite
def rules(draw: st.DrawFn, kinds: Sequence[RuleKind] = tuple(RuleKind)) -> tuple[EarnRule, ...]:
    """Up to five rules, each with its own id."""
    count = draw(st.integers(1, 5))
    found = []
    for number in range(count):
        kind = draw(st.sampled_from(list(kinds)))
        per = {
            RuleKind.VISIT: 1,
            RuleKind.ITEM: draw(st.integers(1, 3)),
            RuleKind.SPEND: draw(st.sampled_from([1, 50, 100, 500])),
            RuleKind.STREAK: 2,
        }[kind]
        rule = EarnRule(
            f"r{number}",
            kind,
            units=draw(st.integers(1, 7)),
            per=per,
            when=draw(conditions),
            rounding=draw(st.sampled_from(list(Rounding))),
            multiplier=draw(st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(1, 3)])),
            priority=draw(st.integers(0, 2)),
            caps=tuple(draw(caps)),
            is_bonus=draw(st.booleans()),
        )
        found.append(rule)
    return tuple(found)


lines_strategy = st.lists(
    st.builds(
        lambda gross, quantity, category: sale_line(
            gross=gross, quantity=Decimal(quantity), category=(category,)
        ),
        st.integers(0, 5_000),
        st.integers(1, 4),
        st.sampled_from(CATEGORIES),
    ),
    min_size=1,
    max_size=6,
).map(lambda made: [one._replace(line_id=f"L{at}") for at, one in enumerate(made)])


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Any sale, of which one card paid all or some."""
    made = sold(*draw(lines_strategy))
    return replace(made, paid_minor=draw(st.integers(0, made.due_minor)))


any_scheme = st.builds(
    lambda made, stacking, limits: scheme(*made, stacking=stacking, caps=tuple(limits)),
    rules(),
    st.sampled_from(list(Stacking)),
    caps,
)


@given(sales(), any_scheme)
def test_shares_come_to_what_was_earned_and_each_rule_is_told_of_once(
    sale: Sale, made: Scheme
) -> None:
    award = decide_award(sale, made)

    assert sum(share.units for share in award.shares) == award.units == earned_units(sale, made)
    assert all(share.units > 0 for share in award.shares)
    told = [*award.rule_ids, *(one.rule_id for one in award.lost)]
    if award.shares or award.lost:
        assert sorted(told) == sorted(rule.rule_id for rule in made.rules)


@given(sales(), any_scheme, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_rules_changes_nothing(
    sale: Sale, made: Scheme, chance: random.Random
) -> None:
    lines = list(sale.lines)
    chance.shuffle(lines)

    award, again = (
        decide_award(sale, made),
        decide_award(replace(sale, lines=tuple(lines)), made),
    )

    assert set(again.shares) == set(award.shares)
    assert (again.units, again.lost, again.why) == (award.units, award.lost, award.why)


@given(
    st.lists(
        st.tuples(st.sampled_from(("Coffee", "Tea")), st.integers(1, 2)), min_size=1, max_size=4
    ),
    st.randoms(use_true_random=False),
)
def test_of_ways_that_give_as_much_one_wins_for_any_order_of_lines(
    bought: list[tuple[str, int]], chance: random.Random
) -> None:
    of_both = Condition(lines=Matching(("Coffee", "Tea")))
    made = scheme(
        EarnRule("both", RuleKind.ITEM, when=of_both, caps=(Cap(3, Per.PURCHASE),)),
        *(
            EarnRule(f"for {one}", RuleKind.ITEM, when=Condition(lines=Matching((one,))))
            for one in ("Coffee", "Tea")
        ),
        stacking=Stacking.BEST,
    )
    lines = [
        sale_line(f"L{at}", quantity=Decimal(count), category=(category,))
        for at, (category, count) in enumerate(bought)
    ]
    shuffled = list(lines)
    chance.shuffle(shuffled)

    award, again = (decide_award(sold(*one), made) for one in (lines, shuffled))

    assert set(again.shares) == set(award.shares)


@given(sales(), any_scheme, st.integers(0, 60), st.integers(0, 60))
def test_no_cap_is_ever_passed(sale: Sale, made: Scheme, used: int, used_by_all: int) -> None:
    periods = [per for per in Per if per is not Per.PURCHASE]  # It has nothing before it.
    keys = {cap_key(rule.rule_id, per): used for rule in made.rules for per in periods}
    keys |= {cap_key("", per): used_by_all for per in periods}

    award = decide_award(sale, made, Standing(units_by_cap=keys))

    by_rule: dict[str, int] = defaultdict(int)
    for share in award.shares:
        by_rule[share.rule_id] += share.units
    for rule in made.rules:
        for cap in rule.caps:
            before = 0 if cap.per is Per.PURCHASE else used
            assert by_rule[rule.rule_id] <= max(cap.units - before, 0)
    for cap in made.caps:
        before = 0 if cap.per is Per.PURCHASE else used_by_all
        assert award.units <= max(cap.units - before, 0)


@example(  # It reaches the minimum of a visit, whose stamps are fewer than its points.
    sale=sold(sale_line(gross=900)),
    made=(
        EarnRule("pound", RuleKind.SPEND, per=100),
        EarnRule("visit", RuleKind.VISIT, units=5, when=Condition(min_spend_minor=1_000)),
    ),
    limits=[],
    at=0,
    more=200,
)
@given(sales(), rules(), caps, st.integers(0, 5), st.integers(1, 3_000))
def test_spending_more_never_earns_less_where_the_best_or_all_rules_win(
    sale: Sale, made: tuple[EarnRule, ...], limits: list[Cap], at: int, more: int
) -> None:
    sale = replace(sale, paid_minor=sale.due_minor)
    place = at % len(sale.lines)
    dearer = sale.lines[place]._replace(gross_minor=sale.lines[place].gross_minor + more)
    lines = (*sale.lines[:place], dearer, *sale.lines[place + 1 :])
    after = replace(sale, lines=lines, due_minor=sale.due_minor + more)
    after = replace(after, paid_minor=after.due_minor)

    for stacking in (Stacking.BEST, Stacking.ALL):
        of = scheme(*made, stacking=stacking, caps=tuple(limits))
        assert decide_award(after, of).units >= decide_award(sale, of).units


def test_priority_with_a_minimum_may_earn_less_for_more() -> None:
    slow = EarnRule(
        "slow", RuleKind.SPEND, per=100, priority=1, when=Condition(min_spend_minor=2000)
    )
    quick = EarnRule("quick", RuleKind.SPEND, units=3, per=100)
    of = scheme(slow, quick, stacking=Stacking.PRIORITY)

    below, above = sold(sale_line(gross=1999)), sold(sale_line(gross=2000))

    assert (decide_award(below, of).units, decide_award(above, of).units) == (57, 20)


@given(sales(), rules())
def test_the_best_way_is_never_less_than_any_one_rule_alone(
    sale: Sale, made: tuple[EarnRule, ...]
) -> None:
    rivals = tuple(replace(rule, is_bonus=False) for rule in made)

    together = decide_award(sale, scheme(*rivals)).units

    assert together >= max(decide_award(sale, scheme(rule)).units for rule in rivals)


@given(sales(), any_scheme, st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_what_comes_back_is_never_more_than_was_given_and_only_grows(
    sale: Sale, made: Scheme, back: list[int]
) -> None:
    award = decide_award(sale, made)
    given_by = {(one.rule_id, one.line_id): one.units for one in award.shares}

    def taken(part: int) -> dict[tuple[str, str], int]:
        lines = tuple(
            one._replace(returned_quantity=min(Decimal(count * part) / 2, one.quantity))
            for one, count in zip(sale.lines, back, strict=False)
        )
        found = taken_back(award.shares, replace(sale, lines=lines))
        return {(one.rule_id, one.line_id): one.units for one in found}

    half, whole = taken(1), taken(2)
    for key, units in given_by.items():
        assert 0 <= half.get(key, 0) <= whole.get(key, 0) <= units
    assert set(whole) <= set(given_by)


@given(sales(), any_scheme)
def test_giving_everything_back_takes_back_everything(sale: Sale, made: Scheme) -> None:
    award = decide_award(sale, made)
    gone: tuple[SaleLine, ...] = tuple(
        one._replace(returned_quantity=one.quantity) for one in sale.lines
    )

    for after in (
        replace(sale, lines=gone),
        replace(sale, is_refunded=True),
        replace(sale, refunded_minor=sale.paid_minor),
        replace(sale, is_withdrawn=True, lines=()),
    ):
        assert set(taken_back(award.shares, after)) == set(award.shares)


@given(sales(), any_scheme)
def test_what_came_back_in_whole_makes_room_as_if_it_had_never_been(
    sale: Sale, made: Scheme
) -> None:
    award = decide_award(sale, made)
    gone = past_of(award, sale.sold_at, taken_back(award.shares, replace(sale, is_refunded=True)))
    later = sale.sold_at + timedelta(minutes=5)

    if award.units:
        after = standing_of(made, [gone], sold_at=later)
        assert after == standing_of(made, [], sold_at=later)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 500), min_size=1, max_size=8))
def test_shares_are_exact_fair_and_the_same_in_any_order(total: int, weights: list[int]) -> None:
    named = [(f"n{at}", weight) for at, weight in enumerate(weights)]
    if total and not any(weights):
        with pytest.raises(NothingToShareBy):
            share_out(total, named)
        return

    shares = dict(zip((name for name, _ in named), share_out(total, named), strict=True))
    turned = dict(
        zip((name for name, _ in named[::-1]), share_out(total, named[::-1]), strict=True)
    )

    assert (sum(shares.values()), turned) == (total, shares)
    for name, weight in named:
        exact = Fraction(total * weight, sum(weights)) if sum(weights) else Fraction(0)
        assert abs(shares[name] - exact) < 1


@given(st.integers(0, 10**15), st.integers(1, 10**6))
def test_rounds_as_the_decimal_module_does(dividend: int, divisor: int) -> None:
    exact = Fraction(dividend, divisor)
    whole = dividend // divisor

    assert rounded(dividend, divisor, Rounding.DOWN) == whole
    assert rounded(dividend, divisor, Rounding.UP) == -(-dividend // divisor)
    assert rounded(dividend, divisor, Rounding.HALF_EVEN) == round(exact)
    assert rounded(dividend, divisor, Rounding.HALF_UP) == (exact + Fraction(1, 2)).__floor__()


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)), st.integers(2, 5))
def test_streaks_earn_the_same_for_any_order_of_visits(
    order: list[int], missed: set[int], length: int
) -> None:
    steps = [step for step in order if step not in missed]
    visited: set[int] = set()
    earned = 0
    for step in steps:
        earned += completed_by(visited, step, length=length)
        visited.add(step)

    ends = [step for step in visited if step + 1 not in visited]
    assert earned == sum(row_at(visited, end) // length for end in ends)


def test_a_sale_on_a_leap_day_has_a_day_of_its_own() -> None:
    leap_day = SOLD_AT.replace(year=2028, month=2, day=29)
    capped = scheme(caps=(Cap(5, Per.DAY),))
    first = decide_award(sold(sale_line(gross=900), sold_at=leap_day), capped)

    used = standing_of(
        capped, [past_of(first, leap_day)], sold_at=leap_day + timedelta(hours=2)
    ).units_by_cap
    fresh = standing_of(
        capped, [past_of(first, leap_day)], sold_at=leap_day + timedelta(days=1)
    ).units_by_cap

    assert (used[cap_key("", Per.DAY)], fresh.get(cap_key("", Per.DAY), 0)) == (5, 0)
