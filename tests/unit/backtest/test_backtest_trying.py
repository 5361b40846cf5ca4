"""Back-tests: the live code on purchases that were made, and numbers that tell of no one."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.ids import RetailerId
from infra.backtest.run import Backtest, NoPurchases, backtest
from infra.backtest.telling import Day, Group
from tests.makers.matchfiles import quiet, write_lines

BEGAN = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
OWN = RetailerId("bean-and-leaf")
EVENT = json.loads((Path(__file__).parents[3] / "events" / "campaign_put.json").read_text())
TEN_PERCENT = {
    "name": "Ten per cent back",
    "currency": "GBP",
    "zone": "Europe/London",
    "starts_at": "2027-01-01T00:00:00Z",
    "ends_at": "2027-02-01T00:00:00Z",
    "reward": {"kind": "percent_cashback", "percent": "10", "max_minor": 100},
    "budget": {"amount_minor": 100_000, "currency": "GBP"},
    "limit": {"times": 1, "per": "day"},
}
STAMPS = {
    "name": "Coffee card",
    "unit": "stamps",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [{"kind": "item", "id": "coffee", "when": {"lines": {"categories": ["Coffee"]}}}],
    "card": {"places": 3, "reward": {"kind": "fixed_cashback", "amount_minor": 300}},
}


def bought(member: int, day: int = 0, minor: int = 350, **more: object) -> dict[str, Any]:
    line = {"gross_minor": minor, "category": ["Coffee"]}
    return {
        "member": f"m-{member}",
        "sold_at": (BEGAN + timedelta(days=day, minutes=member)).isoformat(),
        "store": "0042",
        "currency": "GBP",
        "lines": [line],
        **more,
    }


def try_on(
    folder: Path,
    lines: list[Mapping[str, Any] | str],
    draft: Mapping[str, Any] = TEN_PERCENT,
    **more: Any,
) -> Backtest:
    (folder / "draft.json").write_text(json.dumps(draft))
    purchases = write_lines(folder / "purchases.jsonl", lines)
    options: dict[str, Any] = {"days": None, "processes": 1, "report": quiet, **more}
    return backtest(folder / "draft.json", purchases, retailer_id=OWN, **options)


@pytest.mark.requirement("OFR-13")
def test_tells_who_would_have_won_and_what_it_would_have_cost(tmp_path: Path) -> None:
    lines = [bought(member, day) for member in range(25) for day in range(2)]

    outcome = try_on(tmp_path, [*lines]).outcome

    assert (outcome.purchases, outcome.members, outcome.audience) == (50, 25, 25)
    assert (outcome.winners, outcome.rewards, outcome.cost_minor) == (25, 50, 50 * 35)
    assert outcome.days == (
        Day(date(2026, 10, 5), 25 * 35, 100_000 - 25 * 35),
        Day(date(2026, 10, 6), 25 * 35, 100_000 - 50 * 35),
    )
    assert (outcome.refused, outcome.exhausted_on) == (0, None)


@pytest.mark.requirement("OFR-13")
def test_says_nothing_where_fewer_than_twenty_stand_behind_a_number(tmp_path: Path) -> None:
    outcome = try_on(tmp_path, [bought(member) for member in range(19)]).outcome

    numbers = (outcome.members, outcome.audience, outcome.winners, outcome.rewards)
    assert numbers == (None, None, None, None)
    assert (outcome.cost_minor, outcome.refused, outcome.days) == (None, None, ())
    assert outcome.purchases is None


@pytest.mark.requirement("OFR-13")
def test_hides_a_second_group_where_one_could_be_had_by_subtraction(tmp_path: Path) -> None:
    bands = ["18-24"] * 5 + ["25-34"] * 22 + ["35-49"] * 30
    lines = [bought(at, age_band=band) for at, band in enumerate(bands)]

    outcome = try_on(tmp_path, [*lines]).outcome

    assert outcome.ages == (
        Group("18-24", None, None),
        Group("25-34", None, None),
        Group("35-49", 30, 30),
    )
    assert outcome.areas == (Group("unknown", 57, 57),)


def test_the_budget_is_spent_in_the_order_of_the_purchases(tmp_path: Path) -> None:
    draft = {**TEN_PERCENT, "budget": {"amount_minor": 350, "currency": "GBP"}}

    outcome = try_on(tmp_path, [bought(member) for member in range(25)], draft).outcome

    assert (outcome.rewards, outcome.cost_minor, outcome.refused) == (10, 350, 15)
    assert outcome.exhausted_on == date(2026, 10, 5)
    assert outcome.days == (Day(date(2026, 10, 5), 350, 0),)


def test_an_audience_is_judged_by_purchases_before_each_sale(tmp_path: Path) -> None:
    frequent = {**TEN_PERCENT, "audience": [{"kind": "frequent", "visits": 2, "days": 30}]}
    regulars = [bought(member, day) for member in range(21) for day in range(4)]
    others = [bought(member) for member in range(30, 60)]

    outcome = try_on(tmp_path, [*regulars, *others], frequent, days=2).outcome

    assert (outcome.audience, outcome.winners, outcome.rewards) == (21, 21, 42)


def test_what_came_back_costs_nothing(tmp_path: Path) -> None:
    lines = [bought(member) for member in range(25)]
    for line in lines[:5]:
        line["lines"][0]["returned"] = "1"

    outcome = try_on(tmp_path, [*lines]).outcome

    assert (outcome.winners, outcome.cost_minor) == (20, 20 * 35)


def test_a_scheme_is_tried_with_its_cards(tmp_path: Path) -> None:
    lines = [bought(member, day) for member in range(20) for day in range(4)]

    outcome = try_on(tmp_path, [*lines], STAMPS).outcome

    assert (outcome.winners, outcome.units, outcome.cost_minor) == (20, 80, 20 * 300)
    assert outcome.days == (Day(date(2026, 10, 7), 6_000, None),)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_outcome_is_the_same_however_the_file_is_cut(tmp_path: Path, processes: int) -> None:
    lines = [bought(at % 40, at % 9, 100 + at) for at in range(200)]
    whole = try_on(tmp_path, [*lines])

    cut = try_on(tmp_path, [*reversed(lines)], processes=processes, part_bytes=1_000)

    assert cut == whole


def test_lines_that_are_no_purchases_are_counted_and_passed_over(tmp_path: Path) -> None:
    lines = [bought(member) for member in range(20)]
    no_zone = {**lines[0], "sold_at": "2026-10-05T09:00:00"}
    bad_line = {**lines[0], "lines": [{"gross_minor": "many"}]}
    one_name = {**lines[0], "lines": [{"gross_minor": 350}, {"gross_minor": 350, "id": "0"}]}

    done = try_on(tmp_path, [*lines, "{", no_zone, bad_line, one_name, ""])

    assert (done.refused, done.outcome.winners) == (4, 20)
    with pytest.raises(NoPurchases):
        try_on(tmp_path, ["{"])


def test_the_example_of_a_campaign_can_be_tried(tmp_path: Path) -> None:
    done = try_on(tmp_path, [bought(member) for member in range(20)], EVENT)

    assert (done.outcome.audience, done.outcome.winners, done.currency) == (0, 0, "GBP")
