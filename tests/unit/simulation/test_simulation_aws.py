"""The simulated AWS where moto and DynamoDB Local cannot be asked: tokens, lag, dead letters."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.runtime import queues, settings
from infra.resources import QUEUES
from infra.simulation.expressions import NotSimulated
from infra.simulation.items import Refused
from infra.simulation.queues import SimQueues
from infra.simulation.tables import SimTables

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
(PAYMENTS,) = (queue for queue in QUEUES if queue.name == queues.PAYMENTS)
HIDDEN = timedelta(seconds=PAYMENTS.visibility_seconds)
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


class Time:
    """A clock to be stepped."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tables(time: Time) -> SimTables:
    made = SimTables(now=time.now)
    made.create("shelf")
    return made


def put(tables: SimTables, number: int) -> None:
    item = {**KEY, "n": {"N": str(number)}}
    tables.answer("PutItem", {"TableName": "shelf", "Item": item})


def seen(tables: SimTables, *, consistent: bool) -> str | None:
    request = {"TableName": "shelf", "Key": KEY, "ConsistentRead": consistent}
    found = tables.answer("GetItem", request).get("Item")
    return found["n"]["N"] if found else None


def transaction(token: str, by: str) -> dict[str, object]:
    update = {
        "TableName": "shelf",
        "Key": KEY,
        "UpdateExpression": "ADD n :by",
        "ExpressionAttributeValues": {":by": {"N": by}},
    }
    return {"TransactItems": [{"Update": update}], "ClientRequestToken": token}


def test_a_transactions_token_makes_it_one_for_ten_minutes(tables: SimTables, time: Time) -> None:
    for _ in range(2):
        tables.answer("TransactWriteItems", transaction("token", "1"))
    within = seen(tables, consistent=True)
    time.at += timedelta(minutes=10)
    tables.answer("TransactWriteItems", transaction("token", "1"))

    assert (within, seen(tables, consistent=True)) == ("1", "2")


def test_a_token_with_other_parameters_is_refused_and_writes_nothing(tables: SimTables) -> None:
    tables.answer("TransactWriteItems", transaction("token", "1"))

    with pytest.raises(Refused) as refused:
        tables.answer("TransactWriteItems", transaction("token", "5"))

    assert refused.value.code == "IdempotentParameterMismatchException"
    assert seen(tables, consistent=True) == "1"


def test_a_read_that_lags_misses_the_last_writes_and_a_consistent_one_none(
    tables: SimTables,
) -> None:
    put(tables, 1)
    put(tables, 2)

    tables.lag_behind(1)
    by_one = seen(tables, consistent=False)
    tables.lag_behind(2)
    by_all = seen(tables, consistent=False)

    assert (by_one, by_all, seen(tables, consistent=True)) == ("1", None, "2")
    tables.lag_behind(None)
    assert seen(tables, consistent=False) == "2"


def test_an_item_over_400_kilobytes_is_refused(tables: SimTables) -> None:
    item = {**KEY, "b": {"B": bytes(400 * 1024)}}

    with pytest.raises(Refused) as refused:
        tables.answer("PutItem", {"TableName": "shelf", "Item": item})

    assert refused.value.code == "ValidationException"
    assert tables.items("shelf") == {}


def test_what_it_does_not_know_is_refused_loudly(tables: SimTables) -> None:
    with pytest.raises(NotSimulated):
        tables.answer("Scan", {"TableName": "shelf"})


def test_coming_back_to_a_state_undoes_everything(tables: SimTables) -> None:
    put(tables, 1)
    state = tables.state()
    put(tables, 2)

    tables.restore(state)

    assert seen(tables, consistent=True) == "1"


@pytest.fixture
def sqs(time: Time) -> SimQueues:
    return SimQueues(now=time.now)


def test_a_received_message_is_hidden_and_dies_after_its_last_receive(
    sqs: SimQueues, time: Time
) -> None:
    sqs.put(queues.PAYMENTS, "body")
    received = []
    for _ in range(PAYMENTS.receives_max + 1):
        received += sqs.receive(queues.PAYMENTS, 10)
        hidden = sqs.receive(queues.PAYMENTS, 10)
        assert hidden == []
        time.at += HIDDEN

    assert [message.receives for message in received] == list(range(1, PAYMENTS.receives_max + 1))
    assert ([m.body for m in sqs.dead], sqs.waiting) == (["body"], {})


def test_a_message_that_is_put_off_comes_when_it_was_told_to(sqs: SimQueues, time: Time) -> None:
    sqs.put(queues.PAYMENTS, "body")
    (message,) = sqs.receive(queues.PAYMENTS, 10)
    request = {"ReceiptHandle": message.receipt_handle, "VisibilityTimeout": 5}
    sqs.answer("ChangeMessageVisibility", request)

    early = sqs.receive(queues.PAYMENTS, 10)
    time.at += timedelta(seconds=5)

    assert early == []
    assert len(sqs.receive(queues.PAYMENTS, 10)) == 1


def test_an_old_receipt_handle_puts_nothing_off(sqs: SimQueues, time: Time) -> None:
    sqs.put(queues.PAYMENTS, "body")
    (first,) = sqs.receive(queues.PAYMENTS, 10)
    time.at += HIDDEN
    sqs.receive(queues.PAYMENTS, 10)

    with pytest.raises(Refused):
        sqs.answer(
            "ChangeMessageVisibility",
            {"ReceiptHandle": first.receipt_handle, "VisibilityTimeout": 0},
        )

    assert sqs.receive(queues.PAYMENTS, 10) == []


def test_a_delayed_message_waits(sqs: SimQueues, time: Time) -> None:
    url = sqs.answer("GetQueueUrl", {"QueueName": settings.queue(queues.PAYMENTS)})["QueueUrl"]
    entries = [{"Id": "0", "MessageBody": "body", "DelaySeconds": 9}]
    sqs.answer("SendMessageBatch", {"QueueUrl": url, "Entries": entries})

    assert sqs.receive(queues.PAYMENTS, 10) == []
    time.at += timedelta(seconds=9)
    assert len(sqs.receive(queues.PAYMENTS, 10)) == 1
