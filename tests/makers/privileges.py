"""What each Lambda asks of AWS while tests run its handler, in the words of IAM.

botocore tells of every call before it is made. Which Lambda made it stands on the call stack:
Chalice calls each handler through one of two methods, whoever started it (a test, the local stack's
pump, or its HTTP server). Many tests call the one function that a worker's handler calls; it stands
for the Lambdas that it serves. Calls of neither kind are the test's own.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import CodeType, FrameType
from typing import Any

from chalice.app import EventSourceHandler, RestAPIEventHandler

from chalicelib.notices import service as notices
from chalicelib.payouts import hearing, looking, sending
from chalicelib.privacy import leaving, retention
from chalicelib.purchases import receiving, waiting
from chalicelib.purchases import service as purchases
from chalicelib.runtime import settings
from infra.template.functions import API_HANDLER
from infra.template.roles import exact_policy
from tests.makers.template import production

Granted = tuple[str, str]  # action and resource, such as ("sqs:SendMessage", "arn:…-payments")
Used = tuple[str, str, str]  # the Lambda, too

_WORKER = EventSourceHandler.__call__.__code__
_API = RestAPIEventHandler.__call__.__code__
_ACCOUNT = "123456789012"
_REGION = "eu-west-2"
_FILLED_IN = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": _REGION,
    "${AWS::AccountId}": _ACCOUNT,
}
_WRITES = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


# What a worker's handler calls, and for which Lambdas it then works.
_ENTRIES: Mapping[CodeType, tuple[str, ...]] = {
    purchases.record_payment.__code__: ("record_payment",),
    purchases.look_again.__code__: ("record_payment",),
    leaving.end_retention.__code__: ("record_payment",),
    notices.deliver.__code__: ("deliver_receipt",),
    waiting.look_again_between.__code__: ("look_again", "end_waiting"),
    retention.sweep.__code__: ("sweep_retention",),
    leaving.finish_departures.__code__: ("finish_departures",),
    sending.send.__code__: ("send_payouts",),
    hearing.take_report.__code__: ("send_payouts",),
    looking.look_up_due.__code__: ("look_up_payouts",),
}
_RECEIVE = receiving.receive.__code__


def acting() -> tuple[str, ...]:
    """The Lambdas that are at work, by the call stack: of several functions, the outermost."""
    found: tuple[str, ...] = ()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is _WORKER:
            return (frame.f_locals["self"].func.__name__,)
        if frame.f_code is _API:
            return (API_HANDLER,)
        if frame.f_code is _RECEIVE:
            found = ("gather_receipts" if frame.f_locals["is_gathered"] else "record_receipts",)
        found = _ENTRIES.get(frame.f_code, found)
        frame = frame.f_back
    return found


def asked_for(service: str, operation: str, parameters: Mapping[str, Any]) -> set[Granted]:
    """The actions and resources that IAM judges a call of `operation` by.

    The Service Authorization Reference lists them; a transaction is judged item by item.
    """
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            return {
                (f"dynamodb:{_WRITES[kind]}", _table(item["TableName"]))
                for entry in parameters["TransactItems"]
                for kind, item in entry.items()
            }
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            return {(f"dynamodb:{operation}", _table(name)) for name in parameters["RequestItems"]}
        case "dynamodb", _:
            return {(f"dynamodb:{operation}", _table(parameters["TableName"]))}
        case "sqs", _:
            queue = parameters.get("QueueName") or parameters["QueueUrl"].rpartition("/")[2]
            action = operation.removesuffix("Batch")
            return {(f"sqs:{action}", f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{queue}")}
        case "secretsmanager", _:
            secret = parameters.get("SecretId") or parameters["Name"]
            arn = f"arn:aws:secretsmanager:{_REGION}:{_ACCOUNT}:secret:{secret}-AbCdEf"
            return {(f"secretsmanager:{operation}", arn)}
    return {(f"{service}:{operation}", "?")}


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{_REGION}:{_ACCOUNT}:table/{name}"


@cache
def grants(function: str) -> frozenset[Granted]:
    """Every pair of action and resource that the Lambda's role allows, `?` and `*` as written."""
    return frozenset(
        (action, resource)
        for statement in exact_policy(production(), function)["Statement"]
        for action in _listed(statement["Action"])
        for resource in map(_text, _listed(statement["Resource"]))
    )


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: Any) -> str:
    text: str = resource if isinstance(resource, str) else str(next(iter(resource.values())))
    for placeholder, value in _FILLED_IN.items():
        text = text.replace(placeholder, value)
    return text


def grant_of(used: Used) -> Granted | None:
    """The grant that allows `used`, if the Lambda's role has one."""
    function, action, resource = used
    at_stage = resource.replace(f"counterfoil-{settings.stage()}", "counterfoil-test")
    return next(
        (
            (granted, pattern)
            for granted, pattern in grants(function)
            if granted == action and fnmatchcase(at_stage, pattern)
        ),
        None,
    )


def uses_of(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Used]:
    """What the Lambdas at work use with this call; nothing where none is."""
    for function in acting():
        for action, resource in asked_for(service, operation, parameters):
            yield function, action, resource
