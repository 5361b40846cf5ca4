"""Envelopes: what anybody of us may close, and only those who pay may open: whom to pay.

HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM. The public half of the key is
configuration; the private half is a secret that the roles of the paying workers alone may read. So
the API that takes a bank account cannot read it back, nor can any other Lambda, whatever rows and
master keys it reaches. The `info` of an envelope names whose it is: one that was moved to another
member does not open.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected
from chalicelib.members.model import Reference
from chalicelib.payouts.destinations.accounts import Destination, IbanAccount, SortCodeAccount
from chalicelib.runtime import packing

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_PADDED_BYTES = 384  # All envelopes are of one length: it tells no name and no country.


class EnvelopeUnreadable(Rejected):
    """The envelope does not open: another key's, another member's, or not an envelope."""

    code = "envelope_unreadable"


@dataclass(frozen=True, slots=True)
class EnvelopeKey:
    """The public half (32 bytes) of the key of `number`; the newest closes envelopes."""

    number: int
    public: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A destination that only the holder of the private key of `key_number` can read."""

    key_number: int
    closed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class _Inside:
    holder: str
    sort_code: str = ""
    account_number: str = ""
    iban: str = ""


def public_of(private: Personal[bytes]) -> bytes:
    """The public half of a private key (32 raw bytes each)."""
    key = X25519PrivateKey.from_private_bytes(private.reveal()).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def close(destination: Destination, key: EnvelopeKey, *, owner: str) -> Envelope:
    """`destination` in an envelope that opens for `owner` only."""
    account = destination.account
    if isinstance(account, IbanAccount):
        inside = _Inside(destination.holder, iban=account.iban)
    else:
        inside = _Inside(destination.holder, account.sort_code, account.account_number)
    return _close(packing.pack(inside), key, info=_info(owner))


def open_envelope(envelope: Envelope, private: Personal[bytes], *, owner: str) -> Destination:
    """What is in the envelope. :raises EnvelopeUnreadable: it does not open."""
    inside = packing.unpack(_open(envelope, private, info=_info(owner)), _Inside)
    if inside.iban:
        return Destination(IbanAccount(inside.iban), inside.holder)
    return Destination(SortCodeAccount(inside.sort_code, inside.account_number), inside.holder)


def close_name(name: Reference, key: EnvelopeKey, *, owner: str) -> Envelope:
    """What a bank calls its user or the account, in an envelope that opens for `owner` only."""
    return _close(packing.pack(name), key, info=_name_info(owner))


def open_name(envelope: Envelope, private: Personal[bytes], *, owner: str) -> Reference:
    """The name in the envelope. :raises EnvelopeUnreadable: it does not open."""
    return packing.unpack(_open(envelope, private, info=_name_info(owner)), Reference)


def _close(packed: bytes, key: EnvelopeKey, *, info: bytes) -> Envelope:
    padded = len(packed).to_bytes(2, "big") + packed.ljust(_PADDED_BYTES, b"\0")
    public = X25519PublicKey.from_public_bytes(key.public)
    return Envelope(key.number, _SUITE.encrypt(padded, public, info=info))


def _open(envelope: Envelope, private: Personal[bytes], *, info: bytes) -> bytes:
    key = X25519PrivateKey.from_private_bytes(private.reveal())
    try:
        padded = _SUITE.decrypt(envelope.closed, key, info=info)
    except (InvalidTag, ValueError) as error:
        raise EnvelopeUnreadable("the envelope does not open") from error
    length = int.from_bytes(padded[:2], "big")
    return padded[2 : 2 + length]


def _info(owner: str) -> bytes:
    return b"counterfoil payout destination " + owner.encode()


def _name_info(owner: str) -> bytes:
    return b"counterfoil payout name " + owner.encode()
