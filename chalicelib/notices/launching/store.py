"""Launches, as rows: table `cases`.

launches    <kind>#<subject>#<connection id>    how far the members of a bank were told
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, RetailerId
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.notices.launching.model import Launch, LaunchState
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

LISTED_MAX = 1_000
_PK = "launches"
_WORD = Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)


class LaunchRow(rows.Row):
    """How far a launch is. `after` is the pseudonym of the member who was the last."""

    Meta = rows.table_meta("cases")
    privacy = {
        "retailer_id": _WORD,
        "started_at": _WORD,
        "state": _WORD,
        "announced": _WORD,
        "version": _WORD,
        "after": Kept(Category.PSEUDONYM, Purpose.SERVICE_OPERATION, Erasure.EXPIRE),
    }
    retention = Retention(
        name="launches",
        reason="That something was announced to all who want to hear of it is remembered for "
        "thirteen months, so that nobody is told twice.",
        lasts=timedelta(days=400),
        since="started",
    )

    retailer_id = UnicodeAttribute()
    started_at = UnicodeAttribute()
    state = UnicodeAttribute()
    announced = NumberAttribute()
    version = NumberAttribute()
    after = UnicodeAttribute(null=True)


def record(launch: Launch) -> bool:
    """Write `launch` over the version it was read at (0: there was none); False where others did.

    :raises TryAgain: DynamoDB did not answer.
    """
    row = _to_row(replace(launch, version=launch.version + 1))
    unchanged = (
        LaunchRow.version == launch.version if launch.version else LaunchRow.pk.does_not_exist()
    )
    try:
        rows.put(row, condition=unchanged)
    except rows.ConditionFailed:
        return False
    return True


def find(name: str, *, now: datetime) -> Launch | None:
    """The launch of this name, or None."""
    row = rows.find(LaunchRow, _PK, name, now=now)
    return _to_launch(row) if row else None


def list_all(*, now: datetime) -> list[Launch]:
    """Those of the last thirteen months, in order of name, at most 1,000."""
    found = rows.list_prefixed(LaunchRow, _PK, "", now=now, limit=LISTED_MAX)
    return [_to_launch(row) for row in found]


def _to_row(launch: Launch) -> LaunchRow:
    row = LaunchRow(
        _PK,
        launch.name,
        retailer_id=launch.retailer_id,
        started_at=launch.started_at.isoformat(),
        state=launch.state.value,
        announced=launch.announced,
        version=launch.version,
        after=launch.after or None,
    )
    return row.keep_from(launch.started_at)


def _to_launch(row: LaunchRow) -> Launch:
    kind, subject, connection_id = row.sk.split("#")
    return Launch(
        kind=NoticeKind(kind),
        subject=subject,
        retailer_id=RetailerId(row.retailer_id),
        connection_id=ConnectionId(connection_id),
        started_at=datetime.fromisoformat(row.started_at),
        state=LaunchState(row.state),
        after=row.after or "",
        announced=int(row.announced),
        version=int(row.version),
    )
