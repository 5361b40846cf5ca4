"""How often somebody claimed a receipt by hand: table `people`, counted for a day and forgotten."""

from datetime import UTC, datetime, time, timedelta

from pynamodb.attributes import NumberAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

ATTEMPTS = Retention(
    name="attempts_by_hand",
    reason="How often somebody claimed a receipt by hand is counted for the day, against guessing.",
    lasts=timedelta(days=2),
    since="claimed",
)


class AttemptsRow(rows.Row):
    """`pk` = `attempts#<member id>`, `sk` = `<UTC day>#<payment id, or `all`>`."""

    Meta = rows.table_meta("people")
    privacy = {"used": Kept(Category.OPERATION, Purpose.SECURITY, Erasure.EXPIRE)}
    retention = ATTEMPTS

    used = NumberAttribute()


def count_attempt(member_id: MemberId, of: str, *, most: int, now: datetime) -> bool:
    """Count one attempt of today; False where there were `most` of them before.

    After a lost answer one attempt may count twice, never less than once.
    """
    day = now.astimezone(UTC).date()
    row = AttemptsRow(f"attempts#{member_id}", f"{day.isoformat()}#{of}").keep_from(
        datetime.combine(day, time(), tzinfo=UTC)
    )
    actions = [AttemptsRow.used.add(1), AttemptsRow.expires_at.set(row.expires_at)]
    free = AttemptsRow.used.does_not_exist() | (AttemptsRow.used < most)
    try:
        rows.update(row, actions, condition=free)
    except rows.ConditionFailed:
        return False
    return True
