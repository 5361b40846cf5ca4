"""The platform's own RSA keys: they sign access tokens and the receipts that banks are told.

A key is published before it signs and stays published after it stopped, so that nobody who fetched
`/auth/.well-known/jwks.json` meets a signature by a key that they have not seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.access import store
from chalicelib.network.access.store import SealedKey
from chalicelib.network.caching import Remembered

KEY_BITS = 2048  # RFC 7518 §3.3 asks for no less; more costs every signature fourfold.
PUBLISHED_BEFORE = timedelta(hours=1)  # Longer than anybody is told to keep the key set.
PUBLISHED_AFTER = timedelta(days=7)  # Receipts wait in banks' own queues for days.

_keys: Remembered[str, tuple[SealedKey, ...]] = Remembered(entries_max=1)


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _keys.forget()


def new_private_pem() -> str:
    """A fresh RSA private key as PKCS#8 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def list_published(*, now: datetime) -> tuple[SealedKey, ...]:
    """The keys to verify with, oldest first: past, present and coming. Usually from memory."""
    known = _keys.known(("all",), now=now).get("all")
    if known is None:
        known = store.list_signing_keys(now=now)
        if known:  # That there is none yet changes the moment somebody needs one.
            _keys.keep("all", known, now=now)
    return known


def ensure_signing_key(make_private_pem: Callable[[], str], *, now: datetime) -> SealedKey:
    """The key that signs at `now`; the very first is made here, once, whoever asks first.

    :raises TryAgain: never for long: another process is making it at this moment.
    """
    signing = _signing(list_published(now=now), now=now)
    if signing is None:
        first = _made(1, make_private_pem(), signs_from=now.replace(microsecond=0))
        try:
            store.record_signing_key(first, ends=None, ends_at=None)
        except TryAgain:
            forget()
        signing = _signing(list_published(now=now), now=now)
    if signing is None:
        raise TryAgain("the signing key is being made", after_seconds=1)
    return signing


def rotate_signing_key(make_private_pem: Callable[[], str], *, now: datetime) -> SealedKey:
    """Publish a new key that signs in an hour; the present one is published seven days longer.

    :raises TryAgain: another process rotated at this moment.
    """
    present = store.list_signing_keys(now=now)
    if not present:
        return ensure_signing_key(make_private_pem, now=now)
    latest = present[-1]
    signs_from = (now + PUBLISHED_BEFORE).replace(microsecond=0)
    coming = _made(latest.number + 1, make_private_pem(), signs_from=signs_from)
    store.record_signing_key(coming, ends=latest, ends_at=signs_from + PUBLISHED_AFTER)
    forget()
    return coming


def _signing(keys: tuple[SealedKey, ...], *, now: datetime) -> SealedKey | None:
    """The youngest key that has begun to sign; before any has (a clock set back), the oldest."""
    begun = [key for key in keys if key.signs_from <= now]
    return begun[-1] if begun else next(iter(keys), None)


def _made(number: int, private_pem: str, *, signs_from: datetime) -> SealedKey:
    """The key id is the thumbprint of RFC 7638, which `banks/jws.py` puts on what it signs."""
    kid = RSAKey.import_key(private_pem).thumbprint()
    return SealedKey(number, kid, signs_from, Personal(private_pem))
