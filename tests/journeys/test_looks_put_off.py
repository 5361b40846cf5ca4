"""A receipt that is there before its store's time is over: whoever looks asks for another look."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, clock, queues
from chalicelib.workers import waiting
from infra.local.lambda_events import scheduled_event
from tests.makers.journeys import NAMES, OPENED_AT, PAID, SHOP, open_town, send_receipts
from tests.makers.journeys import till_receipt as printed
from tests.makers.outside import context, run_worker, waiting_on
from tests.makers.signed_hooks import changed, signed

PAYER = PAID[Provider.STANDARD]
MADE_AT = datetime.fromisoformat("2026-11-20T11:41:07Z")
SCHEDULED = scheduled_event("r", at=MADE_AT, event_id="1", region="eu-west-2")


def open_shop(*, sends_within: timedelta) -> None:
    """A shop that sends its receipts `sends_within` of the sale."""
    open_town(providers=(Provider.STANDARD,))
    seconds = int(sends_within.total_seconds())
    network.record_store(replace(SHOP, receipts_within_seconds=seconds), NAMES, now=OPENED_AT)


def pay() -> None:
    """A payment without card facts waits for its receipt."""
    signed(Provider.STANDARD, changed(Provider.STANDARD, {"data.card": None})).send()
    run_worker(queues.PAYMENTS)


def after(**time: float) -> None:
    clock.use(lambda: MADE_AT + timedelta(**time))


def looks_to_come() -> int:
    """Messages that their queue holds back for some minutes."""
    name = "ApproximateNumberOfMessagesDelayed"
    url = queues.url(queues.PAYMENTS)
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(found["Attributes"][name])


def send(*, seconds: int = 0, others: int = 0) -> None:
    issued = (MADE_AT + timedelta(seconds=seconds)).isoformat()
    tender = {"kind": "card", "amount_minor": PAYER.minor}
    mine = printed(PAYER, issued_at=issued, tenders=[tender])
    strangers = [
        printed(replace(PAYER, minor=700 + 10 * n, auth_code=""), f"S-{n}", issued_at=issued)
        for n in range(others)
    ]
    send_receipts([mine, *strangers])


@pytest.mark.parametrize("others", [0, 5], ids=["alone", "in a batch"])
def test_whoever_takes_the_receipt_asks_for_another_look(embedded_aws: None, others: int) -> None:
    open_shop(sends_within=timedelta(minutes=29))
    pay()
    after(minutes=19.5)
    send(seconds=100, others=others)

    run_worker(queues.RECEIPTS)

    assert (looks_to_come(), waiting_on(queues.DELIVERIES)) == (1, 0)


def test_whoever_gathers_the_receipt_asks_for_another_look(embedded_aws: None) -> None:
    open_shop(sends_within=timedelta(minutes=29))
    send(seconds=100)
    run_worker(queues.RECEIPTS)
    pay()
    after(minutes=19.5)

    run_worker(queues.GATHER)

    assert (looks_to_come(), waiting_on(queues.DELIVERIES)) == (1, 0)


def test_the_schedule_asks_for_another_look(embedded_aws: None) -> None:
    open_shop(sends_within=timedelta(minutes=69))
    pay()
    after(minutes=19.5)
    send(seconds=40, others=5)
    run_worker(queues.RECEIPTS)
    after(minutes=61)

    waiting.look_again(SCHEDULED, context("look_again"))

    assert (looks_to_come(), waiting_on(queues.DELIVERIES)) == (1, 0)
