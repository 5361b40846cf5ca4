"""What a bank is told of a member's rewards, before any adapter renders it, and how it is reached.

    Standard, Fidel, Starling   Standard Webhooks; without a URL for notices, where receipts go
    Flux                        the same body under Flux's detached JWS, at a URL for notices alone
    Monzo                       an item in the member's feed, by the member's own token

A Flux bank's URL for receipts takes receipts and nothing else; so does Starling's API. Where no way
leads to a bank, the member finds the notice in the inbox alone.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.network.model import Connection, Provider


class Way(Enum):
    """How a bank hears notices."""

    STANDARD = "standard"
    JWS = "jws"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class BankNotice:
    """A notice as a bank is told of it.

    - `notice_id`: the same for every attempt; the `webhook-id`.
    - `kind`: a word of `members.notice_kinds`; `title` and `text` say it in the member's language.
    - `user_ref`, `account_ref`: the bank's own names of the member and of one of their accounts.
    - `transaction_id`: the bank's name of the payment it is about, if it is about one.
    """

    notice_id: str
    kind: str
    at: datetime
    title: str
    text: str
    subject: str
    user_ref: str | None = None
    account_ref: str | None = None
    transaction_id: str | None = None
    retailer_id: str = ""
    retailer_name: str = ""
    units: int = 0
    amount: Money | None = None
    reason: str = ""
    on: date | None = None
    access_token: Personal[str] | None = None


def way_to(connection: Connection) -> Way | None:
    """How notices reach `connection`'s bank, or None where no way does."""
    match connection.provider:
        case Provider.MONZO:
            return Way.FEED if connection.api_url and connection.notice_image_url else None
        case Provider.FLUX_V1 | Provider.FLUX_V2:
            return Way.JWS if connection.notices_at_url else None
        case Provider.STARLING:
            return Way.STANDARD if connection.notices_at_url else None
        case Provider.STANDARD | Provider.FIDEL:
            return Way.STANDARD if url_of(connection) else None


def url_of(connection: Connection) -> str:
    """Where webhooks with notices go. Empty: nowhere."""
    if connection.provider in (Provider.STANDARD, Provider.FIDEL):
        return connection.notices_at_url or connection.told_at_url
    return connection.notices_at_url
