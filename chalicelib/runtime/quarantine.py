"""Quarantine: where a message goes that can never succeed as it stands, kept whole for a person.

A row per message, under the day it came, encrypted. The same message with the same reason lands on
the same row, so redelivery does not multiply it. Card numbers are masked before anything is kept.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.pan import mask_card_numbers
from chalicelib.kernel.refusals import Rejected
from chalicelib.runtime import observability, queues, rows, vault
from chalicelib.runtime.emf import Unit
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

BODY_BYTES_MAX = 360_000  # Even where it does not compress, this fits one row.
LISTED_MAX = 500
KEPT = timedelta(days=30)
_KEYS = ["pk", "sk", "expires_at"]
AREAS = ("hooks", "tills", *queues.NAMES)

_KEPT = Kept(
    Category.TRANSACTION,
    Purpose.SUPPORT,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"body": Category.TRANSACTION, "detail": Category.OPERATION},
)


class QuarantineRow(rows.Row):
    """`pk` = `quarantine#<UTC day>`, `sk` = `<area>#<id>`."""

    Meta = rows.table_meta("cases")
    privacy = {
        "area": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.KEEP),
        "reason": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.KEEP),
        "field": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.KEEP),
        "sender": Kept(Category.CONFIGURATION, Purpose.SUPPORT, Erasure.KEEP),
        "name": Kept(Category.REFERENCE, Purpose.SUPPORT, Erasure.EXPIRE),
        "kept_at": Kept(Category.OPERATION, Purpose.SUPPORT, Erasure.KEEP),
        "sealed": _KEPT,
    }
    retention = Retention(
        name="quarantine",
        reason="Messages that could not be used are kept 30 days, so that a person can mend them.",
        lasts=KEPT,
    )

    area = UnicodeAttribute()
    reason = UnicodeAttribute()
    field = UnicodeAttribute(null=True)
    sender = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    kept_at = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message in quarantine. `area` is the queue or route it came by, `body` its text."""

    quarantine_id: str
    area: str
    reason: str
    detail: str
    field: str | None
    sender: str
    name: str | None
    kept_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class _Content:
    body: str
    detail: str


def keep(
    area: str, body: str, refusal: Rejected, *, sender: str, now: datetime, name: str | None = None
) -> str:
    """Keep `body` for a person to look at; returns its quarantine id.

    `sender` is the connection, retailer or queue it came from; `name` the sender's id of the entry.
    """
    body = _cut(mask_card_numbers(body))
    quarantine_id = natural_id("quarantine", area, sender, refusal.code, body)
    row = QuarantineRow(
        f"quarantine#{now.date().isoformat()}",
        f"{area}#{quarantine_id}",
        area=area,
        reason=refusal.code,
        field=refusal.field,
        sender=sender,
        name=mask_card_numbers(name)[:100] if name else None,
        kept_at=now.isoformat(),
    )
    content = _Content(body=body, detail=mask_card_numbers(refusal.detail))
    row.sealed = vault.seal(
        content, key=vault.platform_key("quarantine"), place=_place(row), kept=_KEPT
    )
    rows.put(row.keep_from(now))
    observability.count("quarantined", area=area, reason=refusal.code)
    observability.warn("message quarantined", area=area, reason=refusal.code, id=quarantine_id)
    return quarantine_id


def _cut(body: str) -> str:
    """`body` as far as it fits a row; what UTF-8 cannot hold is written out (`\\udc80`)."""
    return body.encode("utf-8", "backslashreplace")[:BODY_BYTES_MAX].decode("utf-8", "ignore")


def list_day(
    day: date, *, now: datetime, area: str | None = None, after: Quarantined | None = None
) -> list[Quarantined]:
    """What was quarantined on the UTC `day`, or of it in one `area`, in order of area and id.

    At most 500, beginning behind `after`: an empty answer means that there are no more.
    """
    first, last = (f"{area}#", f"{area}#~") if area else ("!", "~")
    if after is not None:
        first = f"{after.area}#{after.quarantine_id}~"  # Just behind it: `~` sorts after ids.
    found = rows.list_between(
        QuarantineRow,
        f"quarantine#{day.isoformat()}",
        first,
        last,
        now=now,
        limit=LISTED_MAX,
    )
    return [_to_quarantined(row) for row in found]


def observe_sizes(*, now: datetime) -> dict[str, int]:
    """Observe how many messages of each area wait for a person, nought included; returns them.

    At most 500 of each of the last 31 days are counted.
    """
    sizes = Counter(dict.fromkeys(AREAS, 0))
    for days in range(KEPT.days + 1):
        pk = f"quarantine#{(now - timedelta(days=days)).date().isoformat()}"
        found = rows.list_between(
            QuarantineRow, pk, "!", "~", now=now, limit=LISTED_MAX, consistent=False, only=_KEYS
        )
        sizes.update(row.sk.partition("#")[0] for row in found)
    for area, size in sizes.items():
        observability.observe("quarantine_size", size, Unit.COUNT, area=area)
    return dict(sizes)


def release(kept: Quarantined) -> None:
    """Take out what somebody dealt with; releasing it again changes nothing."""
    day = kept.kept_at.date().isoformat()
    rows.delete(QuarantineRow(f"quarantine#{day}", f"{kept.area}#{kept.quarantine_id}"))


def _to_quarantined(row: QuarantineRow) -> Quarantined:
    content = vault.open_sealed(
        row.sealed, _Content, key=vault.platform_key("quarantine"), place=_place(row)
    )
    return Quarantined(
        quarantine_id=row.sk.rpartition("#")[2],
        area=row.area,
        reason=row.reason,
        detail=content.detail,
        field=row.field,
        sender=row.sender,
        name=row.name,
        kept_at=datetime.fromisoformat(row.kept_at),
        body=content.body,
    )


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
