"""What a stamp and a reward cost: the same month with and without them, and the difference."""

from random import Random
from typing import Any

import pytest

from infra.bench.page import _rewards, tables_of
from infra.bench.regulars import DAYS, REGULARS, Gives, month_of
from infra.bench.scenarios import PLAIN_MONTH, SCENARIOS, posts_of
from infra.bench.verdict import judge, rewarded_months

BY_NAME = {one.name: one for one in SCENARIOS}
SPEED: dict[str, Any] = {
    "webhook": {"times": 1.0},
    "imports": {"times_pynamodb": {}},
    "pairs_per_second": 90_000.0,
    "what_if": {"plain_ms": 0.2, "crowded_ms": 1.2},
    "back_test": {
        "purchases": 1_000,
        "seconds_for_a_million": 59.0,
        "clock_seconds_for_a_million": 90.0,
    },
    "load": 2.5,
}


def played(
    name: str, *, write_units: float, counted: dict[str, float] | None = None
) -> dict[str, Any]:
    """A month as the bench reports it."""
    return {
        "title": BY_NAME[name].title,
        "is_month": True,
        "more_writes_max": BY_NAME[name].more_writes_max,
        "matched": 100,
        "per_matched_receipt": {"write_units": write_units, "read_units": write_units * 2},
        "total_dollars_per_million": write_units * 3,
        "counted": {"settle_rewards": counted or {}},
    }


def test_each_regular_buys_once_on_each_day_of_the_month() -> None:
    month = month_of(Random(7))

    bought = {(sale.sold_at.date(), sale.member) for sale in month}
    assert len(month) == len(bought) == DAYS * REGULARS
    assert month == sorted(month, key=lambda sale: sale.sold_at)
    assert {sale.store for sale in month} == {0}


def test_every_month_plays_the_same_sales_whatever_is_given() -> None:
    months = [one for one in SCENARIOS if one.is_month]

    sent = [posts_of(one, month_of(Random(7)), Random(7), stores=1) for one in months]

    assert {one.gives for one in months} == set(Gives)
    assert all(posts == sent[0] for posts in sent)


def test_the_budgets_of_a_stamp_and_of_a_reward_are_those_of_the_differences() -> None:
    report = {
        "speed": SPEED,
        "scenarios": {
            PLAIN_MONTH: played(PLAIN_MONTH, write_units=6.5),
            "stamped": played("stamped", write_units=7.5),
            "rewarded": played("rewarded", write_units=10.75),
            "both": played("both", write_units=12.0),
        },
    }

    more = {one["what"]: one for one in judge(report) if one["what"].startswith("write units")}

    assert [(one["measured"], one["bound"], one["met"]) for one in more.values()] == [
        (1.0, 1, True),
        (4.25, 4, False),
    ]


def test_a_what_if_and_a_back_test_are_judged_against_their_budgets() -> None:
    judged = {one["what"]: one["met"] for one in judge({"speed": SPEED, "scenarios": {}})}

    assert judged["ms of a what-if, plain scheme"]
    assert not judged["ms of a what-if, eight rules"]
    assert judged["seconds of a back-test of a million purchases"]


@pytest.mark.parametrize("name", ["stamped", "rewarded"])
def test_no_difference_is_told_where_the_plain_month_was_not_played(name: str) -> None:
    assert rewarded_months({name: played(name, write_units=7.5)}) == []


def test_the_page_says_by_table_what_was_written_for_a_reward() -> None:
    counted = {"write_units": 300.0, "write_units.PutItem.wallets": 100.0}
    counted |= {"write_units.PutItem.money": 120.0, "write_units.UpdateItem.money": 105.0}
    scenarios = {
        PLAIN_MONTH: played(PLAIN_MONTH, write_units=6.5),
        "rewarded": played("rewarded", write_units=9.5, counted=counted),
    }

    table = _rewards({"scenarios": scenarios, "speed": SPEED})

    title = BY_NAME["rewarded"].title
    assert table.splitlines()[2] == (
        f"| {title} | 3.00 | 4 | 1.00 | 2.25 | 0.00 | 0.00 | 6.00 | 9.00 |"
    )
    assert table.endswith("(budget: 60), 90 s on the clock. The machine's load was 2.5.")


def test_only_tables_that_the_report_has_all_figures_of_are_written() -> None:
    months = [one.name for one in SCENARIOS if one.is_month]
    report = {"scenarios": {name: played(name, write_units=7.0) for name in months}}

    assert list(tables_of(report | {"speed": SPEED})) == ["rewards"]
    del report["scenarios"]["stamped"]
    assert tables_of(report | {"speed": SPEED}) == {}
