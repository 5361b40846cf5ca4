"""Receipts and payments of the platform, as the two sides that the matcher weighs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.kernel.ids import ReceiptId
from chalicelib.matching.evidence import Said
from chalicelib.matching.prices import Sum
from chalicelib.matching.reasons import is_same_sale
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.sides import Charge, ChargeKind, Slip
from chalicelib.matching.signals import Part, PaymentSignals, parts_of
from chalicelib.network.identifiers import IdentifierKind
from chalicelib.receipts.canonical import ChargeKind as ReceiptCharge
from chalicelib.receipts.canonical import Receipt

PartKey = tuple[ReceiptId, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """The receipts near some payments, ready to be weighed; made once for all that look."""

    parts: Mapping[PartKey, Part]
    shelf: Shelf
    said: Said

    def part_at(self, place: int) -> Part:
        """The part behind the shelf's slip at `place`."""
        slip = self.shelf.slips[place]
        return self.parts[ReceiptId(slip.receipt_id), slip.part]

    def is_sent_twice(self, place: int, other: int) -> bool:
        """Whether the slips at both places are one sale that was sent under two names. A till sells
        one thing at a time; where none is named, the same has to be sold.
        """
        first, second = self.shelf.slips[place], self.shelf.slips[other]
        if not is_same_sale(first, second):
            return False
        return first.till is not None or (
            self.part_at(place).receipt.lines == self.part_at(other).receipt.lines
        )


def scene_of(receipts: Iterable[Receipt]) -> Scene:
    """`receipts`, each in its newest version, by the parts that a card payment can hold."""
    parts = {
        (part.receipt_id, part.index): part for receipt in receipts for part in parts_of(receipt)
    }
    shelf = Shelf(slip_of(part) for part in parts.values())
    return Scene(parts, shelf, Said(shelf.slips))


def printed_sums(receipts: Iterable[Receipt]) -> list[Sum]:
    """What card payments for `receipts` come to, as the tills print it."""
    parts = (part for receipt in receipts for part in parts_of(receipt))
    return [(part.amount_minor, part.receipt.currency) for part in parts]


def slip_of(part: Part) -> Slip:
    """What the till says of one card payment."""
    receipt = part.receipt
    tips = sum(c.amount_minor for c in receipt.charges if c.kind is ReceiptCharge.TIP)
    return Slip(
        receipt_id=part.receipt_id,
        part=part.index,
        store=receipt.store_id,
        till=receipt.till,
        at=receipt.issued_at.timestamp(),
        amount_minor=part.amount_minor,
        currency=receipt.currency,
        tip_minor=tips,  # Within the total; the bank may have been told of it later.
        last_four=part.card.last_four,
        auth_code=part.card.auth_code,
        scheme=part.card.scheme,
        mid=part.mid,
        tid=part.tid,
    )


def charge_of(payment: PaymentSignals) -> Charge:
    """What the bank says of the payment."""
    return Charge(
        payment_id=payment.payment_id,
        member_id=payment.member_id,
        at=payment.made_at.timestamp(),
        amounts=tuple((amount.minor, amount.currency) for amount in payment.amounts),
        stores=tuple(payment.stores),
        connection_id=payment.connection_id,
        last_four=payment.card.last_four,
        known_last_fours=payment.known_last_fours,
        auth_code=payment.card.auth_code,
        scheme=payment.card.scheme,
        mids=payment.values_of(IdentifierKind.MID),
        tids=payment.values_of(IdentifierKind.TID),
        kind=ChargeKind.AUTH,
        refused=frozenset(payment.refused),
        device_digits=payment.device_digits,
        near=frozenset(payment.near),
        taken=tuple((amount.minor, amount.currency) for amount in payment.taken),
    )
