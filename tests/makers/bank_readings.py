"""Reading events of banks, for tests: the adapter of a provider over one body."""

import json
from datetime import UTC, datetime
from typing import Any

from chalicelib.banks.payments import (
    BankReading,
    PaymentEvent,
)
from chalicelib.banks.providers import adapter_for
from chalicelib.network.identifiers import IdentifierKind
from chalicelib.network.model import Provider
from tests.makers.banks import NOON, connection, request

BANK = connection(Provider.STANDARD)
MID, TID, NARRATIVE = IdentifierKind.MID, IdentifierKind.TID, IdentifierKind.NARRATIVE
PLACE = IdentifierKind.PLACE
HEADERS = {
    Provider.STANDARD: {"webhook-id": "msg-1"},
    Provider.FIDEL: {"fidel-message-id": "fidel-msg-1"},
}


def at(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    """An instant of 20 November 2026, UTC."""
    return datetime(2026, 11, 20, hour, minute, second, microsecond, tzinfo=UTC)


def read(provider: Provider, body: Any, *, event: str = "") -> BankReading:
    """What `provider` reads in `body` (bytes, or JSON values), with the event id in its header."""
    raw = body if isinstance(body, bytes) else json.dumps(body, default=float).encode()
    return adapter_for(provider).read(
        request(raw, headers=HEADERS.get(provider, {}), query={"event": event} if event else {}),
        BANK,
        now=NOON,
    )


def only(reading: BankReading) -> PaymentEvent:
    """The one event of a reading that holds nothing else."""
    assert (len(reading.events), reading.ignored, reading.refused) == (1, (), ())
    return reading.events[0]


def digest(event: PaymentEvent) -> str:
    """The event's digest, once it is seen to be a SHA-256 in hex."""
    assert len(event.digest) == 64
    assert set(event.digest) <= set("0123456789abcdef")
    return event.digest
