"""The cost meter: units as they were counted, priced by the list, by month and by size."""

from collections import Counter
from random import Random

import pytest

from infra.bench.cost import LAMBDA_LINES_BYTES, costs_of, memory_gb
from infra.bench.monthly import MATCHED_A_MONTH, markdown, months_of
from infra.bench.prices import GIB, MILLION, Work, dollars, price_list
from infra.bench.road import Outcome
from infra.bench.scenarios import SCENARIOS, posts_of
from infra.bench.shift import MEMBERS_BUY, sales_of
from infra.bench.verdict import Verdict

PRICES = price_list()


def test_prices_every_service_by_its_own_unit() -> None:
    work = Work(
        write_units=MILLION,
        read_units=2 * MILLION,
        api_calls=MILLION,
        queue_calls=MILLION,
        invocations=MILLION,
        gb_seconds=1_000,
        log_bytes=GIB,
        egress_bytes=2 * GIB,
    )

    priced = dollars(work, PRICES, api_per_million=1.0)

    assert priced == {
        "dynamodb_writes": 0.625,
        "dynamodb_reads": 0.25,
        "gateway": 1.0,
        "sqs": 0.4,
        "lambda": pytest.approx(0.2 + 0.0133334),
        "logs": 0.5,
        "egress": 0.18,
    }


def test_counts_per_matched_receipt_and_leaves_configuration_to_the_process() -> None:
    counted = {
        "api: hooks": Counter({"invocations": 20, "queue_chunks": 20}),
        "record_payment": Counter(
            {
                "messages": 20,
                "invocations": 20,
                "write_units": 30,
                "read_units": 50,
                "read_units.Query.network": 10,
                "queue_chunks": 5,
                "log_bytes": 100,
                "metric_bytes": 1_000,
            }
        ),
    }

    costs = costs_of(counted, Outcome(matched=10), PRICES)

    worker = costs.by_part["record_payment"]
    assert costs.work.write_units == 3
    assert costs.work.read_units == 4
    assert costs.work.api_calls == 2
    assert worker.invocations == 0.2  # twenty messages in two full batches
    assert worker.queue_calls == 0.9  # five sends, and a receive and a delete for each batch
    assert worker.log_bytes == (100 + 1_000 * 2 / 20 + 2 * LAMBDA_LINES_BYTES) / 10


def test_a_message_a_run_costs_more_than_ten() -> None:
    counted = {"record_payment": Counter({"messages": 20, "invocations": 20})}

    together = costs_of(counted, Outcome(matched=10), PRICES)
    alone = costs_of(counted, Outcome(matched=10), PRICES, messages_together=1)

    assert alone.total_dollars_per_million > together.total_dollars_per_million


def test_knows_the_memory_that_is_deployed() -> None:
    assert memory_gb("api: hooks") == 0.5
    assert memory_gb("record_payment") == 0.25


def test_a_month_grows_with_its_members_and_stands_for_the_rest() -> None:
    small, middle, large = months_of({"total_dollars_per_million": 10.0}, PRICES)

    assert small.receipts_matched == 10_000 * MATCHED_A_MONTH
    assert (small.traffic, middle.traffic) == (0.8, 80.0)
    assert large.storage == pytest.approx(1_000 * small.storage)
    assert small.per_member > middle.per_member > large.per_member
    assert markdown([small], PRICES).startswith("| members |")


def test_a_shift_follows_from_its_seed() -> None:
    shifts = [sales_of(Random(3), count=400, stores=4, members=9) for _ in range(2)]

    assert shifts[0] == shifts[1]
    bought = sum(sale.member is not None for sale in shifts[0])
    assert abs(bought / 400 - MEMBERS_BUY) < 0.05


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_every_receipt_is_sent_and_every_members_payment_told(scenario: object) -> None:
    assert isinstance(scenario, type(SCENARIOS[0]))
    sales = sales_of(Random(3), count=300, stores=4, members=9)

    posts = posts_of(scenario, sales, Random(3), stores=4)

    sent = {receipt["reference"] for post in posts for receipt in post.receipts}
    told = {post.sale.number for post in posts if post.sale is not None}
    assert sent == {sale.receipt["reference"] for sale in sales}
    assert told == {sale.number for sale in sales if sale.member is not None}
    assert max(len(post.receipts) for post in posts) <= scenario.receipts_per_post


def test_a_budget_is_met_on_its_own_side() -> None:
    assert Verdict("cost", 8.0, 8.0).is_met
    assert not Verdict("cost", 8.1, 8.0).is_met
    assert Verdict("speed", 9.0, 8.0, is_least=True).is_met
    assert not Verdict("speed", 7.9, 8.0, is_least=True).is_met
