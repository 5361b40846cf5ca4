"""A draft on the purchases that the platform has: as by file, of those alone who want offers."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotFound, Rejected, TryAgain
from chalicelib.members import service as members
from chalicelib.purchases import store
from infra.backtest import walking
from infra.backtest.keeping import NOWHERE, AnotherDiary, Diary
from infra.backtest.telling import THRESHOLD, Group
from infra.backtest.walking import Pace
from tests.makers.backtests import (
    DAYS,
    FEW,
    NOW,
    REGULARS,
    STAMPS,
    TEN_PERCENT,
    buy,
    by_file,
    fill_town,
    walked,
)
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.loyalty import SOLD_AT
from tests.makers.members import user
from tests.makers.offers import bought, coffees, join, key_of, open_town
from tests.makers.receipts import RETAILER

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.mark.requirement("OFR-13")
@pytest.mark.parametrize("draft", [TEN_PERCENT, REGULARS, STAMPS])
def test_the_outcome_is_that_of_the_same_purchases_in_a_file(
    draft: dict[str, Any], tmp_path: Path
) -> None:
    made = fill_town(9)

    done = walked(draft)

    same = by_file(tmp_path, draft, made).outcome
    assert done.outcome == same
    assert same.winners is not None
    assert same.winners > FEW
    assert (done.period.since, done.period.until) == (NOW - timedelta(days=DAYS), NOW)
    assert (done.refused, done.currency) == (0, "GBP")


@pytest.mark.requirement("OFR-06")
def test_only_members_who_want_offers_are_counted_and_read() -> None:
    fill_town(5)
    off = join("off", 98, wants_offers=False)
    left, revoked = join("left", 99), join("revoked", 100)
    for member in (off, left, revoked):
        buy(member, 0, 500)
    members.leave(user("left"), now=NOW)
    members.suspend(revoked.member_id, now=NOW)

    with counting_dynamodb_calls() as calls:
        done = walked(TEN_PERCENT)

    assert (done.outcome.members, done.outcome.winners) == (5, 5)
    # Retailers and shops; who left has no link, two are passed over, five are read.
    assert Counter(calls) == {"Query": 2 + 5, "BatchGetItem": 1, "GetItem": 5 + 2}


@pytest.mark.requirement("OFR-13")
def test_nineteen_members_are_told_of_in_no_number() -> None:
    fill_town(19)

    outcome = walked(TEN_PERCENT, threshold=THRESHOLD).outcome

    told = (outcome.purchases, outcome.members, outcome.winners, outcome.cost_minor, outcome.days)
    assert told == (None, None, None, None, ())
    assert outcome.areas == (Group("LS", None, None),)


def test_a_purchase_counts_that_is_in_the_period_of_a_member_and_of_the_retailer() -> None:
    fill_town(5)
    late = join("late", 97)
    for at in (NOW - timedelta(days=DAYS, seconds=1), NOW + timedelta(seconds=1)):
        made = bought(coffees(400), late, f"t-{at}", at=at)
        assert store.record_purchase(made, key=key_of(late))
    elsewhere = replace(coffees(400), retailer_id=RetailerId("other-shop"))
    assert store.record_purchase(bought(elsewhere, late, "t-else"), key=key_of(late))
    whole = walked(TEN_PERCENT)

    assert (whole.outcome.members, whole.outcome.winners) == (6, 5)
    assert whole.outcome.purchases == 11  # Those of the five alone.


def test_a_member_with_more_purchases_than_one_query_gives_is_read_whole() -> None:
    open_town()
    keen = join("keen", 1)
    for number in range(13):
        at = SOLD_AT + timedelta(seconds=number // 2)
        made = bought(coffees(300), keen, f"t-{number:04}", at=at)
        assert store.record_purchase(made, key=key_of(keen))
    walk = walking.Walk(
        walking.read_draft(json.dumps(STAMPS).encode(), RETAILER.retailer_id, _whole()),
        NOW - timedelta(days=DAYS),
        NOW,
        purchases_per_query=5,
    )

    tally = walking.try_members(walk, [keen.member_id])

    assert (tally.purchases, tally.units) == (13, 13)


@pytest.mark.parametrize("draft", [TEN_PERCENT, STAMPS])
def test_a_draft_with_a_field_that_nobody_knows_is_refused(draft: dict[str, Any]) -> None:
    misspelt = json.dumps({**draft, "exclusion": {}}).encode()

    with pytest.raises(Rejected) as refused:
        walking.read_draft(misspelt, RETAILER.retailer_id, _whole())

    assert (refused.value.code, refused.value.field) == ("unknown_field", "exclusion")


def _whole() -> walking.Period:
    return walking.Period(NOW - timedelta(days=DAYS), NOW)


class Stopped(Exception):
    """Somebody stopped the run."""


class Stopping:
    """Hears of rows that were read, and stops the run at the third time."""

    def __init__(self, times: int) -> None:
        self.heard: list[int] = []
        self._times = times

    def __call__(self, rows: int) -> None:
        self.heard.append(rows)
        if len(self.heard) == self._times:
            raise Stopped


@pytest.mark.parametrize("cut_bytes", [0, 7])
def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, cut_bytes: int) -> None:
    made = fill_town(8)
    path = tmp_path / "diary"
    first, second = Stopping(3), Stopping(-1)
    with pytest.raises(Stopped):
        walked(TEN_PERCENT, diary=Diary(path), report=first, rows_per_page=3)
    kept = path.read_bytes()
    path.write_bytes(kept[: len(kept) - cut_bytes])

    later = NOW + timedelta(days=3)
    with counting_dynamodb_calls() as calls:
        done = walked(TEN_PERCENT, diary=Diary(path), report=second, rows_per_page=3, now=later)

    assert done.outcome == by_file(tmp_path, TEN_PERCENT, made).outcome
    assert done.period.until == NOW  # As of when it was begun.
    assert second.heard[:2] == first.heard[:2]
    assert sum(second.heard) == 16  # Two rows of links for each member.
    assert calls.count("GetItem") < 8
    assert not path.exists()
    assert not any(one.member_id.encode() in kept for one in made)


def test_a_diary_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    fill_town(3)
    path, letter = tmp_path / "diary", tmp_path / "letter.txt"
    letter.write_text("Dear Ada, counterfoil and all that\n")
    with pytest.raises(Stopped):
        walked(TEN_PERCENT, diary=Diary(path), report=Stopping(1))
    before = path.read_bytes()

    for file, draft, days in (
        (path, TEN_PERCENT, DAYS + 1),
        (path, STAMPS, DAYS),
        (letter, TEN_PERCENT, DAYS),
    ):
        with pytest.raises(AnotherDiary):
            walked(draft, diary=Diary(file), days=days)

    assert path.read_bytes() == before
    assert letter.read_text() == "Dear Ada, counterfoil and all that\n"


def test_a_step_of_a_diary_that_was_changed_or_moved_does_not_open(tmp_path: Path) -> None:
    fill_town(4)
    path = tmp_path / "diary"
    with pytest.raises(Stopped):
        walked(TEN_PERCENT, diary=Diary(path), report=Stopping(2), rows_per_page=3)
    kept = bytearray(path.read_bytes())
    kept[-1] ^= 1
    path.write_bytes(bytes(kept))

    with pytest.raises(AnotherDiary):
        walked(TEN_PERCENT, diary=Diary(path))


def test_a_draft_that_could_never_run_is_refused_before_anybody_is_read(tmp_path: Path) -> None:
    fill_town(1)
    nowhere = {**TEN_PERCENT, "condition": {"stores": ["0099"]}}

    with counting_dynamodb_calls() as calls:
        with pytest.raises(Rejected) as refused:
            walked(nowhere)
        with pytest.raises(NotFound):
            walked(TEN_PERCENT, retailer_id=RetailerId("nobody"))

    assert refused.value.code == "unknown_store"
    assert "Scan" not in calls


def test_no_more_members_are_read_in_a_second_than_was_asked_for() -> None:
    fill_town(6)
    waits: list[float] = []
    slow = Pace(4.0, wait=waits.append, seconds=lambda: 100.0)

    walked(TEN_PERCENT, pace=slow, rows_per_page=6)

    assert len(waits) >= 1
    assert all(seconds > 0 for seconds in waits)
    assert max(waits) <= 6 / 4.0


def test_a_table_that_is_busy_is_asked_again_a_few_times() -> None:
    waits: list[float] = []
    asked: list[datetime] = []

    def busy() -> Any:
        asked.append(NOW)
        raise TryAgain("DynamoDB did not answer")

    with pytest.raises(TryAgain):
        walking.patiently(busy, Pace(1.0, wait=waits.append))

    assert len(asked) == walking.ATTEMPTS_MAX
    assert waits == [2.0, 4.0, 6.0, 8.0]
    assert list(NOWHERE.read()) == []
