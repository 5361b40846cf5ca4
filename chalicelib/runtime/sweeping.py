"""Deleting what has expired and DynamoDB has not deleted yet: the only scan there is."""

from dataclasses import dataclass
from datetime import datetime

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

    The only scan there is: retention has to reach rows whose keys nobody knows any more. A row
    whose expiry was moved meanwhile stays.
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


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
