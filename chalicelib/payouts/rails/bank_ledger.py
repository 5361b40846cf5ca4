"""The bank pays: a signed `cashback.payable` webhook, and the bank acknowledges what it did.

This is how Flux's banks paid cashback (its format was never published; the envelope is Standard
Webhooks, as everywhere with us). The bank knows its own user, so no account is named. `webhook-id`
and `data.payout` stay the same in every attempt and the body is the same to the byte: a bank that
hears it twice pays once. What became of it the bank says by
`POST /v1/payouts/{payout}/acknowledgement`.
"""

from datetime import datetime

import msgspec

from chalicelib.banks import http, signatures
from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.refusals import TryAgain
from chalicelib.kernel.times import to_text
from chalicelib.network import service as network
from chalicelib.network.model import KeyUse
from chalicelib.payouts.model import Accepted, Failed, Outcome, Unknown
from chalicelib.payouts.rails.model import Handed, Order, RailPort

TYPE = "cashback.payable"
_PASSING = {408, 425, 429}


class PayableAmount(msgspec.Struct):
    """Whole minor units of an ISO 4217 currency."""

    minor: int
    currency: str


class PayableCashback(msgspec.Struct, omit_defaults=True):
    """`data`. `user` and `account` are the bank's own ids, whichever the bank gave."""

    payout: str
    amount: PayableAmount
    reference: str
    user: str | None = None
    account: str | None = None


class PayableEvent(msgspec.Struct):
    """What the bank's URL receives. `timestamp` is when the order was made."""

    type: str
    timestamp: str
    data: PayableCashback


def send(handed: Handed, *, now: datetime) -> Outcome:
    """Tell the bank what to pay. Taking the message is not paying: that the bank says later."""
    found = network.get_connection(handed.order.connection_id, now=now)
    connection = network.with_keys(found)
    keys = connection.keys_for(KeyUse.SIGN, now=now)
    if not connection.told_at_url or not keys:
        return Failed("bank_not_told", is_final=False)
    body = body_of(handed.order)
    message_id = message_id_of(handed.order)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures.sign_standard(
            keys, message_id=message_id, at=now, body=body
        ),
    }
    try:
        reply = http.call("POST", connection.told_at_url, headers=headers, body=body)
    except http.NoAnswer:
        return Unknown()
    except (TryAgain, http.UnsafeDestination):  # No connection was made.
        return Failed("unreachable", is_final=False)
    return _answer(reply, handed.order)


def look_up(handed: Handed, provider_id: str, *, now: datetime) -> Outcome:
    """Wait for the bank's word; where it may not have heard, tell it again under the same name."""
    if provider_id:
        return Accepted(provider_id)
    told = send(handed, now=now)
    return Unknown() if isinstance(told, Failed) else told


def body_of(order: Order) -> bytes:
    """The body, the same to the byte for the same order."""
    payable = PayableCashback(
        payout=order.payout_id,
        amount=PayableAmount(order.amount.minor, order.amount.currency),
        reference=order.reference,
        user=order.user_ref.reveal() if order.user_ref else None,
        account=order.account_ref.reveal() if order.account_ref else None,
    )
    return msgspec.json.encode(PayableEvent(TYPE, to_text(order.frozen_at), payable))


def message_id_of(order: Order) -> str:
    """The `webhook-id` of every attempt."""
    return natural_id("webhook", TYPE, order.payout_id)


def _answer(reply: http.Reply, order: Order) -> Outcome:
    if 200 <= reply.status < 300:
        return Accepted(order.payout_id)
    if reply.status in _PASSING:
        return Failed(f"http_{reply.status}", is_final=False)
    if 400 <= reply.status < 500:
        return Failed("bank_refused", is_final=True)
    return Unknown()


PORT = RailPort(send, look_up)
