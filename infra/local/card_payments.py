"""Card payments as they really happened, before any bank's format tells of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.network.model import Provider
from infra.local.town import Person, Shop

GIVES_NO_AUTH_CODE = frozenset({Provider.MONZO})
KNOWS_LOCAL_AMOUNTS = frozenset({Provider.MONZO, Provider.STARLING, Provider.STANDARD})
TELLS_OF_CLEARING = frozenset({Provider.STARLING, Provider.FIDEL, Provider.STANDARD})


class Kind(Enum):
    """What the account shows. Only purchases have a receipt."""

    PURCHASE = "purchase"
    DECLINED = "declined"
    TOP_UP = "top_up"
    PEER = "peer_payment"


class Phase(Enum):
    """How far the payment has come when the bank tells of it."""

    AUTHORISED = "authorised"
    CLEARED = "cleared"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class CardPayment:
    """One payment. `amount_minor` is in pounds, `local_minor` what the till charged, in its own
    currency. `shop` is the shop as its acquirer knows it, also outside the network.
    """

    transaction_id: str
    person: Person
    shop: Shop
    made_at: datetime
    amount_minor: int
    local_minor: int
    local_currency: str
    auth_code: str
    by_phone: bool
    kind: Kind = Kind.PURCHASE


@dataclass(frozen=True, slots=True)
class Telling:
    """One message of a bank about a payment. The same `message_id` again is the same message.

    `refund_minor` is what a refund gives back, in pounds.
    """

    message_id: str
    payment: CardPayment
    phase: Phase
    happened_at: datetime
    refund_minor: int = 0
