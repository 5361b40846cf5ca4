"""A late return takes back from the history what it takes back from a card: stamps and rewards."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.filling import Filling, with_leases
from chalicelib.loyalty.cards.lots import balance_at, owed
from chalicelib.loyalty.cards.model import Card, ClaimState, Fill
from chalicelib.loyalty.cards.past import Past, in_chain, newest_fills
from chalicelib.loyalty.terms import RefundPolicy
from tests.makers.cards import EMPTY, FIVE_PLACES, LONG_AFTER, SCHEME, SOLD_AT, worth

DAY = timedelta(days=1)


@dataclass
class Cabinet:
    """A card and its history, as the desk keeps them."""

    card: Card = EMPTY
    past: list[Past] = field(default_factory=list)
    filling: Filling = FIVE_PLACES
    policy: RefundPolicy = RefundPolicy.NEGATIVE

    def enter(self, told: Worth, *, at: datetime = LONG_AFTER) -> None:
        opened, mark = self.card, self.card.watermark
        if opened.find_entry(told.payment_id) is None and mark and told.sold_at <= mark:
            chain = in_chain(self.past, opened.last_past)
            opened = archiving.bring_back(opened, chain, told.payment_id, SCHEME, at=at)
        changed = bring_up(opened, told, filling=self.filling, policy=self.policy, at=at)
        if changed is opened:
            return
        changed = with_leases(changed, lambda _minor: 1)
        self.card, moved = archiving.move_old(changed, SCHEME, at=at)
        if moved is not None:
            self.past.append(moved)

    @property
    def full(self) -> list[Fill]:
        found = newest_fills(self.card, in_chain(self.past, self.card.last_past)).values()
        return [fill for fill in found if not fill.undone_by]


def bought(number: int, units: int, *, version: int = 1, back: int = 0, **more: object) -> Worth:
    sold_at = SOLD_AT + number * timedelta(hours=8)
    return worth(f"p{number:03}", units, version=version, back=back, sold_at=sold_at, **more)


def a_cabinet(units: list[int], **more: object) -> Cabinet:
    cabinet = Cabinet(**more)  # type: ignore[arg-type]
    for number, some in enumerate(units):
        cabinet.enter(bought(number, some))
    return cabinet


def collect_all(cabinet: Cabinet) -> None:
    """Every reward of the full cards is collected at a till."""
    every = {fill.claim_id for fill in cabinet.full}
    closed = tuple(
        replace(one, state=ClaimState.REDEEMED, closed_at=LONG_AFTER)
        for one in cabinet.card.claims
        if one.claim_id in every
    )
    cabinet.card = replace(cabinet.card, claims=closed)


def test_a_full_card_of_the_history_is_emptied_by_the_return_of_one_of_its_stamps() -> None:
    cabinet = a_cabinet([1] * 30)
    assert {fill.number for fill in cabinet.card.fills} == {6}

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert [fill.number for fill in cabinet.full] == [2, 3, 4, 5, 6]
    every = newest_fills(cabinet.card, in_chain(cabinet.past, cabinet.card.last_past))
    assert every[1].undone_by == "p000"
    assert (balance_at(cabinet.card, LONG_AFTER).active, owed(cabinet.card)) == (4, 0)


def test_the_same_return_again_empties_nothing_more() -> None:
    cabinet = a_cabinet([1] * 40)
    for _ in range(3):
        cabinet.enter(bought(0, 1, version=2, back=1))
    for number in range(40, 60):
        cabinet.enter(bought(number, 1))
    before = cabinet.card

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert cabinet.card is before
    assert len(cabinet.full) == 59 // 5


def test_a_loose_stamp_takes_the_place_in_a_full_card_of_the_history() -> None:
    cabinet = a_cabinet([1] * 31)

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert len(cabinet.full) == 6
    assert balance_at(cabinet.card, LONG_AFTER).active == 0


def test_a_policy_that_takes_only_what_is_there_leaves_a_paid_card_of_the_history_full() -> None:
    cabinet = a_cabinet([1] * 30, policy=RefundPolicy.WITHIN_BALANCE)

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert len(cabinet.full) == 6
    assert (balance_at(cabinet.card, LONG_AFTER).active, owed(cabinet.card)) == (0, 0)


def test_a_reward_that_was_collected_stays_and_the_stamp_is_owed() -> None:
    cabinet = a_cabinet([1] * 30, filling=Filling(places=5, claims=True))
    collect_all(cabinet)

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert (len(cabinet.full), owed(cabinet.card)) == (6, 1)


def test_a_reward_whose_collecting_is_in_the_history_too_stays_and_the_stamp_is_owed() -> None:
    cabinet = a_cabinet([1] * 30, filling=Filling(places=5, claims=True))
    collect_all(cabinet)
    for number in range(30, 35):
        cabinet.enter(bought(number, 1))
    assert [claim.state for claim in cabinet.card.claims] == [ClaimState.RESERVED]

    cabinet.enter(bought(0, 1, version=2, back=1))

    assert ([fill.number for fill in cabinet.full], owed(cabinet.card)) == (
        [1, 2, 3, 4, 5, 6, 7],
        1,
    )


def test_a_full_card_stays_at_hand_with_any_purchase_that_has_stamps_in_it() -> None:
    cabinet = a_cabinet([1] * 35 + [3])
    for number in range(3):
        cabinet.enter(bought(number, 1, version=2, back=1))

    cabinet.enter(bought(35, 3, version=2, back=1))

    assert len(cabinet.full) == 34 // 5
    assert balance_at(cabinet.card, LONG_AFTER).active == 34 % 5


@given(
    st.lists(st.integers(1, 4), min_size=14, max_size=45),
    st.lists(st.tuples(st.integers(0, 44), st.integers(1, 4)), max_size=25),
    st.booleans(),
)
def test_the_history_changes_nothing_of_what_is_left_after_returns(
    units: list[int], returns: list[tuple[int, int]], comes_between: bool
) -> None:
    cabinet = a_cabinet(units)
    back = dict.fromkeys(range(len(units)), 0)
    for step, (number, some) in enumerate(returns):
        if number < len(units):
            back[number] = min(back[number] + some, units[number])
            told = bought(number, units[number], version=step + 2, back=back[number])
            cabinet.enter(told, at=LONG_AFTER + step * DAY)
        if comes_between and step % 3 == 0:
            units.append(1)
            back[len(units) - 1] = 0
            cabinet.enter(bought(len(units) - 1, 1), at=LONG_AFTER + step * DAY)

    total = sum(units) - sum(back.values())
    held = 5 * len(cabinet.full) + balance_at(cabinet.card, LONG_AFTER + 99 * DAY).active
    assert held == total
    assert len(cabinet.full) == total // 5


@given(st.lists(st.integers(1, 7), min_size=14, max_size=40), st.randoms(use_true_random=False))
def test_refunding_everything_restores_everything_whatever_is_in_the_history(
    units: list[int], random: st.randoms
) -> None:
    cabinet = a_cabinet(units)
    order = list(enumerate(units))
    random.shuffle(order)

    for number, some in order:
        cabinet.enter(bought(number, some, version=2, back=some))

    balance = balance_at(cabinet.card, LONG_AFTER)
    assert cabinet.full == []
    assert (balance.active, balance.pending, owed(cabinet.card)) == (0, 0, 0)
