"""Payments and receipts that may or may not belong together. Everything invented."""

from datetime import UTC, datetime, timedelta

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, RetailerId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.signals import PaymentSignals
from chalicelib.receipts.canonical import (
    Line,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)

SALE_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HIGH_STREET = StoreId("bakery-high-street")
BAKERY = RetailerId("bakery")
BANK = ConnectionId("harbour-bank")
CARD_NETWORK = ConnectionId("card-network")


def four(digits: str, kind: LastFourKind = LastFourKind.CARD) -> LastFour:
    """Four digits of a kind."""
    return LastFour(digits, kind)


def payment(name: str = "p1", **more: object) -> PaymentSignals:
    """A payment of £4.20 at the bakery at noon, without card facts."""
    fields: dict[str, object] = {
        "payment_id": PaymentId(name),
        "member_id": "member-of-" + name,
        "connection_id": BANK,
        "made_at": SALE_AT,
        "amounts": (Money(420, "GBP"),),
        "stores": (HIGH_STREET,),
    }
    return PaymentSignals(**(fields | more))  # type: ignore[arg-type]


def receipt(name: str = "r1", *, seconds: int = 0, minor: int = 420, **more: object) -> Receipt:
    """A sale of `minor` pence at the bakery, `seconds` after noon by the till, paid by one card."""
    card = more.pop("card", CardFacts())
    mid, tid = more.pop("mid", None), more.pop("tid", None)
    fields: dict[str, object] = {
        "reference": name,
        "version": 1,
        "kind": ReceiptKind.SALE,
        "retailer_id": BAKERY,
        "store_id": HIGH_STREET,
        "issued_at": SALE_AT + timedelta(seconds=seconds),
        "currency": "GBP",
        "total_minor": minor,
        "lines": (Line("1", "Rye loaf", minor),),
        "tenders": (Tender(TenderKind.CARD, minor, card, mid=mid, tid=tid),),  # type: ignore[arg-type]
    }
    return Receipt(**(fields | more))  # type: ignore[arg-type]
