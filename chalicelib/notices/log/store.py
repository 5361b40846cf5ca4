"""Notices, as rows.

    cases    notices#<connection id>#<UTC day>   <written at>_<page id>   a page of the bank's log
    wallets  <member id>                         told#<notice id>         tried to be told, once
    wallets  <member id>                         notices#read             until where they have read

A page holds what one run had to tell one bank. It is written before anybody is told, so that what a
bank missed can be told again. It names members by their pseudonyms and holds no name of a bank for
anybody: that comes from the member's head when it is told, and of somebody who left there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.members.announcing import Announcement
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

KEPT_DAYS = 30
PAGES_READ_MAX = 100  # Of one bank in one answer; who wants more asks again.
_PAGE = Kept(
    Category.TRANSACTION,
    Purpose.DELIVERY,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"notices": Category.TRANSACTION},
)


class LogPageRow(rows.Row):
    """A page of a bank's log. Never changed once written."""

    Meta = rows.table_meta("cases")
    privacy = {"sealed": _PAGE}
    retention = Retention(
        name="notices_log",
        reason="What your bank was to be told of your rewards can be told again for thirty days.",
        lasts=timedelta(days=KEPT_DAYS),
        since="written",
    )

    sealed = BinaryAttribute(legacy_encoding=False)


class ToldRow(rows.Row):
    """`sk` = `told#<notice id>`: it was tried to put this into a feed that cannot be asked."""

    Meta = rows.table_meta("wallets")
    privacy = {"tried_at": Kept(Category.OPERATION, Purpose.DELIVERY, Erasure.DELETE)}
    retention = Retention(
        name="notices_told",
        reason="That your bank was told of something is remembered for three months, so that it "
        "is not told twice.",
        lasts=timedelta(days=90),
        since="told",
    )

    tried_at = UnicodeAttribute()


class ReadRow(rows.Row):
    """`sk` = `notices#read`: notices up to this time have been read."""

    Meta = rows.table_meta("wallets")
    privacy = {"through": Kept(Category.OPERATION, Purpose.MEMBERSHIP, Erasure.DELETE)}
    retention = Retention(
        name="notices_read",
        reason="Until where you have read your notices is remembered for a year.",
        lasts=timedelta(days=366),
        since="read",
    )

    through = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class PageName:
    """Where a page stands. Names of one bank sort by time."""

    written_at: datetime
    page_id: str

    def to_text(self) -> str:
        """As banks get it: a cursor, fit for a URL."""
        return f"{instant_text(self.written_at)}_{self.page_id}"


@dataclass(frozen=True, slots=True)
class Page:
    """What one run had to tell one bank."""

    name: PageName
    notices: tuple[Announcement, ...]


@dataclass(frozen=True, slots=True)
class _Sealed:
    notices: tuple[Announcement, ...]


def record_page(connection_id: ConnectionId, page: Page) -> None:
    """Write `page`; again is the same."""
    row = _page_row(connection_id, page.name)
    row.sealed = vault.seal(
        _Sealed(page.notices),
        key=vault.platform_key("notices"),
        place=f"{row.pk}|{row.sk}",
        kept=_PAGE,
    )
    rows.put(row.keep_from(page.name.written_at))


def find_page(connection_id: ConnectionId, name: PageName, *, now: datetime) -> Page | None:
    """The page, or None once it is forgotten."""
    wanted = _page_row(connection_id, name)
    row = rows.find(LogPageRow, wanted.pk, wanted.sk, now=now)
    return None if row is None else _to_page(row)


def list_pages(
    connection_id: ConnectionId, day: date, *, after: str, limit: int, now: datetime
) -> list[Page]:
    """The bank's pages of the UTC `day` whose names come after the text `after`, in order."""
    found = rows.list_between(
        LogPageRow, _pk(connection_id, day), f"{after}\x00", "\uffff", now=now, limit=limit
    )
    return [_to_page(row) for row in found]


def record_try(member_id: MemberId, notice_id: str, *, now: datetime) -> bool:
    """Write that the notice is about to be put into the feed; False where that was done before."""
    row = ToldRow(member_id, f"told#{notice_id}", tried_at=now.isoformat())
    free = ToldRow.pk.does_not_exist() | (ToldRow.expires_at <= rows.epoch(now))
    try:
        rows.put(row.keep_from(now), condition=free)
    except rows.ConditionFailed:
        return False
    return True


def forget_try(member_id: MemberId, notice_id: str) -> None:
    """It is certain that nothing was put into the feed: it may be tried again."""
    rows.delete(ToldRow(member_id, f"told#{notice_id}"))


def record_read(member_id: MemberId, through: datetime, *, now: datetime) -> None:
    """Everything up to `through` was read; what was read stays read."""
    row = ReadRow(member_id, "notices#read", through=through.isoformat())
    further = ReadRow.pk.does_not_exist() | (ReadRow.through < row.through)
    try:
        rows.put(row.keep_from(now), condition=further)
    except rows.ConditionFailed:
        return


def find_read(member_id: MemberId, *, now: datetime) -> datetime | None:
    """Until when the member has read, or None."""
    row = rows.find(ReadRow, member_id, "notices#read", now=now)
    return None if row is None else datetime.fromisoformat(row.through)


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put what stands in the partition of a member who left on its last clock; how many rows."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    changed = 0
    for row_type, prefix in ((ToldRow, "told#"), (ReadRow, "notices#")):
        after = prefix
        while found := rows.list_between(row_type, member_id, after, prefix + "~", now=now):
            for row in found:
                if row.expires_at > until:
                    rows.update(row, [row_type.expires_at.set(until)])
                    changed += 1
            after = found[-1].sk + "~"
    return changed


def name_from_text(text: str) -> PageName:
    """The page named by a cursor of `to_text`. :raises ValueError: it is none."""
    at, _, page_id = text.partition("_")
    name = PageName(datetime.fromisoformat(at), page_id)
    if not page_id or name.written_at.tzinfo is None or name.to_text() != text:
        raise ValueError("not the name of a page")
    return name


def instant_text(instant: datetime) -> str:
    """`instant` as names of pages begin: in UTC, to the microsecond, so that they sort."""
    plain = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{plain.isoformat(timespec='microseconds')}Z"


def _pk(connection_id: ConnectionId, day: date) -> str:
    return f"notices#{connection_id}#{day.isoformat()}"


def _page_row(connection_id: ConnectionId, name: PageName) -> LogPageRow:
    return LogPageRow(_pk(connection_id, name.written_at.date()), name.to_text())


def _to_page(row: LogPageRow) -> Page:
    sealed = vault.open_sealed(
        row.sealed, _Sealed, key=vault.platform_key("notices"), place=f"{row.pk}|{row.sk}"
    )
    return Page(name_from_text(row.sk), sealed.notices)


def page_of(notices: Sequence[Announcement], *, page_id: str, now: datetime) -> Page:
    """A page written `now`."""
    return Page(PageName(now, page_id), tuple(notices))
