"""A store's clocks between processes: read seldom, written rarely, merged, and never in the way."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.ids import StoreId
from chalicelib.matching.kept_clocks import NO_CLOCKS, Tally
from chalicelib.matching.prices import NO_PRICES, Prices
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.till_votes import Vote as TillVote
from chalicelib.matching.timekeeping import service, store
from chalicelib.matching.timekeeping.keeping import (
    NOTHING_KEPT,
    KeptClocksOf,
    Timekeeper,
)
from chalicelib.matching.timekeeping.votes import Vote, with_votes
from tests.conftest import NOON
from tests.makers.outside import Counted

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

SHOP = StoreId("wharf-lane")
DAY = timedelta(days=1)


def give(count: int, *, offset: float = 20.0, till: str = "T1", now: datetime = NOON) -> None:
    for minute in range(count):
        service.vote(SHOP, Vote(till, offset, NOON.timestamp() + 60 * minute), now=now)


def kept(now: datetime = NOON) -> KeptClocksOf:
    return store.find_clocks(SHOP, now=now, consistent=True)


def test_a_store_that_nobody_has_voted_on_has_no_clocks() -> None:
    assert service.store_clocks(SHOP, now=NOON) == NO_CLOCKS
    assert kept() == NOTHING_KEPT


def test_thirty_two_votes_of_one_till_cost_three_writes_and_lose_nothing() -> None:
    give(32)

    assert kept().revision == 3
    assert kept().clocks.tills["T1"].votes == 32
    assert kept().clocks.matched == 32


def test_the_votes_of_a_process_count_before_they_are_written() -> None:
    give(3)

    assert kept().clocks.tills["T1"].votes == 2
    assert service.store_clocks(SHOP, now=NOON).tills["T1"].votes == 3


def test_a_process_that_dies_loses_only_what_it_had_not_written() -> None:
    give(10)

    service.forget()

    assert service.store_clocks(SHOP, now=NOON).tills["T1"].votes == 8


def test_two_processes_add_their_votes_to_each_others() -> None:
    other = Timekeeper(store, tell_far_off=lambda *_: None)
    give(1)
    for minute in range(3):
        other.vote(SHOP, Vote("T2", 20.0, NOON.timestamp() + 60 * minute), now=NOON)
    give(1)

    clocks = kept().clocks
    assert {name: till.votes for name, till in clocks.tills.items()} == {"T1": 2, "T2": 2}


def test_remembers_clocks_for_an_hour() -> None:
    service.store_clocks(SHOP, now=NOON)
    voted = with_votes(NO_CLOCKS, [Vote("T1", 20.0, NOON.timestamp())])
    store.record_clocks(SHOP, voted, after_revision=0, now=NOON)

    assert service.store_clocks(SHOP, now=NOON + timedelta(minutes=59)) == NO_CLOCKS
    assert service.store_clocks(SHOP, now=NOON + timedelta(minutes=60)) == voted


def test_clocks_are_forgotten_a_hundred_days_after_they_were_last_seen() -> None:
    give(2)

    assert kept(NOON + timedelta(days=99)).revision == 1
    later = NOON + timedelta(days=100, seconds=1)
    assert kept(later) == NOTHING_KEPT
    service.forget()
    give(2, now=later)
    assert kept(later).clocks.tills["T1"].votes == 2


def test_what_a_later_release_wrote_in_its_own_form_counts_as_nothing_known() -> None:
    row = store.ClocksRow(f"{SHOP}#clocks", "clocks", revision=7, clocks=b"\xff" + bytes(8))
    row.keep_from(NOON).save()

    assert service.store_clocks(SHOP, now=NOON) == NO_CLOCKS


def test_names_a_till_that_is_far_off_once(
    counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    give(64, offset=3_605.0)

    assert counted["tills_far_off"] == 1
    (line,) = [r for r in caplog.records if r.getMessage() == "a till's clock is far off"]
    assert line.keys == {"store": SHOP, "till": "T1", "seconds": 3_605}  # type: ignore[attr-defined]


def test_keeps_what_was_learned_at_once_and_what_a_till_knows_better() -> None:
    give(16, till="T1")
    at = NOON.timestamp()
    learned = {
        (SHOP, name): [TillVote(at + n, -3_600.0 + n % 3, f"p{n}") for n in range(8)]
        for name in ("T1", "T2")
    }

    service.learn(SHOP, learned, at=NOON + timedelta(seconds=4), now=NOON)

    tills = kept().clocks.tills
    assert (tills["T1"].votes, tills["T2"].votes) == (16, 8)
    assert tills["T2"].offset == pytest.approx(-3_599.0, abs=1)


def test_writes_out_what_a_job_leaves_behind() -> None:
    give(3)
    before = kept().clocks.matched

    service.write_out(now=NOON)

    assert (before, kept().clocks.matched) == (2, 3)


def test_counts_at_night_what_waits_though_it_should_have_come_and_each_once() -> None:
    give(3)
    made = [NOON - timedelta(hours=hours) for hours in (30, 2, 1)]
    near = (TailCounts(), TailCounts(pairs=0.25), TailCounts())
    waiting = list(zip(made, near, strict=True))

    for _ in range(2):
        service.count_unmatched(SHOP, waiting, until=NOON - timedelta(hours=2), now=NOON)
    once = kept().clocks.tally
    service.count_unmatched(SHOP, waiting, until=NOON, now=NOON)

    assert once == Tally(3, 3, 2, 1.75, (NOON - timedelta(hours=2)).timestamp())
    assert kept().clocks.tally == Tally(3, 3, 3, 2.75, NOON.timestamp())


@pytest.mark.parametrize("counted_to", [NOON, NOON - timedelta(hours=1)])
def test_counts_nothing_over_what_another_process_counted(counted_to: datetime) -> None:
    service.count_unmatched(SHOP, [(NOON - DAY, TailCounts())], until=NOON - DAY, now=NOON)
    service.forget()
    service.store_clocks(SHOP, now=NOON)
    elsewhere = replace(kept().clocks, tally=Tally(0, 0, 5, 5.0, counted_to.timestamp()))
    assert store.record_clocks(SHOP, elsewhere, after_revision=1, now=NOON)

    service.count_unmatched(SHOP, [(NOON - timedelta(hours=2), TailCounts())], until=NOON, now=NOON)

    assert kept().clocks == elsewhere


def test_counts_sums_in_few_writes() -> None:
    revisions = [0]
    for _ in range(1_500):
        service.count_sums(SHOP, [(420, "GBP")], now=NOON)
        revisions.append(kept().revision)

    written = [slips for slips in range(1, 1_501) if revisions[slips] > revisions[slips - 1]]
    assert written == [16, 32, 48, 72, 108, 162, 243, 364, 546, 819, 1_228]
    assert kept().clocks.prices == NO_PRICES.plus([(420, "GBP")] * 1_228)


def test_what_a_process_counted_it_knows_at_once_and_another_when_it_is_written() -> None:
    service.count_sums(SHOP, [(420, "GBP")] * 17, now=NOON)
    service.count_sums(SHOP, [(420, "GBP")] * 2, now=NOON)

    assert service.store_clocks(SHOP, now=NOON).prices.slips == 19
    service.forget()
    assert service.store_clocks(SHOP, now=NOON).prices.slips == 17


def test_two_processes_count_different_receipts() -> None:
    other = Timekeeper(store, tell_far_off=lambda *_: None)
    other.store_clocks(SHOP, now=NOON)
    service.count_sums(SHOP, [(420, "GBP")] * 16, now=NOON)
    other.count_sums(SHOP, [(385, "GBP")] * 16, now=NOON)

    assert kept().clocks.prices == Prices(32, {(420, "GBP"): 16, (385, "GBP"): 16})


def test_where_nothing_came_nothing_is_counted() -> None:
    service.count_sums(SHOP, [], now=NOON)

    assert kept() == NOTHING_KEPT
