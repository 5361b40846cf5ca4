"""What holds for every provider."""

import json

import pytest

from chalicelib.banks import fidel, flux_v1, flux_v2, monzo, standard, standard_receipts, starling
from chalicelib.banks.payments import (
    Ignored,
)
from chalicelib.banks.providers import adapter_for
from chalicelib.banks.telling import is_told
from chalicelib.kernel.refusals import Rejected
from chalicelib.network.model import Provider
from tests.makers.bank_readings import read
from tests.makers.banks import connection, event_json


def test_ignores_other_event_types_whatever_they_hold() -> None:
    for provider, body in (
        (Provider.MONZO, {"type": "transaction.updated", "data": 7}),
        (Provider.STARLING, event_json("starling_payment_order")),
        (Provider.STANDARD, {"type": "account.closed", "data": []}),
    ):
        reading = read(provider, body)
        assert (reading.events, reading.ignored) == ((), (Ignored("event_type"),))
    assert read(Provider.FIDEL, {"id": 1}, event="card.linked").ignored == (Ignored("event_type"),)


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize(
    ("provider", "name", "event"),
    [
        (Provider.MONZO, "monzo_transaction_created", ""),
        (Provider.STARLING, "starling_feed_item_pending", ""),
        (Provider.FIDEL, "fidel_transaction_auth", "transaction.auth"),
        (Provider.STANDARD, "standard_payment_authorised", ""),
    ],
)
def test_refuses_a_card_number_anywhere_and_never_repeats_it(
    provider: Provider, name: str, event: str
) -> None:
    body = event_json(name)
    body["comment"] = "card 4111 1111 1111 1111"
    with pytest.raises(Rejected) as refusal:
        read(provider, json.dumps(body, default=float).encode(), event=event)
    assert refusal.value.code == "card_number"
    assert "4111" not in refusal.value.detail


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize(
    ("provider", "name"), [(Provider.FLUX_V1, "bank_flux_v1"), (Provider.FLUX_V2, "bank_flux_v2")]
)
def test_sets_an_entry_with_a_card_number_apart_and_never_repeats_it(
    provider: Provider, name: str
) -> None:
    entries = event_json(name)
    entries[0]["comment"] = {"note": "card 4111-1111-1111-1111"}
    reading = read(provider, json.dumps(entries, default=float).encode())
    (refused,) = reading.refused
    assert (refused.refusal.code, refused.refusal.field) == ("card_number", "[0].comment.note")
    assert [event.transaction_id for event in reading.events] == [next(iter(entries[1].values()))]
    assert "1111" not in repr(reading)


def test_starling_is_answered_with_two_hundred_and_nothing_else() -> None:
    assert adapter_for(Provider.STARLING).success_status == 200


def test_flux_banks_are_told_only_with_the_platforms_key() -> None:
    for provider in (Provider.FLUX_V1, Provider.FLUX_V2):
        assert adapter_for(provider).tell is None


def test_who_runs_a_programme_on_linked_cards_is_told_in_our_own_format() -> None:
    assert adapter_for(Provider.FIDEL).tell is standard_receipts.tell


@pytest.mark.parametrize(
    ("provider", "fields", "told"),
    [
        (Provider.MONZO, {"api_url": "https://api.bank.example"}, True),
        (Provider.MONZO, {"told_at_url": "https://bank.example/hook"}, False),
        (Provider.STARLING, {}, False),
        (Provider.STANDARD, {"told_at_url": "https://bank.example/hook"}, True),
        (Provider.FLUX_V2, {"api_url": "https://api.bank.example"}, False),
    ],
)
def test_a_bank_is_told_where_it_can_be_reached(
    provider: Provider, fields: dict[str, str], *, told: bool
) -> None:
    assert is_told(connection(provider, **fields)) is told


def test_every_provider_reads_with_its_own_module() -> None:
    modules = {
        Provider.FLUX_V1: flux_v1,
        Provider.FLUX_V2: flux_v2,
        Provider.MONZO: monzo,
        Provider.STARLING: starling,
        Provider.FIDEL: fidel,
        Provider.STANDARD: standard,
    }
    for provider in Provider:
        adapter = adapter_for(provider)
        assert (adapter.verify, adapter.read) == (
            modules[provider].verify,
            modules[provider].read,
        )
