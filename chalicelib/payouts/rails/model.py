"""What a rail is given, and what every rail can do.

An order is frozen before the first call: every attempt sends the same words under the same key, so
that a rail which promises idempotency sees one payment. `Outcome` (payouts/model.py) is all that a
rail may say; it never raises for what became of the money.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.payouts.destinations.accounts import Destination
from chalicelib.payouts.destinations.envelope import Envelope
from chalicelib.payouts.model import Outcome


class Rail(Enum):
    """Who moves the money."""

    SANDBOX = "sandbox"  # the sandbox bank; no money
    TRUELAYER = "truelayer"
    ISO20022 = "iso20022"  # a pain.001 file a day for the operator's own bank
    BANK = "bank"  # the member's bank pays by itself, and is told of it by webhook


# A rail to which we name the account; the others know it themselves.
NEEDS_DESTINATION = frozenset({Rail.SANDBOX, Rail.TRUELAYER, Rail.ISO20022})


@dataclass(frozen=True, slots=True)
class PayingAccount:
    """From where the members of a connection are paid in a currency, and how.

    - `api_url`, `auth_url`: the rail's API and where its tokens are given.
    - `client_id`, `key_id`: ours at the rail; `key_id` names the key that signs our requests.
    - `account`: the account that is debited: a merchant account's id, or an IBAN, or sort code and
      account number as `123456 12345678`.
    - `holder`, `bic`: whose account that is, and its bank's BIC, where the rail wants them.
    - `webhook_keys_url`: the one URL at which the keys of the rail's webhooks are published.
    - `secrets_version`: of the secret that holds what is secret; empty where nothing is.
    """

    connection_id: ConnectionId
    currency: str
    rail: Rail
    api_url: str = ""
    auth_url: str = ""
    client_id: str = ""
    key_id: str = ""
    account: str = ""
    holder: str = ""
    bic: str = ""
    webhook_keys_url: str = ""
    secrets_version: str = ""


@dataclass(frozen=True, slots=True)
class PayingSecrets:
    """What only the paying workers may know of a paying account."""

    client_secret: Personal[str] = field(default_factory=lambda: Personal(""))
    signing_pem: Personal[str] = field(default_factory=lambda: Personal(""))


@dataclass(frozen=True, slots=True)
class Order:
    """One payment as it is asked of a rail, the same in every attempt.

    `paid_from` is the account as it stood when the order was frozen. `envelope` holds the account
    to pay to; `user_ref` and `account_ref` are the bank's own names, for the rail `BANK`.
    """

    payout_id: str
    member_id: MemberId
    connection_id: ConnectionId
    amount: Money
    idempotency_key: str
    reference: str
    paid_from: str
    frozen_at: datetime
    envelope: Envelope | None = None
    user_ref: Personal[str] | None = None
    account_ref: Personal[str] | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """An order with all that a rail needs to carry it out."""

    order: Order
    account: PayingAccount
    secrets: PayingSecrets
    destination: Destination | None = None

    @property
    def payee(self) -> Destination:
        """The account to pay to. :raises TypeError: a bug: the rail asked for none."""
        if self.destination is None:
            raise TypeError("the rail needs a destination, and was handed none")
        return self.destination


class Send(Protocol):
    """Asks the rail to pay. `Failed` only where it surely took nothing, in this call."""

    def __call__(self, handed: Handed, *, now: datetime) -> Outcome: ...


class LookUp(Protocol):
    """Asks the rail what became of an order that it may have.

    `provider_id` is the rail's name of the payment, or empty where it gave none. What is answered
    is certain: `Failed` where the rail says so of this very payment, `Unknown` otherwise.
    """

    def __call__(self, handed: Handed, provider_id: str, *, now: datetime) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class RailPort:
    """What one rail can do."""

    send: Send
    look_up: LookUp
