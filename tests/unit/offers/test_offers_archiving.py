"""Moving redemptions to the history and back loses nothing and counts nothing twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import PaymentId, ReceiptId
from chalicelib.loyalty.holding.model import REFUSED
from chalicelib.loyalty.terms import Per
from chalicelib.offers.campaigns.model import Campaign, Limit
from chalicelib.offers.participation.archiving import (
    KEPT_MAX,
    Page,
    bring_back,
    left_in,
    may_be_past,
    move_old,
)
from chalicelib.offers.participation.model import (
    Gift,
    Participation,
    Redemption,
    is_at_limit,
    lessened,
    new_participation,
    period_of,
    with_redemption,
)
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import campaign

# What happens: a purchase of an hour is rewarded, or one that was is taken back in part or whole.
_happens = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 100) | st.none()), min_size=10, max_size=60
)


def redemption(hour: int) -> Redemption:
    at = SOLD_AT + timedelta(hours=3 * hour)
    return Redemption(PaymentId(f"p-{hour}"), ReceiptId("r"), 1, at, at, (), (Gift(0, 100),))


@given(_happens, st.sampled_from([Limit(1, per) for per in Per if per is not Per.PURCHASE]))
def test_the_history_and_the_row_together_are_what_was_given(
    happens: list[tuple[int, int | None]], limit: Limit
) -> None:
    of = campaign(limit=replace(limit, times=2))
    row, pages, naive = new_participation(of), list[Page](), dict[str, Redemption]()
    for hour, target in happens:
        name, at = PaymentId(f"p-{hour}"), redemption(hour).sold_at
        past: tuple[Redemption, ...] = ()
        if may_be_past(row, at, of):
            row = bring_back(row, pages, name)
            past = left_in(row, pages)
        known = row.find(name, ReceiptId("r"))
        assert known == naive.get(name)
        assert _is_full(row, of.limit, at, past) == _is_naively_full(naive, of.limit, at)
        if known is None:
            row, page = move_old(row, of)
            pages += [page] if page else []
            known = redemption(hour)
        changed = known if target is None else lessened(known, target)
        row, naive[name] = with_redemption(row, changed), changed

    assert row.kept_minor == sum(one.kept_minor for one in naive.values())
    assert row.gifted == row.history.redemptions + len(row.redemptions) == len(naive)
    every = {one.purchase_id: one for one in (*row.redemptions, *left_in(row, pages))}
    assert every == naive


def _is_full(row: Participation, limit: Limit, at: object, past: tuple[Redemption, ...]) -> bool:
    return is_at_limit(
        row,
        limit,
        sold_at=at,  # type: ignore[arg-type]
        zone="Europe/London",
        most=10_000,
        past=past,
    )


def _is_naively_full(naive: dict[str, Redemption], limit: Limit, at: object) -> bool:
    period = period_of(at, limit.per, zone="Europe/London")  # type: ignore[arg-type]
    same = [
        one
        for one in naive.values()
        if one.kept_minor and period_of(one.sold_at, limit.per, zone="Europe/London") == period
    ]
    return len(same) >= limit.times


def test_a_row_keeps_all_of_the_newest_period_and_no_more_than_nine_else() -> None:
    of = campaign(limit=Limit(60, Per.MONTH))
    row = new_participation(of)
    for hour in range(40):
        row, page = move_old(row, of)
        assert page is None
        row = with_redemption(row, redemption(hour))

    row = with_redemption(row, redemption(200))  # In December.
    row, page = move_old(row, of)

    assert page is not None
    assert [one.purchase_id for one in page.redemptions] == [f"p-{hour}" for hour in range(9)]
    assert len(row.redemptions) == 32
    assert KEPT_MAX == 9


def moved_row() -> tuple[Participation, Page, Campaign]:
    """Seventeen rewards, nine of which moved to the first page of the history."""
    of = campaign(limit=Limit(60, Per.EVER))
    kept = tuple(redemption(hour) for hour in range(17))
    row, page = move_old(replace(new_participation(of), redemptions=kept), of)
    assert page is not None
    return row, page, of


def test_the_latest_sale_that_moved_is_looked_for_and_a_later_one_is_not() -> None:
    row, page, of = moved_row()
    latest = page.redemptions[-1].sold_at

    assert may_be_past(row, latest, of)
    assert not may_be_past(row, latest + timedelta(microseconds=1), of)


def test_a_page_that_was_written_by_who_lost_the_race_is_no_part_of_the_history() -> None:
    row, page, _of = moved_row()
    lost = Page(2, (redemption(99),))

    assert left_in(row, [lost, page]) == page.redemptions
    assert bring_back(row, [lost, page], PaymentId("p-99")) == row


@pytest.mark.parametrize(("newest", "moves"), [(15, False), (16, True)])
def test_what_was_bought_within_a_day_stays_together(newest: int, moves: bool) -> None:
    """The ninth of them was bought 21 hours before the newest, or 24."""
    of = campaign(limit=Limit(60, Per.EVER))
    kept = (*(redemption(hour) for hour in range(9)), redemption(newest))

    _, page = move_old(replace(new_participation(of), redemptions=kept), of)

    assert (page is not None) is moves


def test_thirty_of_one_day_stay_and_the_oldest_of_more_move() -> None:
    of = campaign(limit=Limit(60, Per.EVER))
    quick = [replace(redemption(0), purchase_id=PaymentId(f"q-{n}")) for n in range(31)]
    thirty = replace(new_participation(of), redemptions=tuple(quick[:30]))

    _, none = move_old(thirty, of)
    _, page = move_old(with_redemption(thirty, quick[30]), of)

    assert none is None
    assert page is not None
    assert len(page.redemptions) == 9


def test_the_history_knows_what_is_held_as_nobodys_and_what_is_refused_as_no_reward() -> None:
    of = campaign(limit=Limit(60, Per.EVER))
    early = [redemption(hour) for hour in range(9)]
    early[0], early[1] = replace(early[0], held="hour"), replace(early[1], held=REFUSED)
    before = replace(new_participation(of), redemptions=(*early, redemption(30)))

    row, page = move_old(before, of)

    assert page is not None
    assert (row.history.rewards, row.history.gifted, row.history.kept_minor) == (8, 9, 700)
    assert bring_back(row, [page], PaymentId("p-0")).history.kept_minor == 700
    assert bring_back(row, [page], PaymentId("p-1")).history.rewards == 8
    assert (before.kept_minor, before.held_minor) == (row.kept_minor, 100) == (800, 100)
