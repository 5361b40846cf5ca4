"""TrueLayer payouts (Payments API v3): money from a merchant account, by Faster Payments or SEPA.

Source: docs.truelayer.com (payouts, idempotency, error types, merchant account transactions) and
TrueLayer/truelayer-signing. `POST {api}/payouts` carries `Idempotency-Key` and `Tl-Signature` and
answers 202 `{id}`; `GET {api}/payouts/{id}` says `pending`, `authorized`, `executed` or `failed`
(`authorization_required`, `authorizing` where approval is switched on). "Executed" means that the
money left the merchant account; a payout that the payee's bank sends back turns from executed to
failed with the reason `returned`. The id of a payout is also that of its transaction on the
merchant account, so an order whose answer was lost is found there by its reference.

A key keeps for six hours by one page of the documents and for thirty days by another: the shorter
is believed. After that an order is never posted again, whatever became of it.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from chalicelib.banks import http
from chalicelib.kernel.refusals import Malformed, Misshapen, TryAgain
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.payouts.destinations.accounts import IbanAccount
from chalicelib.payouts.model import Accepted, Executed, Failed, Outcome, Returned, Unknown
from chalicelib.payouts.rails import tl_signature, tl_tokens
from chalicelib.payouts.rails.model import Handed, Order, RailPort
from chalicelib.runtime import wire

SENT_AGAIN_WITHIN = timedelta(hours=5, minutes=30)  # A key's six hours, less slow clocks.
CLOCKS_DIFFER_BY = timedelta(minutes=10)
PAGES_READ_MAX = 20
RETURNED = "returned"
_TAKEN = {200, 201, 202}
# Token, address or pace: mended by waiting or by an operator, and nothing was created.
_NOT_HEARD = {401, 403, 404, 405, 415, 429}
_JSON = {"Content-Type": "application/json"}


class TrueLayerPayout(msgspec.Struct):
    """What `GET /payouts/{id}` answers, as far as it matters here."""

    id: str
    status: str
    executed_at: str | None = None
    failed_at: str | None = None
    failure_reason: str | None = None
    scheme_id: str | None = None


class _Created(msgspec.Struct):
    id: str


class _Problem(msgspec.Struct):
    """RFC 7807. `type` is a URL whose fragment names the error."""

    type: str = ""
    title: str = ""


class _Beneficiary(msgspec.Struct):
    reference: str = ""


class _Transaction(msgspec.Struct):
    id: str
    type: str = ""
    amount_in_minor: int = 0
    currency: str = ""
    beneficiary: _Beneficiary | None = None


class _Pagination(msgspec.Struct):
    next_cursor: str | None = None


class _Transactions(msgspec.Struct):
    items: list[_Transaction] = []
    pagination: _Pagination | None = None


def send(handed: Handed, *, now: datetime) -> Outcome:
    """Post the order. A key of ours that came with another body says that the first one counts."""
    try:
        token = tl_tokens.access_token(handed, now=now)
    except TryAgain:
        return Failed("no_token", is_final=False)
    return _post(handed, token)


def look_up(handed: Handed, provider_id: str, *, now: datetime) -> Outcome:
    """What became of the order: by its id, else by posting it again, else by the account's list.

    Posting again within the life of the key creates nothing: it is answered as the first time.
    """
    try:
        token = tl_tokens.access_token(handed, now=now)
    except TryAgain:
        return Unknown()
    if not provider_id and now < handed.order.frozen_at + SENT_AGAIN_WITHIN:
        posted = _post(handed, token)
        if not isinstance(posted, Accepted):
            return Unknown()  # What this call met says nothing of the one before.
        provider_id = posted.provider_id
    if not provider_id:
        return _find_on_account(handed, token, now=now)
    try:
        reply = _ask(handed, f"/payouts/{quote(provider_id, safe='')}", token)
    except TryAgain:
        return Accepted(provider_id)
    return _outcome_of(reply, provider_id, now=now)


def body_of(handed: Handed) -> bytes:
    """The body of `POST /payouts`: the same bytes for the same order, however often it is made."""
    order = handed.order
    account = handed.payee.account
    if isinstance(account, IbanAccount):
        named = {"type": "iban", "iban": account.iban}
    else:
        named = {
            "type": "sort_code_account_number",
            "sort_code": account.sort_code,
            "account_number": account.account_number,
        }
    return msgspec.json.encode(
        {
            "merchant_account_id": order.paid_from,
            "amount_in_minor": order.amount.minor,
            "currency": order.amount.currency,
            "beneficiary": {
                "type": "external_account",
                "account_holder_name": handed.payee.holder,
                "account_identifier": named,
                "reference": order.reference,
            },
            "metadata": {"payout": order.payout_id},
        }
    )


def outcome_of(payout: TrueLayerPayout, *, now: datetime) -> Outcome:
    """What TrueLayer's word for a payout means. A word that is not known: it has the order."""
    if payout.status == "executed":
        return Executed(payout.id, _instant(payout.executed_at, now))
    if payout.status == "failed":
        reason = payout.failure_reason or "unknown"
        # Only what was executed can come back, and then it keeps the time at which it was.
        if reason == RETURNED or payout.executed_at:
            return Returned(reason, _instant(payout.failed_at, now))
        return Failed(reason, is_final=True)
    return Accepted(payout.id)


def _post(handed: Handed, token: str) -> Outcome:
    """Post the order once; a token that was refused is renewed for the next time."""
    url = f"{handed.account.api_url}/payouts"
    body = body_of(handed)
    headers = {"Idempotency-Key": handed.order.idempotency_key}
    signature = tl_signature.sign(
        handed.secrets.signing_pem.reveal(),
        kid=handed.account.key_id,
        method="POST",
        path=urlsplit(url).path,
        headers=headers,
        body=body,
    )
    sent = {**_JSON, **headers, tl_signature.HEADER: signature, "Authorization": f"Bearer {token}"}
    try:
        reply = http.call("POST", url, headers=sent, body=body)
    except http.NoAnswer:
        return Unknown()
    except (TryAgain, http.UnsafeDestination):  # No connection was made.
        return Failed("unreachable", is_final=False)
    return _answer_to_post(handed, reply)


def _answer_to_post(handed: Handed, reply: http.Reply) -> Outcome:
    """What the answer to `POST /payouts` proves of this very request, and no more."""
    if reply.status in _TAKEN:
        created = _read(reply, _Created)
        return Unknown() if created is None else Accepted(created.id)
    if reply.status in _NOT_HEARD:
        tl_tokens.forget_token(handed)
        return Failed(f"http_{reply.status}", is_final=False)
    problem = _read(reply, _Problem) or _Problem()
    reason = problem.type.rpartition("#")[2] or f"http_{reply.status}"
    if reply.status in (400, 422) and "idempotency" not in reason:
        return Failed(reason, is_final=True)
    return Unknown()  # 5xx; 409: the same key is at work; 422: it came with another body.


def _find_on_account(handed: Handed, token: str, *, now: datetime) -> Outcome:
    """The order among the merchant account's transactions since it was frozen, by its reference."""
    order = handed.order
    asked = {"from": to_text(order.frozen_at - CLOCKS_DIFFER_BY), "to": to_text(now)}
    path = f"/merchant-accounts/{quote(order.paid_from, safe='')}/transactions"
    for _ in range(PAGES_READ_MAX):
        try:
            reply = _ask(handed, f"{path}?{urlencode(asked)}", token)
        except TryAgain:
            return Unknown()
        page = _read(reply, _Transactions) if reply.status == 200 else None
        if page is None:
            return Unknown()
        found = next((one for one in page.items if _is_of(order, one)), None)
        if found is not None:
            return Accepted(found.id)
        cursor = page.pagination.next_cursor if page.pagination else None
        if cursor is None:
            return Unknown()
        asked = {**asked, "cursor": cursor}
    return Unknown()


def _is_of(order: Order, found: _Transaction) -> bool:
    named = found.beneficiary is not None and found.beneficiary.reference == order.reference
    same = (found.amount_in_minor, found.currency) == (order.amount.minor, order.amount.currency)
    return found.type == "payout" and named and same


def _ask(handed: Handed, target: str, token: str) -> http.Reply:
    headers = {"Authorization": f"Bearer {token}", "tl-enable-pagination": "true"}
    return http.call("GET", f"{handed.account.api_url}{target}", headers=headers)


def _outcome_of(reply: http.Reply, provider_id: str, *, now: datetime) -> Outcome:
    payout = _read(reply, TrueLayerPayout) if reply.status == 200 else None
    if payout is None or payout.id != provider_id:
        return Accepted(provider_id)  # It gave us this id, so it has the order, whatever is wrong.
    return outcome_of(payout, now=now)


def _read(reply: http.Reply, as_type: Any) -> Any:
    try:
        return wire.convert(wire.parse_json(reply.body), as_type)
    except (Malformed, Misshapen):
        return None


def _instant(text: str | None, now: datetime) -> datetime:
    try:
        return parse_instant(text or "")
    except Malformed:
        return now


PORT = RailPort(send, look_up)
