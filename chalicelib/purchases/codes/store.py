"""Where codes on receipts lead, and returns: table `tills`.

A member's purchase is found by its receipt's reference through the claim; for every other code on
it there is a row of its own. Strangers' receipts are too many for that: where they lie is kept in
strips, one row for all the receipts that came together, for as long as the receipts themselves.
Codes stand in neither: a row's key, or a strip's five bytes, is a keyed hash of retailer and code.

A return that was applied has a row that leads to its sale: who voids it need not name the sale.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ReceiptId, RetailerId, StoreId, natural_id
from chalicelib.matching.store import CLAIMS
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.returns import codes_of
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose
from chalicelib.tills.store import UNMATCHED_RECEIPTS

SALES_PER_CODE_MAX = 20  # A code that names more sales than that names none.
WEEK = timedelta(days=7)  # What `UNMATCHED_RECEIPTS` are kept; two partitions hold it.
STRIPS_READ_MAX = 20_000  # A chain that sends each till's batch alone writes that many in a week.
# From here on a strip is cut into sixteen, so that one who asks reads a sixteenth.
CODES_PER_STRIP_MAX = 128
_CUTS = 16
_HASH_CHARACTERS = 8  # Of base32: 40 bits. Who is found is compared with the receipt itself.
_ENTRY = struct.Struct(">8sHI")  # hash, place in `stores`, seconds since 1970


class SaleCodeRow(rows.Row):
    """`pk` = `code#<keyed hash of retailer and code>`, `sk` = `sale#<receipt id>`."""

    Meta = rows.table_meta("tills")
    privacy = {"codes": Kept(Category.OPERATION, Purpose.MATCHING, Erasure.KEEP)}
    retention = CLAIMS

    codes = NumberAttribute()  # how many the receipt has


class ReturnLeadRow(rows.Row):
    """`pk` = `return#<receipt id of the return>`, `sk` = `sale#<receipt id of the sale>`."""

    Meta = rows.table_meta("tills")
    privacy = {}
    retention = CLAIMS


class CodeStripRow(rows.Row):
    """`pk` = `codes#<retailer id>#<week>#<cut>`, `sk` = `<time it came>#<digest>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "stores": Kept(Category.CONFIGURATION, Purpose.MATCHING, Erasure.EXPIRE),
        "entries": Kept(Category.KEY, Purpose.MATCHING, Erasure.EXPIRE),
    }
    retention = UNMATCHED_RECEIPTS

    stores = UnicodeAttribute()
    entries = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Lying:
    """Where a receipt with the code that was asked for may lie: its store, and when issued."""

    store_id: StoreId
    issued_at: datetime


def record_codes(sale: Receipt, *, now: datetime) -> None:
    """Let a member's sale be found by each of its codes; its reference needs no row."""
    codes = codes_of(sale)
    for code in codes[1:]:
        row = SaleCodeRow(_sale_pk(sale.retailer_id, code), f"sale#{sale.receipt_id}")
        row.codes = len(codes)
        rows.put(row.keep_from(now))


def list_sales(retailer_id: RetailerId, code: str, *, now: datetime) -> tuple[ReceiptId, ...]:
    """The members' sales that have `code` beside their reference; a code of many names none."""
    found = rows.list_prefixed(
        SaleCodeRow, _sale_pk(retailer_id, code), "sale#", now=now, limit=SALES_PER_CODE_MAX
    )
    if len(found) >= SALES_PER_CODE_MAX:
        return ()
    return tuple(ReceiptId(row.sk.removeprefix("sale#")) for row in found)


def lead_back(returns: Iterable[Receipt], sale_id: ReceiptId, *, now: datetime) -> None:
    """Let who voids one of `returns` find the sale; to be called before a purchase has them."""
    for returned in returns:
        if returned.kind is not ReceiptKind.VOID:
            lead_to_sale(returned.receipt_id, sale_id, now=now)


def lead_to_sale(return_id: ReceiptId, sale_id: ReceiptId, *, now: datetime) -> None:
    """Let who voids the return find the sale that it was of."""
    rows.put(ReturnLeadRow(f"return#{return_id}", f"sale#{sale_id}").keep_from(now))


def list_sales_of_return(return_id: ReceiptId, *, now: datetime) -> tuple[ReceiptId, ...]:
    """The sales that the return was of before it was voided."""
    found = rows.list_prefixed(ReturnLeadRow, f"return#{return_id}", "sale#", now=now)
    return tuple(ReceiptId(row.sk.removeprefix("sale#")) for row in found)


def _sale_pk(retailer_id: RetailerId, code: str) -> str:
    return f"code#{_hash(retailer_id, code)}"


def _hash(retailer_id: RetailerId, code: str) -> str:
    return vault.lookup_key("sale_code", retailer_id, code)


def record_strips(retailer_id: RetailerId, receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Let `receipts` of one retailer, which came together, be found by their codes for a week."""
    hashed = [
        (_hash(retailer_id, code)[:_HASH_CHARACTERS], receipt.store_id, receipt.issued_at)
        for receipt in receipts
        for code in codes_of(receipt)
    ]
    is_cut = len(hashed) > CODES_PER_STRIP_MAX
    strips: dict[str, list[tuple[str, StoreId, datetime]]] = defaultdict(list)
    for entry in sorted(hashed):
        strips[_cut(entry[0]) if is_cut else "all"].append(entry)
    for cut, entries in strips.items():
        stores = sorted({store_id for _, store_id, _ in entries})
        packed = b"".join(
            _ENTRY.pack(code.encode(), stores.index(store_id), rows.epoch(issued_at))
            for code, store_id, issued_at in entries
        )
        digest = natural_id("strip", retailer_id, packed.hex())
        row = CodeStripRow(
            _strip_pk(retailer_id, now, cut),
            f"{now.isoformat()}#{digest}",
            stores=json.dumps(stores),
        )
        row.entries = packed
        rows.put(row.keep_from(now))


def list_lying(retailer_id: RetailerId, code: str, *, now: datetime) -> tuple[Lying, ...]:
    """Where receipts with `code` may lie, of those that came within the week."""
    wanted = _hash(retailer_id, code)[:_HASH_CHARACTERS]
    found: set[Lying] = set()
    for week in (now, now - WEEK):
        for cut in ("all", _cut(wanted)):
            for row in rows.list_between(
                CodeStripRow,
                _strip_pk(retailer_id, week, cut),
                "0",
                "~",
                now=now,
                limit=STRIPS_READ_MAX,
                consistent=False,
            ):
                found.update(_lying(row, wanted))
    return tuple(sorted(found, key=lambda one: (one.issued_at, one.store_id)))


def _lying(row: CodeStripRow, wanted: str) -> Iterator[Lying]:
    stores = json.loads(row.stores)
    needle = wanted.encode()
    if needle not in row.entries:
        return
    for code, place, seconds in _ENTRY.iter_unpack(row.entries):
        if code == needle:
            yield Lying(StoreId(stores[place]), datetime.fromtimestamp(seconds, UTC))


def _cut(hashed: str) -> str:
    """Which of the sixteen: the ids' alphabet has 32 letters, of which two share one."""
    return str("abcdefghijklmnopqrstuvwxyz234567".index(hashed[0]) % _CUTS)


def _strip_pk(retailer_id: RetailerId, at: datetime, cut: str) -> str:
    year, week, _ = at.astimezone(UTC).isocalendar()
    return f"codes#{retailer_id}#{year}-{week:02}#{cut}"
