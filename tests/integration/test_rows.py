"""The promises of the row base: declared, retained, never read after expiry."""

from datetime import datetime, timedelta

import pytest
from pynamodb.attributes import UnicodeAttribute

from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

PRIVACY = {"note": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.DELETE)}
THREE_DAYS = Retention(name="three_days", reason="For these tests.", lasts=timedelta(days=3))


class NoteRow(rows.Row):
    """A row for these tests."""

    Meta = rows.table_meta("tills")
    privacy = PRIVACY
    retention = THREE_DAYS

    note = UnicodeAttribute()


def test_refuses_to_define_a_row_with_an_undeclared_attribute() -> None:
    with pytest.raises(rows.UndeclaredAttribute, match="secret_note"):

        class Undeclared(rows.Row):
            Meta = rows.table_meta("tills")
            privacy = PRIVACY
            retention = THREE_DAYS

            note = UnicodeAttribute()
            secret_note = UnicodeAttribute()


def test_refuses_to_define_a_row_without_a_retention_rule() -> None:
    with pytest.raises(rows.UndeclaredAttribute, match="no retention rule"):

        class Unretained(rows.Row):
            Meta = rows.table_meta("tills")
            privacy = PRIVACY

            note = UnicodeAttribute()


@pytest.mark.stores
def test_refuses_to_write_a_row_whose_expiry_was_not_computed(
    embedded_aws: None, now: datetime
) -> None:
    with pytest.raises(rows.NoRetentionRule):
        rows.put(NoteRow("a", "b", note="hello"))

    assert rows.find(NoteRow, "a", "b", now=now) is None


@pytest.mark.stores
def test_never_returns_what_has_expired_though_it_is_still_stored(
    embedded_aws: None, now: datetime
) -> None:
    rows.put(NoteRow("a", "b", note="hello").keep_from(now))
    last_second = now + timedelta(days=3) - timedelta(seconds=1)

    found = rows.find(NoteRow, "a", "b", now=last_second)
    assert found is not None
    assert found.note == "hello"
    assert rows.find(NoteRow, "a", "b", now=now + timedelta(days=3)) is None
    assert rows.list_prefixed(NoteRow, "a", "b", now=now + timedelta(days=3)) == []
    assert NoteRow.get("a", "b").note == "hello"


@pytest.mark.stores
def test_writes_a_new_row_only_once(embedded_aws: None, now: datetime) -> None:
    rows.put_new(NoteRow("a", "b", note="first").keep_from(now))

    with pytest.raises(rows.ConditionFailed):
        rows.put_new(NoteRow("a", "b", note="second").keep_from(now))

    found = rows.find(NoteRow, "a", "b", now=now)
    assert found is not None
    assert found.note == "first"


@pytest.mark.stores
def test_writes_rows_together_or_not_at_all(embedded_aws: None, now: datetime) -> None:
    rows.put_new(NoteRow("a", "taken", note="first").keep_from(now))
    absent = NoteRow.pk.does_not_exist()

    with pytest.raises(rows.ConditionFailed):
        rows.put_together(
            [
                (NoteRow("a", "free", note="x").keep_from(now), absent),
                (NoteRow("a", "taken", note="x").keep_from(now), absent),
            ]
        )

    assert rows.find(NoteRow, "a", "free", now=now) is None
