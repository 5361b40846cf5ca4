"""What a streak gave, once one of its steps comes back: a row is worth what is left of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards.lots import owed
from chalicelib.loyalty.cards.past import find_fills
from chalicelib.loyalty.rules import Cap, EarnRule, FixedCashback, Scheme, StampCard
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.terms import Per, RefundPolicy, RuleKind, Stacking, Unit
from tests.makers.loyalty import SOLD_AT, STAMP_A_VISIT, sale_line, scheme, sold
from tests.makers.wallets import Wallet

DAY = timedelta(days=1)
THREE_DAYS = EarnRule("days", RuleKind.STREAK, units=10, per=3, step=Per.DAY)
DAYS = scheme(
    STAMP_A_VISIT,
    THREE_DAYS,
    stacking=Stacking.ALL,
    refund_policy=RefundPolicy.NEGATIVE,
    pending_days=7,
)


@dataclass
class Days(Wallet):
    """A card of three days in a row."""

    scheme: Scheme = DAYS

    @property
    def bonuses(self) -> dict[str, int]:
        """What is left of the streaks, by purchase."""
        return {name: left for (name, rule_id), left in self.left.items() if rule_id == "days"}


def visit(day: int, name: str = "", **more: object) -> Sale:
    """A coffee on that day after the twentieth."""
    at = SOLD_AT + day * DAY + timedelta(minutes=len(name))
    return sold(purchase_id=PaymentId(f"d{day:02}{name}"), sold_at=at, **more)


def back(sale: Sale, *, version: int = 2) -> Sale:
    lines = tuple(one._replace(returned_quantity=one.quantity) for one in sale.lines)
    return replace(sale, version=version, lines=lines)


def corrected(sale: Sale) -> Sale:
    lines = (sale_line(gross=400),)
    return replace(sale, version=2, lines=lines, total_minor=400, paid_minor=400, due_minor=400)


def whole_rows(days: Sequence[int], length: int = 3) -> int:
    """How many streaks there are in the rows of `days`."""
    found, row = 0, 0
    for day in range(max(days, default=0) + 2):
        row = row + 1 if day in days else 0
        found += row > 0 and row % length == 0
    return found


def test_the_bonus_goes_with_any_of_its_steps() -> None:
    for gone in range(3):
        wallet = Days()
        wallet.settle(*(visit(day) for day in range(3)))
        assert (wallet.units, wallet.bonuses) == (13, {"d02": 10})

        wallet.settle(back(visit(gone)))

        assert (wallet.units, wallet.bonuses) == (2, {})


def test_a_row_that_is_whole_without_the_step_keeps_its_bonus() -> None:
    wallet = Days()
    wallet.settle(visit(0), visit(1), visit(1, "b"), visit(2), visit(3))

    wallet.settle(back(visit(1)), back(visit(0)))

    assert (wallet.units, wallet.bonuses) == (13, {"d02": 10})


def test_the_bonus_moves_where_its_own_purchase_comes_back_and_the_row_stays_whole() -> None:
    wallet = Days()
    wallet.settle(visit(1), visit(2), visit(3), visit(0))
    assert wallet.bonuses == {"d03": 10}

    wallet.settle(back(visit(3)))

    assert (wallet.units, wallet.bonuses) == (13, {"d02": 10})


def test_the_bonus_comes_again_with_the_step() -> None:
    wallet = Days()
    wallet.settle(visit(0), visit(1), visit(2), back(visit(1)))
    anew = visit(1, "b")

    wallet.settle(anew)

    assert (wallet.units, wallet.bonuses) == (13, {"d01b": 10})
    wallet.settle(visit(1, version=3))  # What came back was somebody else's: a step as before.
    assert (wallet.units, wallet.bonuses) == (14, {"d01b": 10})


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_corrected_purchase_completes_no_row_that_another_completed(
    order: Sequence[int],
) -> None:
    wallet = Days()
    wallet.settle(*(visit(day) for day in order))

    wallet.settle(*(corrected(visit(day)) for day in range(3)))

    assert (wallet.units, sum(wallet.bonuses.values())) == (13, 10)


def test_a_row_that_a_cap_left_without_a_bonus_gets_none_by_what_comes_back() -> None:
    capped = replace(THREE_DAYS, caps=(Cap(10, Per.EVER),))
    wallet = Days(replace(DAYS, rules=(STAMP_A_VISIT, capped)))
    wallet.settle(*(visit(day) for day in range(6)))
    assert wallet.bonuses == {"d02": 10}

    wallet.settle(back(visit(5)))

    assert (wallet.units, wallet.bonuses) == (15, {"d02": 10})


@pytest.mark.parametrize(
    ("policy", "units"),
    [
        (RefundPolicy.NEGATIVE, 13),
        (RefundPolicy.WITHIN_BALANCE, 13),
        (RefundPolicy.ONLY_PENDING, 14),
    ],
)
def test_what_a_policy_lets_somebody_keep_is_not_given_to_another_of_the_row(
    policy: RefundPolicy, units: int
) -> None:
    wallet = Days(replace(DAYS, refund_policy=policy))
    wallet.settle(visit(1), visit(2), visit(3), visit(0))

    wallet.settle(back(visit(3)))

    assert wallet.units == units


def test_of_a_purchase_that_was_somebody_elses_no_policy_lets_anybody_keep_the_bonus() -> None:
    wallet = Days(replace(DAYS, refund_policy=RefundPolicy.ONLY_PENDING))
    wallet.settle(visit(0), visit(1), visit(2))

    wallet.settle(visit(0, version=2, is_withdrawn=True))

    assert (wallet.units, wallet.bonuses) == (2, {})


def test_where_rules_exclude_one_another_nobody_elses_bonus_goes() -> None:
    wallet = Days(replace(DAYS, stacking=Stacking.BEST))
    wallet.settle(visit(0), visit(1), visit(2))

    wallet.settle(back(visit(0)))

    assert (wallet.units, wallet.bonuses) == (11, {"d02": 10})


def test_a_version_with_longer_streaks_takes_no_bonus_of_an_earlier_one() -> None:
    wallet = Days(replace(DAYS, rules=(STAMP_A_VISIT, replace(THREE_DAYS, per=2))))
    wallet.settle(*(visit(day) for day in range(4)))
    wallet.scheme = replace(DAYS, rules=(STAMP_A_VISIT, replace(THREE_DAYS, per=9)))

    wallet.settle(back(visit(3)))

    assert (wallet.units, wallet.bonuses) == (13, {"d01": 10})


def test_a_card_that_the_bonus_filled_is_emptied_by_the_step() -> None:
    stamps = replace(DAYS, unit=Unit.STAMPS, card=StampCard(12, FixedCashback(400)))
    wallet = Days(stamps)
    wallet.settle(visit(0), visit(1), visit(2))

    wallet.settle(back(visit(0)))

    assert wallet.card is not None
    (full,) = find_fills(wallet.card, (), "d00")
    assert (full.cause, full.undone_by, full.undone_why) == ("d02", "d00", "returned")
    returned, _, last = wallet.card.entries
    assert (returned.changed, last.changed) == (-11, 11)  # The one tells of both.
    assert (wallet.units, owed(wallet.card)) == (2, 0)


def test_rows_that_reach_into_the_history_follow_what_comes_back() -> None:
    wallet = Days()
    wallet.settle(*(visit(day) for day in range(27)))
    assert (wallet.units, len(wallet.bonuses), wallet.reads) == (27 + 90, 9, 0)

    wallet.settle(back(visit(25)))  # At hand; its row begins in the history.
    assert (wallet.units, len(wallet.bonuses), wallet.reads) == (26 + 80, 8, 1)

    wallet.settle(back(visit(1)))  # In the history, as are those whose bonus went.
    assert (wallet.units, len(wallet.bonuses)) == (25 + 70, 7)

    wallet.settle(*(back(visit(day)) for day in range(27)))
    assert (wallet.units, wallet.bonuses) == (0, {})


@st.composite
def told(draw: st.DrawFn) -> list[list[Sale]]:
    """Versions of visits on some days, two on some: bought, come back, counting again."""
    days = draw(st.lists(st.sampled_from(range(9)), min_size=1, max_size=11))
    made: dict[str, list[Sale]] = {}
    for day in days:
        first = visit(day, "b" * sum(name.startswith(f"d{day:02}") for name in made))
        versions = draw(st.integers(1, 3))
        made[first.purchase_id] = [
            back(first, version=number) if number == 2 else replace(first, version=number)
            for number in range(1, versions + 1)
        ]
    return list(made.values())


@settings(max_examples=60)
@given(told(), st.integers(0, 2**16), st.booleans())
def test_in_whatever_order_what_is_left_of_the_rows_counts(
    versions: list[list[Sale]], seed: int, has_history: bool
) -> None:
    wallet, random = Days(), Random(seed)
    later = [visit(20 + 2 * number) for number in range(14)] if has_history else []
    if has_history:
        firsts = [several[0] for several in versions]
        wallet.settle(*random.sample(firsts, len(firsts)), *later)
    sales = [one for several in versions for one in several] * 2
    newest = [several[-1] for several in versions]

    wallet.settle(*random.sample(sales, len(sales)), *random.sample(newest, len(newest)))

    kept = {one.sold_at.day for one in newest if one.version != 2}
    count = sum(one.version != 2 for one in newest) + len(later)

    rows = whole_rows(sorted(day - SOLD_AT.day for day in kept))
    assert sum(wallet.bonuses.values()) == 10 * rows
    assert wallet.units == count + 10 * rows
    wallet.settle(*(back(several[0], version=9) for several in versions))
    wallet.settle(*(back(one, version=9) for one in later))
    assert (wallet.units, wallet.bonuses) == (0, {})
