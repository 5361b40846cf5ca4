"""A process that dies at a call to DynamoDB: before it is made, or after it, its answer unheard."""

from collections.abc import Iterator
from contextlib import contextmanager

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
