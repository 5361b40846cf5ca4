"""How connections do, as CloudWatch has it, at the operator's terminal."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import clock
from infra.local.metrics import CountedMetrics
from infra.operating import health
from tests.makers.bank_server import bank_server
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.operating import operate
from tests.makers.outside import run_worker, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BANK = ConnectionId("standard")


@pytest.fixture
def counted(embedded_aws: None) -> Iterator[CountedMetrics]:
    """A day at a bank: one payment told, one refused, one that is no purchase."""
    metrics = CountedMetrics()
    with bank_server() as bank:
        open_town(bank.url, providers=(Provider.STANDARD, Provider.MONZO))
        metrics.put(now=NOON)
        send_receipts(till_receipt(PAYER))
        signed(Provider.STANDARD).send()
        signed(Provider.STANDARD).send(webhook_signature="v1,AAAA")
        declined = changed(Provider.STANDARD, {"type": "payment.declined"})
        signed(Provider.STANDARD, declined, message_id="m-2").send()
        work()
        run_worker("deliveries")
    yield metrics
    metrics.stop()


def test_shows_each_connections_last_event_refusals_lag_and_what_was_told(
    counted: CountedMetrics,
) -> None:
    counted.put(now=NOON)
    clock.use(lambda: NOON + timedelta(minutes=30))

    done = operate("health")

    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "monzo  -  0  -  0  -  0  -",
        "standard  11-20 12:05  1  1 (33%)  1  1132 s  1  -",
    ]
    assert "2 connections in the last 24 hours" in done.stderr


def test_looks_no_further_back_than_it_is_told(counted: CountedMetrics) -> None:
    counted.put(now=NOON)
    now = NOON + timedelta(hours=3)

    (_, of_two_hours) = health.health_of_all(window=timedelta(hours=2), now=now)
    (_, of_four) = health.health_of_all(window=timedelta(hours=4), now=now)

    assert (of_two_hours.taken, of_two_hours.last_event_at, of_two_hours.lag_seconds) == (
        0,
        None,
        None,
    )
    assert of_two_hours.refused_share is None
    assert (of_four.taken, of_four.refused, of_four.dropped, of_four.told) == (1, 1, 1, 1)


def test_shows_whose_telling_has_stopped(counted: CountedMetrics) -> None:
    network.stop_telling(BANK, now=NOON)

    done = operate("health", "--hours=1")

    assert [line.split("  ")[-1] for line in done.stdout.splitlines()] == ["-", "stopped"]


def test_puts_what_was_counted_once(counted: CountedMetrics) -> None:
    first = counted.put(now=NOON)

    assert first > 10
    assert counted.put(now=NOON) == 0
