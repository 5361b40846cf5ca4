"""The platform's own RSA keys: they sign access tokens and the receipts that banks are told.

A key is published before it signs and stays published after it stopped, so that nobody who fetched
`/auth/.well-known/jwks.json` meets a signature by a key that they have not seen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.network.caching import Remembered
from chalicelib.network.signing import rsa, store
from chalicelib.network.signing.store import PublishedKey, SigningKey

PUBLISHED_BEFORE = timedelta(hours=1)  # Longer than anybody is told to keep the key set.
PUBLISHED_AFTER = timedelta(days=7)  # Receipts wait in banks' own queues for days.

_keys: Remembered[str, tuple[PublishedKey, ...]] = Remembered(entries_max=1)


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _keys.forget()
    store.forget()


def list_published(*, now: datetime) -> tuple[PublishedKey, ...]:
    """The keys to verify with, oldest first: past, present and coming. Usually from memory."""
    known = _keys.known(("all",), now=now).get("all")
    if known is None:
        known = store.list_signing_keys(now=now)
        if known:  # That there is none yet changes the moment somebody needs one.
            _keys.keep("all", known, now=now)
    return known


def get_signing_key(*, now: datetime) -> SigningKey:
    """The key that signs at `now`.

    :raises TryAgain: the stage has none yet (`set-up-stage` makes the first), or Secrets Manager
        does not give it now.
    """
    signing = _signing(list_published(now=now), now=now)
    if signing is None:
        raise TryAgain("the platform has no signing key: the stage is not set up")
    return store.signing_key_of(signing, now=now)


def ensure_signing_key(make_private_pem: Callable[[], str], *, now: datetime) -> PublishedKey:
    """The key that signs at `now`; the very first is made here, once, whoever asks first.

    :raises TryAgain: another process is making it at this moment.
    """
    signing = _signing(store.list_signing_keys(now=now), now=now)
    if signing is None:
        signing, private = _made(1, make_private_pem(), signs_from=now.replace(microsecond=0))
        store.record_signing_key(signing, (private,), ends=None, ends_at=None)
        forget()
    return signing


def rotate_signing_key(make_private_pem: Callable[[], str], *, now: datetime) -> PublishedKey:
    """Publish a new key that signs in an hour; the present one is published seven days longer.

    :raises TryAgain: another process rotated at this moment.
    """
    present = store.list_signing_keys(now=now)
    if not present:
        return ensure_signing_key(make_private_pem, now=now)
    latest = present[-1]
    signs_from = (now + PUBLISHED_BEFORE).replace(microsecond=0)
    coming, private = _made(latest.number + 1, make_private_pem(), signs_from=signs_from)
    privates = (store.signing_key_of(latest, now=now), private)
    store.record_signing_key(coming, privates, ends=latest, ends_at=signs_from + PUBLISHED_AFTER)
    forget()
    return coming


def _signing(keys: tuple[PublishedKey, ...], *, now: datetime) -> PublishedKey | None:
    """The youngest key that has begun to sign; before any has (a clock set back), the oldest."""
    begun = [key for key in keys if key.signs_from <= now]
    return begun[-1] if begun else next(iter(keys), None)


def _made(
    number: int, private_pem: str, *, signs_from: datetime
) -> tuple[PublishedKey, SigningKey]:
    kid = rsa.thumbprint(private_pem)
    public = PublishedKey(number, kid, signs_from, rsa.public_jwk(private_pem))
    return public, SigningKey(kid, Personal(private_pem))
