"""Receipts for tests: plain makers, and Hypothesis strategies of receipts that keep every rule."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.pan import holds_card_number
from chalicelib.network.model import Retailer, Store
from chalicelib.receipts.canonical import (
    Barcode,
    Charge,
    ChargeKind,
    Discount,
    Fiscal,
    Line,
    LineKind,
    LineReference,
    Modifier,
    Receipt,
    ReceiptKind,
    Tax,
    Tender,
    TenderKind,
)
from chalicelib.receipts.rules import parts_total_minor

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RETAILER = Retailer(
    RetailerId("bean-and-leaf"),
    "Bean & Leaf",
    vat_number="GB 000 0000 00",
    website="https://bean.example",
)
STORE = Store(
    StoreId("store-leeds"),
    RETAILER.retailer_id,
    reference="0042",
    name="Leeds, Briggate",
    zone="Europe/London",
    address="12 Briggate, Leeds",
    postcode="LS1 6HD",
    phone="0113 496 0000",
    latitude=53.797,
    longitude=-1.543,
)


def line(line_id: str = "1", *, amount: int = 350, **more: object) -> Line:
    """One line sold."""
    return replace(Line(line_id, "Flat white", amount), **more)  # type: ignore[arg-type]


def sale(*lines: Line, **more: object) -> Receipt:
    """A sale whose total and one card tender come to its lines, charges and discounts."""
    draft = Receipt(
        reference="A-1001",
        version=1,
        kind=ReceiptKind.SALE,
        retailer_id=RETAILER.retailer_id,
        store_id=STORE.store_id,
        issued_at=datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC),
        currency="GBP",
        total_minor=0,
        lines=lines or (line(),),
        tenders=(),
    )
    return with_sums(replace(draft, **more))  # type: ignore[arg-type]


def with_sums(receipt: Receipt) -> Receipt:
    """`receipt` with the total its parts come to, paid by one card."""
    total = parts_total_minor(receipt)
    paid = abs(total) + receipt.change_minor
    return replace(receipt, total_minor=total, tenders=(Tender(TenderKind.CARD, paid),))


def by_cards(receipt: Receipt, *minor: int, **others: int) -> Receipt:
    """`receipt` paid by several cards and, by name, in other ways."""
    cards = [Tender(TenderKind.CARD, one) for one in minor]
    rest = [Tender(TenderKind(kind), one) for kind, one in others.items()]
    return replace(receipt, tenders=(*cards, *rest))


def giving_back(*lines: Line, reference: str = "R-1", **more: object) -> Receipt:
    """A return of `lines`, of the sale A-1001."""
    taken = tuple(replace(one, kind=LineKind.RETURN) for one in lines)
    values = {"kind": ReceiptKind.RETURN, "refers_to": "A-1001", **more}
    return sale(*taken, reference=reference, **values)


CURRENCIES = ("GBP", "EUR", "JPY", "KWD")
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).filter(
    lambda text: not holds_card_number(text)
)
some_names = st.none() | names
amounts = st.integers(0, 100_000)
quantities = st.decimals(
    min_value=Decimal("0.001"), max_value=Decimal(1_000), places=3, allow_nan=False
)
gtins = st.none() | st.sampled_from(("5012345678900", "40123455", "036000291452"))
days = st.none() | st.dates(date(2026, 1, 1), date(2030, 12, 31))
discounts = st.builds(Discount, names, amounts)
modifiers = st.builds(Modifier, names, amounts, quantities, gtins, some_names)
last_fours = st.builds(
    LastFour, st.from_regex(r"\A[0-9]{4}\Z"), st.sampled_from(list(LastFourKind))
)
cards = st.builds(
    CardFacts,
    st.sampled_from((None, "visa", "mastercard", "amex")),
    st.none() | last_fours,
    st.sampled_from((None, "012345", "A1B2C3")),
)


@st.composite
def lines(draw: st.DrawFn, *, line_id: str, kind: LineKind = LineKind.SALE) -> Line:
    """A line that keeps the rules."""
    parts = tuple(draw(st.lists(modifiers, max_size=3)))
    off = tuple(draw(st.lists(discounts, max_size=2)))
    floor = sum(part.amount_minor for part in parts)
    quantity = draw(quantities)
    amount = floor + draw(amounts)
    sold = kind is LineKind.SALE
    return Line(
        line_id=line_id,
        description=draw(names),
        amount_minor=amount,
        quantity=quantity,
        unit=draw(some_names),
        kind=kind,
        gtin=draw(gtins),
        sku=draw(some_names),
        lot=draw(some_names),
        serial=draw(some_names),
        category=tuple(draw(st.lists(names, max_size=3))),
        modifiers=parts,
        discounts=off,
        taxes=tuple(draw(st.lists(taxes(amount // 3), max_size=2))),
        returnable_until=draw(days),
        warranty_until=draw(days),
        refers_to=None if sold else draw(st.none() | st.builds(LineReference, names, some_names)),
        returned_quantity=draw(st.sampled_from((Decimal(0), quantity))) if sold else Decimal(0),
    )


def taxes(most: int) -> st.SearchStrategy[Tax]:
    """A tax of at most `most` minor units."""
    rates = st.none() | st.decimals(0, 1, places=4, allow_nan=False)
    return st.builds(Tax, st.integers(0, most), some_names, rates, some_names, some_names)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """Any receipt that keeps every rule of `receipts/rules.py` at `NOW`."""
    kind = draw(st.sampled_from((ReceiptKind.SALE, ReceiptKind.RETURN, ReceiptKind.EXCHANGE)))
    kinds = {
        ReceiptKind.SALE: [LineKind.SALE],
        ReceiptKind.RETURN: [LineKind.RETURN],
        ReceiptKind.EXCHANGE: [LineKind.SALE, LineKind.RETURN],
    }[kind]
    more = draw(st.lists(st.sampled_from(kinds), max_size=3))
    sold = tuple(
        draw(lines(line_id=f"L{place}", kind=one)) for place, one in enumerate([*kinds, *more])
    )
    included = draw(st.booleans())
    draft = Receipt(
        reference=draw(names),
        version=draw(st.integers(1, 9)),
        kind=kind,
        retailer_id=RETAILER.retailer_id,
        store_id=STORE.store_id,
        issued_at=NOW - draw(st.timedeltas(timedelta(hours=-23), timedelta(days=89))),
        currency=draw(st.sampled_from(CURRENCIES)),
        total_minor=0,
        lines=sold,
        tenders=(),
        till=draw(some_names),
        charges=tuple(
            draw(
                st.lists(
                    st.builds(Charge, st.sampled_from(list(ChargeKind)), names, amounts), max_size=2
                )
            )
        ),
        taxes=() if included else tuple(draw(st.lists(taxes(1_000), max_size=2))),
        tax_included=included,
        rounding_minor=draw(st.integers(0, 4)),
        change_minor=draw(amounts),
        refers_to=draw(some_names),
        return_reference=draw(some_names),
        return_by=draw(days),
        barcode=draw(st.none() | st.builds(Barcode, names, names)),
        collection_number=draw(some_names),
        fiscal=draw(st.none() | st.builds(Fiscal, names, names, some_names, some_names)),
        notes=tuple(draw(st.lists(names, max_size=2))),
    )
    return draw(paid(draft))


@st.composite
def paid(draw: st.DrawFn, draft: Receipt) -> Receipt:
    """`draft` with its total, some discounts within it, and tenders that pay it."""
    total = parts_total_minor(draft)
    off = draw(st.integers(0, max(total, 0)))
    if off:
        draft = replace(draft, discounts=(Discount("Offer", off),))
    draft = replace(draft, total_minor=parts_total_minor(draft))
    due = abs(draft.total_minor) + draft.change_minor
    first = draw(st.integers(0, due))
    kinds = st.sampled_from(list(TenderKind))
    tenders = tuple(
        Tender(draw(kinds), amount, draw(cards), draw(some_names), draw(some_names))
        for amount in (first, due - first)
    )
    if draft.tax_included:
        within = draw(st.lists(taxes(max(draft.total_minor, 0) // 2), max_size=2))
        draft = replace(draft, taxes=tuple(within))
    return replace(draft, tenders=tenders)
