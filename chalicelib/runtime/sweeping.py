"""What has to reach every row of a table: deleting the expired, finding what a master key sealed.

The only scans there are: they reach rows whose keys nobody knows.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.runtime import aws, rows, settings


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: rows deleted, and the key it stopped at, None at the table's end."""

    deleted: int
    stopped_at: tuple[str, str] | None


def sweep_expired(
    table: str, *, expired_before: datetime, after: tuple[str, str] | None, rows_max: int
) -> Swept:
    """Delete the expired rows among the next `rows_max` of `table` after the key `after`.

    A row whose expiry was moved meanwhile stays.
    """
    dynamodb, name = aws.client("dynamodb"), settings.table(table)
    limit = {":then": {"N": str(rows.epoch(expired_before))}}
    start = {"ExclusiveStartKey": _key(*after)} if after else {}
    page = dynamodb.scan(
        TableName=name,
        Limit=rows_max,
        FilterExpression="expires_at < :then",
        ExpressionAttributeValues=limit,
        ProjectionExpression="pk, sk",
        **start,
    )
    deleted = 0
    for item in page["Items"]:
        try:
            dynamodb.delete_item(
                TableName=name,
                Key={"pk": item["pk"], "sk": item["sk"]},
                ConditionExpression="expires_at < :then",
                ExpressionAttributeValues=limit,
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            continue
        deleted += 1
    last = page.get("LastEvaluatedKey")
    return Swept(deleted, (last["pk"]["S"], last["sk"]["S"]) if last else None)


@dataclass(frozen=True, slots=True)
class SealedRow:
    """Where a sealed value stands; `member_id` where the row names a member beside its key."""

    table: str
    pk: str
    sk: str
    sealed: bytes
    member_id: str | None


@dataclass(frozen=True, slots=True)
class SealedRows:
    """Of the `read` rows of a stretch those that are meant, and the key it stopped at.

    `stopped_at` is None at the table's end.
    """

    found: tuple[SealedRow, ...]
    read: int
    stopped_at: tuple[str, str] | None


def list_sealed(
    table: str, number: int, *, after: tuple[str, str] | None, rows_max: int
) -> SealedRows:
    """The rows sealed under the master key of `number` among the next `rows_max` of `table`."""
    start = {"ExclusiveStartKey": _key(*after)} if after else {}
    page = aws.client("dynamodb").scan(
        TableName=settings.table(table),
        Limit=rows_max,
        ProjectionExpression="pk, sk, sealed, member_id",
        ConsistentRead=True,
        **start,
    )
    found = tuple(
        _to_sealed_row(table, item)
        for item in page["Items"]
        if "sealed" in item and item["sealed"]["B"][:1] == bytes((number,))
    )
    last = page.get("LastEvaluatedKey")
    return SealedRows(
        found, len(page["Items"]), (last["pk"]["S"], last["sk"]["S"]) if last else None
    )


@dataclass(frozen=True, slots=True)
class Partitions:
    """The partitions found in a stretch of `read` rows, and the key it stopped at (None: end)."""

    found: tuple[str, ...]
    read: int
    stopped_at: tuple[str, str] | None


def list_partitions(
    table: str, sk: str, *, after: tuple[str, str] | None, rows_max: int
) -> Partitions:
    """The partitions that have a row called `sk`, among the next `rows_max` rows of `table`."""
    start = {"ExclusiveStartKey": _key(*after)} if after else {}
    page = aws.client("dynamodb").scan(
        TableName=settings.table(table), Limit=rows_max, ProjectionExpression="pk, sk", **start
    )
    found = tuple(item["pk"]["S"] for item in page["Items"] if item["sk"]["S"] == sk)
    last = page.get("LastEvaluatedKey")
    stopped_at = (last["pk"]["S"], last["sk"]["S"]) if last else None
    return Partitions(found, len(page["Items"]), stopped_at)


@dataclass(frozen=True, slots=True)
class KeysFound:
    """The keys of a stretch of rows, and the one it stopped at (None: at the table's end)."""

    found: tuple[tuple[str, str], ...]
    stopped_at: tuple[str, str] | None


def list_keys(table: str, *, after: tuple[str, str] | None, rows_max: int) -> KeysFound:
    """The keys of the next `rows_max` rows of `table`, of expired ones too."""
    start = {"ExclusiveStartKey": _key(*after)} if after else {}
    page = aws.client("dynamodb").scan(
        TableName=settings.table(table), Limit=rows_max, ProjectionExpression="pk, sk", **start
    )
    found = tuple((item["pk"]["S"], item["sk"]["S"]) for item in page["Items"])
    last = page.get("LastEvaluatedKey")
    return KeysFound(found, (last["pk"]["S"], last["sk"]["S"]) if last else None)


@dataclass(frozen=True, slots=True)
class MembersFound:
    """The pseudonyms found in a stretch of `read` rows, and the key it stopped at (None: end)."""

    found: tuple[str, ...]
    read: int
    stopped_at: tuple[str, str] | None


def list_members(
    table: str, sk: str, *, after: tuple[str, str] | None, rows_max: int
) -> MembersFound:
    """Which members the rows called `sk` name, among the next `rows_max` rows of `table`."""
    start = {"ExclusiveStartKey": _key(*after)} if after else {}
    page = aws.client("dynamodb").scan(
        TableName=settings.table(table),
        Limit=rows_max,
        ProjectionExpression="pk, sk, member_id",
        **start,
    )
    named = (item for item in page["Items"] if item["sk"]["S"] == sk)
    found = tuple(item["member_id"]["S"] for item in named)
    last = page.get("LastEvaluatedKey")
    stopped_at = (last["pk"]["S"], last["sk"]["S"]) if last else None
    return MembersFound(found, len(page["Items"]), stopped_at)


def rows_about(table: str) -> int:
    """How many rows `table` has, as DynamoDB counted them within the last six hours."""
    described = aws.client("dynamodb").describe_table(TableName=settings.table(table))
    rows_found: int = described["Table"]["ItemCount"]
    return rows_found


def replace_sealed(row: SealedRow, sealed: bytes) -> bool:
    """Put `sealed` in place of the row's value; False where somebody wrote another meanwhile."""
    dynamodb = aws.client("dynamodb")
    try:
        dynamodb.update_item(
            TableName=settings.table(row.table),
            Key=_key(row.pk, row.sk),
            UpdateExpression="SET sealed = :anew",
            ConditionExpression="sealed = :before",
            ExpressionAttributeValues={":anew": {"B": sealed}, ":before": {"B": row.sealed}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _to_sealed_row(table: str, item: Any) -> SealedRow:
    member_id = item["member_id"]["S"] if "member_id" in item else None
    return SealedRow(table, item["pk"]["S"], item["sk"]["S"], item["sealed"]["B"], member_id)


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
