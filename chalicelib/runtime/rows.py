"""Rows in DynamoDB: the base of every stored thing, and the only reads and writes there are.

Three promises are kept here, for every row type at once. An attribute that its privacy register
does not declare cannot be imported. An item without a retention rule cannot be written. A reader
never gets what has expired, though DynamoDB may delete it days later.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any, ClassVar, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import MetaModel, Model
from pynamodb.transactions import TransactWrite

from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import aws, settings
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

ROWS_READ_MAX = 1_000  # Whoever wants more at once says so, or pages.
BATCH_ROWS_MAX = 100  # DynamoDB's own limit of keys per batch read.

R = TypeVar("R", bound="Row")

KEY_PRIVACY = {
    "pk": Kept(Category.KEY, Purpose.SERVICE_OPERATION, Erasure.DELETE),
    "sk": Kept(Category.KEY, Purpose.SERVICE_OPERATION, Erasure.DELETE),
    "expires_at": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.DELETE),
}


class UndeclaredAttribute(TypeError):
    """A row type has an attribute that its privacy register does not declare, or the reverse."""


class NoRetentionRule(RuntimeError):
    """A row was about to be written without an expiry although its rule demands one."""


class ConditionFailed(Exception):
    """The row was not as the write demanded. Nothing was written."""


class RowMeta(MetaModel):
    """Checks, while a row type is being defined, that its register and its attributes agree."""

    row_types: ClassVar[list[type["Row"]]] = []

    def __init__(cls, name: str, bases: Any, namespace: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(name, bases, namespace, **kwargs)
        if namespace.get("abstract_row"):
            return
        declared = set(KEY_PRIVACY) | set(namespace.get("privacy", {}))
        attributes = set(cls.get_attributes())  # type: ignore[attr-defined]
        if declared != attributes:
            names = ", ".join(sorted(declared ^ attributes))
            raise UndeclaredAttribute(f"{name}: register and attributes differ in {names}")
        if not isinstance(namespace.get("retention"), Retention):
            raise UndeclaredAttribute(f"{name}: no retention rule")
        RowMeta.row_types.append(cls)  # type: ignore[arg-type]


class Row(Model, metaclass=RowMeta):
    """An item: partition key `pk`, sort key `sk`, expiry in epoch seconds where its rule has one.

    Subclasses set `Meta = table_meta(…)`, `privacy` (one `Kept` per own attribute) and `retention`.
    """

    abstract_row = True

    privacy: ClassVar[Mapping[str, Kept]]
    retention: ClassVar[Retention]

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute(null=True)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """As PynamoDB's, with one client for all row types; each would make its own."""
        table: TableConnection = super()._get_connection()
        shared = _connection()
        if table.connection is not shared:
            with _connecting:
                if table.table_name not in shared._tables:
                    shared.add_meta_table(table.get_meta_table())
            table.connection = shared
        return table

    def keep_from(self: R, since: datetime) -> R:
        """Set the expiry that the row's retention rule gives, counted from `since`."""
        if self.retention.lasts is not None:
            self.expires_at = epoch(since + self.retention.lasts)
        return self

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        """As PynamoDB's, refusing an item without the expiry its rule demands.

        :raises NoRetentionRule: `keep_from` was not called.
        """
        if self.retention.lasts is not None and self.expires_at is None:
            raise NoRetentionRule(f"{type(self).__name__} is kept by rule {self.retention.name}")
        return super().serialize(null_check)


_connecting = Lock()
_PATIENCE: dict[str, Any] = {
    "connect_timeout_seconds": aws.CONNECT_TIMEOUT_SECONDS,
    "read_timeout_seconds": aws.READ_TIMEOUT_SECONDS,
    "max_retry_attempts": aws.ATTEMPTS_MAX,
}


@lru_cache(maxsize=1)
def _connection() -> Connection:
    """The one connection of all rows and transactions."""
    return Connection(region=settings.region(), **_PATIENCE)


def table_meta(table: str) -> Any:
    """The PynamoDB `Meta` of a row type that lives in `table`."""
    named = {"table_name": settings.table(table), "region": settings.region(), **_PATIENCE}
    return type("Meta", (), named)


def epoch(instant: datetime) -> int:
    """`instant` in whole seconds since 1970, as DynamoDB's TTL wants it."""
    return int(instant.timestamp())


def is_live(row: Row, *, now: datetime) -> bool:
    """Whether `row` may still be read at `now`."""
    return row.expires_at is None or row.expires_at > epoch(now)


def find(
    row_type: type[R], pk: str, sk: str, *, now: datetime, consistent: bool = True
) -> R | None:
    """The live row at (`pk`, `sk`), or None. One read unit per 4 KB, half if not consistent."""
    try:
        row = row_type.get(pk, sk, consistent_read=consistent)
    except row_type.DoesNotExist:
        return None
    except PynamoDBException as error:
        raise _passing(error) from error
    return row if is_live(row, now=now) else None


def list_between(
    row_type: type[R],
    pk: str,
    sk_first: str,
    sk_last: str,
    *,
    now: datetime,
    limit: int = ROWS_READ_MAX,
    consistent: bool = True,
    only: list[str] | None = None,
    last_first: bool = False,
) -> list[R]:
    """The live rows of `pk` with `sk_first` ≤ sort key ≤ `sk_last`, in order, at most `limit`.

    `last_first` turns the order round; `only` names the attributes to bring, at the same cost.
    """
    between = row_type.sk.between(sk_first, sk_last)
    asked: dict[str, Any] = {"consistent_read": consistent, "limit": limit}
    asked |= {"attributes_to_get": only, "scan_index_forward": not last_first}
    try:
        found = list(row_type.query(pk, between, **asked))
    except PynamoDBException as error:
        raise _passing(error) from error
    return [row for row in found if is_live(row, now=now)]


def list_prefixed(
    row_type: type[R],
    pk: str,
    prefix: str,
    *,
    now: datetime,
    limit: int = ROWS_READ_MAX,
    consistent: bool = True,
) -> list[R]:
    """The live rows of `pk` whose sort key begins with `prefix`, in order, at most `limit`."""
    # An empty prefix means all of them; DynamoDB takes no empty key, so they begin after NUL.
    first, last = prefix or "\x00", prefix + "\uffff"
    return list_between(row_type, pk, first, last, now=now, limit=limit, consistent=consistent)


def find_many(
    row_type: type[R],
    keys: Iterable[tuple[str, str]],
    *,
    now: datetime,
    consistent: bool = True,
) -> list[R]:
    """The live rows among `keys` (`pk`, `sk`), in no order; at most 100, in one call."""
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > BATCH_ROWS_MAX:
        raise ValueError("more rows were asked for than one call gives")
    try:
        found = list(row_type.batch_get(wanted, consistent_read=consistent))
    except PynamoDBException as error:
        raise _passing(error) from error
    return [row for row in found if is_live(row, now=now)]


def put(row: Row, *, condition: Condition | None = None) -> None:
    """Write `row` whole, if `condition` holds. :raises ConditionFailed: it does not."""
    try:
        row.save(condition=condition)
    except PynamoDBException as error:
        raise _outcome(error) from error


def put_new(row: Row) -> None:
    """Write `row` if nothing stands at its key. :raises ConditionFailed: something does."""
    put(row, condition=type(row).pk.does_not_exist())


def update(row: Row, actions: Sequence[Action], *, condition: Condition | None = None) -> None:
    """Change attributes of `row` in place, if `condition` holds; `row` shows the new values."""
    try:
        row.update(list(actions), condition=condition)
    except PynamoDBException as error:
        raise _outcome(error) from error


def delete(row: Row, *, condition: Condition | None = None) -> None:
    """Remove `row`, if `condition` holds; removing what is gone is success."""
    try:
        row.delete(condition=condition)
    except PynamoDBException as error:
        raise _outcome(error) from error


def put_together(
    written: Iterable[tuple[Row, Condition | None]],
    deleted: Iterable[Row] = (),
    updated: Iterable[tuple[Row, Sequence[Action], Condition | None]] = (),
) -> None:
    """Write, delete and update rows all or none (at most 100; double price, so where it must be).

    :raises ConditionFailed: one condition did not hold. :raises TryAgain: a conflict.
    """
    try:
        with TransactWrite(connection=_connection()) as transaction:
            for row, condition in written:
                transaction.save(row, condition=condition)
            for row in deleted:
                transaction.delete(row)
            for row, actions, condition in updated:
                transaction.update(row, list(actions), condition=condition)
    except PynamoDBException as error:
        raise _outcome(error) from error


def forget_connections() -> None:
    """Connect anew at the next use. For local stacks."""
    _connection.cache_clear()
    for row_type in RowMeta.row_types:
        row_type._connection = None


def _outcome(error: PynamoDBException) -> Exception:
    codes = _codes(error)
    if "ConditionalCheckFailed" in codes or "ConditionalCheckFailedException" in codes:
        return ConditionFailed()
    return _passing(error)


_PASSING = set(
    """ProvisionedThroughputExceededException ThrottlingException ThrottlingError
    RequestLimitExceeded LimitExceededException InternalServerError ServiceUnavailable
    TransactionConflict TransactionConflictException TransactionInProgressException
    TransactionCanceledException""".split()
)


def _passing(error: PynamoDBException) -> Exception:
    """TryAgain for what passes; anything else is a bug and stays what it is."""
    codes = _codes(error)
    if codes & _PASSING or (isinstance(error.cause, BotoCoreError)):
        return TryAgain(f"DynamoDB did not answer: {', '.join(sorted(codes)) or 'no connection'}")
    return error


def _codes(error: PynamoDBException) -> set[str]:
    reasons = getattr(error, "cancellation_reasons", None) or []
    codes = {reason.code for reason in reasons if reason is not None}
    if isinstance(error.cause, ClientError):
        codes.add(error.cause.response.get("Error", {}).get("Code", ""))
    return codes - {""}
