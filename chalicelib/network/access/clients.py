"""Machine clients: what they may ask for, and how they prove who they are.

Secrets are long and random, made by us. So a keyed hash protects them as well as a slow one would,
and checking one costs a caller without credentials nothing worth attacking (docs/decisions).
"""

import hmac
from datetime import datetime

from chalicelib.kernel.refusals import NotAllowed, NotFound, SignatureMismatch
from chalicelib.network.access import store
from chalicelib.network.access.store import SecretHash
from chalicelib.network.model import Client, ClientKind
from chalicelib.runtime import vault

PAYMENTS_WRITE = "payments:write"  # tell us payments
RECEIPTS_READ = "receipts:read"  # read receipts of the bank's own transactions
MATCHES_WRITE = "matches:write"  # say which receipt is, or is not, a transaction's
RECEIPTS_WRITE = "receipts:write"  # tell us receipts
RETURNS_VERIFY = "returns:verify"  # ask what of one's own receipts may still come back
MEMBERS_READ = "members:read"
MEMBERS_WRITE = "members:write"  # switch members on and off
PAYOUTS_DESTINATION = "payouts:destination"  # say where members are paid
PAYOUTS_ACKNOWLEDGE = "payouts:acknowledge"  # say what became of a payout
PAYOUTS_READ = "payouts:read"  # list the payouts of one's own members
CASHBACK_READ = "cashback:read"  # see what one's members have in money, and why
CAMPAIGNS_WRITE = "campaigns:write"  # make campaigns of one's own
OFFERS_READ = "offers:read"  # see the offers of one's members
OFFERS_WRITE = "offers:write"  # switch offers on, and say what was seen and clicked
NETWORK_READ = "network:read"  # see one's own connection or stores
NOTICES_READ = "notices:read"  # see what members are told
NOTICES_WRITE = "notices:write"  # have it told again, and say that it was read
CLAIMS_WRITE = "claims:write"  # say for a member that a reward is missing
CLAIMS_CONFIRM = "claims:confirm"  # redeem what a member shows at the till
SCHEMES_READ = "schemes:read"  # see schemes, and ask what a basket would earn
STATEMENTS_READ = "statements:read"  # see what one's own campaigns owe
SCHEMES_WRITE = "schemes:write"  # change one's own schemes

SCOPES_BY_KIND = {
    ClientKind.BANK: (
        PAYMENTS_WRITE,
        RECEIPTS_READ,
        MATCHES_WRITE,
        MEMBERS_READ,
        MEMBERS_WRITE,
        PAYOUTS_DESTINATION,
        PAYOUTS_ACKNOWLEDGE,
        PAYOUTS_READ,
        CASHBACK_READ,
        SCHEMES_READ,
        OFFERS_READ,
        OFFERS_WRITE,
        NOTICES_READ,
        NOTICES_WRITE,
        CLAIMS_WRITE,
        NETWORK_READ,
    ),
    ClientKind.RETAILER: (
        RECEIPTS_WRITE,
        RETURNS_VERIFY,
        SCHEMES_READ,
        SCHEMES_WRITE,
        CLAIMS_CONFIRM,
        CAMPAIGNS_WRITE,
        STATEMENTS_READ,
        NETWORK_READ,
    ),
    ClientKind.OPERATOR: (NETWORK_READ,),
}
SECRET_CHARACTERS_MIN = 32
SECRET_CHARACTERS_MAX = 200
CLIENT_ID_CHARACTERS_MAX = 100

_NO_HASH = "-" * 26  # Compared where there is no client, so that the answer takes as long.


class InvalidClient(SignatureMismatch):
    """The client is unknown, or the secret is not its own: which of the two is not said."""

    code = "invalid_client"


class ScopeNotForKind(NotAllowed):
    """A client of this kind may never have this scope."""

    code = "scope_not_for_kind"


def hash_secret(client_id: str, secret: str) -> str:
    """The keyed hash under which `secret` of `client_id` is stored.

    :raises NotAllowed: the secret is too short to be one that we made.
    """
    if not SECRET_CHARACTERS_MIN <= len(secret) <= SECRET_CHARACTERS_MAX:
        raise NotAllowed("a client secret has 32 to 200 characters", code="client_secret")
    return _hash(client_id, secret)


def _hash(client_id: str, secret: str) -> str:
    return vault.lookup_key("client_secret", client_id, secret)


def record_client(client: Client, *, secret_hash: str) -> None:
    """Write `client` with one secret. :raises ScopeNotForKind: a scope is not for its kind."""
    if not set(client.scopes) <= set(SCOPES_BY_KIND[client.kind]):
        raise ScopeNotForKind("a client of this kind may not have such a scope", field="scopes")
    store.record_client(client, (SecretHash(secret_hash),))


def rotate_secret(
    client_id: str, new_hash: str, *, old_valid_until: datetime, now: datetime
) -> None:
    """Give the client a new secret; the one before is good until `old_valid_until`.

    :raises NotFound: there is no such client.
    """
    found = store.find_client(client_id, now=now)
    if found is None:
        raise NotFound("there is no such client")
    client, secrets = found
    if secrets[0].value != new_hash:
        latest = SecretHash(secrets[0].value, old_valid_until)
        store.record_client(client, (SecretHash(new_hash), latest))


def remove_client(client_id: str) -> None:
    """Remove the client: no more tokens; those it has end within the hour."""
    store.remove_client(client_id)


def authenticate(client_id: str, secret: str, *, now: datetime) -> Client:
    """The client that knows `secret`. :raises InvalidClient: there is none."""
    within = len(client_id) <= CLIENT_ID_CHARACTERS_MAX and len(secret) <= SECRET_CHARACTERS_MAX
    found = store.find_client(client_id, now=now) if within and client_id else None
    client, secrets = found or (None, (SecretHash(_NO_HASH),))
    given = _hash(client_id, secret)
    fits = [
        hmac.compare_digest(given, one.value)
        for one in secrets
        if one.valid_until is None or now < one.valid_until
    ]
    if client is None or not any(fits):
        raise InvalidClient("the client did not prove who it is")
    return client


def find_client(client_id: str, *, now: datetime) -> Client | None:
    """The client called `client_id`, or None."""
    found = store.find_client(client_id, now=now)
    return None if found is None else found[0]
