"""Counting the calls to AWS, heard where they leave the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.runtime import aws
from chalicelib.runtime.rows import RowMeta

SERVICES = ("dynamodb", "sqs", "secretsmanager", "kms")


@contextmanager
def counting_dynamodb_calls() -> Iterator[list[str]]:
    """The names of the calls that every row type makes meanwhile."""
    made: list[str] = []

    def hear(model: object, **_: object) -> None:
        made.append(model.name)  # type: ignore[attr-defined]

    # All row types share one client; any of them leads to it.
    events = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", hear)
    try:
        yield made
    finally:
        events.unregister("before-call.dynamodb", hear)


@contextmanager
def counting_aws_calls() -> Iterator[list[str]]:
    """The names of all the calls to AWS that are made meanwhile, DynamoDB's among them."""
    made: list[str] = []

    def hear(model: object, **_: object) -> None:
        made.append(model.name)  # type: ignore[attr-defined]

    events = [aws.client(service).meta.events for service in SERVICES]
    with counting_dynamodb_calls() as to_dynamodb:
        for one in events:
            one.register("before-call", hear)
        try:
            yield made
        finally:
            for one in events:
                one.unregister("before-call", hear)
            made.extend(to_dynamodb)


@contextmanager
def hearing_parameters(service: str, operation: str) -> Iterator[list[dict[str, Any]]]:
    """The parameters of every call of `operation` that is made meanwhile."""
    heard: list[dict[str, Any]] = []

    def hear(params: dict[str, Any], **_: object) -> None:
        heard.append(dict(params))

    events = aws.client(service).meta.events
    name = f"before-parameter-build.{service}.{operation}"
    events.register(name, hear)
    try:
        yield heard
    finally:
        events.unregister(name, hear)


@contextmanager
def hearing_row_reads() -> Iterator[list[bool]]:
    """Whether each row that is read meanwhile is read consistently."""
    heard: list[bool] = []

    def hear(params: dict[str, Any], **_: object) -> None:
        heard.append(bool(params.get("ConsistentRead")))

    events = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    events.register("before-parameter-build.dynamodb.GetItem", hear)
    try:
        yield heard
    finally:
        events.unregister("before-parameter-build.dynamodb.GetItem", hear)
