"""Somebody else is faster: what another run does between two calls of this one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.runtime import aws
from chalicelib.runtime.rows import RowMeta


@contextmanager
def meanwhile(nth: int, step: Callable[[], object]) -> Iterator[list[str]]:
    """Do `step` before the `nth` call to DynamoDB or SQS that lists nothing; yields their names."""
    made: list[str] = []
    is_at_it = False

    def before(model: object, **_: object) -> None:
        nonlocal is_at_it
        if is_at_it or model.name == "Query":  # type: ignore[attr-defined]
            return
        made.append(model.name)  # type: ignore[attr-defined]
        if len(made) == nth:
            is_at_it = True
            step()
            is_at_it = False

    rows = RowMeta.row_types[0]._get_connection().connection.client
    events = [rows.meta.events, aws.client("sqs").meta.events]
    for one in events:
        one.register("before-call", before)
    try:
        yield made
    finally:
        for one in events:
            one.unregister("before-call", before)
