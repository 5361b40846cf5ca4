"""Counting the calls to DynamoDB, heard where they leave the process."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.runtime.rows import RowMeta


@contextmanager
def counting_dynamodb_calls() -> Iterator[list[str]]:
    """The names of the calls that every row type makes meanwhile."""
    made: list[str] = []

    def hear(model: object, **_: object) -> None:
        made.append(model.name)  # type: ignore[attr-defined]

    # Every row type has a client of its own.
    events = [
        row_type._get_connection().connection.client.meta.events for row_type in RowMeta.row_types
    ]
    for one in events:
        one.register("before-call.dynamodb", hear)
    try:
        yield made
    finally:
        for one in events:
            one.unregister("before-call.dynamodb", hear)
