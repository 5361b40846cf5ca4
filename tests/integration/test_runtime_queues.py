"""Queues: ten messages a call, within the bytes a call takes, and nothing lost on the way."""

import json

import pytest

from chalicelib.kernel.refusals import TooLarge, TryAgain
from chalicelib.runtime import aws, queues


def received(name: str) -> list[str]:
    """The bodies that stand on the queue, received and deleted."""
    client, bodies = aws.client("sqs"), []
    while found := client.receive_message(
        QueueUrl=queues.url(name), MaxNumberOfMessages=10
    ).get("Messages"):  # fmt: skip
        for message in found:
            bodies.append(message["Body"])
            client.delete_message(QueueUrl=queues.url(name), ReceiptHandle=message["ReceiptHandle"])
    return bodies


@pytest.mark.parametrize(
    ("count", "length", "calls"),
    [(0, 10, 0), (1, 10, 1), (10, 10, 1), (11, 10, 2), (25, 10, 3), (5, 100_000, 3)],
)
def test_sends_by_ten_and_within_the_bytes_of_a_call(
    embedded_aws: None, count: int, length: int, calls: int
) -> None:
    bodies = [f"{index:0{length}}" for index in range(count)]

    assert queues.send(queues.PAYMENTS, bodies) == calls
    assert sorted(received(queues.PAYMENTS)) == bodies


def test_counts_bytes_and_not_characters(embedded_aws: None) -> None:
    pears = ["🍐" * 40_000] * 2  # 160,000 bytes each

    assert queues.send(queues.PAYMENTS, pears) == 2
    assert received(queues.PAYMENTS) == pears


def test_refuses_a_message_that_no_queue_takes_and_sends_none(embedded_aws: None) -> None:
    too_long = "x" * (queues.BYTES_PER_CALL_MAX + 1)

    with pytest.raises(TooLarge) as refused:
        queues.send(queues.PAYMENTS, ["small", too_long])

    assert refused.value.code == "too_large"
    assert received(queues.PAYMENTS) == []


def test_sends_every_character_that_json_may_hold(embedded_aws: None) -> None:
    text = "\ufffe\uffff\x00\x1f\U0010ffff 🍐"
    body = json.dumps({"note": text}, ensure_ascii=False)

    queues.send(queues.PAYMENTS, [body])

    (arrived,) = received(queues.PAYMENTS)
    assert json.loads(arrived) == {"note": text}
    assert not set(arrived) & {"\ufffe", "\uffff"}  # SQS refuses these two, moto does not


def test_says_try_again_when_there_is_no_such_queue(embedded_aws: None) -> None:
    with pytest.raises(TryAgain):
        queues.send("nowhere", ["a"])


def test_puts_a_message_off_until_its_time(embedded_aws: None) -> None:
    queues.send(queues.PAYMENTS, ["a"], delay_seconds=5_000)

    assert received(queues.PAYMENTS) == []


def test_postpones_a_message_that_is_being_handled(embedded_aws: None) -> None:
    queues.send(queues.PAYMENTS, ["a"])
    client = aws.client("sqs")
    (message,) = client.receive_message(QueueUrl=queues.url(queues.PAYMENTS))["Messages"]

    queues.postpone(queues.PAYMENTS, message["ReceiptHandle"], seconds=0)

    assert received(queues.PAYMENTS) == ["a"]


def test_says_try_again_when_a_message_cannot_be_postponed(embedded_aws: None) -> None:
    with pytest.raises(TryAgain):
        queues.postpone(queues.PAYMENTS, "no such handle", seconds=10)
