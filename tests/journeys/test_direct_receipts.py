"""Retailers that send straight to a queue of their own: for themselves and for nobody else."""

import json
from datetime import date

import pytest

from chalicelib.network.model import Provider
from chalicelib.runtime import aws, quarantine, queues, settings
from infra import replaying
from infra.local.lambda_events import sqs_event
from tests.makers.journeys import NOON, PAID, open_town, till_receipt
from tests.makers.network import BAKERY
from tests.makers.outside import WORKERS, context, run_worker, stored_rows, waiting_on
from tests.makers.signed_hooks import signed

OWN = f"{queues.DIRECT_RECEIPTS}{BAKERY}"
OTHERS = f"{queues.DIRECT_RECEIPTS}the-dairy"


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town("http://127.0.0.1:9", providers=(Provider.STANDARD,))  # Nothing is sent there.
    for name in (OWN, OTHERS):
        aws.client("sqs").create_queue(QueueName=settings.queue(name))


def send_and_work(queue: str, retailer: str) -> list[str]:
    """Put one receipt of `retailer` on `queue` and run its worker: the ids that failed."""
    message = {
        "v": 1,
        "retailer_id": retailer,
        "received_at": "2026-11-20T11:59:00Z",
        "receipts": [till_receipt(PAID[Provider.STANDARD])],
    }
    sqs, url = aws.client("sqs"), queues.url(queue)
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    return work_off(queue)


def work_off(queue: str) -> list[str]:
    """Hand what is on `queue` to the worker of receipts, as its event source does."""
    sqs, url = aws.client("sqs"), queues.url(queue)
    got = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    event = sqs_event(settings.queue(queue), got, region="eu-west-2")
    answer = WORKERS[queues.RECEIPTS](event, context("record_receipts"))
    for message in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


@pytest.mark.requirement("RCP-01")
def test_takes_a_retailers_receipts_from_its_own_queue() -> None:
    signed(Provider.STANDARD).send()
    run_worker(queues.PAYMENTS)

    failed = send_and_work(OWN, BAKERY)

    assert failed == []
    assert waiting_on(queues.DELIVERIES) == 1
    assert quarantine.list_day(date(2026, 11, 20), now=NOON) == []


def test_refuses_receipts_in_another_retailers_name_and_keeps_none() -> None:
    before = stored_rows("tills", "wallets")

    failed = send_and_work(OTHERS, BAKERY)

    assert failed == []
    (kept,) = quarantine.list_day(date(2026, 11, 20), now=NOON)
    assert (kept.area, kept.reason, kept.sender) == (OTHERS, "foreign_receipts", OTHERS)
    assert stored_rows("tills", "wallets") == before
    assert waiting_on(queues.GATHER) == 0


def test_sends_what_was_refused_back_to_the_queue_it_came_on_and_no_other() -> None:
    send_and_work(OTHERS, BAKERY)

    replayed = replaying.replay_quarantine(date(2026, 11, 20), None, body=None, now=NOON)

    assert (len(replayed.sent), replayed.refused) == (1, ())
    assert (waiting_on(OTHERS), waiting_on(queues.RECEIPTS)) == (1, 0)
    assert work_off(OTHERS) == []
    (again,) = quarantine.list_day(date(2026, 11, 20), now=NOON)
    assert again.reason == "foreign_receipts"


def test_believes_the_name_on_the_common_queue_because_only_we_write_there() -> None:
    assert send_and_work(queues.RECEIPTS, BAKERY) == []
    assert quarantine.list_day(date(2026, 11, 20), now=NOON) == []
