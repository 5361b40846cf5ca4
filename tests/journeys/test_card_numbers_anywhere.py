"""A card number in any place of any message is refused there, and is nowhere afterwards."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.pan import passes_luhn
from chalicelib.network.model import Provider
from chalicelib.runtime import quarantine
from tests.makers.api import Said
from tests.makers.events import event
from tests.makers.journeys import NOON, open_town, send_receipts, token
from tests.makers.outside import everything_stored, work
from tests.makers.signed_hooks import signed

pytestmark = [pytest.mark.stores, pytest.mark.requirement("SEC-05")]

HOOKS = {
    "bank_flux_v1": Provider.FLUX_V1,
    "bank_flux_v2": Provider.FLUX_V2,
    "monzo_transaction_created": Provider.MONZO,
    "monzo_refund": Provider.MONZO,
    "starling_feed_item_pending": Provider.STARLING,
    "starling_payment_order": Provider.STARLING,
    "fidel_transaction_auth": Provider.FIDEL,
    "fidel_transaction_refund": Provider.FIDEL,
    "standard_payment_authorised": Provider.STANDARD,
}
TILLS = {
    "till_native_receipt": "/v1/receipts",
    "till_native_return": "/v1/receipts",
    "till_native_batch_one_bad": "/v1/receipts",
    "till_flux_merchant": "/merchant",
}


class Listener(logging.Handler):
    """Everything that anybody logs."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(repr(record.__dict__))


@pytest.fixture(scope="module")
def log(shared_aws: None) -> Iterator[Listener]:
    open_town()
    for client in ("client-flux-v1", "client-flux-v2", "till-client"):
        token(client)
    listener = Listener()
    logging.getLogger().addHandler(listener)
    yield listener
    logging.getLogger().removeHandler(listener)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """A number that a card scheme could give, 16 or 19 digits, with its check digit."""
    prefix, length = draw(st.sampled_from((("4", 16), ("4", 19), ("5105", 16), ("6011", 16))))
    rest = length - len(prefix) - 1
    body = prefix + draw(st.text("0123456789", min_size=rest, max_size=rest))
    return next(body + check for check in "0123456789" if passes_luhn(body + check))


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in decoded JSON that is no list or object."""
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from places(value[key], (*way, key))
    else:
        yield way


def written(number: str, style: str) -> object:
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return {
        "plain": number,
        "grouped": grouped,
        "dashes": grouped.replace(" ", "-"),
        "in a sentence": f"paid with {grouped}, thanks",
        "number": int(number),
    }[style]


STYLES = ("plain", "grouped", "dashes", "in a sentence", "number")


@settings(max_examples=60)
@given(
    name=st.sampled_from([*HOOKS, *TILLS]),
    number=card_numbers(),
    style=st.sampled_from(STYLES),
    choice=st.integers(0, 10_000),
    as_key=st.booleans(),
)
def test_a_card_number_is_refused_wherever_it_stands(
    log: Listener, name: str, number: str, style: str, choice: int, as_key: bool
) -> None:
    body = json.loads(event(name))
    *way, last = list(places(body))[choice % len(list(places(body)))]
    inner = body
    for step in way:
        inner = inner[step]
    if as_key and isinstance(inner, dict):
        inner[str(written(number, style))] = 1
    else:
        inner[last] = written(number, style)

    said = _send(name, body)
    work()

    refused = [said.body["code"]] if "code" in said.body else []
    refused += [one["code"] for one in said.body.get("refused", [])]
    assert "card_number" in refused
    kept = "".join(repr(one) for one in quarantine.list_day(NOON.date(), now=NOON))
    seen = everything_stored() + kept + "".join(log.heard) + json.dumps(said.body)
    log.heard.clear()
    for form in STYLES[:3]:
        assert str(written(number, form)) not in seen


def _send(name: str, body: object) -> Said:
    if name in TILLS:
        return send_receipts(body, path=TILLS[name])
    event_name = "transaction.refund" if "refund" in name else "transaction.auth"
    return signed(HOOKS[name], body, event_name=event_name).send()
