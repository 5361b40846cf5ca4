"""Any bytes into any adapter end in a reading or a refusal."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.banks.http import parse_retry_after
from chalicelib.banks.payments import BankReading
from chalicelib.banks.providers import adapter_for
from chalicelib.kernel.refusals import Rejected
from chalicelib.network.model import Provider
from tests.makers.banks import NOON, connection, event_json, request

EVENT_BY_PROVIDER = {
    Provider.FLUX_V1: "bank_flux_v1",
    Provider.FLUX_V2: "bank_flux_v2",
    Provider.MONZO: "monzo_transaction_created",
    Provider.STARLING: "starling_feed_item_pending",
    Provider.FIDEL: "fidel_transaction_auth",
    Provider.STANDARD: "standard_payment_authorised",
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["GBP", "2026-11-20T11:00:00Z", "0001-01-01T00:00:00+14:00", "1E+99", "-5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def read(provider: Provider, raw: bytes) -> BankReading | Rejected:
    headers = {"webhook-id": "msg-1"}
    inbound = request(raw, headers=headers, query={"event": "transaction.auth"})
    try:
        return adapter_for(provider).read(inbound, connection(provider), now=NOON)
    except Rejected as refusal:
        return refusal


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside `value`, itself included."""
    found = [at]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places(inner, (*at, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*at, index))
    return found


def replaced(value: Any, place: tuple[Any, ...], by: Any) -> Any:
    if not place:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = replaced(value[place[0]], place[1:], by)
    return copy


def check(ending: BankReading | Rejected) -> None:
    if isinstance(ending, Rejected):
        assert ending.code
        return
    for event in ending.events:
        assert event.amount.minor > 0
        assert event.made_at.utcoffset() is not None
        event.payment_id.encode()


@pytest.mark.parametrize("provider", list(Provider))
@given(raw=st.binary(max_size=200))
def test_any_bytes_end_in_a_reading_or_a_refusal(provider: Provider, raw: bytes) -> None:
    check(read(provider, raw))


@pytest.mark.parametrize("provider", list(Provider))
@settings(max_examples=150)
@given(drawn=st.data())
def test_a_true_message_with_one_place_spoilt_ends_in_a_reading_or_a_refusal(
    provider: Provider, drawn: st.DataObject
) -> None:
    body = event_json(EVENT_BY_PROVIDER[provider])
    place = drawn.draw(st.sampled_from(places(body)))
    spoilt = replaced(body, place, drawn.draw(JSON))
    check(read(provider, json.dumps(spoilt, default=float).encode()))


@given(
    st.text(max_size=60) | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,6} \d\d:\d\d:\d\d [+-]?\w+")
)
def test_any_retry_after_is_seconds_within_a_day_or_nothing(text: str) -> None:
    seconds = parse_retry_after(text, now=NOON)
    assert seconds is None or 0 <= seconds <= 86_400
