"""Which module speaks for which provider."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from chalicelib.banks import (
    fidel,
    flux_receipts,
    flux_v1,
    flux_v2,
    monzo,
    monzo_receipts,
    standard,
    standard_receipts,
    starling,
    starling_receipts,
)
from chalicelib.banks.payments import BankReading, HookRequest
from chalicelib.banks.telling import Note, Told
from chalicelib.kernel.personal import Personal
from chalicelib.network.model import Connection, Provider


class Verify(Protocol):
    """Returns, or raises `SignatureMismatch` (or `Malformed` where nothing is signed)."""

    def __call__(self, request: HookRequest, connection: Connection, *, now: datetime) -> None: ...


class Read(Protocol):
    """Reads a verified request, or raises a `Rejected`."""

    def __call__(
        self, request: HookRequest, connection: Connection, *, now: datetime
    ) -> BankReading: ...


class Tell(Protocol):
    """Tells the bank, or raises a `Rejected` for good or `TryAgain` for now."""

    def __call__(self, note: Note, connection: Connection, *, now: datetime) -> Told: ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to deal with one provider. `tell` is None where the bank cannot be told.

    `success_status` is the only status that the provider surely counts as received.
    """

    verify: Verify
    read: Read
    tell: Tell | None
    success_status: int


def adapter_for(provider: Provider, *, signing_key: Personal[str] | None = None) -> Adapter:
    """The adapter of `provider`.

    `signing_key` is the platform's RSA key in PEM, with which Flux receipts are signed; without it
    a Flux bank cannot be told.
    """
    match provider:
        case Provider.FLUX_V1:
            return Adapter(flux_v1.verify, flux_v1.read, _flux_tell(signing_key), 200)
        case Provider.FLUX_V2:
            return Adapter(flux_v2.verify, flux_v2.read, _flux_tell(signing_key), 200)
        case Provider.MONZO:
            return Adapter(monzo.verify, monzo.read, monzo_receipts.tell, 200)
        case Provider.STARLING:
            return Adapter(starling.verify, starling.read, starling_receipts.tell, 200)
        case Provider.FIDEL:
            # Fidel shows no receipts: whoever runs the programme is told as any other bank.
            return Adapter(fidel.verify, fidel.read, standard_receipts.tell, 200)
        case Provider.STANDARD:
            return Adapter(standard.verify, standard.read, standard_receipts.tell, 200)


def _flux_tell(signing_key: Personal[str] | None) -> Tell | None:
    if signing_key is None:
        return None
    tell: Callable[..., Told] = partial(flux_receipts.tell, signing_key=signing_key)
    return tell
