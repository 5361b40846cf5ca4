"""Where receipt pages wait: table `tills`, partition store and UTC day, sorted by sale time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.receipts.canonical import Receipt
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention
from chalicelib.tills.pages import Page

PAGES_READ_MAX = 2_000  # 200,000 receipts: more than any store issues in the hours read at once.

UNMATCHED_RECEIPTS = Retention(
    name="unmatched_receipts",
    reason="Receipts of people we do not know are forgotten seven days after they came.",
    lasts=timedelta(days=7),
    since="received",
)

_RECEIPTS = Kept(
    Category.RECEIPT,
    Purpose.MATCHING,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"receipts": Category.RECEIPT},
)


class PageRow(rows.Row):
    """`pk` = `<store id>#<UTC day>`, `sk` = `page#<HH:MM:SS of its first sale>#<page id>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "received_at": Kept(Category.OPERATION, Purpose.MATCHING, Erasure.EXPIRE),
        "receipts_count": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.EXPIRE),
        "sealed": _RECEIPTS,
    }
    retention = UNMATCHED_RECEIPTS

    received_at = UnicodeAttribute()
    receipts_count = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class _Content:
    receipts: tuple[Receipt, ...]


def record_page(page: Page) -> None:
    """Write `page`; writing it again changes nothing."""
    row = PageRow(
        partition(page.store_id, page.starts_at.date()),
        f"page#{_time(page.starts_at)}#{page.page_id}",
        received_at=page.received_at.isoformat(),
        receipts_count=len(page.receipts),
    )
    row.sealed = vault.seal(
        _Content(page.receipts), key=vault.platform_key("pages"), place=_place(row), kept=_RECEIPTS
    )
    rows.put(row.keep_from(page.received_at))


def list_pages(
    store_id: StoreId,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    consistent: bool = True,
) -> list[Page]:
    """The pages of `store_id` whose first sale lies in [since, until], oldest first.

    To find a sale at `t`, ask since `t` minus the store's page span.
    :raises TryAgain: more pages than are read at once; nothing may be decided without them.
    """
    found: list[Page] = []
    for day, first, last in days_of(since, until):
        for row in rows.list_between(
            PageRow,
            partition(store_id, day),
            f"page#{first}",
            f"page#{last}~",
            now=now,
            limit=PAGES_READ_MAX,
            consistent=consistent,
        ):
            found.append(_to_page(row, store_id))
    if len(found) >= PAGES_READ_MAX:
        raise TryAgain("more receipt pages stand at one store than are read at once")
    return found


def partition(store_id: StoreId, day: date) -> str:
    """The partition of `store_id` on the UTC `day`."""
    return f"{store_id}#{day.isoformat()}"


def days_of(since: datetime, until: datetime) -> list[tuple[date, str, str]]:
    """[since, until] cut at midnights UTC: each day with its first and last time of day."""
    cuts = []
    day = since.date()
    while day <= until.date():
        first = _time(since) if day == since.date() else "00:00:00"
        last = _time(until) if day == until.date() else "23:59:59"
        cuts.append((day, first, last))
        day += timedelta(days=1)
    return cuts


def _to_page(row: PageRow, store_id: StoreId) -> Page:
    content = vault.open_sealed(
        row.sealed, _Content, key=vault.platform_key("pages"), place=_place(row)
    )
    return Page(store_id, content.receipts, datetime.fromisoformat(row.received_at))


def _time(instant: datetime) -> str:
    return instant.strftime("%H:%M:%S")


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
