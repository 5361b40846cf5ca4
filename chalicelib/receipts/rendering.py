"""The receipt as we show it: `GET /v1/transactions/{id}/receipt`, webhooks, exports.

Everything a reader would have to compute stands in it: the store's local time and business day,
amounts as text with the currency's own number of decimals, and what may still be brought back.
"""

from datetime import date, timedelta

from chalicelib.kernel.money import Money
from chalicelib.kernel.times import local_day, to_text, zone_named
from chalicelib.network.model import Retailer, Store
from chalicelib.receipts.canonical import Line, Modifier, Receipt, ReceiptKind, Tax, Tender
from chalicelib.receipts.public_shapes import (
    PublicBarcode,
    PublicCharge,
    PublicDiscount,
    PublicFiscal,
    PublicLine,
    PublicModifier,
    PublicMoney,
    PublicReceipt,
    PublicRetailer,
    PublicReturn,
    PublicStore,
    PublicTax,
    PublicTender,
)
from chalicelib.receipts.returns import returnable_quantity

RETURNABLE_KINDS = frozenset({ReceiptKind.SALE, ReceiptKind.EXCHANGE})


def to_public(receipt: Receipt, *, retailer: Retailer, store: Store) -> PublicReceipt:
    """`receipt` with its retailer and store, as a reader is shown it.

    :raises UnknownZone: the store's zone is not in the IANA database.
    """
    money = _Amounts(receipt.currency)
    return PublicReceipt(
        receipt_id=receipt.receipt_id,
        reference=receipt.reference,
        version=receipt.version,
        kind=receipt.kind,
        retailer=_retailer(retailer),
        store=_store(store),
        issued_at=to_text(receipt.issued_at),
        local_time=receipt.issued_at.astimezone(zone_named(store.zone)).isoformat(
            timespec="seconds"
        ),
        business_day=local_day(receipt.issued_at, store.zone),
        currency=receipt.currency,
        total=money.of(receipt.total_minor),
        lines=tuple(money.line(line) for line in receipt.lines),
        tenders=tuple(money.tender(tender) for tender in receipt.tenders),
        till=receipt.till,
        discounts=money.discounts(receipt),
        charges=tuple(
            PublicCharge(one.kind, one.description, money.of(one.amount_minor))
            for one in receipt.charges
        ),
        taxes=money.taxes(receipt.taxes),
        tax_included=receipt.tax_included,
        rounding=money.of(receipt.rounding_minor) if receipt.rounding_minor else None,
        change=money.of(receipt.change_minor) if receipt.change_minor else None,
        return_=_return(receipt, retailer, store),
        refers_to=receipt.refers_to,
        collection_number=receipt.collection_number,
        fiscal=_fiscal(receipt),
        notes=receipt.notes,
    )


def return_by(receipt: Receipt, *, retailer: Retailer, store: Store) -> date:
    """The last day of the store's calendar on which goods are taken back."""
    if receipt.return_by is not None:
        return receipt.return_by
    return local_day(receipt.issued_at, store.zone) + timedelta(days=retailer.return_days)


class _Amounts:
    """Renders parts whose amounts are in one currency."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def of(self, minor: int) -> PublicMoney:
        return PublicMoney(minor, self._currency, Money(minor, self._currency).to_text())

    def discounts(self, part: Receipt | Line) -> tuple[PublicDiscount, ...]:
        return tuple(
            PublicDiscount(one.description, self.of(one.amount_minor)) for one in part.discounts
        )

    def taxes(self, taxes: tuple[Tax, ...]) -> tuple[PublicTax, ...]:
        return tuple(
            PublicTax(
                amount=self.of(tax.amount_minor),
                rate=tax.rate,
                code=tax.code,
                tax_number=tax.tax_number,
                description=tax.description,
            )
            for tax in taxes
        )

    def line(self, line: Line) -> PublicLine:
        reference = line.refers_to
        unit_price = line.unit_price_minor
        return PublicLine(
            line_id=line.line_id,
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            amount=self.of(line.amount_minor),
            returnable_quantity=returnable_quantity(line),
            returned_quantity=line.returned_quantity,
            unit=line.unit,
            unit_price=None if unit_price is None else self.of(unit_price),
            gtin=line.gtin,
            sku=line.sku,
            lot=line.lot,
            serial=line.serial,
            category=line.category,
            modifiers=tuple(self.modifier(modifier) for modifier in line.modifiers),
            discounts=self.discounts(line),
            taxes=self.taxes(line.taxes),
            returnable_until=line.returnable_until,
            warranty_until=line.warranty_until,
            refers_to_receipt=reference.receipt_reference if reference else None,
            refers_to_line=reference.line_id if reference else None,
        )

    def modifier(self, modifier: Modifier) -> PublicModifier:
        return PublicModifier(
            description=modifier.description,
            amount=self.of(modifier.amount_minor),
            quantity=modifier.quantity,
            gtin=modifier.gtin,
            sku=modifier.sku,
        )

    def tender(self, tender: Tender) -> PublicTender:
        last_four = tender.card.last_four
        return PublicTender(
            kind=tender.kind,
            amount=self.of(tender.amount_minor),
            scheme=tender.card.scheme,
            last_four=last_four.digits if last_four else None,
            last_four_kind=last_four.kind if last_four else None,
            auth_code=tender.card.auth_code,
            description=tender.description,
        )


def _return(receipt: Receipt, retailer: Retailer, store: Store) -> PublicReturn | None:
    if receipt.kind not in RETURNABLE_KINDS:
        return None
    barcode = receipt.barcode
    return PublicReturn(
        reference=receipt.return_reference or receipt.reference,
        by=return_by(receipt, retailer=retailer, store=store),
        barcode=PublicBarcode(barcode.symbology, barcode.value) if barcode else None,
    )


def _retailer(retailer: Retailer) -> PublicRetailer:
    return PublicRetailer(retailer.name, retailer.vat_number or None, retailer.website or None)


def _store(store: Store) -> PublicStore:
    return PublicStore(
        name=store.name,
        reference=store.reference,
        zone=store.zone,
        address=store.address or None,
        postcode=store.postcode or None,
        latitude=store.latitude,
        longitude=store.longitude,
        phone=store.phone or None,
        online=store.online,
    )


def _fiscal(receipt: Receipt) -> PublicFiscal | None:
    fiscal = receipt.fiscal
    if fiscal is None:
        return None
    return PublicFiscal(fiscal.scheme, fiscal.payload, fiscal.signature, fiscal.qr)
