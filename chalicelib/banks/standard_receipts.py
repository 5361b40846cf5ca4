"""Everyone else: `receipt.matched`, `receipt.updated` and `receipt.withdrawn` by Standard Webhooks.

`webhook-id` is the same for every attempt to tell the same version, so that a bank that heard it
twice knows. `data.version` only ever grows; a bank that hears an older one after a newer one can
leave it. The message is signed under every valid signing key of the connection (`whsec_` → `v1`,
`whsk_` → `v1a`). Standard Webhooks advises bodies under 20 kB: a longer receipt is left out and
read at `data.link`, which is always there. A withdrawn receipt carries no receipt and no link.
"""

from datetime import datetime
from urllib.parse import quote

import msgspec

from chalicelib.banks import http, signatures
from chalicelib.banks.telling import Note, ReceiptNote, Told
from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.kernel.times import to_text
from chalicelib.network.model import Connection, KeyUse
from chalicelib.receipts.public_shapes import PublicReceipt
from chalicelib.receipts.rendering import to_public
from chalicelib.runtime import settings

BODY_BYTES_MAX = 20_000  # Standard Webhooks, "Payload size".


class NoSigningKey(NotAllowed):
    """The connection has no valid signing key; nothing is sent unsigned."""

    code = "no_signing_key"


class ReceiptNews(msgspec.Struct, omit_defaults=True):
    """`data`. `transaction`, `account` and `user` are the bank's own ids; `receipt` is what
    `GET /v1/transactions/{id}/receipt` shows, left out where it is too long or withdrawn.
    """

    id: str
    transaction: str
    version: int
    account: str | None = None
    user: str | None = None
    link: str | None = None
    receipt: PublicReceipt | None = None


class ReceiptEvent(msgspec.Struct):
    """What the bank's URL receives."""

    type: str
    timestamp: str
    data: ReceiptNews


def tell(note: Note, connection: Connection, *, now: datetime) -> Told:
    """Post the event to the bank's URL. A connection without one reads receipts itself.

    :raises NoSigningKey: there is none. :raises BankRefused: a lasting refusal.
    :raises EndpointGone: 410. :raises TryAgain: not now.
    """
    if not connection.told_at_url:
        return Told()
    keys = connection.keys_for(KeyUse.SIGN, now=now)
    if not keys:
        raise NoSigningKey("the connection has no valid signing key")
    body = render(note)
    message_id = message_id_of(note)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures.sign_standard(
            keys, message_id=message_id, at=now, body=body
        ),
    }
    http.accept(http.call("POST", connection.told_at_url, headers=headers, body=body), now=now)
    return Told()


def render(note: Note) -> bytes:
    """The body, under 20 kB."""
    if not isinstance(note, ReceiptNote):
        return _encode(note, link=None, receipt=None)
    link = f"{settings.public_url()}/v1/transactions/{quote(note.transaction_id, safe='')}/receipt"
    receipt = to_public(note.receipt, retailer=note.retailer, store=note.store)
    whole = _encode(note, link=link, receipt=receipt)
    return whole if len(whole) < BODY_BYTES_MAX else _encode(note, link=link, receipt=None)


def message_id_of(note: Note) -> str:
    """The `webhook-id` of every attempt to tell this version of this receipt in this way."""
    return natural_id("webhook", note.external_id, str(note.version), note.kind.value)


def _encode(note: Note, *, link: str | None, receipt: PublicReceipt | None) -> bytes:
    news = ReceiptNews(
        id=note.external_id,
        transaction=note.transaction_id,
        version=note.version,
        account=note.account_ref,
        user=note.user_ref,
        link=link,
        receipt=receipt,
    )
    event = ReceiptEvent(f"receipt.{note.kind.value}", to_text(note.at), news)
    return msgspec.json.encode(event)
