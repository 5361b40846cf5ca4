"""Payouts of invented members: money that became available, and orders to pay it."""

import json
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import moving
from chalicelib.ledger.giving import give
from chalicelib.payouts import store
from chalicelib.payouts.model import Instruction, new_instruction, payout_id_of
from chalicelib.runtime import aws, queues, settings
from tests.makers.ledger import BOUGHT_AT, MEMBER, make_gift

BANK = ConnectionId("bank")
PAID_ON = date(2026, 12, 2)
PAYING_AT = datetime(2026, 12, 2, 4, 30, tzinfo=UTC)
LATER = PAYING_AT + timedelta(hours=5)


def make_available_money(minor: int, number: int = 1, member_id: MemberId = MEMBER) -> None:
    """Give a member an amount that is available at once."""
    gift = make_gift(number, minor, member_id=member_id, available_at=BOUGHT_AT)
    give(gift, now=BOUGHT_AT)


def write_instruction(
    minor: int, member_id: MemberId = MEMBER, *, on: date = PAID_ON
) -> Instruction:
    """Set `minor` aside and write the order to pay it, as the night's job does."""
    payout_id = payout_id_of(member_id, "GBP", on)
    at = datetime.combine(on, time(4, 30), UTC)
    posted = moving.instruct(
        member_id,
        "GBP",
        payout_id,
        minor_min=minor,
        originated_at=datetime.combine(on, time(), UTC),
        now=at,
    )
    assert posted is not None
    instruction = new_instruction(
        payout_id,
        member_id=member_id,
        connection_id=BANK,
        amount=Money(minor, "GBP"),
        rail="sandbox",
        now=at,
    )
    return store.record_new(instruction, now=at)


def open_queues() -> None:
    """The queues that payouts send to, where this deployment has not got them yet."""
    sqs = aws.client("sqs")
    there = {url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])}
    for name in (queues.NOTICES, queues.PAYOUTS):
        if settings.queue(name) not in there:
            sqs.create_queue(QueueName=settings.queue(name))


def sent_to(name: str) -> list[dict[str, object]]:
    """The messages on a queue, taken from it."""
    found = []
    url = queues.url(name)
    while (
        messages := aws.client("sqs")
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
        .get("Messages")
    ):
        found += [json.loads(message["Body"]) for message in messages]
    return found
