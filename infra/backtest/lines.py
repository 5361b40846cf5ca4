"""A purchase as a line of a file (docs/offers.md), and the sale that offers and schemes see.

Amounts are whole minor units. `member` is any name that is the same in all of a person's lines;
`age_band` and `area` are words of whoever made the file, and are only ever counted.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from chalicelib.kernel.ids import PaymentId, ReceiptId, RetailerId, StoreId, receipt_id_of
from chalicelib.loyalty.conditions import folded
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.offers.audiences.history import Visit, district_of_postcode
from chalicelib.offers.audiences.sensitive import harmless
from chalicelib.offers.campaigns.model import Campaign
from infra.backtest.trying import Buyer, looks_back

ONE = Decimal(1)
NONE = Decimal(0)


class PurchaseLine(msgspec.Struct, frozen=True, gc=False):
    """A line of a receipt: what it cost with tax (`gross_minor`), and without where that is known.

    `returned` of `quantity` came back since.
    """

    gross_minor: int
    id: str = ""
    net_minor: int | None = None
    quantity: Decimal = ONE
    unit: str | None = None
    gtin: str | None = None
    sku: str | None = None
    category: tuple[str, ...] = ()
    returned: Decimal = NONE


class PurchaseRow(msgspec.Struct, frozen=True, gc=False):
    """A purchase. Without `retailer` it is the draft's; without `paid_minor` all was paid.

    Payments of one bill say the same `receipt`; visits and items are of the one that
    `is_largest_part`.
    """

    member: str
    sold_at: datetime
    store: str
    currency: str
    lines: tuple[PurchaseLine, ...]
    retailer: str | None = None
    zone: str | None = None
    postcode: str = ""
    paid_minor: int | None = None
    receipt: str | None = None
    is_largest_part: bool = True
    age_band: str | None = None
    area: str | None = None


def names_a_line_twice(row: PurchaseRow) -> bool:
    """Whether two lines go by one name, as on no receipt that the platform takes."""
    names = {line.id or str(at) for at, line in enumerate(row.lines)}
    return len(names) < len(row.lines)


class Glance(msgspec.Struct, frozen=True):
    """What is read of a line to know where it goes."""

    member: str
    sold_at: datetime


def to_buyer(draft: Campaign | Scheme, rows: Iterable[PurchaseRow]) -> Buyer:
    """The member whose purchases, wherever they were made, are `rows`; one at least."""
    ordered = sorted(rows, key=lambda row: row.sold_at)
    own, zone = draft.retailer_id, draft.zone
    asks = looks_back(draft)
    sales, visits = [], []
    for at, row in enumerate(ordered):
        is_own = row.retailer is None or row.retailer == own
        if not is_own and not asks:
            continue
        sale = to_sale(row, at, retailer_id=own, zone=zone)
        if is_own:
            sales.append(sale)
        if asks:
            visits.append(to_visit(row, sale))
    newest = ordered[-1]
    return Buyer(sales, visits, newest.age_band, newest.area)


def to_sale(row: PurchaseRow, number: int, *, retailer_id: RetailerId, zone: str) -> Sale:
    """The sale of the member's purchase of this `number`."""
    lines = tuple([_sale_line(line, at) for at, line in enumerate(row.lines)])
    due = sum([line.gross_minor for line in row.lines])
    seller = RetailerId(row.retailer) if row.retailer is not None else retailer_id
    return Sale(
        purchase_id=PaymentId(str(number)),
        version=1,
        retailer_id=seller,
        store_id=StoreId(row.store),
        zone=row.zone or zone,
        sold_at=row.sold_at,
        currency=row.currency,
        lines=lines,
        total_minor=due,
        paid_minor=due if row.paid_minor is None else min(row.paid_minor, due),
        due_minor=due,
        is_largest_part=row.is_largest_part,
        receipt_id=receipt_id_of(seller, row.receipt) if row.receipt else ReceiptId(str(number)),
    )


def _sale_line(line: PurchaseLine, at: int) -> SaleLine:
    """The line at place `at`. By place, because this is done of millions of lines."""
    gross = line.gross_minor
    return SaleLine(
        line.id or str(at),
        "",
        line.quantity,
        line.unit,
        gross,
        gross if line.net_minor is None else line.net_minor,
        line.gtin,
        line.sku,
        line.category,
        line.returned,
    )


def to_visit(row: PurchaseRow, sale: Sale) -> Visit:
    """What the purchase tells audiences."""
    return Visit(
        sale.receipt_id,
        sale.sold_at,
        sale.retailer_id,
        district_of_postcode(row.postcode),
        sale.currency,
        sale.paid_minor,
        harmless(folded(one) for line in row.lines for one in line.category),
    )
