"""A process that dies at a call to AWS: before it is made, or after it, its answer unheard."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import EndpointConnectionError

from chalicelib.runtime import aws
from chalicelib.runtime.rows import RowMeta

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


class Died(BaseException):
    """Nothing in the platform catches this: it is the end of a process."""


@contextmanager
def dying(nth: int, *, is_heard: bool) -> Iterator[None]:
    """Die at the `nth` write of the row types: before it, or (`is_heard`) once it was made."""
    made = 0

    def before(model: object, **_: object) -> None:
        nonlocal made
        if model.name in WRITES:  # type: ignore[attr-defined]
            made += 1
            if made == nth and not is_heard:
                raise Died

    def after(model: object, **_: object) -> None:
        if model.name in WRITES and made == nth and is_heard:  # type: ignore[attr-defined]
            raise Died

    events = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", before)
    events.register("after-call.dynamodb", after)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", before)
        events.unregister("after-call.dynamodb", after)


@contextmanager
def no_way_to_transactions() -> Iterator[list[str]]:
    """No transaction reaches DynamoDB; yields the calls that were tried."""
    tried: list[str] = []

    def cut(model: object, **_: object) -> None:
        tried.append(model.name)  # type: ignore[attr-defined]
        raise EndpointConnectionError(endpoint_url="https://dynamodb.test")

    events = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    name = "before-call.dynamodb.TransactWriteItems"
    events.register(name, cut)
    try:
        yield tried
    finally:
        events.unregister(name, cut)


@dataclass
class Calls:
    """The names of the calls that were made."""

    made: list[str] = field(default_factory=list)


@contextmanager
def dying_at_call(nth: int, *, is_heard: bool) -> Iterator[Calls]:
    """Die at the `nth` call to DynamoDB or SQS, whatever it is, as `dying` does; 0: never."""
    calls = Calls()

    def before(model: object, **_: object) -> None:
        calls.made.append(model.name)  # type: ignore[attr-defined]
        if len(calls.made) == nth and not is_heard:
            raise Died

    def after(**_: object) -> None:
        if len(calls.made) == nth and is_heard:
            raise Died

    rows_client = RowMeta.row_types[0]._get_connection().connection.client
    heard = [client.meta.events for client in (rows_client, aws.client("sqs"))]
    for events in heard:
        events.register("before-call", before)
        events.register("after-call", after)
    try:
        yield calls
    finally:
        for events in heard:
            events.unregister("before-call", before)
            events.unregister("after-call", after)
