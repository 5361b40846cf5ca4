"""The platform from outside: requests as API Gateway hands them, queues as Lambda reads them."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from chalice.local import LambdaContext

from app import app
from chalicelib.api.rim import OPERATIONS
from chalicelib.runtime import aws, observability, queues, settings
from chalicelib.workers import deliveries, notices, payments, payouts, receipts, rewards
from infra.local.lambda_events import sqs_event
from infra.resources import DEAD_LETTER_SUFFIX, TABLES
from tests.makers.api import Said

WORKERS: Mapping[str, Callable[..., Any]] = {
    queues.PAYMENTS: payments.record_payment,
    queues.RECEIPTS: receipts.record_receipts,
    queues.GATHER: receipts.gather_receipts,
    queues.DELIVERIES: deliveries.deliver_receipt,
    queues.REWARDS: rewards.settle_rewards,
    queues.PAYOUTS: payouts.send_payouts,
    queues.NOTICES: notices.send_notices,
}


@dataclass
class Counted:
    """Everything counted while a journey ran, by name and dimensions."""

    facts: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.facts.get(name, 0)


def listen(counted: Counted) -> Callable[[], None]:
    """Let `counted` hear; `counted["quarantined:payments:shape"]` counts with dimensions in order
    of their names, `counted["quarantined"]` all of them.
    """

    def hear(name: str, dimensions: dict[str, str], by: int) -> None:
        parts = [dimensions[key] for key in sorted(dimensions)]
        for key in {name, ":".join([name, *parts])}:
            counted.facts[key] = counted.facts.get(key, 0) + by

    return observability.listen(hear)


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    in_base64: bool = False,
) -> Said:
    """One request in the shape of API Gateway's REST proxy event, body as text or in base64."""
    answer = app(
        _gateway_event(method, url, headers or {}, body, in_base64), context("api_handler")
    )
    text = answer["body"]
    decoded = json.loads(text) if text.startswith(("{", "[")) else text
    return Said(answer["statusCode"], answer["headers"], decoded)


def _gateway_event(
    method: str, url: str, headers: Mapping[str, str], body: bytes, in_base64: bool
) -> dict[str, Any]:
    parts = urlsplit(url)
    resource, parameters = route_of(method, parts.path)
    pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
    query = {name: unquote(value) for name, _, value in pairs}
    sent = {"Content-Type": "application/json", **headers}
    return {
        "resource": resource,
        "path": parts.path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {n: [v] for n, v in query.items()} or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/api{parts.path}",
            "stage": "api",
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": base64.b64encode(body).decode() if in_base64 else body.decode(),
        "isBase64Encoded": in_base64,
    }


def route_of(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The route that API Gateway would choose, one without parameters before one with, and the
    parameters as they came.
    """
    for operation in sorted(OPERATIONS, key=lambda one: one.path.count("{")):
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", operation.path)
        found = re.fullmatch(pattern, path)
        if found and operation.method == method:
            return operation.path, found.groupdict()
    raise AssertionError(f"no route takes {method} {path}")


def context(name: str) -> LambdaContext:
    """What Lambda hands to a function beside the event."""
    return LambdaContext(name, 512, max_runtime_ms=60_000)


@dataclass(frozen=True)
class Ran:
    """One call of a worker: the bodies it got, and those that it named as failed."""

    bodies: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def run_worker(name: str) -> Ran:
    """Hand what is visible on the queue `name` to its worker, as Lambda does; up to 10 messages."""
    sqs, url = aws.client("sqs"), queues.url(name)
    messages = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])
    if not messages:
        return Ran()
    event = sqs_event(settings.queue(name), messages, region=settings.region())
    answer = WORKERS[name](event, context(name))
    failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    for message in messages:
        if message["MessageId"] not in failed:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return Ran(
        tuple(m["Body"] for m in messages),
        tuple(m["Body"] for m in messages if m["MessageId"] in failed),
    )


def work(*names: str) -> None:
    """Run the workers of `names` (payments, receipts, gather) until their queues are empty."""
    asked = names or (queues.PAYMENTS, queues.RECEIPTS, queues.GATHER)
    while any(run_worker(name).bodies for name in asked):
        pass


def put_on(name: str, *bodies: str) -> None:
    """Put `bodies` on the queue `name` as they are."""
    for body in bodies:
        aws.client("sqs").send_message(QueueUrl=queues.url(name), MessageBody=body)


def waiting_on(name: str) -> int:
    """How many messages are visible on the queue `name`."""
    answer = aws.client("sqs").get_queue_attributes(
        QueueUrl=queues.url(name), AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def dead_on(name: str) -> int:
    """How many messages of the queue `name` were given up."""
    return waiting_on(name + DEAD_LETTER_SUFFIX)


def stored_rows(*tables: str) -> list[str]:
    """Every row of `tables`, or of all tables, as text."""
    dynamodb = aws.client("dynamodb")
    return [
        repr(item)
        for table in tables or TABLES
        for item in dynamodb.scan(TableName=settings.table(table))["Items"]
    ]


def everything_stored() -> str:
    """Every row of every table and every queued message, as one text."""
    sqs = aws.client("sqs")
    found = stored_rows()
    for url in sqs.list_queues().get("QueueUrls", []):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        found += [message["Body"] for message in answer.get("Messages", [])]
    return "\n".join(found)
