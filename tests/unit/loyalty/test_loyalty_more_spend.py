"""Who spends more never ends with less: over a whole history, with tiers, caps and all stacking."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.earning import decide_award
from chalicelib.loyalty.rules import Cap, EarnRule, Scheme, Tier, Tiering
from chalicelib.loyalty.standing import Past, past_of, standing_of
from chalicelib.loyalty.terms import Downgrade, Measure, Per, RuleKind, Span, Stacking
from tests.makers.loyalty import SOLD_AT, sale_line, scheme, sold

POUND = EarnRule("pound", RuleKind.SPEND, per=100, is_tiered=True)
FIFTIES = EarnRule("fifties", RuleKind.SPEND, units=2, per=50)
tierings = st.builds(
    lambda measure, steps, downgrade: Tiering(
        measure=measure,
        span=Span.YEAR,
        downgrade=downgrade,
        tiers=tuple(
            Tier(f"t{at}", f"T{at}", threshold, Fraction(2 + at, 2))
            for at, threshold in enumerate((0, *steps))
        ),
    ),
    st.sampled_from(list(Measure)),
    st.lists(st.integers(1, 200), min_size=1, max_size=3, unique=True).map(sorted),
    st.sampled_from(list(Downgrade)),
)
limits = st.lists(
    st.builds(Cap, st.integers(1, 300), st.sampled_from([Per.DAY, Per.MONTH, Per.EVER])),
    max_size=1,
)


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    """One or two rules on money, tiers, and at most one cap of them all."""
    rules = draw(st.sampled_from([(POUND,), (POUND, FIFTIES)]))
    stacking = draw(st.sampled_from([Stacking.BEST, Stacking.ALL]))
    caps = tuple(draw(limits))
    return scheme(*rules, stacking=stacking, caps=caps, tiering=draw(tierings))


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


@given(
    schemes(),
    st.lists(st.integers(0, 9_000), min_size=1, max_size=6),
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
    st.lists(st.integers(0, 9_000), min_size=1, max_size=5),
    st.integers(1, 9_000),
    st.sampled_from([1, 30, 400]),
)
def test_buying_once_more_never_leaves_less_in_all(
    made: Scheme, prices: list[int], another: int, hours: int
) -> None:
    assert earned(made, [*prices, another], hours=hours) >= earned(made, prices, hours=hours)
