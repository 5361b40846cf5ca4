"""Of several offers together: who spends more never gets less, whether they stack or not."""

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.loyalty.rules import (
    Condition,
    FixedCashback,
    Matching,
    PercentCashback,
    Reward,
)
from chalicelib.loyalty.sale import SaleLine
from chalicelib.offers.campaigns.model import Campaign, Status
from chalicelib.offers.choosing import choose
from chalicelib.offers.deciding import NotWon, Worth, judge
from tests.makers.loyalty import SOLD_AT, sale_line, sold
from tests.makers.offers import campaign

CATEGORIES = ("Coffee", "Tea")
ANYTHING = Condition()
rewards = st.one_of(
    st.builds(FixedCashback, st.integers(1, 2_000)),
    st.builds(
        PercentCashback,
        st.fractions(Fraction(1, 100), 1, max_denominator=100),
        st.integers(1, 2_000),
    ),
)


def offer(
    number: int, reward: Reward, *, is_stackable: bool, when: Condition = ANYTHING
) -> Campaign:
    return campaign(
        f"c{number}",
        reward=reward,
        condition=when,
        is_stackable=is_stackable,
        starts_at=SOLD_AT,
        status=Status.SCHEDULED,
    )


TWO_FIFTIES = [offer(number, FixedCashback(50), is_stackable=True) for number in range(2)]


@st.composite
def several(draw: st.DrawFn) -> list[Campaign]:
    """Up to four offers, some with a minimum, some of them stackable, none before another."""
    return [
        offer(
            number,
            draw(rewards),
            is_stackable=draw(st.booleans()),
            when=Condition(
                lines=draw(st.sampled_from([Matching(), *(Matching((c,)) for c in CATEGORIES)])),
                min_spend_minor=draw(st.sampled_from([0, 0, 500, 2_000])),
            ),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


def won_minor(offers: list[Campaign], lines: list[SaleLine]) -> int:
    """What a purchase of `lines` gets of all of them."""
    judged: list[Worth | NotWon] = [judge(one, sold(*lines), None) for one in offers]
    return sum(one.minor for one in choose(judged, None).won)


def test_the_offers_that_it_is_tried_with_give_something() -> None:
    assert won_minor(TWO_FIFTIES, [sale_line(gross=350)]) == 100


@example(  # Half of it alone comes closer to what the others give together.
    offers=[*TWO_FIFTIES, offer(2, PercentCashback(Fraction(1, 2), 2_000), is_stackable=False)],
    prices=[(90, "Coffee")],
    at=0,
    more=100,
)
@given(
    several(),
    st.lists(st.tuples(st.integers(0, 4_000), st.sampled_from(CATEGORIES)), min_size=1, max_size=5),
    st.integers(0, 4),
    st.integers(1, 4_000),
)
def test_spending_more_never_gets_less_of_all_offers_together(
    offers: list[Campaign], prices: list[tuple[int, str]], at: int, more: int
) -> None:
    place = at % len(prices)
    lines = [
        sale_line(str(number), gross=price, category=(category,))
        for number, (price, category) in enumerate(prices)
    ]
    dearer = [
        line._replace(gross_minor=line.gross_minor + more) if number == place else line
        for number, line in enumerate(lines)
    ]

    assert won_minor(offers, dearer) >= won_minor(offers, lines)
