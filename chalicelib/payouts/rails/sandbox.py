"""The sandbox rail: pays at the sandbox bank, so that everything but the money is real.

`POST {api}/payments` with an `Idempotency-Key` and a bearer token; `GET {api}/payments/{key}` finds
a payment by the key alone, which is why an order whose answer was lost is never in doubt for long.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from chalicelib.banks import http
from chalicelib.kernel.refusals import Malformed, TryAgain
from chalicelib.kernel.times import parse_instant
from chalicelib.payouts.destinations.accounts import IbanAccount
from chalicelib.payouts.model import Accepted, Executed, Failed, Outcome, Returned, Unknown
from chalicelib.payouts.rails.model import Handed, RailPort
from chalicelib.runtime import wire


class SandboxPayment(msgspec.Struct):
    """How a payment stands: `accepted`, `paid`, `failed` or `returned`."""

    id: str
    status: str
    at: str | None = None
    reason: str = ""


class _Amount(msgspec.Struct):
    minor: int
    currency: str


class SandboxOrder(msgspec.Struct, omit_defaults=True):
    """What is posted. An account is a sort code and number, or an IBAN."""

    amount: _Amount
    holder: str
    reference: str
    sort_code: str = ""
    account_number: str = ""
    iban: str = ""


def send(handed: Handed, *, now: datetime) -> Outcome:
    """Post the order; the same key again is answered as the first time."""
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": handed.order.idempotency_key,
        **_bearer(handed),
    }
    url = f"{handed.account.api_url}/payments"
    try:
        reply = http.call("POST", url, headers=headers, body=body_of(handed))
    except http.NoAnswer:
        return Unknown()
    except (TryAgain, http.UnsafeDestination):  # No connection was made.
        return Failed("unreachable", is_final=False)
    if reply.status in (401, 404, 429):
        return Failed(f"http_{reply.status}", is_final=False)
    if reply.status in (400, 422):
        return Failed("refused", is_final=True)
    return _outcome_of(reply, now=now)


def look_up(handed: Handed, provider_id: str, *, now: datetime) -> Outcome:
    """What became of the order, by its key; one that never arrived is posted again."""
    url = f"{handed.account.api_url}/payments/{quote(handed.order.idempotency_key, safe='')}"
    try:
        reply = http.call("GET", url, headers=_bearer(handed))
    except TryAgain:
        return Accepted(provider_id) if provider_id else Unknown()
    if reply.status == 404 and not provider_id:
        posted = send(handed, now=now)
        return Unknown() if isinstance(posted, Failed) else posted
    return _outcome_of(reply, now=now)


def body_of(handed: Handed) -> bytes:
    """The body of `POST /payments`, the same for the same order."""
    order, payee = handed.order, handed.payee
    account = payee.account
    amount = _Amount(order.amount.minor, order.amount.currency)
    asked = SandboxOrder(amount, payee.holder, order.reference)
    if isinstance(account, IbanAccount):
        asked.iban = account.iban
    else:
        asked.sort_code, asked.account_number = account.sort_code, account.account_number
    return msgspec.json.encode(asked)


def _outcome_of(reply: http.Reply, *, now: datetime) -> Outcome:
    payment = _read(reply) if 200 <= reply.status < 300 else None
    if payment is None:
        return Unknown()
    at = parse_instant(payment.at) if payment.at else now
    match payment.status:
        case "paid":
            return Executed(payment.id, at)
        case "failed":
            return Failed(payment.reason, is_final=True)
        case "returned":
            return Returned(payment.reason, at)
    return Accepted(payment.id)


def _read(reply: http.Reply) -> Any:
    try:
        return wire.convert(wire.parse_json(reply.body), SandboxPayment)
    except Malformed:
        return None


def _bearer(handed: Handed) -> dict[str, str]:
    return {"Authorization": f"Bearer {handed.secrets.client_secret.reveal()}"}


PORT = RailPort(send, look_up)
