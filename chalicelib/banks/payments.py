"""What every bank and provider says, in one shape: payment events."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts
from chalicelib.kernel.ids import ConnectionId, PaymentId, payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Rejected
from chalicelib.network.identifiers import Identifier


class PaymentEventKind(Enum):
    """What happened to the payment. The order is the order of a payment's life."""

    AUTHORISED = "authorised"
    CLEARED = "cleared"
    REVERSED = "reversed"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """One immutable fact that a bank told.

    - `transaction_id`: the provider's name of the payment; with the connection it names our
      payment.
    - `event_key`: names this event within its payment (`authorised`, `SETTLED:1250`); the same key
      with another `digest` is a conflict.
    - `amount`: always positive, in the account's currency; for `REFUNDED` what was given back.
    - `local_amount`: what the till charged, where its currency differs.
    - `made_at`: when the card was presented (auth time); `occurred_at`: when this event happened.
    - `account_ref`, `user_ref`, `card_ref`: the provider's names of account, payer and card token.
    - `refers_to`: for a refund, the provider's id of the payment it undoes, where it knows.
    - `continues`: the provider's id of the payment while it was pending, where it is booked under
      another one and the provider says so.
    - `told_through`: further names the provider wants back with a receipt (Starling's `category`).
    """

    connection_id: ConnectionId
    transaction_id: str
    event_key: str
    kind: PaymentEventKind
    made_at: datetime
    occurred_at: datetime
    amount: Money
    digest: str
    merchant: tuple[Identifier, ...]
    local_amount: Money | None = None
    card: CardFacts = NO_CARD_FACTS
    account_ref: str | None = None
    user_ref: str | None = None
    card_ref: str | None = None
    refers_to: str | None = None
    told_through: tuple[tuple[str, str], ...] = ()
    continues: str | None = None

    @property
    def payment_id(self) -> PaymentId:
        """Our id of the payment this event belongs to: of the one it refunds or continues, where it
        says so.
        """
        name = self.refers_to or self.continues or self.transaction_id
        return payment_id_of(self.connection_id, name)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry that is well-formed and not a card purchase, with the reason (`declined`, …)."""

    reason: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that breaks a rule. `name` is the sender's id of it, where one could be read.

    `body` is the entry alone as JSON text, for the quarantine.
    """

    refusal: Rejected
    index: int = 0
    name: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class BankReading:
    """What one request said: events to record, entries to count and drop, entries to quarantine.

    `unknown_fields` counts JSON fields that the format does not know; they are ignored.
    """

    events: tuple[PaymentEvent, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    refused: tuple[Refused, ...] = ()
    unknown_fields: int = 0


@dataclass(frozen=True, slots=True)
class HookRequest:
    """An inbound request as it came: raw bytes (base64 of the gateway undone) and lower-case
    headers.
    """

    body: bytes
    headers: dict[str, str]
    query: dict[str, str]
    method: str = "POST"
    path: str = ""
