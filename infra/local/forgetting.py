"""What is still stored about strangers: how the demo shows that they are forgotten."""

from collections.abc import Iterable
from datetime import date

from chalicelib.runtime import aws, settings
from chalicelib.tills.store import partition
from infra.local.setup import store_id_of
from infra.local.town import Town

PAGES, WAITING = "page", "wait"


def count_rows(town: Town, days: Iterable[date]) -> dict[str, int]:
    """Pages and waiting payments of `days` that are stored for the shops, expired or not."""
    found = {PAGES: 0, WAITING: 0}
    partitions = [
        partition(store_id_of(brand, shop), day) for day in days for brand, shop in town.shops
    ]
    for pk in partitions:
        for kind in found:
            answer = aws.client("dynamodb").query(
                TableName=settings.table("tills"),
                KeyConditionExpression="pk = :pk AND begins_with(sk, :kind)",
                ExpressionAttributeValues={":pk": {"S": pk}, ":kind": {"S": f"{kind}#"}},
                Select="COUNT",
            )
            found[kind] += answer["Count"]
    return found
