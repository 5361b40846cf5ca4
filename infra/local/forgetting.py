"""What is still stored, row type by row type: how the demo shows that strangers are forgotten."""

from collections import Counter

from chalicelib.runtime import aws, settings

READ_PER_CALL = 500
PAGES, WAITING = "page", "wait"  # What stands about strangers, and about payments not yet matched.


def count_rows(table: str) -> dict[str, int]:
    """How many pages and waiting payments stand in `table`, expired or not."""
    found: Counter[str] = Counter()
    start: dict[str, object] = {}
    while True:
        answer = aws.client("dynamodb").scan(
            TableName=settings.table(table),
            ProjectionExpression="pk, sk",
            Limit=READ_PER_CALL,
            **start,
        )
        found.update(item["sk"]["S"].partition("#")[0] for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return {kind: found[kind] for kind in (PAGES, WAITING)}
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
