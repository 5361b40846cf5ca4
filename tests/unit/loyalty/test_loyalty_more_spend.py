"""Who spends more never ends with less: over a whole history, with tiers, caps and all stacking."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.loyalty.earning import decide_award
from chalicelib.loyalty.rules import Cap, EarnRule, Scheme, Tier, Tiering
from chalicelib.loyalty.standing import Past, past_of, standing_of
from chalicelib.loyalty.terms import Downgrade, Measure, Per, RuleKind, Span, Stacking
from tests.makers.loyalty import SOLD_AT, sale_line, scheme, sold

POUND = EarnRule("pound", RuleKind.SPEND, per=100, is_tiered=True)
THIRD = EarnRule("third", RuleKind.SPEND, per=300)
# What a few purchases come to, in steps: some tiers are reached at once, some later, some never.
STEPS = {
    Measure.UNITS: range(20, 160, 20),
    Measure.VISITS: range(1, 6),
    Measure.SPEND: range(2_000, 16_000, 2_000),
}
prices_of = st.lists(st.sampled_from(range(0, 9_000, 250)), min_size=1, max_size=6)
limits = st.lists(
    st.builds(Cap, st.integers(1, 300), st.sampled_from([Per.DAY, Per.MONTH, Per.EVER])),
    max_size=1,
)


@st.composite
def tierings(draw: st.DrawFn) -> Tiering:
    """Three or four tiers, each of which multiplies by a half more."""
    measure = draw(st.sampled_from(list(Measure)))
    steps = sorted(
        draw(st.lists(st.sampled_from(STEPS[measure]), min_size=2, max_size=3, unique=True))
    )
    return ladder(measure, steps, draw(st.sampled_from(list(Downgrade))))


def ladder(measure: Measure, steps: Sequence[int], downgrade: Downgrade) -> Tiering:
    tiers = tuple(
        Tier(f"t{at}", f"T{at}", threshold, Fraction(2 + at, 2))
        for at, threshold in enumerate((0, *steps))
    )
    return Tiering(measure=measure, span=Span.YEAR, downgrade=downgrade, tiers=tiers)


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    """One or two rules on money, tiers, and at most one cap of them all."""
    rules = draw(st.sampled_from([(POUND,), (POUND, THIRD)]))
    stacking = draw(st.sampled_from([Stacking.BEST, Stacking.ALL]))
    caps = tuple(draw(limits))
    return scheme(*rules, stacking=stacking, caps=caps, tiering=draw(tierings()))


def earned(made: Scheme, prices: Sequence[int], *, hours: int) -> int:
    """What purchases of `prices`, one after the other, earn in all."""
    past: list[Past] = []
    total = 0
    for number, price in enumerate(prices):
        at = SOLD_AT + timedelta(hours=hours * number)
        sale = replace(sold(sale_line(gross=price)), sold_at=at)
        award = decide_award(sale, made, standing_of(made, past, sold_at=at))
        past.append(past_of(award, at))
        total += award.units
    return total


@example(  # From the middle of a ladder to its top.
    made=scheme(POUND, tiering=ladder(Measure.UNITS, (10, 20), Downgrade.BY_BALANCE)),
    prices=[1_000, 9_000],
    at=0,
    more=1_500,
    hours=1,
)
@given(
    schemes(),
    prices_of,
    st.integers(0, 5),
    st.integers(1, 4_000),
    st.sampled_from([1, 30, 400]),
)
def test_spending_more_once_never_leaves_less_in_all(
    made: Scheme, prices: list[int], at: int, more: int, hours: int
) -> None:
    place = at % len(prices)
    dearer = [price + more if number == place else price for number, price in enumerate(prices)]

    assert earned(made, dearer, hours=hours) >= earned(made, prices, hours=hours)


@given(
    schemes(),
    prices_of,
    st.integers(1, 9_000),
    st.sampled_from([1, 30, 400]),
)
def test_buying_once_more_never_leaves_less_in_all(
    made: Scheme, prices: list[int], another: int, hours: int
) -> None:
    assert earned(made, [*prices, another], hours=hours) >= earned(made, prices, hours=hours)
