"""`make bench`: what a matched receipt costs, and how quick the platform is, against its budgets.

Prints every figure and writes `build/bench.json`. `SALES=3000` and `SCENARIOS=batches,singles` play
less or more; `BACK_TESTED=1000000` times a back-test on so many purchases. Run beside DynamoDB
Local, which is the only one that counts capacity as AWS does.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from infra.bench import stage

stage.prepare_environment()  # Before anything of the platform is imported.

from app import app  # noqa: E402 - see above
from infra.bench import cost, monthly, prices, regulars, speed, verdict  # noqa: E402
from infra.bench.meter import Meter  # noqa: E402
from infra.bench.regulars import REGULARS  # noqa: E402
from infra.bench.road import LOOKS_EVERY, Outcome, Road  # noqa: E402
from infra.bench.scenarios import SCENARIOS, Scenario, posts_of  # noqa: E402
from infra.bench.shift import STARTS, Sale, sales_of  # noqa: E402
from infra.bench.town import build_town  # noqa: E402

REPORT = Path("build/bench.json")
SEED = 7
STORES = 6
MEMBERS = 60
SALES = 3_000
BACK_TESTED = 100_000
ALL = "all"
BASE = "batches"  # The scenario by which a month is reckoned.
DAY = timedelta(days=1)
TOLD = {"deliver_receipt": stage.RECEIPTS_PATH, "send_notices": stage.NOTICES_PATH}


def main() -> int:
    """Play, measure, print, write; returns 0 whether or not a budget is met."""
    sales = int(os.environ.get("SALES", SALES))
    wanted = os.environ.get("SCENARIOS", ALL).split(",")
    chosen = [one for one in SCENARIOS if one.name in wanted or wanted == [ALL]]
    if not chosen:
        names = ", ".join(one.name for one in SCENARIOS)
        sys.stderr.write(f"SCENARIOS names none of: {names}\n")
        return 2
    played = {one.name: play(one, sales=sales) for one in chosen}
    back_tested = int(os.environ.get("BACK_TESTED", BACK_TESTED))
    figures = speed.measure(back_tested=back_tested)
    report = {"sales": sales, "seed": SEED, "scenarios": played, "speed": figures}
    report["budgets"] = verdict.judge(report)
    months: list[monthly.Month] = []
    if base := played.get(BASE):
        months = monthly.months_of(base, prices.price_list())
        report["months"] = [asdict(month) for month in months]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1))
    verdict.show(report)
    if months:
        sys.stdout.write(monthly.markdown(months, prices.price_list()) + "\n")
    return 0


def play(scenario: Scenario, *, sales: int) -> dict[str, Any]:
    """One scenario: what was counted, by part, and what it costs for a matched receipt."""
    random = Random(SEED)
    meter = Meter()
    stores = 1 if scenario.is_month else STORES
    with stage.empty_stage() as outside:
        town = build_town(
            random,
            stores=stores,
            member_count=REGULARS if scenario.is_month else MEMBERS,
            within_seconds=scenario.within_seconds,
            bank_url=outside.bank.url,
        )
        sold = _sold(scenario, random, sales=sales)
        posts = posts_of(scenario, sold, random, stores=stores)
        with meter.listening():
            every = LOOKS_EVERY if scenario.gives is None else DAY
            road = Road(app, town, meter, outside, looks_every=every)
            outcome = road.play(posts, with_card_facts=scenario.has_card_facts)
        _add_told(meter, outside.bank)
    return {
        "title": scenario.title,
        "is_month": scenario.is_month,
        "write_units_max": scenario.write_units_max,
        "more_writes_max": scenario.more_writes_max,
        "members_sales": sum(sale.member is not None for sale in sold),
        "lines_per_receipt": sum(len(sale.receipt["lines"]) for sale in sold) / len(sold),
        **asdict(outcome),
        **_priced(meter.by_part, outcome),
        "counted": _sorted(meter.by_part),
    }


def _sold(scenario: Scenario, random: Random, *, sales: int) -> list[Sale]:
    """The sales of a shift, or those of a month; then its shop gives what it gives."""
    if scenario.gives is None:
        facts = scenario.has_card_facts
        return sales_of(random, count=sales, stores=STORES, members=MEMBERS, has_card_facts=facts)
    regulars.open_shop(scenario.gives, now=STARTS - DAY)
    return regulars.month_of(random)


def _add_told(meter: Meter, bank: stage.Bank) -> None:
    """What the bank heard, as the work of whoever told it."""
    for part, path in TOLD.items():
        if bank.calls[path]:
            told = meter.by_part[part]
            told["bank_calls"], told["bank_bytes"] = bank.calls[path], bank.bytes_told[path]


def _priced(by_part: Mapping[str, Mapping[str, float]], outcome: Outcome) -> dict[str, Any]:
    """For one matched receipt, in dollars for a million, and two ways that were not taken."""
    listed = prices.price_list()
    costs = cost.costs_of(by_part, outcome, listed)
    alone = cost.costs_of(by_part, outcome, listed, messages_together=1)
    rest = cost.costs_of(by_part, outcome, listed, api_per_million=listed.rest_api_per_million)
    return {
        "per_matched_receipt": asdict(costs.work),
        "by_part": {part: asdict(work) for part, work in costs.by_part.items()},
        "part_dollars_per_million": dict(costs.part_dollars_per_million),
        "dollars_per_million": dict(costs.dollars_per_million),
        "total_dollars_per_million": costs.total_dollars_per_million,
        "total_with_one_message_a_run": alone.total_dollars_per_million,
        "total_behind_a_rest_api": rest.total_dollars_per_million,
    }


def _sorted(by_part: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {part: dict(sorted(counts.items())) for part, counts in by_part.items()}


if __name__ == "__main__":
    sys.exit(main())
