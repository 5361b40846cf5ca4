"""Sales, schemes and purchases for tests of what is earned."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.ids import ConnectionId, MemberId, PaymentId
from chalicelib.kernel.money import Money
from chalicelib.loyalty.rules import EarnRule, Scheme
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.terms import RuleKind, Unit
from chalicelib.matching.payment import Payment, add_event, first_of
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import Receipt
from tests.makers.receipts import RETAILER, STORE

BANK = ConnectionId("harbour-bank")
SOLD_AT = datetime(2026, 11, 20, 9, 15, 30, tzinfo=UTC)  # A Friday.
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
POINT_A_POUND = EarnRule("pound", RuleKind.SPEND, units=1, per=100)
STAMP_A_VISIT = EarnRule("visit", RuleKind.VISIT)


def sale_line(line_id: str = "1", *, gross: int = 350, **more: object) -> SaleLine:
    """One flat white, unless `more` says otherwise; a fifth of a sixth of it is tax."""
    made = SaleLine(
        line_id,
        "Flat white",
        quantity=Decimal(1),
        unit=None,
        gross_minor=gross,
        net_minor=gross - gross // 6,
        category=("Drinks", "Coffee"),
    )
    return made._replace(**more)  # type: ignore[arg-type]


def sold(*lines: SaleLine, **more: object) -> Sale:
    """A sale of `lines` at the shop in Leeds, paid in whole by one card."""
    bought = lines or (sale_line(),)
    due = sum(line.gross_minor for line in bought if not line.is_return)
    made = Sale(
        purchase_id=PaymentId("p-1"),
        version=1,
        retailer_id=RETAILER.retailer_id,
        store_id=STORE.store_id,
        zone=STORE.zone,
        sold_at=SOLD_AT,
        currency="GBP",
        lines=bought,
        total_minor=due,
        paid_minor=due,
        due_minor=due,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def scheme(*rules: EarnRule, **more: object) -> Scheme:
    """Points at Bean & Leaf: one for every pound, unless `rules` say otherwise."""
    made = Scheme(
        scheme_id="bean-points",
        version=1,
        retailer_id=RETAILER.retailer_id,
        name="Bean points",
        unit=Unit.POINTS,
        currency="GBP",
        zone="Europe/London",
        starts_at=OPENED,
        rules=rules or (POINT_A_POUND,),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def paid_event(minor: int, **more: object) -> PaymentEvent:
    """Harbour Bank says that a card was charged."""
    made = PaymentEvent(
        connection_id=BANK,
        transaction_id="t-1",
        event_key="cleared",
        kind=PaymentEventKind.CLEARED,
        made_at=SOLD_AT,
        occurred_at=SOLD_AT,
        amount=Money(minor, "GBP"),
        digest="cleared",
        merchant=(),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def refund_event(minor: int, name: str = "r-1") -> PaymentEvent:
    """Harbour Bank links a refund to the payment."""
    return paid_event(
        minor,
        transaction_id=name,
        event_key=f"refunded:{name}",
        kind=PaymentEventKind.REFUNDED,
        digest=name,
        refers_to="t-1",
    )


def purchase(receipt: Receipt | None, *events: PaymentEvent, **more: object) -> Purchase:
    """Ada's purchase of `receipt`, paid by its first card tender, with what its bank said since."""
    minor = receipt.card_tenders[0].amount_minor if receipt and receipt.card_tenders else 350
    first, *later = events or (paid_event(minor),)
    if first.kind is PaymentEventKind.REFUNDED:
        first, later = paid_event(minor), [first, *later]
    payment: Payment = first_of(first)
    for event in later:
        payment = add_event(payment, event)
    made = Purchase(MemberId("ada"), payment, version=1, receipt=receipt)
    return replace(made, **more)  # type: ignore[arg-type]
