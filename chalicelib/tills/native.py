"""The native receipt read as a canonical one.

A time without an offset is wall-clock time where the store stands, so the canonical receipt can
only be made once the store is known. What can be judged before that is judged by `check_unplaced`.
The way back is in `native_writing.py`.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.kernel.cards import CardFacts, LastFour, tidy_auth_code, tidy_scheme
from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.kernel.times import parse_local
from chalicelib.network.identifiers import Identifier, IdentifierKind, identifier
from chalicelib.network.model import Store
from chalicelib.receipts import rules
from chalicelib.receipts.canonical import (
    Barcode,
    Charge,
    ChargeKind,
    Discount,
    Fiscal,
    Line,
    LineReference,
    Modifier,
    Receipt,
    Tax,
    Tender,
    TenderKind,
)
from chalicelib.tills import native_shapes as shapes

_FOUR_DIGITS = re.compile(r"\d{4}", re.ASCII)

ZONES_SPAN = timedelta(hours=14)  # Kiribati is 14 hours ahead of UTC; nobody is further away.

CHARGE_NAMES = {
    ChargeKind.TIP: "Tip",
    ChargeKind.SERVICE: "Service charge",
    ChargeKind.DELIVERY: "Delivery",
    ChargeKind.BAG: "Carrier bag",
    ChargeKind.DEPOSIT: "Deposit",
    ChargeKind.OTHER: "Charge",
}


class StoreUnnamed(NotAllowed):
    """The receipt names its store neither by reference nor by MID or TID."""

    code = "store_unnamed"


def store_identifiers(wire: shapes.NativeReceipt) -> tuple[Identifier, ...]:
    """The names by which `wire` points to its store: its reference, MID and TID, in that order.

    MIDs and TIDs that stand with the card tenders only are among them.
    :raises StoreUnnamed: there are none.
    """
    mids = [wire.mid, *(tender.mid for tender in wire.tenders)]
    tids = [wire.tid, *(tender.tid for tender in wire.tenders)]
    named = [
        identifier(IdentifierKind.STORE_REFERENCE, wire.store),
        *(identifier(IdentifierKind.MID, mid) for mid in mids),
        *(identifier(IdentifierKind.TID, tid) for tid in tids),
    ]
    found = tuple(dict.fromkeys(one for one in named if one is not None))
    if not found:
        raise StoreUnnamed("the receipt names no store, MID or TID", field="store")
    return found


def to_receipt(
    wire: shapes.NativeReceipt, *, retailer_id: RetailerId, store: Store, now: datetime
) -> Receipt:
    """`wire` as a canonical receipt of `store` that keeps every rule of `receipts/rules.py`.

    :raises Malformed: `issued_at` is no time. :raises NotAllowed: a rule is broken; see `rules`.
    :raises TooMany: a list is over its limit.
    """
    receipt = _build(wire, retailer_id=retailer_id, store_id=store.store_id, zone=store.zone)
    rules.check(receipt, now=now)
    return receipt


def check_unplaced(wire: shapes.NativeReceipt, *, now: datetime) -> Receipt:
    """Refuse what no store could make right. Returns a draft, without store and retailer.

    A time without an offset is judged with the tolerance of all the world's zones.
    :raises StoreUnnamed, Malformed, NotAllowed, TooMany: as `to_receipt`.
    """
    store_identifiers(wire)
    draft = _build(wire, retailer_id=RetailerId(""), store_id=StoreId(""), zone="UTC")
    rules.check_content(draft)
    rules.check_time(draft.issued_at, now=now, tolerance=_zone_tolerance(wire.issued_at))
    return draft


def _zone_tolerance(text: str) -> timedelta:
    """Nought for a time with an offset: only one without depends on where it is read."""
    here, there = parse_local(text, "UTC"), parse_local(text, "Pacific/Kiritimati")
    return timedelta(0) if here == there else ZONES_SPAN


def _build(
    wire: shapes.NativeReceipt, *, retailer_id: RetailerId, store_id: StoreId, zone: str
) -> Receipt:
    return Receipt(
        reference=wire.reference,
        version=wire.version,
        kind=wire.kind,
        retailer_id=retailer_id,
        store_id=store_id,
        issued_at=parse_local(wire.issued_at, zone, field="issued_at"),
        currency=wire.currency,
        total_minor=wire.total_minor,
        lines=tuple(_line(line, place) for place, line in enumerate(wire.lines, 1)),
        tenders=tuple(_tender(wire, index) for index in range(len(wire.tenders))),
        till=wire.till,
        discounts=_discounts(wire.discounts),
        charges=tuple(
            Charge(one.kind, one.description or CHARGE_NAMES[one.kind], one.amount_minor)
            for one in wire.charges
        ),
        taxes=_taxes(wire.taxes),
        tax_included=wire.tax_included,
        rounding_minor=wire.rounding_minor,
        change_minor=wire.change_minor,
        refers_to=wire.refers_to,
        return_reference=wire.return_reference,
        return_by=wire.return_by,
        barcode=Barcode(wire.barcode.symbology, wire.barcode.value) if wire.barcode else None,
        collection_number=wire.collection_number,
        fiscal=_fiscal(wire.fiscal),
        notes=wire.notes,
    )


def _line(wire: shapes.NativeLine, place: int) -> Line:
    reference = wire.refers_to
    return Line(
        line_id=wire.line_id if wire.line_id is not None else str(place),
        description=wire.description,
        amount_minor=wire.amount_minor,
        quantity=wire.quantity,
        unit=wire.unit,
        unit_price_minor=wire.unit_price_minor,
        kind=wire.kind,
        gtin=wire.gtin,
        sku=wire.sku,
        lot=wire.lot,
        serial=wire.serial,
        category=wire.category,
        modifiers=tuple(_modifier(modifier) for modifier in wire.modifiers),
        discounts=_discounts(wire.discounts),
        taxes=_taxes(wire.taxes),
        returnable_until=wire.returnable_until,
        warranty_until=wire.warranty_until,
        refers_to=LineReference(reference.receipt, reference.line_id) if reference else None,
        returned_quantity=wire.returned_quantity,
    )


def _modifier(wire: shapes.NativeModifier) -> Modifier:
    return Modifier(
        description=wire.description,
        amount_minor=wire.amount_minor or 0,
        quantity=Decimal(1) if wire.quantity is None else wire.quantity,
        gtin=wire.gtin,
        sku=wire.sku,
    )


def _tender(wire: shapes.NativeReceipt, index: int) -> Tender:
    """A card tender without MID or TID has those of the receipt."""
    tender = wire.tenders[index]
    by_card = tender.kind is TenderKind.CARD
    return Tender(
        kind=tender.kind,
        amount_minor=tender.amount_minor,
        card=CardFacts(
            scheme=tidy_scheme(tender.scheme),
            last_four=_last_four(tender, field=f"tenders[{index}].last_four"),
            auth_code=tidy_auth_code(tender.auth_code),
        ),
        mid=tender.mid if tender.mid is not None or not by_card else wire.mid,
        tid=tender.tid if tender.tid is not None or not by_card else wire.tid,
        aid=tender.aid,
        description=tender.description,
    )


def _last_four(tender: shapes.NativeTender, *, field: str) -> LastFour | None:
    if tender.last_four is None:
        return None
    if not _FOUR_DIGITS.fullmatch(tender.last_four):
        raise NotAllowed("last four is not exactly four digits", field=field, code="last_four")
    return LastFour(tender.last_four, tender.last_four_kind)


def _discounts(wire: tuple[shapes.NativeDiscount, ...]) -> tuple[Discount, ...]:
    return tuple(Discount(one.description, one.amount_minor) for one in wire)


def _taxes(wire: tuple[shapes.NativeTax, ...]) -> tuple[Tax, ...]:
    return tuple(
        Tax(one.amount_minor, one.code, one.rate, one.tax_number, one.description) for one in wire
    )


def _fiscal(wire: shapes.NativeFiscal | None) -> Fiscal | None:
    return Fiscal(wire.scheme, wire.payload, wire.signature, wire.qr) if wire else None
