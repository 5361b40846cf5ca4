"""Where the sweep of each table goes on, and who of the staff saw what: table `cases`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import (
    CONFIGURED,
    Category,
    Erasure,
    Kept,
    Purpose,
    Retention,
)

_SEEN = Kept(
    Category.STAFF,
    Purpose.SECURITY,
    Erasure.EXPIRE,
    encrypted=True,
    holds={
        "reader": Category.STAFF,
        "command": Category.OPERATION,
        "subject": Category.REFERENCE,
        "reason": Category.OPERATION,
    },
)


class SweepRow(rows.Row):
    """Where the sweep of one table goes on: `pk` = `sweep`, `sk` = the table."""

    Meta = rows.table_meta("cases")
    privacy = {
        "after_pk": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
        "after_sk": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
    }
    retention = CONFIGURED

    after_pk = UnicodeAttribute(null=True)
    after_sk = UnicodeAttribute(null=True)


class AccessRow(rows.Row):
    """`pk` = `access#<UTC day>`, `sk` = `<instant>#<access id>`. Never changed once written."""

    Meta = rows.table_meta("cases")
    privacy = {"sealed": _SEEN}
    retention = Retention(
        name="staff_access",
        reason="Who of our staff saw personal data, and why, is remembered for two years.",
        lasts=timedelta(days=730),
        since="seen",
    )

    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody saw personal data: `subject` is what was shown, `command` what showed it."""

    access_id: str
    at: datetime
    reader: str
    command: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Seen:
    reader: str
    command: str
    subject: str
    reason: str


def record_access(access: Access) -> None:
    """Write `access` down, once."""
    row = AccessRow(
        f"access#{access.at.date().isoformat()}", f"{access.at.isoformat()}#{access.access_id}"
    )
    seen = _Seen(access.reader, access.command, access.subject, access.reason)
    row.sealed = vault.seal(
        seen, key=vault.platform_key("access"), place=f"{row.pk}|{row.sk}", kept=_SEEN
    )
    rows.put_new(row.keep_from(access.at))


def list_accesses(day: date, *, now: datetime) -> list[Access]:
    """Those of the UTC `day`, in order of time."""
    found = rows.list_prefixed(AccessRow, f"access#{day.isoformat()}", "", now=now)
    return [_to_access(row) for row in found]


def _to_access(row: AccessRow) -> Access:
    seen = vault.open_sealed(
        row.sealed, _Seen, key=vault.platform_key("access"), place=f"{row.pk}|{row.sk}"
    )
    at, _, access_id = row.sk.partition("#")
    return Access(
        access_id=access_id,
        at=datetime.fromisoformat(at),
        reader=seen.reader,
        command=seen.command,
        subject=seen.subject,
        reason=seen.reason,
    )
