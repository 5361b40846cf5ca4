"""Hooks: what banks and providers send. Verify the raw bytes, name the events, put them on a queue.

One AWS call stands between a hook and its answer: the queue's. Whether the shop takes part and the
payer is a member is asked by the worker, before anything is stored.
"""

from typing import Any

import msgspec
from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.rim import FORM, JSON, Answer, Inbound, Problem, operation
from chalicelib.banks import flux_v1, flux_v2
from chalicelib.banks.payments import BankReading, HookRequest
from chalicelib.banks.providers import Adapter, adapter_for
from chalicelib.kernel.refusals import Conflicting, NotFound, Rejected
from chalicelib.network import service as network
from chalicelib.network.access.clients import PAYMENTS_WRITE
from chalicelib.network.model import Connection, Provider
from chalicelib.purchases.messages import PaymentMessage, encode
from chalicelib.runtime import clock, observability, quarantine, queues

bp = Blueprint(__name__)

TAGS = ("payments",)


class RefusedEvent(msgspec.Struct, omit_defaults=True):
    """An entry of the request that was not taken, by its place and the sender's name for it."""

    index: int
    code: str
    detail: str
    field: str | None = None
    name: str | None = None


class HookAnswer(msgspec.Struct, omit_defaults=True):
    """How many events were taken, how many were none of ours, and which were refused."""

    taken: int
    ignored: int = 0
    refused: list[RefusedEvent] = []


_ANSWERS: dict[int, Any] = {
    200: HookAnswer,
    400: Problem,
    401: Problem,
    413: Problem,
    422: Problem,
    503: Problem,
}


@operation(
    bp,
    "POST",
    "/hooks/{hook}",
    summary="A bank or provider tells of payments",
    answers={**_ANSWERS, 404: Problem},
    content_types=(JSON, FORM),
    tags=TAGS,
    query={"event": "The event the URL was registered for (Fidel)."},
)
def receive_hook(inbound: Inbound) -> Answer:
    """Takes the format and the signature of the connection's provider.

    The same event again changes nothing and is answered alike.
    """
    now = clock.now()
    connection = network.find_connection_by_hook(inbound.parameters["hook"], now=now)
    if connection is None:
        raise NotFound("there is nothing here")
    adapter = adapter_for(connection.provider)
    return _take(_read(adapter, inbound, connection), inbound, connection)


@operation(
    bp,
    "POST",
    "/bank",
    summary="A bank sends transactions, Flux format 1",
    takes=list[flux_v1.FluxBankTransaction],
    answers={**_ANSWERS, 403: Problem, 404: Problem},
    scopes=(PAYMENTS_WRITE,),
    tags=TAGS,
    headers={"X-Request-Signature": "Optional HMAC over the request; verified where present."},
)
def receive_flux_v1(inbound: Inbound) -> Answer:
    """An array of at most 100; of a transaction sent twice the first submission counts."""
    return _receive_flux(inbound, Provider.FLUX_V1)


@operation(
    bp,
    "POST",
    "/webhooks/v2/bank",
    summary="A bank sends transactions, Flux format 2",
    takes=list[flux_v2.FluxBankTransactionV2],
    answers={**_ANSWERS, 403: Problem, 404: Problem},
    scopes=(PAYMENTS_WRITE,),
    tags=TAGS,
    headers={"X-Request-Signature": "Optional HMAC over the request; verified where present."},
)
def receive_flux_v2(inbound: Inbound) -> Answer:
    """An array of at most 100; amounts in minor units, as numbers or numeric text."""
    return _receive_flux(inbound, Provider.FLUX_V2)


def _receive_flux(inbound: Inbound, provider: Provider) -> Answer:
    now = clock.now()
    connection = network.get_connection(callers.bank_of(inbound.known_caller), now=now)
    if connection.provider not in (Provider.FLUX_V1, Provider.FLUX_V2):
        raise NotFound("there is nothing here")
    adapter = adapter_for(provider)
    return _take(_read(adapter, inbound, connection), inbound, connection)


def _read(adapter: Adapter, inbound: Inbound, connection: Connection) -> BankReading:
    """What the request says, once it is verified; one that is not to be believed is counted."""
    now = clock.now()
    request = _hook_request(inbound)
    try:
        adapter.verify(request, network.with_keys(connection), now=now)
    except Rejected:
        _count(connection, refused=1)
        raise
    try:
        return adapter.read(request, connection, now=now)
    except Rejected:
        _count(connection, refused=1)
        raise


def _count(connection: Connection, *, refused: int = 0, dropped: int = 0) -> None:
    """How this connection does; what was taken is counted when the worker takes it up."""
    for outcome, by in (("refused", refused), ("dropped", dropped)):
        if by:
            observability.count(
                "connection_events", by=by, connection=connection.connection_id, outcome=outcome
            )


def _hook_request(inbound: Inbound) -> HookRequest:
    return HookRequest(
        body=inbound.body,
        headers=dict(inbound.headers),
        query=dict(inbound.query),
        method=inbound.method,
        path=inbound.path,
    )


def _take(reading: BankReading, inbound: Inbound, connection: Connection) -> Answer:
    """Queue what was read; answer 4xx only where nothing of the request could be used."""
    now = clock.now()
    provider = connection.provider.value
    _count(connection, refused=len(reading.refused), dropped=len(reading.ignored))
    if reading.refused and not reading.events and not reading.ignored:
        raise reading.refused[0].refusal
    messages = [encode(PaymentMessage(event=e, received_at=now)) for e in reading.events]
    queues.send(queues.PAYMENTS, messages)
    for refused in reading.refused:
        quarantine.keep(
            "hooks",
            refused.body or inbound.body.decode("utf-8", "replace"),
            refused.refusal,
            sender=connection.connection_id,
            name=refused.name,
            now=now,
        )
        if isinstance(refused.refusal, Conflicting):
            observability.count("conflicts", code=refused.refusal.code)
    for ignored in reading.ignored:
        observability.count("payments_dropped", reason=ignored.reason, provider=provider)
    if reading.unknown_fields:
        observability.count("unknown_fields", by=reading.unknown_fields, sender=provider)
    return Answer(
        HookAnswer(
            taken=len(reading.events),
            ignored=len(reading.ignored),
            refused=[
                RefusedEvent(
                    index=refused.index,
                    code=refused.refusal.code,
                    detail=refused.refusal.detail,
                    field=refused.refusal.field,
                    name=refused.name,
                )
                for refused in reading.refused
            ],
        )
    )
