"""Which offers a sale gets, and how much: by what was bought, and best for the member."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.conditions import counted
from chalicelib.loyalty.rules import Condition, FixedCashback, ItemPrice, PercentCashback, Reward
from chalicelib.offers.campaigns.model import Campaign, Pause, Stage, Status, ended, paused, resumed
from chalicelib.offers.choosing import Held, choose
from chalicelib.offers.deciding import NotWon, Worth, judge, worth_of
from chalicelib.offers.participation.model import (
    Gift,
    Kept,
    Redemption,
    Refused,
    lessened,
    raised,
    released,
)
from tests.makers.loyalty import SOLD_AT, sale_line, sold
from tests.makers.offers import COFFEE, ENDS_AT, STARTS_AT, campaign

LIVE = campaign(status=Status.SCHEDULED, condition=Condition(lines=COFFEE))
HOUR = timedelta(hours=1)


def live(reference: str = "autumn", **more: object) -> Campaign:
    return campaign(reference, status=Status.SCHEDULED, **more)


def worth(of: Campaign, minor: int) -> Worth:
    """What `of` would give for one line that costs more than all of them give."""
    dear = counted(sold(sale_line("1", gross=10_000)), of.exclusions)
    return Worth(of, minor, (Kept("1", minor),), (("1", 1),), dear)


def minor(one: Worth | NotWon) -> int:
    assert isinstance(one, Worth), one
    assert sum(share.minor for share in one.shares) == one.minor
    return one.minor


@pytest.mark.parametrize(
    ("reward", "worth"),
    [
        (FixedCashback(100), 100),
        (FixedCashback(5_000), 1_050),
        (PercentCashback(Fraction(1, 3), 10_000), 350),
        (PercentCashback(Fraction(1, 3), 349), 349),
        (ItemPrice(COFFEE, 10_000), 350),
        (ItemPrice(COFFEE, 200), 200),
    ],
)
def test_gives_what_the_reward_says_and_never_more_than_was_paid(
    reward: Reward, worth: int
) -> None:
    sale = sold(
        sale_line("1"), sale_line("2", gross=700, quantity=Decimal(2)), sale_line("3", category=())
    )

    assert minor(worth_of(replace(LIVE, reward=reward), sale)) == worth


def test_shares_a_reward_among_the_lines_it_is_for() -> None:
    sale = sold(sale_line("1", gross=200), sale_line("2", gross=100), sale_line("3", category=()))

    worth = worth_of(replace(LIVE, reward=FixedCashback(100)), sale)

    assert isinstance(worth, Worth)
    assert worth.shares == (Kept("1", 67), Kept("2", 33))


def test_of_a_receipt_paid_in_parts_only_the_larger_part_gets_what_is_fixed() -> None:
    part = sold(is_largest_part=False)

    refused = worth_of(LIVE, part)
    shared = worth_of(replace(LIVE, reward=PercentCashback(Fraction(1, 10), 500)), part)

    assert refused == NotWon(LIVE.campaign_id, "smaller_part")
    assert minor(shared) == 35


def test_says_what_a_sale_lacked() -> None:
    dear = replace(LIVE, condition=Condition(lines=COFFEE, min_spend_minor=500))

    assert worth_of(dear, sold()) == NotWon(dear.campaign_id, "below_minimum", missing_minor=150)


@given(
    reward=st.one_of(
        st.builds(FixedCashback, st.integers(1, 2_000)),
        st.builds(
            PercentCashback,
            st.fractions(Fraction(1, 100), 1, max_denominator=100),
            st.integers(1, 2_000),
        ),
    ),
    prices=st.lists(st.integers(0, 5_000), min_size=1, max_size=5),
    more=st.integers(0, 5_000),
)
def test_spending_more_never_gets_less(reward: Reward, prices: list[int], more: int) -> None:
    one = replace(LIVE, reward=reward)
    lines = [sale_line(str(at), gross=price) for at, price in enumerate(prices)]

    before = worth_of(one, sold(*lines))
    after = worth_of(one, sold(*lines, sale_line("more", gross=more)))

    if isinstance(before, Worth):
        assert minor(after) >= minor(before)


@given(
    worths=st.lists(
        st.tuples(st.integers(1, 500), st.booleans(), st.integers(0, 2)), min_size=1, max_size=4
    )
)
def test_the_order_in_which_offers_are_judged_changes_nothing(
    worths: list[tuple[int, bool, int]],
) -> None:
    judged = [
        worth(live(f"c{at}", is_stackable=stacks, priority=priority), minor)
        for at, (minor, stacks, priority) in enumerate(worths)
    ]

    chosen = [choose(order).won for order in permutations(judged)]

    assert chosen == [chosen[0]] * len(chosen)
    together = sum(one.minor for one in chosen[0])
    if not any(priority for _, _, priority in worths):
        assert together == max(
            max((one.minor for one in judged if not one.campaign.is_stackable), default=0),
            sum(one.minor for one in judged if one.campaign.is_stackable),
        )


def test_beside_what_was_given_only_what_stacks_is_added() -> None:
    stacks, alone = worth(live("s", is_stackable=True), 10), worth(live("a"), 500)

    assert choose([stacks, alone], Held("x", is_stackable=True)).won == (stacks,)
    assert choose([stacks, alone], Held("x", is_stackable=False)).won == ()
    assert choose([alone], Held("x", is_stackable=False)).lost == (
        NotWon(alone.campaign.campaign_id, "other_offer_better", by="x"),
    )


def test_a_campaign_is_for_sales_of_its_window_but_for_its_pauses() -> None:
    went_on = resumed(paused(LIVE, now=SOLD_AT), now=SOLD_AT + HOUR)
    over = ended(went_on, now=SOLD_AT + 2 * HOUR)
    moments = [STARTS_AT - HOUR, STARTS_AT, SOLD_AT, SOLD_AT + HOUR, SOLD_AT + 2 * HOUR]

    assert over.pauses == (Pause(SOLD_AT, SOLD_AT + HOUR),)
    assert [over.is_for_sales_at(at) for at in moments] == [False, True, False, True, False]
    assert judge(over, sold(), None) == NotWon(over.campaign_id, "paused")
    assert [LIVE.stage_at(at) for at in (STARTS_AT - HOUR, STARTS_AT, ENDS_AT)] == [
        Stage.SCHEDULED,
        Stage.LIVE,
        Stage.ENDED,
    ]


REDEEMED = Redemption(
    purchase_id="p",  # type: ignore[arg-type]
    receipt_id="r",  # type: ignore[arg-type]
    receipt_version=1,
    sold_at=SOLD_AT,
    available_at=SOLD_AT,
    shares=(),
    gifts=(Gift(1, 100),),
)


def test_less_is_taken_from_the_last_gift_first_and_more_is_another_gift() -> None:
    more = raised(REDEEMED, 130, lease=2)

    assert more.gifts == (Gift(1, 100), Gift(2, 30))
    assert lessened(more, 90).gifts == (Gift(1, 100, (10,)), Gift(2, 30, (30,)))
    assert lessened(lessened(more, 90), 0).kept_minor == 0
    assert lessened(more, 200) == more


@given(targets=st.lists(st.integers(0, 500), max_size=8))
def test_whatever_comes_back_or_is_added_a_gift_only_loses(targets: list[int]) -> None:
    now = REDEEMED
    for target in targets:
        before, missing = now, target - now.kept_minor
        now = raised(now, target, lease=9) if missing > 0 else lessened(now, target)
        assert now.kept_minor == target
        for old, new in zip(before.gifts, now.gifts, strict=False):
            assert (new.lease, new.given_minor) == (old.lease, old.given_minor)
            assert old.taken_minor <= new.taken_minor <= new.given_minor


def test_a_gift_that_no_lease_can_pay_is_dropped_and_the_redemption_refused() -> None:
    assert released(REDEEMED, 0, lease=7).gifts == (Gift(7, 100),)
    assert released(REDEEMED, 0, lease=None).refused is Refused.NO_BUDGET
    assert released(raised(REDEEMED, 130, lease=2), 1, lease=None).gifts == (Gift(1, 100),)
