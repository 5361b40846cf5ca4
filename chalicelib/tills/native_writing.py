"""The canonical receipt written as a native one: the inverse of `native.py`; nothing is lost."""

from chalicelib.kernel.cards import LastFourKind
from chalicelib.network.model import Store
from chalicelib.receipts.canonical import Barcode, Discount, Fiscal, Line, Receipt, Tax, Tender
from chalicelib.tills import native_shapes as shapes


def from_receipt(receipt: Receipt, *, store: Store) -> shapes.NativeReceipt:
    """`receipt` of `store` as it would have been sent: `to_receipt` gives the same receipt back."""
    return shapes.NativeReceipt(
        reference=receipt.reference,
        version=receipt.version,
        kind=receipt.kind,
        store=store.reference,
        issued_at=receipt.issued_at.isoformat().replace("+00:00", "Z"),
        currency=receipt.currency,
        total_minor=receipt.total_minor,
        lines=tuple(_from_line(line) for line in receipt.lines),
        tenders=tuple(_from_tender(tender) for tender in receipt.tenders),
        till=receipt.till,
        discounts=_from_discounts(receipt.discounts),
        charges=tuple(
            shapes.NativeCharge(
                kind=one.kind, description=one.description, amount_minor=one.amount_minor
            )
            for one in receipt.charges
        ),
        taxes=_from_taxes(receipt.taxes),
        tax_included=receipt.tax_included,
        rounding_minor=receipt.rounding_minor,
        change_minor=receipt.change_minor,
        refers_to=receipt.refers_to,
        return_reference=receipt.return_reference,
        return_by=receipt.return_by,
        barcode=_from_barcode(receipt.barcode),
        collection_number=receipt.collection_number,
        fiscal=_from_fiscal(receipt.fiscal),
        notes=receipt.notes,
    )


def _from_line(line: Line) -> shapes.NativeLine:
    reference = line.refers_to
    return shapes.NativeLine(
        line_id=line.line_id,
        description=line.description,
        amount_minor=line.amount_minor,
        quantity=line.quantity,
        unit=line.unit,
        unit_price_minor=line.unit_price_minor,
        kind=line.kind,
        gtin=line.gtin,
        sku=line.sku,
        lot=line.lot,
        serial=line.serial,
        category=line.category,
        modifiers=tuple(
            shapes.NativeModifier(
                description=one.description,
                amount_minor=one.amount_minor,
                quantity=one.quantity,
                gtin=one.gtin,
                sku=one.sku,
            )
            for one in line.modifiers
        ),
        discounts=_from_discounts(line.discounts),
        taxes=_from_taxes(line.taxes),
        returnable_until=line.returnable_until,
        warranty_until=line.warranty_until,
        refers_to=shapes.NativeLineReference(
            receipt=reference.receipt_reference, line_id=reference.line_id
        )
        if reference
        else None,
        returned_quantity=line.returned_quantity,
    )


def _from_tender(tender: Tender) -> shapes.NativeTender:
    last_four = tender.card.last_four
    return shapes.NativeTender(
        kind=tender.kind,
        amount_minor=tender.amount_minor,
        scheme=tender.card.scheme,
        last_four=last_four.digits if last_four else None,
        last_four_kind=last_four.kind if last_four else LastFourKind.UNKNOWN,
        auth_code=tender.card.auth_code,
        mid=tender.mid,
        tid=tender.tid,
        aid=tender.aid,
        description=tender.description,
    )


def _from_discounts(discounts: tuple[Discount, ...]) -> tuple[shapes.NativeDiscount, ...]:
    return tuple(
        shapes.NativeDiscount(description=one.description, amount_minor=one.amount_minor)
        for one in discounts
    )


def _from_taxes(taxes: tuple[Tax, ...]) -> tuple[shapes.NativeTax, ...]:
    return tuple(
        shapes.NativeTax(
            amount_minor=one.amount_minor,
            code=one.code,
            rate=one.rate,
            tax_number=one.tax_number,
            description=one.description,
        )
        for one in taxes
    )


def _from_barcode(barcode: Barcode | None) -> shapes.NativeBarcode | None:
    return (
        shapes.NativeBarcode(symbology=barcode.symbology, value=barcode.value) if barcode else None
    )


def _from_fiscal(fiscal: Fiscal | None) -> shapes.NativeFiscal | None:
    if fiscal is None:
        return None
    return shapes.NativeFiscal(
        scheme=fiscal.scheme, payload=fiscal.payload, signature=fiscal.signature, qr=fiscal.qr
    )
