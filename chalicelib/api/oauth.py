"""Tokens for machines, at the addresses Flux gave them, and the keys that verify what we sign.

Errors here have the shape of RFC 6749 §5.2, because OAuth libraries read no other.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from chalice import Blueprint

from chalicelib.api.rim import FORM, Answer, Inbound, operation
from chalicelib.kernel.refusals import Malformed, NotAllowed, Rejected, SignatureMismatch
from chalicelib.network.access import clients, grants, keys, tokens
from chalicelib.network.access.grants import Granted
from chalicelib.network.model import Client
from chalicelib.network.signing.store import SigningKey
from chalicelib.runtime import clock, observability

FORM_BYTES_MAX = 10_000
FORM_FIELDS_MAX = 20
SECRET_BYTES = 32
KEYS_KEPT_SECONDS = 600  # Less than `keys.PUBLISHED_BEFORE`.

bp = Blueprint(__name__)


class UnsupportedGrant(NotAllowed):
    """The grant type is neither `client_credentials` nor `refresh_token`."""

    code = "unsupported_grant_type"


class InvalidRequest(Malformed):
    """The form is not a form, repeats a field, or lacks one."""

    code = "invalid_request"


class TokenAnswer(msgspec.Struct):
    """RFC 6749 §5.1. `expires_in` counts seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    scope: str


class TokenError(msgspec.Struct):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class KeySet(msgspec.Struct):
    """RFC 7517 §5."""

    keys: list[dict[str, Any]]


class TokenForm(msgspec.Struct, omit_defaults=True):
    """RFC 6749 §4.4.2 and §6; the client may name itself here or by HTTP Basic."""

    grant_type: str
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    refresh_token: str = ""


@operation(
    bp,
    "POST",
    "/auth/oauth/token",
    summary="Get an access token",
    takes=TokenForm,
    answers={200: TokenAnswer, 400: TokenError, 401: TokenError},
    content_types=(FORM,),
    tags=("access",),
)
def give_token(request: Inbound) -> Answer:
    """Exchange a client's secret, or a refresh token, for a signed access token of one hour.

    Grants: `client_credentials` and `refresh_token`. The client shows its id and secret as form
    fields or by HTTP Basic. `scope` is optional: names of scopes, and `user:<id>` (or the bare id)
    to narrow the token to one of the bank's users.
    """
    try:
        granted = _grant(request)
    except Rejected as refusal:
        return _error(refusal)
    answer = TokenAnswer(
        access_token=granted.access_token,
        token_type="Bearer",  # noqa: S106 - the name of a scheme, not a secret
        expires_in=granted.expires_in_seconds,
        refresh_token=granted.refresh_token,
        scope=granted.scope,
    )
    return Answer(answer, headers=_NOT_KEPT)


@operation(
    bp,
    "GET",
    "/auth/.well-known/jwks.json",
    summary="The keys that verify our signatures",
    answers={200: KeySet},
    tags=("access",),
)
def list_keys(_request: Inbound) -> Answer:
    """The platform's public keys: past ones for seven days, coming ones an hour ahead.

    They verify access tokens and the signed receipts of the Flux format.
    """
    now = clock.now()
    published = tokens.published(keys.list_published(now=now))
    kept = {"Cache-Control": f"public, max-age={KEYS_KEPT_SECONDS}"}
    return Answer(KeySet(published), headers=kept)


_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _grant(request: Inbound) -> Granted:
    form = read_form(request.body)
    now = clock.now()
    client = clients.authenticate(*_credentials(request, form), now=now)
    grant = _GRANTS.get(form.grant_type)
    if grant is None:
        raise UnsupportedGrant("the grant type is not supported", field="grant_type")
    return grant(client, form, keys.get_signing_key(now=now))


def _by_credentials(client: Client, form: TokenForm, key: SigningKey) -> Granted:
    return grants.grant_by_credentials(
        client, form.scope, key, new_secret=_new_secret, now=clock.now()
    )


def _by_refresh(client: Client, form: TokenForm, key: SigningKey) -> Granted:
    return grants.grant_by_refresh(
        client, form.refresh_token, key, new_secret=_new_secret, now=clock.now()
    )


_GRANTS: dict[str, Callable[[Client, TokenForm, SigningKey], Granted]] = {
    "client_credentials": _by_credentials,
    "refresh_token": _by_refresh,
}


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def read_form(body: bytes) -> TokenForm:
    """Read a token request. Unknown fields are ignored, repeated ones are not (RFC 6749 §3.2).

    :raises InvalidRequest: not a form, a field twice, or no grant type.
    """
    if len(body) > FORM_BYTES_MAX:
        raise InvalidRequest("the form is too long")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise InvalidRequest("the body is not a form in UTF-8") from error
    fields = dict(pairs)
    if len(fields) != len(pairs) or not fields.get("grant_type"):
        raise InvalidRequest("a field is missing or stands twice", field="grant_type")
    return msgspec.convert(fields, TokenForm)


def _credentials(request: Inbound, form: TokenForm) -> tuple[str, str]:
    """The client's id and secret, from HTTP Basic (RFC 6749 §2.3.1) or from the form."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.client_id, form.client_secret
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise clients.InvalidClient("the Basic credentials do not decode") from error
    return unquote_plus(client_id), unquote_plus(secret)


def _error(refusal: Rejected) -> Answer:
    observability.count("requests_refused", code=refusal.code)
    body = TokenError(refusal.code, refusal.detail)
    if isinstance(refusal, SignatureMismatch):
        headers = {**_NOT_KEPT, "WWW-Authenticate": 'Basic realm="counterfoil"'}
        return Answer(body, 401, headers)
    return Answer(body, 400, _NOT_KEPT)
