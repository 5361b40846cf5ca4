"""Money and goods that come back: to the town of `makers/purchases`, of invented sales."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts
from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.purchases import reading, service
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.payments import store as payments
from chalicelib.receipts.canonical import (
    Line,
    LineKind,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)
from tests.makers.matching import receipt
from tests.makers.network import BAKERY
from tests.makers.purchases import BANK, PAID_AT, SHOP, event, receive

A_DAY = timedelta(days=1)
TWO_LOAVES = (
    Line("1", "Rye loaf", 420, quantity=Decimal(2), sku="RYE"),
    Line("2", "Plum cake", 350, sku="PLUM"),
)


def bought(
    name: str,
    *,
    at: datetime = PAID_AT,
    account: str = "acc-a",
    lines: tuple[Line, ...] = TWO_LOAVES,
    **more: object,
) -> Receipt:
    """Ada buys `lines`; the payment `name` finds the receipt `R-<name>`."""
    minor = sum(line.amount_minor for line in lines)
    code = f"{sum(name.encode()):06}"
    sale = receipt(
        f"R-{name}",
        minor=minor,
        card=CardFacts(auth_code=code),
        store_id=SHOP.store_id,
        retailer_id=BAKERY,
        issued_at=at,
        lines=lines,
        **more,
    )
    receive(sale, now=at + timedelta(minutes=1))
    paid = event(
        name,
        made_at=at,
        occurred_at=at,
        amount=Money(minor, "GBP"),
        account_ref=account,
        card=CardFacts(auth_code=code),
    )
    service.record_payment(paid, now=at + timedelta(minutes=1))
    return sale


def refund(
    name: str, minor: int, *, at: datetime = PAID_AT + A_DAY, **more: object
) -> PaymentEvent:
    """The bank tells that `minor` came back to Ada from the bakery, and not what for."""
    fields: dict[str, object] = {
        "event_key": f"refunded:{minor}",
        "kind": PaymentEventKind.REFUNDED,
        "made_at": at,
        "occurred_at": at,
        "amount": Money(minor, "GBP"),
        "card": NO_CARD_FACTS,
    }
    return event(name, **(fields | more))


def tell(told: PaymentEvent, *, now: datetime | None = None) -> None:
    """The bank tells it, by default just after it happened."""
    service.record_payment(told, now=now or told.occurred_at + timedelta(minutes=1))


def given_back(
    reference: str,
    *lines: Line,
    refers_to: str | None,
    at: datetime = PAID_AT + A_DAY,
    card: CardFacts = NO_CARD_FACTS,
) -> Receipt:
    """The till takes `lines` back and gives the money onto a card."""
    minor = sum(line.amount_minor for line in lines)
    return Receipt(
        reference=reference,
        version=1,
        kind=ReceiptKind.RETURN,
        retailer_id=BAKERY,
        store_id=SHOP.store_id,
        issued_at=at,
        currency="GBP",
        total_minor=minor,
        lines=tuple(replace(line, kind=LineKind.RETURN) for line in lines),
        tenders=(Tender(TenderKind.CARD, minor, card),),
        refers_to=refers_to,
    )


def purchase(name: str, *, now: datetime = PAID_AT + 2 * A_DAY) -> Purchase:
    """The purchase that a bank gets for the transaction `name`."""
    found = reading.find_receipt(BANK, name, now=now)
    assert isinstance(found, Purchase), found
    return found


def own_row(name: str, *, now: datetime, connection: str = BANK) -> Purchase | None:
    """What stands of the refund payment `name` itself."""
    payment_id = payment_id_of(ConnectionId(connection), name)
    where = payments.find_whereabouts(payment_id, now=now)
    key = active_key_of(where.member_id, now=now) if where else None
    return purchases.find_purchase(where, key=key, now=now) if where and key else None
