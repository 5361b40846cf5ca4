"""The town that every history plays in: two banks, one bakery, four members; and what they say.

All invented. Messages are made as the API makes them for the queues.
"""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import ConnectionId, MemberId, RetailerId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.members import service as members
from chalicelib.members.activation import Activation, GivenAccount
from chalicelib.members.connecting import tokens
from chalicelib.members.connecting.model import BankToken, TokenState
from chalicelib.members.model import Fresh, LinkKind, Reference, TermsAcceptance
from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import (
    Connection,
    ConnectionKey,
    KeyUse,
    Provider,
    Retailer,
    Store,
)
from chalicelib.purchases.messages import PaymentMessage, encode
from chalicelib.receipts.canonical import LineKind, ReceiptKind, TenderKind
from chalicelib.runtime import queues, ring
from chalicelib.tills.messages import encode_message
from chalicelib.tills.native_shapes import (
    NativeLine,
    NativeLineReference,
    NativeReceipt,
    NativeTender,
)
from infra import resources
from infra.new_keys import whsec
from infra.simulation.bank import URL

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPENED_AT = NOON - timedelta(hours=3)
BAKERY = RetailerId("crumb-and-kettle")
SHOP = StoreId("crumb-and-kettle-wharf-lane")
MERCHANT = Identifier(IdentifierKind.MID, "540000042")
HARBOUR, MEADOW = ConnectionId("harbour-bank"), ConnectionId("meadow-bank")
LOAF = "Rye loaf from the wood oven"  # Stands in every receipt, and in no stored item in clear.
CORRECTED = f"{LOAF}, corrected"
_SECRET = whsec(b"the same in every simulation run")


@dataclass(frozen=True, slots=True)
class Person:
    """A member: who they are at their bank, and our names of them."""

    name: str
    bank: ConnectionId
    number: int

    @property
    def account(self) -> str:
        """What the bank calls their account."""
        return f"account-of-{self.name}"

    @property
    def member_id(self) -> MemberId:
        """What we call them."""
        return MemberId(base64.b32encode(bytes([self.number]) * 17).decode().lower()[:26])

    @property
    def anchor(self) -> Reference:
        """What the bank calls them."""
        return Reference(LinkKind.USER, self.bank, f"user-{self.name}")


ADA, BELA = Person("ada", HARBOUR, 1), Person("bela", HARBOUR, 2)
CLEO, DORA = Person("cleo", MEADOW, 3), Person("dora", MEADOW, 4)
PEOPLE = (ADA, BELA, CLEO, DORA)


def open_town() -> None:
    """Write the banks, the bakery, its shop and the members."""
    for connection in (_harbour(), _meadow()):
        network.record_connection(connection, now=OPENED_AT)
    network.record_retailer(Retailer(BAKERY, "Crumb & Kettle"))
    shop = Store(SHOP, BAKERY, "0042", "Crumb & Kettle Wharf Lane", "Europe/London")
    network.record_store(shop, [MERCHANT], now=OPENED_AT)
    for person in PEOPLE:
        _switch_on(person)


def remember_town(*, now: datetime) -> None:
    """Know what a warm process knows: configuration no older than it may be, and queue URLs."""
    network.find_stores([MERCHANT], now=now)
    network.find_store_for_till(BAKERY, reference="0042", now=now)
    for connection in network.list_connections(now=now):
        network.with_keys(connection)
    ring.sealing_key()
    for queue in resources.QUEUES:
        queues.url(queue.name)


def _harbour() -> Connection:
    return Connection(
        connection_id=HARBOUR,
        programme="FLUX",
        provider=Provider.STANDARD,
        name="Harbour Bank",
        hook="hook-of-harbour",
        told_at_url=f"{URL}/receipts",
        keys=(ConnectionKey(KeyUse.SIGN, Personal(_SECRET)),),
    )


def _meadow() -> Connection:
    return Connection(
        connection_id=MEADOW,
        programme="FLUX",
        provider=Provider.MONZO,
        name="Meadow Bank",
        hook="hook-of-meadow",
        api_url=URL,
        client_id="oauth2client_1",
        keys=(ConnectionKey(KeyUse.CLIENT, Personal("our secret at Meadow")),),
    )


def _switch_on(person: Person) -> None:
    connection = network.get_connection(person.bank, now=OPENED_AT)
    account = Reference(LinkKind.ACCOUNT, person.bank, person.account)
    activation = Activation(
        connection,
        person.anchor,
        TermsAcceptance("2026-01", OPENED_AT, "bank_app"),
        (GivenAccount(account),),
    )
    fresh = Fresh(person.member_id, bytes([person.number]) * 16)
    members.activate(activation, fresh=fresh, now=OPENED_AT)
    if connection.provider is Provider.MONZO:
        until = NOON + timedelta(days=900)
        held = BankToken(Personal("access-1"), Personal("refresh-1"), until)
        tokens.keep(person.member_id, person.bank, held, state=TokenState.CONNECTED, now=OPENED_AT)


def paid(
    person: Person, name: str, *, minor: int = 420, code: str | None = None, at: datetime = NOON
) -> PaymentEvent:
    """`person` pays `minor` pence at the bakery; the bank authorises it."""
    return PaymentEvent(
        connection_id=person.bank,
        transaction_id=name,
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at,
        occurred_at=at,
        amount=Money(minor, "GBP"),
        digest=f"digest of {name}",
        merchant=(MERCHANT,),
        account_ref=person.account,
        user_ref=person.anchor.value,
        card=CardFacts(auth_code=code),
    )


def then(first: PaymentEvent, kind: PaymentEventKind, *, minor: int | None = None) -> PaymentEvent:
    """What the bank tells of the same payment some seconds later."""
    amount = first.amount if minor is None else Money(minor, "GBP")
    return replace(
        first,
        event_key=kind.value,
        kind=kind,
        occurred_at=first.occurred_at + timedelta(seconds=5),
        amount=amount,
        digest=f"{first.digest} {kind.value}",
    )


def payment_message(event: PaymentEvent) -> str:
    """The body on the queue `payments`."""
    return encode(PaymentMessage(event=event, received_at=event.occurred_at))


def sale(
    name: str,
    *,
    minor: int = 420,
    code: str | None = None,
    version: int = 1,
    at: datetime = NOON,
    what: str = LOAF,
    lines: tuple[NativeLine, ...] = (),
) -> NativeReceipt:
    """A receipt of one loaf, or of `lines` that cost as much, paid by one card."""
    return NativeReceipt(
        reference=name,
        version=version,
        store="0042",
        issued_at=at.isoformat(),
        currency="GBP",
        total_minor=minor,
        lines=lines or (NativeLine(what, minor, line_id="1"),),
        tenders=(NativeTender(TenderKind.CARD, minor, auth_code=code),),
    )


def return_of(sold: NativeReceipt, name: str, *, part: NativeLine | None = None) -> NativeReceipt:
    """The receipt of bringing everything of `sold` back, or a `part` of one of its lines."""
    back = part or NativeLine(LOAF, sold.total_minor, line_id="1")
    refers = NativeLineReference(sold.reference, back.line_id)
    line = msgspec.structs.replace(back, line_id="1", kind=LineKind.RETURN, refers_to=refers)
    at = datetime.fromisoformat(sold.issued_at) + timedelta(seconds=20)
    return NativeReceipt(
        reference=name,
        kind=ReceiptKind.RETURN,
        store="0042",
        issued_at=at.isoformat(),
        currency="GBP",
        total_minor=back.amount_minor,
        refers_to=sold.reference,
        lines=(line,),
        tenders=(NativeTender(TenderKind.CARD, back.amount_minor),),
    )


def receipts_message(*receipts: NativeReceipt, at: datetime = NOON) -> str:
    """The body on the queue `receipts`, as it is received `at`."""
    return encode_message(receipts, retailer_id=BAKERY, received_at=at)
