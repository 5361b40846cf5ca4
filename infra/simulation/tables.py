"""DynamoDB in memory: tables keyed by text `pk` and `sk`, with conditions, transactions and lag.

Requests and answers are the JSON that travels. An item, once written, is never changed in place,
so that a copy of the tables is cheap. Eventually consistent reads may be told to lag: they are
then answered from before the last writes, as a replica that is behind does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.simulation.expressions import (
    Node,
    NotSimulated,
    holds,
    is_backwards,
    parse_condition,
)
from infra.simulation.items import (
    CONDITION_FAILED,
    Answer,
    Item,
    Key,
    Refused,
    Request,
    as_key,
    checked,
    condition_failed,
    digest,
    key_of,
    named_in,
    projected,
    returned,
    updated,
)
from infra.simulation.values import Attributes, size_of

PAGE_BYTES_MAX = 1024 * 1024
TOKEN_LASTS = timedelta(minutes=10)
_KEYS_PER_BATCH_MAX = 100


@dataclass(frozen=True, slots=True)
class Write:
    """One write that happened, with what stood there before; None for nothing."""

    table: str
    key: Key
    before: Item | None


@dataclass(frozen=True, slots=True)
class TablesState:
    """Everything the tables hold, to come back to."""

    tables: Mapping[str, Mapping[Key, Item]]
    writes: tuple[Write, ...]
    tokens: Mapping[str, tuple[str, datetime]]


class SimTables:
    """The tables. Eventually consistent reads may lag."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tables: dict[str, dict[Key, Item]] = {}
        self._writes: list[Write] = []
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lag_from: int | None = None

    def create(self, name: str) -> None:
        """Make the table `name`, empty."""
        self._tables[name] = {}

    def state(self) -> TablesState:
        """What they hold now."""
        tables = {name: dict(items) for name, items in self._tables.items()}
        return TablesState(tables, tuple(self._writes), dict(self._tokens))

    def restore(self, state: TablesState) -> None:
        """Hold what they held at `state`."""
        self._tables = {name: dict(items) for name, items in state.tables.items()}
        self._writes = list(state.writes)
        self._tokens = dict(state.tokens)
        self._lag_from = None

    def lag_behind(self, writes: int | None) -> None:
        """Let lagging reads miss the last `writes` and all that follow; with None, nothing."""
        self._lag_from = None if writes is None else max(len(self._writes) - writes, 0)

    def forget_writes(self) -> None:
        """Let every write so far be seen by every reader: lag begins here."""
        self._writes.clear()

    @property
    def writes_count(self) -> int:
        """How many writes a reader can be behind at most."""
        return len(self._writes)

    def expire(self) -> None:
        """Delete what is past its `expires_at`, as TTL does in its own time."""
        now = self._now().timestamp()
        for table, items in self._tables.items():
            over = [k for k, item in items.items() if _ends_at(item) <= now]
            for key in over:
                self._apply(table, key, None)

    def items(self, table: str) -> Mapping[Key, Item]:
        """What stands in `table`, as it is."""
        return self._tables[table]

    @property
    def names(self) -> tuple[str, ...]:
        """The tables there are."""
        return tuple(self._tables)

    def answer(self, operation: str, request: Request) -> Answer:
        """Do `operation`. :raises Refused: as DynamoDB would. :raises NotSimulated: not known."""
        match operation:
            case "GetItem":
                return self._get(request)
            case "BatchGetItem":
                return self._batch_get(request)
            case "Query":
                return self._query(request)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._write(operation, request)
            case "TransactWriteItems":
                return self._transact(request)
        raise NotSimulated(f"DynamoDB's {operation}")

    def _get(self, request: Request) -> Answer:
        seen = self._seen_by(request["TableName"], request)
        found = seen.get(key_of(request["Key"]))
        return {"Item": projected(found.attributes, request)} if found else {}

    def _batch_get(self, request: Request) -> Answer:
        answers: dict[str, list[Attributes]] = {}
        keys_count = sum(len(one["Keys"]) for one in request["RequestItems"].values())
        if keys_count > _KEYS_PER_BATCH_MAX:
            raise Refused("ValidationException", "Too many items requested for the BatchGetItem")
        for table, asked in request["RequestItems"].items():
            seen = self._seen_by(table, asked)
            keys = [key_of(key) for key in asked["Keys"]]
            if len(set(keys)) < len(keys):
                raise Refused("ValidationException", "Provided list of item keys has duplicates")
            found = (seen.get(key) for key in keys)
            answers[table] = [projected(one.attributes, asked) for one in found if one]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _query(self, request: Request) -> Answer:
        seen, named = self._seen_by(request["TableName"], request), named_in(request)
        wanted = _condition(request, "KeyConditionExpression")
        kept = parse_condition(request["FilterExpression"]) if "FilterExpression" in request else ()
        start = key_of(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else None
        forward = request.get("ScanIndexForward", True)
        found, size, last, looked = [], 0, None, 0
        # The partition is one of the texts that the request names; the condition says which.
        texts = {value["S"] for value in named.values.values() if "S" in value}
        partition = (key for key in seen if key[0] in texts)
        order = sorted(partition, key=lambda key: (key[0], key[1].encode()), reverse=not forward)
        for key in order:
            if start is not None and not _is_after(key, start, forward=forward):
                continue
            attributes = seen[key].attributes
            if not holds(wanted, attributes, named):
                continue
            if looked == request.get("Limit") or size > PAGE_BYTES_MAX:
                break
            looked, last = looked + 1, key
            size += size_of(attributes)
            if not kept or holds(kept, attributes, named):
                found.append(projected(attributes, request))
        else:
            if looked != request.get("Limit"):
                last = None
        more = {"LastEvaluatedKey": as_key(last)} if last is not None else {}
        return {"Items": found, "Count": len(found), "ScannedCount": looked, **more}

    def _seen_by(self, table: str, request: Request) -> Mapping[Key, Item]:
        """What the reader of `table` sees: everything, or what stood before the last writes."""
        items = self._table(table)
        if self._lag_from is None or request.get("ConsistentRead"):
            return items
        seen = dict(items)
        missed = self._writes[self._lag_from :]
        for write in reversed(missed):
            if write.table == table:
                _put(seen, write.key, write.before)
        return seen

    def _write(self, operation: str, request: Request) -> Answer:
        key, after = self._change(operation, request)
        table = self._table(request["TableName"])
        before = table.get(key)
        self._apply(request["TableName"], key, after)
        return returned(before, after, request)

    def _transact(self, request: Request) -> Answer:
        token, meant = request.get("ClientRequestToken"), digest(request)
        known = self._tokens.get(token) if token else None
        if known is not None and self._now() - known[1] < TOKEN_LASTS:
            if known[0] != meant:
                raise Refused("IdempotentParameterMismatchException", "other parameters")
            return {}
        changes, reasons = [], []
        for entry in request["TransactItems"]:
            (kind, inner) = next(iter(entry.items()))
            try:
                key, after = self._change(
                    f"{kind}Item" if kind != "ConditionCheck" else kind, inner
                )
            except Refused as refusal:
                if refusal.code != CONDITION_FAILED:
                    raise
                reasons.append({"Code": "ConditionalCheckFailed", "Message": refusal.message})
                continue
            reasons.append({"Code": "None"})
            if kind != "ConditionCheck":
                changes.append((inner["TableName"], key, after))
        if len({(table, key) for table, key, _ in changes}) < len(changes):
            raise Refused(
                "ValidationException",
                "Transaction request cannot include multiple operations on one item",
            )
        if any(reason["Code"] != "None" for reason in reasons):
            raise Refused(
                "TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons
            )
        for table, key, after in changes:
            self._apply(table, key, after)
        if token:
            self._tokens[token] = (meant, self._now())
        return {}

    def _change(self, operation: str, request: Request) -> tuple[Key, Item | None]:
        """The key that a write means and what will stand there; its condition holds."""
        table = self._table(request["TableName"])
        key = key_of(request["Item"] if operation == "PutItem" else request["Key"])
        before = table.get(key)
        if "ConditionExpression" in request:
            condition = _condition(request, "ConditionExpression")
            if not holds(condition, before.attributes if before else {}, named_in(request)):
                raise condition_failed(request, before)
        match operation:
            case "DeleteItem":
                return key, None
            case "PutItem":
                return key, checked(request["Item"])
            case "UpdateItem":
                standing = before.attributes if before else as_key(key)
                return key, checked(updated(standing, request))
        return key, before

    def _apply(self, table: str, key: Key, after: Item | None) -> None:
        items = self._table(table)
        self._writes.append(Write(table, key, items.get(key)))
        _put(items, key, after)

    def _table(self, name: str) -> dict[Key, Item]:
        if name not in self._tables:
            raise Refused("ResourceNotFoundException", "Requested resource not found")
        return self._tables[name]


def _ends_at(item: Item) -> float:
    return float(item.attributes.get("expires_at", {}).get("N", "inf"))


def _condition(request: Request, name: str) -> Node:
    """The parsed condition `name` of `request`. :raises Refused: it can never hold."""
    condition = parse_condition(request[name])
    if is_backwards(condition, named_in(request)):
        raise Refused("ValidationException", "The BETWEEN operator has its bounds reversed")
    return condition


def _put(items: dict[Key, Item], key: Key, item: Item | None) -> None:
    if item is None:
        items.pop(key, None)
    else:
        items[key] = item


def _is_after(key: Key, start: Key, *, forward: bool) -> bool:
    one, other = (key[0], key[1].encode()), (start[0], start[1].encode())
    return one > other if forward else one < other
