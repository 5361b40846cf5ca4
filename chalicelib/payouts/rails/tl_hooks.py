"""TrueLayer's webhooks: `payout_executed` and `payout_failed`, verified before a word is believed.

Source: docs.truelayer.com, "Payout webhooks"; TrueLayer/truelayer-signing. The signature names its
key by `kid` and where keys are published by `jku`. That URL must be the very one of the paying
account: a signature of TrueLayer's sandbox proves nothing about money. Keys are remembered, and
asked for once more where one is missing or does not fit, at most once a minute. Nothing says that
the timestamp of a repeat is fresh (repeats go on for 72 hours), so events are known by `event_id`,
not by age. Types that are not known are for others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.banks import http
from chalicelib.kernel.pan import refuse_card_numbers
from chalicelib.kernel.refusals import Malformed, SignatureMismatch, TryAgain
from chalicelib.payouts.model import Outcome
from chalicelib.payouts.rails import tl_signature
from chalicelib.payouts.rails.truelayer import TrueLayerPayout, outcome_of
from chalicelib.runtime import wire

TIMESTAMP = "X-Tl-Webhook-Timestamp"
KEYS_KEPT = timedelta(hours=12)
ASKED_AGAIN_AFTER = timedelta(minutes=1)
KEYS_MAX = 50
EVENT_ID_CHARACTERS_MAX = 100

_STATUS_BY_TYPE = {"payout_executed": "executed", "payout_failed": "failed"}


class TrueLayerEvent(msgspec.Struct):
    """The body of a webhook, as far as it matters here. `metadata` is what we gave the payout."""

    type: str
    event_id: str
    payout_id: str = ""
    executed_at: str | None = None
    failed_at: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class HookedOutcome:
    """What a webhook says of a payout. `payout_id` is ours, empty where it is none of ours."""

    event_id: str
    payout_id: str
    provider_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Published:
    keys: tuple[Mapping[str, Any], ...]
    asked_at: datetime


class _Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


_published: dict[str, _Published] = {}


def verify(
    keys_url: str,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Check the signature of a webhook whose keys are published at `keys_url` and nowhere else.

    :raises SignatureMismatch: it does not verify. :raises TryAgain: the keys cannot be had now.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    signature = sent.get(tl_signature.HEADER.lower(), "")
    if not keys_url or tl_signature.read_head(signature).jku != keys_url:
        raise SignatureMismatch("the signature does not verify")

    def check(keys: Sequence[Mapping[str, Any]]) -> None:
        tl_signature.verify(
            signature,
            keys,
            method=method,
            path=path,
            headers=sent,
            body=body,
            required=(TIMESTAMP,),
        )

    known = _known(keys_url, now=now)
    try:
        return check(known.keys)
    except SignatureMismatch:
        if now - known.asked_at < ASKED_AGAIN_AFTER:
            raise
    return check(_ask(keys_url, now=now).keys)


def read(body: bytes, *, now: datetime) -> HookedOutcome | None:
    """What a verified webhook says, or None where it is not about a payout's end.

    Of the rest of it, such as the payee's account, nothing is read.

    :raises Malformed: it is about one and has not the documented shape.
    :raises CardNumberFound: what would be kept of it holds one.
    """
    event = wire.convert(wire.parse_json(body), TrueLayerEvent)
    status = _STATUS_BY_TYPE.get(event.type)
    if status is None:
        return None
    refuse_card_numbers(msgspec.to_builtins(event))
    if not event.payout_id or not 0 < len(event.event_id) <= EVENT_ID_CHARACTERS_MAX:
        raise Malformed("the event names no payout", field="payout_id")
    told = TrueLayerPayout(
        id=event.payout_id,
        status=status,
        executed_at=event.executed_at,
        failed_at=event.failed_at,
        failure_reason=event.failure_reason,
    )
    ours = event.metadata.get("payout", "")
    return HookedOutcome(event.event_id, ours, event.payout_id, outcome_of(told, now=now))


def forget() -> None:
    """Remember no keys. For tests and local stacks."""
    _published.clear()


def _known(keys_url: str, *, now: datetime) -> _Published:
    known = _published.get(keys_url)
    if known is None or now - known.asked_at > KEYS_KEPT:
        return _ask(keys_url, now=now)
    return known


def _ask(keys_url: str, *, now: datetime) -> _Published:
    reply = http.call("GET", keys_url)
    if reply.status != 200:
        raise TryAgain("TrueLayer's keys cannot be had now")
    try:
        found = wire.convert(wire.parse_json(reply.body), _Keys)
    except Malformed as error:
        raise TryAgain("TrueLayer's keys cannot be read") from error
    published = _Published(tuple(found.keys[:KEYS_MAX]), now)
    _published[keys_url] = published
    return published
