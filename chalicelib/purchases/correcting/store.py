"""How often somebody claimed a receipt by hand: table `people`, counted for a day and forgotten."""

from datetime import UTC, datetime, time, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

ATTEMPTS = Retention(
    name="attempts_by_hand",
    reason="How often somebody claimed a receipt by hand is counted for the day, against guessing.",
    lasts=timedelta(days=2),
    since="claimed",
)


class AttemptsRow(rows.Row):
    """`pk` = `attempts#<member id>`, `sk` = `<UTC day>#<payment id, or what is counted>`."""

    Meta = rows.table_meta("people")
    privacy = {
        "used": Kept(Category.OPERATION, Purpose.SECURITY, Erasure.EXPIRE),
        "last": Kept(Category.PSEUDONYM, Purpose.SECURITY, Erasure.EXPIRE),
    }
    retention = ATTEMPTS

    used = NumberAttribute()
    last = UnicodeAttribute(null=True)


def count_attempt(
    member_id: MemberId, of: str, *, most: int, now: datetime, about: PaymentId | None = None
) -> bool:
    """Count one attempt of today; False where there were `most` of them before.

    After a lost answer one attempt may count twice, never less than once. With `about` it counts
    once, also when it is made again, until one is made about another payment.
    """
    day = now.astimezone(UTC).date()
    row = AttemptsRow(f"attempts#{member_id}", f"{day.isoformat()}#{of}").keep_from(
        datetime.combine(day, time(), tzinfo=UTC)
    )
    actions = [AttemptsRow.used.add(1), AttemptsRow.expires_at.set(row.expires_at)]
    is_left = AttemptsRow.used < most
    if about is not None:
        actions.append(AttemptsRow.last.set(about))
        is_left &= AttemptsRow.last != about
    try:
        rows.update(row, actions, condition=AttemptsRow.used.does_not_exist() | is_left)
    except rows.ConditionFailed:
        standing = rows.find(AttemptsRow, row.pk, row.sk, now=now) if about else None
        return standing is not None and standing.last == about
    return True
