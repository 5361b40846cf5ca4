"""Payments and receipts of one shop and hour with one price for everything: every pair is near."""

from datetime import timedelta
from random import Random

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.signals import PaymentSignals
from chalicelib.receipts.canonical import Line, Receipt, ReceiptKind, Tender, TenderKind
from infra.bench.shift import STARTS
from infra.bench.town import RETAILER

COUNT = 60
PRICE_MINOR = 320
_STORE = StoreId("bench-store-0000")


def payments_and_receipts(random: Random) -> tuple[list[PaymentSignals], list[Receipt]]:
    """As many payments as receipts, half an hour of them."""
    moments = [STARTS + timedelta(seconds=random.randrange(1_800)) for _ in range(COUNT)]
    fours = [LastFour(f"{random.randrange(10_000):04d}", LastFourKind.CARD) for _ in moments]
    payments = [
        PaymentSignals(
            payment_id=PaymentId(f"payment-{number}"),
            member_id=f"member-{number}",
            connection_id=ConnectionId("bench-bank"),
            made_at=at,
            amounts=(Money(PRICE_MINOR, "GBP"),),
            stores=(_STORE,),
            card=CardFacts(last_four=four, auth_code=f"{number:06d}"),
        )
        for number, (at, four) in enumerate(zip(moments, fours, strict=True))
    ]
    receipts = [
        Receipt(
            reference=f"R-{number}",
            version=1,
            kind=ReceiptKind.SALE,
            retailer_id=RETAILER,
            store_id=_STORE,
            issued_at=at + timedelta(seconds=random.randint(-60, 60)),
            currency="GBP",
            total_minor=PRICE_MINOR,
            lines=(Line("1", "Flat white", PRICE_MINOR),),
            tenders=(
                Tender(
                    TenderKind.CARD,
                    PRICE_MINOR,
                    CardFacts(last_four=four, auth_code=f"{number:06d}"),
                ),
            ),
        )
        for number, (at, four) in enumerate(zip(moments, fours, strict=True))
    ]
    return payments, receipts
