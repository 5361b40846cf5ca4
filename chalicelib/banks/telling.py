"""What a bank is told: a receipt for one of its transactions, before any adapter renders it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected
from chalicelib.network.model import Connection, Provider, Retailer, Store
from chalicelib.receipts.canonical import Receipt


class NoteKind(Enum):
    """Why the bank is told."""

    MATCHED = "matched"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"


class EndpointGone(Rejected):
    """The bank answered 410: it no longer listens, and nothing more is sent there."""

    code = "endpoint_gone"


class BankRefused(Rejected):
    """The bank answered that it will never take this receipt (a 4xx that is not about time)."""

    code = "bank_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What a bank is told of one of its transactions.

    - `external_id`: our name of the receipt at the bank; the same for every version, so that the
      bank updates and never doubles.
    - `version`: of the purchase; higher is newer.
    - `told_reference`: what the bank called the receipt when it was first told (Starling), or None.
    - `access_token`: the member's token at the bank, where the bank wants one (Monzo).
    """

    kind: NoteKind
    external_id: str
    payment_id: PaymentId
    transaction_id: str
    version: int
    at: datetime
    account_ref: str | None = None
    user_ref: str | None = None
    told_through: tuple[tuple[str, str], ...] = ()
    told_reference: str | None = None
    access_token: Personal[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptNote(_Common):
    """A receipt on its way to a bank, for the first time or in a newer version."""

    receipt: Receipt
    retailer: Retailer
    store: Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnNote(_Common):
    """A receipt is to be shown no more. Nothing of it is known here, so nothing can be told of it.

    `currency` is the payment's: some banks take no message without one.
    """

    kind: NoteKind = NoteKind.WITHDRAWN
    currency: str


Note = ReceiptNote | WithdrawnNote


@dataclass(frozen=True, slots=True)
class Told:
    """What a bank answered to a receipt: its own name of it, where it gives one (Starling)."""

    reference: str | None = None


def is_told(connection: Connection) -> bool:
    """Whether receipts go to `connection`'s bank: through its API, or to its own webhook."""
    if connection.provider in (Provider.MONZO, Provider.STARLING):
        return bool(connection.api_url)
    return bool(connection.told_at_url)
