"""Reading and writing rows: bounded, ordered, conditional, and passing obstacles named as such."""

from datetime import datetime

import pytest
from botocore.exceptions import ConnectTimeoutError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import aws, rows, settings
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose

_KEPT = Kept(Category.CONFIGURATION, Purpose.SUPPORT, Erasure.KEEP)


class ShelfRow(rows.Row):
    """A row for these tests, kept until somebody removes it."""

    Meta = rows.table_meta("cases")
    privacy = {"label": _KEPT, "count": _KEPT}
    retention = CONFIGURED

    label = UnicodeAttribute(null=True)
    count = NumberAttribute(default=0)


def names(found: list[ShelfRow]) -> list[str]:
    """The sort keys of `found`."""
    return [row.sk for row in found]


@pytest.mark.stores
def test_lists_in_order_within_bounds_and_at_most_so_many(
    embedded_aws: None, now: datetime
) -> None:
    for sk in ("b#2", "a#1", "b#1", "c#1", "b#3"):
        rows.put(ShelfRow("shelf", sk))

    assert names(rows.list_prefixed(ShelfRow, "shelf", "b#", now=now)) == ["b#1", "b#2", "b#3"]
    assert names(rows.list_prefixed(ShelfRow, "shelf", "b#", now=now, limit=2)) == ["b#1", "b#2"]
    assert names(rows.list_between(ShelfRow, "shelf", "b#2", "c#1", now=now)) == [
        "b#2",
        "b#3",
        "c#1",
    ]
    assert len(rows.list_prefixed(ShelfRow, "shelf", "", now=now)) == 5
    assert rows.list_prefixed(ShelfRow, "another", "", now=now) == []


@pytest.mark.stores
def test_keeps_a_row_without_a_length_until_it_is_removed(
    embedded_aws: None, now: datetime
) -> None:
    rows.put(ShelfRow("shelf", "a").keep_from(now))

    found = rows.find(ShelfRow, "shelf", "a", now=now.replace(year=2090))
    assert found is not None
    assert found.expires_at is None


@pytest.mark.stores
def test_changes_a_row_only_if_it_is_as_expected(embedded_aws: None, now: datetime) -> None:
    row = ShelfRow("shelf", "a", label="first")
    rows.put(row)

    rows.update(row, [ShelfRow.count.set(1)], condition=ShelfRow.label == "first")
    with pytest.raises(rows.ConditionFailed):
        rows.update(row, [ShelfRow.count.set(2)], condition=ShelfRow.label == "other")

    found = rows.find(ShelfRow, "shelf", "a", now=now)
    assert found is not None
    assert (found.count, row.count) == (1, 1)


@pytest.mark.stores
def test_removes_a_row_once_and_again_if_nothing_is_demanded(
    embedded_aws: None, now: datetime
) -> None:
    row = ShelfRow("shelf", "a", label="first")
    rows.put(row)

    with pytest.raises(rows.ConditionFailed):
        rows.delete(row, condition=ShelfRow.label == "other")
    rows.delete(row)
    rows.delete(row)

    assert rows.find(ShelfRow, "shelf", "a", now=now) is None


@pytest.mark.stores
def test_writes_and_removes_together(embedded_aws: None, now: datetime) -> None:
    rows.put(ShelfRow("shelf", "old"))

    rows.put_together(
        [(ShelfRow("shelf", "new"), ShelfRow.pk.does_not_exist())],
        deleted=[ShelfRow("shelf", "old")],
    )

    assert names(rows.list_prefixed(ShelfRow, "shelf", "", now=now)) == ["new"]


def test_says_try_again_when_the_database_cannot_be_reached(
    embedded_aws: None, now: datetime
) -> None:
    def nobody_answers(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")

    heard = ShelfRow._get_connection().connection.client.meta.events
    heard.register_first("before-send.dynamodb", nobody_answers)
    try:
        for attempt in (
            lambda: rows.find(ShelfRow, "a", "b", now=now),
            lambda: rows.list_prefixed(ShelfRow, "a", "", now=now),
            lambda: rows.put(ShelfRow("a", "b")),
            lambda: rows.delete(ShelfRow("a", "b")),
        ):
            with pytest.raises(TryAgain):
                attempt()
    finally:
        heard.unregister("before-send.dynamodb", nobody_answers)


def test_lets_a_mistake_of_ours_out_as_what_it_is(embedded_aws: None, now: datetime) -> None:
    aws.client("dynamodb").delete_table(TableName=settings.table("cases"))

    with pytest.raises(Exception, match="ResourceNotFound") as raised:
        rows.put(ShelfRow("a", "b"))

    assert not isinstance(raised.value, TryAgain | rows.ConditionFailed)
