"""The meter: what each part of the road asks of AWS, heard where the calls leave the process.

DynamoDB is asked to say what each call consumed (`ReturnConsumedCapacity`), so the units are its
own, pages and transactions included. A failed condition tells no capacity: AWS bills it by the size
of the item, and the request's stands for that here.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSRequest

from chalicelib.runtime import aws
from chalicelib.runtime.rows import RowMeta

WRITES = frozenset(("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"))
READS = frozenset(("GetItem", "BatchGetItem", "Query"))
WRITE_UNIT_BYTES = 1024
QUEUE_CHUNK_BYTES = 64 * 1024
METERED = ("sqs", "secretsmanager")
CONFIGURATION = "network"  # This table is read once a minute by each process, whatever it does.


class Meter:
    """Counts by part (the name given to `part`): `write_units`, `read_units`, and calls by name."""

    def __init__(self) -> None:
        self.by_part: dict[str, Counter[str]] = defaultdict(Counter)
        self._here = threading.local()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is called meanwhile, in this thread, as the work of `name`."""
        before = getattr(self._here, "name", None)
        self._here.name = name
        try:
            yield
        finally:
            self._here.name = before

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear the calls of every client that the platform uses."""
        table = RowMeta.row_types[0]._get_connection().connection.client.meta.events
        heard: list[tuple[Any, str, Callable[..., None]]] = [
            (table, "before-parameter-build.dynamodb", self._ask_for_capacity)
        ]
        heard.append((table, "before-send.dynamodb", self._remember_size))
        heard.append((table, "after-call.dynamodb", self._hear_table))
        for service in METERED:
            events = aws.client(service).meta.events
            heard.append((events, f"before-send.{service}", self._hear_other))
        for events, name, hear in heard:
            events.register_first(name, hear)  # Before whoever answers, because that ends it.
        try:
            yield
        finally:
            for events, name, hear in heard:
                events.unregister(name, hear)

    def add(self, what: str, by: float = 1) -> None:
        """Count something that is no call to AWS."""
        name = getattr(self._here, "name", None)
        if name is not None:
            self.by_part[name][what] += by  # type: ignore[assignment]

    def _ask_for_capacity(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name not in WRITES | READS:
            return
        params["ReturnConsumedCapacity"] = "TOTAL"
        asked_of = params.get("TableName") or next(iter(params.get("RequestItems", {})), "")
        self._here.table = asked_of.rpartition("-")[2]
        self._here.least = sum(
            len(asked["Keys"]) * (1.0 if asked.get("ConsistentRead") else 0.5)
            for asked in params.get("RequestItems", {}).values()
        )

    def _remember_size(self, request: AWSRequest, **_: Any) -> None:
        self._here.sent_bytes = len(request.body or b"")

    def _hear_table(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        if model.name not in WRITES | READS:
            return
        self.add("aws_calls")
        self.add(f"dynamodb.{model.name}")
        if self._here.table == CONFIGURATION:
            self.add("configuration_calls")
        kind = "write_units" if model.name in WRITES else "read_units"
        if http_response.status_code >= 300:
            self.add("failed_conditions")
            self.add(kind, -(-self._here.sent_bytes // WRITE_UNIT_BYTES))
            return
        consumed = parsed.get("ConsumedCapacity", [])
        listed = consumed if isinstance(consumed, list) else [consumed]
        # A row that is not there is billed as one that is; DynamoDB Local counts nothing for it.
        missed = max(self._here.least - sum(one["CapacityUnits"] for one in listed), 0.0)
        self.add(kind, missed)
        for one in listed:
            name = one["TableName"].rpartition("-")[2]
            self.add(kind, one["CapacityUnits"])
            self.add(f"{kind}.{model.name}.{name}", one["CapacityUnits"])
        if listed:
            first = listed[0]["TableName"].rpartition("-")[2]
            self.add(f"{kind}.{model.name}.{first}", missed)

    def _hear_other(self, request: AWSRequest, event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        self.add("aws_calls")
        self.add(f"{service}.{operation}")
        if operation in ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility"):
            self.add("queue_bytes", len(request.body or b""))
            self.add("queue_chunks", max(-(-len(request.body or b"") // QUEUE_CHUNK_BYTES), 1))
