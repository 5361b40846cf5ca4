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
from chalicelib.banks.providers import adapter_for
from chalicelib.kernel.refusals import Conflicting, NotFound
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
    request = _hook_request(inbound)
    adapter.verify(request, connection, now=now)
    return _take(adapter.read(request, connection, now=now), inbound, connection)


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
    request = _hook_request(inbound)
    adapter.verify(request, connection, now=now)
    return _take(adapter.read(request, connection, now=now), inbound, connection)


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
