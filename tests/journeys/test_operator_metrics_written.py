"""In Lambda, what was counted is written when the invocation ends: by API, workers, schedules."""

import json
import logging
import os
from collections.abc import Iterator

import pytest

from chalicelib.network.model import Provider
from chalicelib.runtime import aws, observability, queues, settings
from chalicelib.workers import retention
from infra.local.lambda_events import scheduled_event, sqs_event
from tests.makers.journeys import NOON, open_town
from tests.makers.outside import WORKERS, context, run_worker
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

SCHEDULED = scheduled_event("r", at=NOON, event_id="1", region="eu-west-2")


@pytest.fixture
def as_in_lambda(embedded_aws: None) -> Iterator[None]:
    """A town, in a process that believes it is a Lambda.

    What Powertools hangs on the logger writes to this test's own output, which is closed later.
    """
    logger = logging.getLogger(observability.LOGGER_NAME)
    before = vars(logger) | {"handlers": list(logger.handlers), "filters": list(logger.filters)}
    open_town(providers=(Provider.STANDARD,))
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "counterfoil-test"
    settings.in_lambda.cache_clear()
    observability._logger.cache_clear()
    yield
    del os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    settings.in_lambda.cache_clear()
    observability._logger.cache_clear()
    vars(logger).clear()
    vars(logger).update(before)


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines of metrics on standard output, without what describes them."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        {key: value for key, value in line.items() if key != "_aws"}
        for line in lines
        if "_aws" in line
    ]


def test_the_api_writes_one_line_a_request_that_counted(
    as_in_lambda: None, capsys: pytest.CaptureFixture[str]
) -> None:
    signed(Provider.STANDARD).send(webhook_signature="v1,AAAA")
    refused = metrics(capsys)
    signed(Provider.STANDARD).send()

    assert refused == [
        {
            "connection": "standard",
            "outcome": "refused",
            "connection_events": 1,
            "code": "signature_mismatch",
            "requests_refused": 1,
        }
    ]
    assert metrics(capsys) == []


def test_a_worker_writes_one_line_a_batch(
    as_in_lambda: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        signed(Provider.STANDARD).send(message_id=f"m{number}")

    run_worker(queues.PAYMENTS)

    assert metrics(capsys) == [
        {
            "connection": "standard",
            "outcome": "taken",
            "connection_events": 2,
            "connection_lag_seconds": [1132, 1132],
            "provider": "standard",
            "payments_received": 2,
            "reason": "no_receipt_yet",
            "payments_waiting": 2,
        }
    ]


def test_a_worker_whose_messages_meet_a_bug_writes_what_it_counted(
    as_in_lambda: None, capsys: pytest.CaptureFixture[str]
) -> None:
    signed(Provider.STANDARD).send()
    aws.client("dynamodb").delete_table(TableName=settings.table("people"))

    done = run_worker(queues.PAYMENTS)

    (line,) = metrics(capsys)
    assert (len(done.failed), line["payments_received"]) == (1, 1)


def test_a_worker_that_dies_of_its_event_writes_what_it_counted_before(
    as_in_lambda: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observability.count("looks_put_off")
    broken = sqs_event(
        settings.queue(queues.PAYMENTS),
        [{"MessageId": "1", "ReceiptHandle": "r", "Body": "{}", "MD5OfBody": ""}],
        region="eu-west-2",
    )

    with pytest.raises(KeyError):
        WORKERS[queues.PAYMENTS](broken, context("record_payment"))

    assert metrics(capsys) == [{"looks_put_off": 1}]


def test_a_schedule_writes_that_it_came_to_its_end(
    as_in_lambda: None, capsys: pytest.CaptureFixture[str]
) -> None:
    retention.finish_departures(SCHEDULED, context("finish_departures"))

    assert metrics(capsys) == [{"job": "finish_departures", "schedules_done": 1}]
