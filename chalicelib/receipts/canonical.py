"""The canonical receipt: what a till says was sold, in one shape for every till format.

Its fields follow the semantic model of EN 16931-8 and what the Monzo, Starling, Kivra and ARTS
formats can carry. Amounts are whole minor units of the receipt's one currency, and positive;
what gives money back says so by its kind. Quantities are decimals with a unit.

Sums that always hold (`rules.check` refuses anything else):
- lines of kind `return` count negatively, all others positively;
- Σ lines − Σ discounts + Σ charges (+ Σ taxes where `tax_included` is false) + rounding = total;
- a `return` receipt is the mirror of a sale: every amount on it is given back, its lines are of
  kind `return` and counted positively, a discount on it (a restocking fee) lessens what is given
  back;
- an `exchange` has lines of both kinds; its total is negative where money goes back;
- a `void` receipt says that nothing was bought: its total is nought and it has no tenders;
- Σ tenders = |total| + change;
- a line, before its own discounts, is at least the sum of its modifiers' amounts.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts
from chalicelib.kernel.ids import ReceiptId, RetailerId, StoreId, receipt_id_of
from chalicelib.kernel.money import Money


class ReceiptKind(Enum):
    """What the document records. An exchange has lines sold and lines taken back."""

    SALE = "sale"
    RETURN = "return"
    EXCHANGE = "exchange"
    VOID = "void"


class LineKind(Enum):
    """Whether the line was sold or taken back."""

    SALE = "sale"
    RETURN = "return"


class ChargeKind(Enum):
    """What a charge on top of the lines is for."""

    TIP = "tip"
    SERVICE = "service"
    DELIVERY = "delivery"
    BAG = "bag"
    DEPOSIT = "deposit"
    OTHER = "other"


class TenderKind(Enum):
    """How a part of the total was paid."""

    CARD = "card"
    CASH = "cash"
    GIFT_CARD = "gift_card"
    VOUCHER = "voucher"
    LOYALTY = "loyalty"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Discount:
    """Money off, as a positive amount."""

    description: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Charge:
    """Money on top."""

    kind: ChargeKind
    description: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Tax:
    """Tax within (or on top of) an amount. `rate` 0.20 is twenty per cent."""

    amount_minor: int
    code: str | None = None
    rate: Decimal | None = None
    tax_number: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Modifier:
    """A part or change of a line ("oat milk", "large"). Its amount is contained in the line's."""

    description: str
    amount_minor: int = 0
    quantity: Decimal = Decimal(1)
    gtin: str | None = None
    sku: str | None = None


@dataclass(frozen=True, slots=True)
class LineReference:
    """The sale that a returned line undoes: the retailer's receipt reference, and its line."""

    receipt_reference: str
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `amount_minor` is what the line costs after its own discounts, modifiers included.

    `discounts` are for display and explanation: they are already taken off `amount_minor`.
    `returned_quantity` counts what later return receipts took back.
    """

    line_id: str
    description: str
    amount_minor: int
    quantity: Decimal = Decimal(1)
    unit: str | None = None
    unit_price_minor: int | None = None
    kind: LineKind = LineKind.SALE
    gtin: str | None = None
    sku: str | None = None
    lot: str | None = None
    serial: str | None = None
    category: tuple[str, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    returnable_until: date | None = None
    warranty_until: date | None = None
    refers_to: LineReference | None = None
    returned_quantity: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tender:
    """A part of the total and how it was paid; for a card, what the till knows of it."""

    kind: TenderKind
    amount_minor: int
    card: CardFacts = NO_CARD_FACTS
    mid: str | None = None
    tid: str | None = None
    aid: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Barcode:
    """A code to be scanned on the receipt: `code_128`, `qr`, `ean_13`, …"""

    symbology: str
    value: str


@dataclass(frozen=True, slots=True)
class Fiscal:
    """A fiscal block, carried untouched (KassenSichV, RKSV, TicketBAI, …)."""

    scheme: str
    payload: str
    signature: str | None = None
    qr: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One version of one till document. `reference` is the retailer's own id, printed on paper.

    `issued_at` is by the till's own clock, in UTC. `till` is the retailer's name of the machine.
    """

    reference: str
    version: int
    kind: ReceiptKind
    retailer_id: RetailerId
    store_id: StoreId
    issued_at: datetime
    currency: str
    total_minor: int
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    till: str | None = None
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    tax_included: bool = True
    rounding_minor: int = 0
    change_minor: int = 0
    refers_to: str | None = None
    return_reference: str | None = None
    return_by: date | None = None
    barcode: Barcode | None = None
    collection_number: str | None = None
    fiscal: Fiscal | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def receipt_id(self) -> ReceiptId:
        """Our id: the same for every version the retailer sends."""
        return receipt_id_of(self.retailer_id, self.reference)

    @property
    def total(self) -> Money:
        """What was paid or given back, in all."""
        return Money(self.total_minor, self.currency)

    @property
    def card_tenders(self) -> tuple[Tender, ...]:
        """The tenders a bank could tell us about."""
        return tuple(tender for tender in self.tenders if tender.kind is TenderKind.CARD)
