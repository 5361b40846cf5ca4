"""Notices by webhook: `reward.…` events, under Standard Webhooks or under Flux's detached JWS.

The body is the same for both, and so is `webhook-id`: the notice's own id, whoever sends it again
and however often, so that a bank that heard it twice knows. Standard Webhooks signs id, time and
body under every valid signing key of the connection. Flux banks know one signature only, the JWS of
the raw body under the platform's published key (`jws`); they get that.
"""

from datetime import datetime

import msgspec

from chalicelib.banks import http, jws, signatures
from chalicelib.banks.noticing import BankNotice, Way, url_of, way_to
from chalicelib.banks.standard_receipts import NoSigningKey
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.times import to_text
from chalicelib.network.model import Connection, KeyUse


class NoticeAmount(msgspec.Struct):
    """Money in minor units; negative where it was taken back."""

    minor: int
    currency: str


class NoticeRetailer(msgspec.Struct, omit_defaults=True):
    """Whose scheme or offer it is."""

    id: str
    name: str = ""


class NoticeNews(msgspec.Struct, omit_defaults=True):
    """`data` of a notice. `user`, `account` and `transaction` are the bank's own ids.

    `subject` is the scheme, campaign, payout or claim that it is about; `units` are stamps or
    points, negative where they were taken back; `on` is the day that counts, of expiry or payment.
    `title` and `text` say the same in plain words, in the member's language.
    """

    id: str
    subject: str
    title: str
    text: str
    user: str | None = None
    account: str | None = None
    transaction: str | None = None
    retailer: NoticeRetailer | None = None
    units: int = 0
    amount: NoticeAmount | None = None
    reason: str = ""
    on: str | None = None


class NoticeEvent(msgspec.Struct):
    """What the bank's URL receives, and what `GET /v1/notices` lists."""

    type: str
    timestamp: str
    data: NoticeNews


def tell(
    notice: BankNotice,
    connection: Connection,
    *,
    signing_key: Personal[str] | None = None,
    now: datetime,
) -> None:
    """Post the event. `signing_key` is the platform's RSA key in PEM, for Flux banks.

    :raises NoSigningKey: there is none. :raises BankRefused: a lasting refusal.
    :raises EndpointGone: 410. :raises TryAgain: not now.
    """
    body = render(notice)
    headers = {"Content-Type": "application/json", "webhook-id": notice.notice_id}
    if way_to(connection) is Way.JWS:
        if signing_key is None:
            raise NoSigningKey("the platform's signing key is missing")
        headers[jws.HEADER] = jws.sign_detached(body, signing_key.reveal())
    else:
        keys = connection.keys_for(KeyUse.SIGN, now=now)
        if not keys:
            raise NoSigningKey("the connection has no valid signing key")
        headers["webhook-timestamp"] = str(int(now.timestamp()))
        headers["webhook-signature"] = signatures.sign_standard(
            keys, message_id=notice.notice_id, at=now, body=body
        )
    http.accept(http.call("POST", url_of(connection), headers=headers, body=body), now=now)


def render(notice: BankNotice) -> bytes:
    """The body."""
    return msgspec.json.encode(event_of(notice))


def event_of(notice: BankNotice) -> NoticeEvent:
    """The notice as an event. Its type is `reward.` and the kind, which is not said twice."""
    kind = notice.kind.removeprefix("reward_")
    amount = notice.amount
    return NoticeEvent(
        type=f"reward.{kind}",
        timestamp=to_text(notice.at),
        data=NoticeNews(
            id=notice.notice_id,
            subject=notice.subject,
            title=notice.title,
            text=notice.text,
            user=notice.user_ref,
            account=notice.account_ref,
            transaction=notice.transaction_id,
            retailer=(
                NoticeRetailer(notice.retailer_id, notice.retailer_name)
                if notice.retailer_id
                else None
            ),
            units=notice.units,
            amount=NoticeAmount(amount.minor, amount.currency) if amount else None,
            reason=notice.reason,
            on=notice.on.isoformat() if notice.on else None,
        ),
    )
