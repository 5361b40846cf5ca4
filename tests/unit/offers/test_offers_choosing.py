"""Of overlapping offers the best for the member wins, whatever they are and however many."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.conditions import counted
from chalicelib.loyalty.rules import Condition, FixedCashback, Matching, PercentCashback
from chalicelib.loyalty.sale import SaleLine
from chalicelib.offers.campaigns.model import NO_EXCLUSIONS, Campaign, Status
from chalicelib.offers.choosing import Chosen, Held, choose
from chalicelib.offers.deciding import NotWon, OfferWhy, Worth, judge
from chalicelib.offers.participation.model import Kept
from tests.makers.loyalty import SOLD_AT, sale_line, sold
from tests.makers.offers import COFFEE, ENDS_AT, campaign

DAY = timedelta(days=1)
DEAR = counted(sold(sale_line("1", gross=10_000)), NO_EXCLUSIONS)  # More than all of them give.
_traits = st.tuples(
    st.integers(1, 300), st.booleans(), st.integers(0, 2), st.integers(0, 3)
)  # What it gives, whether it is stackable, its priority, and how many days later it ends.


def worths(traits: list[tuple[int, bool, int, int]]) -> list[Worth]:
    made = []
    for number, (minor, is_stackable, priority, days) in enumerate(traits):
        of = campaign(
            f"c-{number}",
            is_stackable=is_stackable,
            priority=priority,
            ends_at=ENDS_AT + timedelta(days=days),
        )
        made.append(Worth(of, minor, (Kept("1", minor),), (("1", 1),), DEAR))
    return made


def total(won: tuple[Worth, ...]) -> int:
    return sum(one.minor for one in won)


@given(st.lists(_traits, min_size=1, max_size=6))
def test_no_other_way_of_rewarding_goes_before_the_one_that_wins(
    traits: list[tuple[int, bool, int, int]],
) -> None:
    every = worths(traits)
    together = tuple(one for one in every if one.campaign.is_stackable)
    ways = [(one,) for one in every if not one.campaign.is_stackable]
    ways += [together] if together else []

    won = choose(every).won

    assert {one.campaign.campaign_id for one in won} in [
        {one.campaign.campaign_id for one in way} for way in ways
    ]
    rank = (max(one.campaign.priority for one in won), total(won))
    assert rank == max((max(o.campaign.priority for o in way), total(way)) for way in ways)


@given(st.lists(_traits, min_size=1, max_size=4))
def test_the_order_in_which_offers_are_found_changes_nothing(
    traits: list[tuple[int, bool, int, int]],
) -> None:
    every = worths(traits)

    chosen = {choose(order).won for order in permutations(every)}

    assert len(chosen) == 1


@given(st.lists(_traits, min_size=1, max_size=5), _traits)
def test_one_more_offer_never_gives_a_member_less_where_no_priority_is_set(
    traits: list[tuple[int, bool, int, int]], more: tuple[int, bool, int, int]
) -> None:
    level = [(minor, is_stackable, 0, days) for minor, is_stackable, _, days in traits]
    extra = (more[0], more[1], 0, more[3])

    assert total(choose(worths([*level, extra])).won) >= total(choose(worths(level)).won)


@given(st.lists(_traits, min_size=2, max_size=5))
def test_beside_what_was_given_only_what_may_be_stacked_is_given(
    traits: list[tuple[int, bool, int, int]],
) -> None:
    every = worths(traits)

    alone = choose(every, Held("given", is_stackable=False))
    beside = choose(every, Held("given", is_stackable=True))

    assert alone.won == ()
    assert all(one.campaign.is_stackable for one in beside.won)
    assert total(beside.won) == sum(o.minor for o in every if o.campaign.is_stackable)
    better = OfferWhy.OTHER_OFFER_BETTER.value
    assert alone.lost == tuple(NotWon(o.campaign.campaign_id, better, by="given") for o in every)


def stackable(name: str, reward: FixedCashback | PercentCashback, **more: object) -> Campaign:
    of = {"is_stackable": True, "status": Status.SCHEDULED, "starts_at": SOLD_AT, **more}
    return campaign(name, reward=reward, **of)


def chosen_of(*offers: Campaign, lines: list[SaleLine], paid: int | None = None) -> Chosen:
    sale = sold(*lines)
    if paid is not None:
        sale = replace(sale, paid_minor=paid)
    return choose([judge(one, sale, None) for one in offers])


def told(chosen: Chosen) -> list[tuple[str, int, dict[str, int]]]:
    return [
        (one.campaign.reference, one.minor, {share.line_id: share.minor for share in one.shares})
        for one in chosen.won
    ]


THREE, EVERYTHING = FixedCashback(300), Condition()
LATER_ENDS = ENDS_AT + timedelta(days=1)
COFFEE_AND_TEA = [
    sale_line("1", gross=200, category=("Coffee",)),
    sale_line("2", gross=150, category=("Tea",)),
]


def test_what_would_be_more_than_was_paid_is_left_out_of_the_one_that_ends_later() -> None:
    first = stackable("first", THREE)
    second = stackable("second", THREE, ends_at=LATER_ENDS)

    chosen = chosen_of(second, first, lines=[sale_line("1", gross=350)])

    assert told(chosen) == [("first", 300, {"1": 300}), ("second", 50, {"1": 50})]


def test_no_line_gives_more_than_was_paid_for_it() -> None:
    coffee = stackable("coffee", THREE)
    second = stackable("second", THREE, ends_at=LATER_ENDS, condition=EVERYTHING)

    chosen = chosen_of(coffee, second, lines=COFFEE_AND_TEA)

    assert told(chosen) == [("coffee", 200, {"1": 200}), ("second", 128, {"2": 128})]


def test_the_fraction_of_a_penny_that_one_offer_leaves_goes_to_the_next() -> None:
    coffee = stackable("coffee", THREE)
    more = [
        stackable(name, THREE, ends_at=LATER_ENDS, condition=EVERYTHING)
        for name in ("second", "third")
    ]

    chosen = chosen_of(coffee, *more, lines=COFFEE_AND_TEA)

    assert told(chosen) == [
        ("coffee", 200, {"1": 200}),
        ("second", 128, {"2": 128}),
        ("third", 22, {"2": 22}),
    ]


def test_one_that_nothing_is_left_for_is_not_given_and_says_so() -> None:
    all_of_it = stackable("all", PercentCashback(Fraction(1), 1_000))
    second = stackable("second", THREE, ends_at=LATER_ENDS)

    chosen = chosen_of(all_of_it, second, lines=[sale_line("1", gross=350)])

    assert told(chosen) == [("all", 350, {"1": 350})]
    by = all_of_it.campaign_id
    assert chosen.lost == (NotWon(second.campaign_id, "nothing_left", by=by),)


def test_what_was_given_before_a_crash_counts_as_given() -> None:
    second = stackable("second", THREE)
    held = Held("first", is_stackable=True, shares=(Kept("1", 300),))

    chosen = choose([judge(second, sold(sale_line("1", gross=350)), None)], held)

    assert told(chosen) == [("second", 50, {"1": 50})]


def test_stackable_offers_are_compared_by_what_they_really_give() -> None:
    alone = stackable("alone", FixedCashback(340), is_stackable=False)
    pair = [stackable("one", THREE), stackable("two", FixedCashback(30))]
    more = [*pair, stackable("three", THREE)]

    chosen = [chosen_of(alone, *some, lines=[sale_line("1", gross=345)]) for some in (pair, more)]

    assert [[name for name, _, _ in told(one)] for one in chosen] == [["alone"], ["one", "three"]]


offers = st.builds(
    lambda reward, lines, days: (reward, lines, days),
    st.one_of(
        st.builds(FixedCashback, st.integers(1, 2_000)),
        st.builds(
            PercentCashback,
            st.fractions(Fraction(1, 100), 1, max_denominator=100),
            st.integers(1, 2_000),
        ),
    ),
    st.sampled_from([Matching(), COFFEE, Matching(("Tea",))]),
    st.integers(0, 3),
)


@given(
    st.lists(offers, min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(["Coffee", "Tea"])), min_size=1, max_size=4
    ),
    st.fractions(0, 1, max_denominator=7),
)
def test_whatever_stacks_gives_of_each_line_and_in_all_no_more_than_was_paid(
    several: list[tuple[FixedCashback | PercentCashback, Matching, int]],
    prices: list[tuple[int, str]],
    share: Fraction,
) -> None:
    lines = [
        sale_line(str(at), gross=price, category=(category,))
        for at, (price, category) in enumerate(prices)
    ]
    paid = int(sum(price for price, _ in prices) * share)
    made = [
        stackable(f"c{at}", reward, condition=Condition(lines=of), ends_at=ENDS_AT + days * DAY)
        for at, (reward, of, days) in enumerate(several)
    ]

    won = chosen_of(*made, lines=lines, paid=paid).won

    assert total(won) <= paid
    due = sum(price for price, _ in prices)
    for line in lines:
        given_of = [s.minor for one in won for s in one.shares if s.line_id == line.line_id]
        of_line = Fraction(line.gross_minor * paid, due) if due else 0
        assert sum(given_of) < of_line + len(won) + 1  # Less than a penny each, for rounding.
    assert all(one.minor == sum(s.minor for s in one.shares) > 0 for one in won)
