"""A small town to record payments and receipts in: one bank, one bakery, two members."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.members import service as members
from chalicelib.members.activation import GivenCard
from chalicelib.network import service as network
from chalicelib.network.model import Connection, Provider, Store
from chalicelib.purchases import reading, receiving
from chalicelib.purchases.reading import Missing, NoReceipt
from chalicelib.receipts.canonical import Receipt
from chalicelib.runtime import aws, queues, settings
from tests.makers.matching import receipt
from tests.makers.members import card_token, make_activation, numbered
from tests.makers.network import (
    BAKERY,
    CARD_NETWORK,
    make_connection,
    make_retailer,
    make_store,
    mid,
)

OPENED_AT = datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
PAID_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MID = "10001"
SHOP = make_store("wharf-lane")
BANK = ConnectionId("harbour-bank")
CODE = CardFacts(auth_code="4K7Q2X")
A_MINUTE_LATER = PAID_AT + timedelta(minutes=1)
SALE = receipt("R-1", store_id=SHOP.store_id, retailer_id=BAKERY, issued_at=PAID_AT, card=CODE)


def open_town(connection: Connection | None = None, *, store: Store = SHOP) -> Connection:
    """One bank, one bakery with one store, and two members: Ada (acc-a) and Bela (acc-b)."""
    network.forget()
    bank = connection or make_connection(
        provider=Provider.STANDARD, told_at_url="https://bank.test/receipts"
    )
    network.record_connection(bank, now=OPENED_AT)
    network.record_retailer(make_retailer())
    network.record_store(store, [mid(MID)], now=OPENED_AT)
    for number, (name, account) in enumerate([("ada", "acc-a"), ("bela", "acc-b")], start=1):
        members.activate(
            make_activation(name, accounts=(account,), connection=bank),
            fresh=numbered(number),
            now=OPENED_AT,
        )
    return bank


def open_two_sources() -> PaymentEvent:
    """Ada's bank, and a card network that tells of the same cards; what the network tells."""
    card = GivenCard(reference=card_token("ada-card", CARD_NETWORK))
    network.forget()
    both = (make_connection(BANK, sources=(CARD_NETWORK,)), make_connection(CARD_NETWORK))
    for connection in both:
        network.record_connection(connection, now=OPENED_AT)
    members.activate(
        make_activation("ada", accounts=("acc-a",), cards=(card,), connection=both[0]),
        fresh=numbered(1),
        now=OPENED_AT,
    )
    return event(
        "n-1", connection_id=CARD_NETWORK, account_ref=None, card_ref="ada-card", digest="network"
    )


def event(name: str = "t-1", **more: object) -> PaymentEvent:
    """Ada pays £4.20 at the bakery at noon."""
    fields: dict[str, object] = {
        "connection_id": ConnectionId("harbour-bank"),
        "transaction_id": name,
        "event_key": "authorised",
        "kind": PaymentEventKind.AUTHORISED,
        "made_at": PAID_AT,
        "occurred_at": PAID_AT,
        "amount": Money(420, "GBP"),
        "digest": f"digest of {name}",
        "merchant": (mid(MID),),
        "account_ref": "acc-a",
        "card": CardFacts(auth_code="4K7Q2X"),
    }
    return PaymentEvent(**(fields | more))  # type: ignore[arg-type]


def cleared(first: PaymentEvent, minor: int) -> PaymentEvent:
    """The clearing of `first`, two days later."""
    return replace(
        first,
        event_key="cleared",
        kind=PaymentEventKind.CLEARED,
        occurred_at=first.occurred_at + timedelta(days=2),
        amount=Money(minor, "GBP"),
        digest=first.digest + " cleared",
    )


def queued(name: str) -> list[str]:
    """The bodies that wait on the queue called `name`, taken off it."""
    bodies: list[str] = []
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.queue(name))["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def delayed(name: str) -> int:
    """How many messages stand on the queue called `name` with a delay that is not over."""
    sqs = aws.client("sqs")
    attribute = "ApproximateNumberOfMessagesDelayed"
    answer = sqs.get_queue_attributes(QueueUrl=queues.url(name), AttributeNames=[attribute])
    return int(answer["Attributes"][attribute])


def deliveries() -> list[str]:
    """What waits to be delivered."""
    return queued(queues.DELIVERIES)


def receive(
    *receipts: Receipt, place: Store = SHOP, now: datetime = A_MINUTE_LATER
) -> receiving.Received:
    """The bakery gets `receipts` as a batch (or from the gathering queue)."""
    return receiving.receive(place, receipts, is_gathered=True, now=now)


def found(transaction: str, now: datetime = A_MINUTE_LATER) -> str | Missing:
    """The reference of the receipt found for `transaction`, or why there is none."""
    answer = reading.find_receipt(BANK, transaction, now=now)
    if isinstance(answer, NoReceipt):
        return answer.missing
    assert answer.receipt is not None
    return answer.receipt.reference
