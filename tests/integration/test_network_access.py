"""Tokens given and taken: secrets, scopes, refresh tokens, and the keys behind them."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from chalicelib.api import callers
from chalicelib.kernel.refusals import NotAllowed, SignatureMismatch, TryAgain
from chalicelib.network.access import clients, keys
from chalicelib.network.access.clients import hash_secret
from chalicelib.network.model import Client, ClientKind
from chalicelib.network.service import record_client
from chalicelib.network.signing import rsa
from chalicelib.runtime import aws, clock, rows
from tests.makers.api import SECRET, ask_for_token, call, make_client, token_of
from tests.makers.calls import counting_dynamodb_calls
from tests.makers.network import BAKERY, BANK

pytestmark = pytest.mark.stores


@pytest.fixture(autouse=True)
def stopped_clock(embedded_aws: None, now: datetime) -> None:
    clock.use(lambda: now)


def by_secret(scope: str = "", secret: str = SECRET, client_id: str = "bank") -> dict[str, str]:
    said = ask_for_token(
        grant_type="client_credentials", client_id=client_id, client_secret=secret, scope=scope
    )
    assert said.status == 200, said.body
    body: dict[str, str] = said.body
    return body


def by_refresh(token: str, client_id: str = "bank") -> tuple[int, dict[str, str]]:
    said = ask_for_token(
        grant_type="refresh_token", client_id=client_id, client_secret=SECRET, refresh_token=token
    )
    return said.status, said.body


def caller_of(token: str, *scopes: str, now: datetime) -> callers.Caller:
    return callers.authenticate({"authorization": f"Bearer {token}"}, scopes, now=now)


def test_a_secret_gives_a_token_for_an_hour_with_the_clients_scopes(now: datetime) -> None:
    make_client("bank", BANK)

    given = by_secret()

    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
    assert given["scope"].split() == list(clients.SCOPES_BY_KIND[ClientKind.BANK])
    assert caller_of(given["access_token"], "members:write", now=now) == callers.Caller(
        "bank", ClientKind.BANK, BANK, clients.SCOPES_BY_KIND[ClientKind.BANK]
    )


def test_asks_aws_nothing_to_know_a_caller(now: datetime) -> None:
    make_client("bank", BANK)
    token = by_secret()["access_token"]

    with counting_dynamodb_calls() as calls:
        caller_of(token, "members:read", now=now)

    assert calls == []


def test_a_client_may_show_its_secret_by_http_basic() -> None:
    make_client("bank", BANK)
    basic = base64.b64encode(f"bank:{SECRET}".encode()).decode()

    said = ask_for_token({"Authorization": f"Basic {basic}"}, grant_type="client_credentials")

    assert said.status == 200
    assert said.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("bank", SECRET + "x"), ("bank", ""), ("nobody", SECRET), ("", ""), ("b" * 500, SECRET)],
)
def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(
    client_id: str, secret: str
) -> None:
    make_client("bank", BANK)

    said = ask_for_token(grant_type="client_credentials", client_id=client_id, client_secret=secret)

    assert said.status == 401
    assert said.body == {
        "error": "invalid_client",
        "error_description": "the client did not prove who it is",
    }
    assert said.headers["WWW-Authenticate"] == 'Basic realm="counterfoil"'


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "receipts:write"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "user:a user:b"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "no:such"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "4111111111111111"}, "invalid_scope"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "a.b"}, "invalid_grant"),
    ],
)
def test_refuses_in_the_words_of_oauth(form: dict[str, str], error: str) -> None:
    make_client("bank", BANK)

    said = ask_for_token(client_id="bank", client_secret=SECRET, **form)

    assert (said.status, said.body["error"]) == (400, error)


def test_refuses_a_form_that_says_something_twice() -> None:
    said = call(
        "POST",
        "/auth/oauth/token",
        raw=b"grant_type=client_credentials&grant_type=refresh_token",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (said.status, said.body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("scope", ["user:ada members:read", "ada members:read"])
def test_a_token_can_be_narrowed_to_one_user(scope: str, now: datetime) -> None:
    make_client("bank", BANK)

    given = by_secret(scope)

    assert given["scope"] == "members:read user:ada"
    caller = caller_of(given["access_token"], "members:read", now=now)
    assert (caller.user, caller.scopes) == ("ada", ("members:read",))
    with pytest.raises(callers.NotPermitted):
        caller_of(given["access_token"], "members:write", now=now)


def test_a_retailers_token_is_for_no_user() -> None:
    make_client("till", BAKERY, ClientKind.RETAILER)

    said = ask_for_token(
        grant_type="client_credentials", client_id="till", client_secret=SECRET, scope="user:ada"
    )

    assert (said.status, said.body["error"]) == (400, "invalid_scope")


def test_a_refresh_token_gives_the_same_access_again(now: datetime) -> None:
    make_client("bank", BANK)
    first = by_secret("members:read user:ada")

    status, second = by_refresh(first["refresh_token"])

    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert caller_of(second["access_token"], now=now) == caller_of(first["access_token"], now=now)


def test_a_refresh_token_used_twice_ends_its_family() -> None:
    make_client("bank", BANK)
    first = by_secret()["refresh_token"]
    _, second = by_refresh(first)

    assert by_refresh(first)[1]["error"] == "invalid_grant"
    assert by_refresh(second["refresh_token"])[1]["error"] == "invalid_grant"


def test_of_two_who_use_a_refresh_token_at_once_at_most_one_gets_on() -> None:
    make_client("bank", BANK)
    token = by_secret()["refresh_token"]

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(status for status, _ in threads.map(by_refresh, [token] * 4))

    assert statuses in ([200, 400, 400, 400], [400, 400, 400, 400])


def test_another_clients_refresh_token_is_not_good_and_stays_good_for_its_own() -> None:
    make_client("bank", BANK)
    make_client("other", "meadow-bank")
    token = by_secret()["refresh_token"]

    assert by_refresh(token, "other")[1]["error"] == "invalid_grant"
    assert by_refresh(token)[0] == 200


def test_a_refresh_token_ends_after_thirty_days_of_silence(now: datetime) -> None:
    make_client("bank", BANK)
    token = by_secret()["refresh_token"]
    clock.use(lambda: now + timedelta(days=30))

    assert by_refresh(token)[1]["error"] == "invalid_grant"


def test_a_scope_that_a_client_lost_is_not_refreshed() -> None:
    make_client("bank", BANK)
    token = by_secret()["refresh_token"]
    make_client("bank", BANK, ClientKind.BANK, "members:read")

    assert by_refresh(token)[1]["scope"] == "members:read"


def test_both_secrets_are_good_while_they_are_rotated(now: datetime) -> None:
    make_client("bank", BANK)
    fresh = "another-long-and-random-secret-text"
    until = now + timedelta(days=1)

    clients.rotate_secret("bank", hash_secret("bank", fresh), old_valid_until=until, now=now)

    assert clients.authenticate("bank", SECRET, now=now).client_id == "bank"
    assert clients.authenticate("bank", fresh, now=until).client_id == "bank"
    with pytest.raises(clients.InvalidClient):
        clients.authenticate("bank", SECRET, now=until)


def test_a_removed_client_gets_no_more_tokens() -> None:
    make_client("bank", BANK)
    clients.remove_client("bank")

    said = ask_for_token(grant_type="client_credentials", client_id="bank", client_secret=SECRET)

    assert (said.status, said.body["error"]) == (401, "invalid_client")


def test_refuses_a_scope_that_is_not_for_the_kind_and_a_secret_that_is_short() -> None:
    client = Client("till", ClientKind.RETAILER, BAKERY, ("members:read",))

    with pytest.raises(clients.ScopeNotForKind):
        record_client(client, secret_hash=hash_secret("till", SECRET))
    with pytest.raises(NotAllowed):
        hash_secret("till", "short")


def test_no_secret_stands_in_the_table(now: datetime) -> None:
    make_client("bank", BANK)
    given = by_secret("user:MARKER-user members:read")

    dump = repr(aws.client("dynamodb").scan(TableName=rows.settings.table("network"))["Items"])

    assert SECRET not in dump
    assert given["refresh_token"].partition(".")[2] not in dump
    assert "MARKER" not in dump
    assert "PRIVATE KEY" not in dump


def test_whoever_asks_first_makes_the_signing_key_once(now: datetime) -> None:
    made = [rsa.new_private_pem() for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda pem: ensured(pem, now=now), made))

    assert len(set(found)) == 1
    assert {keys.get_signing_key(now=now).kid} == set(found)


def ensured(pem: str, *, now: datetime) -> str:
    """The id of the key that signs, asked for until another thread has made it."""
    for _ in range(1000):
        try:
            return keys.ensure_signing_key(lambda: pem, now=now).kid
        except TryAgain:
            time.sleep(0.01)
    raise AssertionError("the key is never made")


def test_a_new_key_is_published_an_hour_before_it_signs(now: datetime) -> None:
    make_client("bank", BANK)
    before = token_of("bank")
    old = keys.ensure_signing_key(rsa.new_private_pem, now=now)
    coming = keys.rotate_signing_key(rsa.new_private_pem, now=now)

    def published(at: datetime) -> list[str]:
        clock.use(lambda: at)
        body = call("GET", "/auth/.well-known/jwks.json").body
        return [key["kid"] for key in body["keys"]]

    assert keys.get_signing_key(now=now + timedelta(minutes=59)).kid == old.kid
    later = now + timedelta(hours=1)
    assert keys.get_signing_key(now=later).kid == coming.kid
    assert published(now) == [old.kid, coming.kid]
    assert caller_of(before, now=now + timedelta(minutes=59)).client_id == "bank"
    assert published(later + timedelta(days=6, hours=23)) == [old.kid, coming.kid]
    assert published(later + timedelta(days=7)) == [coming.kid]


def test_the_published_keys_verify_a_token() -> None:
    make_client("bank", BANK)
    token = token_of("bank")

    published = KeySet.import_key_set(call("GET", "/auth/.well-known/jwks.json").body)

    assert jwt.decode(token, published, algorithms=["RS256"]).claims["acts_for"] == BANK


def test_a_caller_without_a_credential_is_refused(now: datetime) -> None:
    for headers in ({}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer "}):
        with pytest.raises(SignatureMismatch):
            callers.authenticate(headers, (), now=now)
