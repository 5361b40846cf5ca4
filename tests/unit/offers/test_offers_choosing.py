"""Of overlapping offers the best for the member wins, whatever they are and however many."""

from datetime import timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.offers.deciding import Held, NotWon, OfferWhy, Worth, choose
from chalicelib.offers.participation.model import Kept
from tests.makers.offers import ENDS_AT, campaign

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
        made.append(Worth(of, minor, (Kept("1", minor),)))
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
