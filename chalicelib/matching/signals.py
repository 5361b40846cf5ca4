"""What a payment says that a receipt may agree with, and the parts of a receipt.

A receipt that was paid by several cards has several parts, one per card tender; each part can be
held by one payment. A receipt without tenders of its own is one part: the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts, KnownDigits, LastFour
from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.receipts.canonical import Receipt, ReceiptKind, Tender

# Till clocks are minutes off. Those that are known to be hours off are looked for where they stand.
WIDE_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class PaymentSignals:
    """What a payment says that a receipt may agree with.

    `amounts` are those the till may have charged. `known_last_fours` are the digits of the member's
    registered cards, for banks that do not send any with a payment; `device_digits` are those of
    devices that the member paid with before. `refused` are receipts that were taken away from it.
    `near` are those of the stores that stand where the bank says; none where that says nothing.
    `taken` is what was cleared, by each word of it.
    """

    payment_id: PaymentId
    member_id: str
    connection_id: ConnectionId
    made_at: datetime
    amounts: tuple[Money, ...]
    stores: tuple[StoreId, ...]
    card: CardFacts = NO_CARD_FACTS
    known_last_fours: tuple[LastFour, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    refused: tuple[ReceiptId, ...] = ()
    device_digits: tuple[str, ...] = ()
    near: tuple[StoreId, ...] = ()
    taken: tuple[Money, ...] = ()

    @property
    def digits(self) -> KnownDigits:
        """What is known of the member's cards and devices."""
        return KnownDigits(self.known_last_fours, self.device_digits)

    def values_of(self, kind: IdentifierKind) -> frozenset[str]:
        """The identifiers of `kind`."""
        return frozenset(i.value for i in self.identifiers if i.kind is kind)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a receipt that one payment can hold."""

    receipt: Receipt
    index: int
    amount_minor: int
    card: CardFacts = NO_CARD_FACTS
    mid: str | None = None
    tid: str | None = None

    @property
    def receipt_id(self) -> ReceiptId:
        """The receipt's id."""
        return self.receipt.receipt_id


def parts_of(receipt: Receipt) -> Iterator[Part]:
    """The parts of `receipt` that a card payment can hold. Returns and voids have none."""
    if receipt.kind not in (ReceiptKind.SALE, ReceiptKind.EXCHANGE) or receipt.total_minor <= 0:
        return
    if not receipt.tenders:
        yield Part(receipt, 0, receipt.total_minor)
    for index, tender in enumerate(receipt.card_tenders):
        yield _part(receipt, index, tender)


def _part(receipt: Receipt, index: int, tender: Tender) -> Part:
    return Part(receipt, index, tender.amount_minor, tender.card, tender.mid, tender.tid)
