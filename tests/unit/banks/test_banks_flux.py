"""What Flux's two bank formats say, entry by entry."""

import json
from typing import Any

import pytest

from chalicelib.banks.payments import (
    BankReading,
    Ignored,
    PaymentEvent,
    PaymentEventKind,
)
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, TooLarge
from chalicelib.network.identifiers import Identifier
from chalicelib.network.model import Provider
from tests.makers.bank_readings import MID, NARRATIVE, PLACE, TID, at, digest, read
from tests.makers.banks import CONNECTION_ID, event_bytes, event_json


def test_reads_every_field_of_a_flux_v1_batch() -> None:
    reading = read(Provider.FLUX_V1, event_bytes("bank_flux_v1"))
    first, second = reading.events
    assert first == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx1-7f3a0c",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 41, 7),
        occurred_at=at(11, 41, 7),
        amount=Money(745, "GBP"),
        digest=digest(first),
        merchant=(
            Identifier(MID, "MID-BL-0042"),
            Identifier(TID, "T0420001"),
            Identifier(NARRATIVE, "BEAN & LEAF"),
            Identifier(NARRATIVE, "BEAN & LEAF 0042 LEEDS"),
            Identifier(PLACE, "53.7974,-1.5438"),
        ),
        card=CardFacts("visa", LastFour("1881", LastFourKind.CARD), "K4821A"),
        account_ref="acc-aster-104",
        user_ref="usr-aster-104",
    )
    assert second == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx1-7f3a0d",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(11, 2, 30),
        occurred_at=at(11, 2, 30),
        amount=Money(12050, "EUR"),
        digest=digest(second),
        merchant=(Identifier(MID, "MID-HW-0007"),),
        card=CardFacts(),
        account_ref="acc-joint-9",
        user_ref="usr-birch-220",
    )
    assert (reading.ignored, reading.refused, reading.unknown_fields) == ((), (), 0)
    assert "440066" not in repr(reading)  # the bin is dropped


def test_reads_every_field_of_a_flux_v2_batch_with_amounts_as_text_and_as_numbers() -> None:
    reading = read(Provider.FLUX_V2, event_bytes("bank_flux_v2"))
    first, second = reading.events
    assert first == PaymentEvent(
        connection_id=CONNECTION_ID,
        transaction_id="fx2-51b8",
        event_key="authorised",
        kind=PaymentEventKind.AUTHORISED,
        made_at=at(10, 15, 0, 250_000),
        occurred_at=at(10, 15, 0, 250_000),
        amount=Money(1899, "GBP"),
        digest=digest(first),
        merchant=(Identifier(NARRATIVE, "HARBOUR WOOLLENS 17 YORK"),),
        card=CardFacts("mastercard", LastFour("0027", LastFourKind.CARD), "771204"),
        account_ref="acc-cedar-31",
    )
    assert (second.amount, second.card) == (Money(1200, "JPY"), CardFacts())
    assert second.merchant == (Identifier(NARRATIVE, "PAPER CRANE"),)


BAD_ENTRIES = [
    ({"amount": 7.45}, "shape", ".amount"),
    ({"amount": -1}, "negative_amount", ".amount"),
    ({"currency": "ZZZ"}, "unknown_currency", ".currency"),
    ({"transactionDate": "2026-11-20T11:41:07"}, "time_offset", ".transactionDate"),
    ({"transactionDate": "2026-11-21T11:41:07Z"}, "time_out_of_range", ".transactionDate"),
    ({"card": {"lastFour": "18811"}}, "last_four", ".card.lastFour"),
    ({"userId": None}, "shape", ".userId"),
]


@pytest.mark.parametrize(("changes", "code", "field"), BAD_ENTRIES)
def test_one_bad_entry_of_a_hundred_leaves_the_ninety_nine(
    changes: dict[str, Any], code: str, field: str
) -> None:
    good = event_json("bank_flux_v1")[0]
    entries = [{**good, "id": f"fx-{number}"} for number in range(100)]
    entries[37].update(changes)
    reading = read(Provider.FLUX_V1, json.dumps(entries, default=float).encode())
    assert [event.transaction_id for event in reading.events] == [
        f"fx-{number}" for number in range(100) if number != 37
    ]
    (refused,) = reading.refused
    assert (refused.index, refused.name) == (37, "fx-37")
    assert (refused.refusal.code, refused.refusal.field) == (code, f"[37]{field}")


def test_sets_apart_entries_that_are_no_objects_and_have_no_names() -> None:
    reading = read(Provider.FLUX_V2, [7, None, {"bankTransactionId": "snow ☃"}])
    assert [(one.index, one.name, one.refusal.code) for one in reading.refused] == [
        (0, None, "shape"),
        (1, None, "shape"),
        (2, None, "shape"),
    ]
    assert reading.events == ()


def test_counts_the_unknown_fields_of_a_batch_in_which_an_entry_is_refused() -> None:
    good = event_json("bank_flux_v1")[0]
    entries = [{**good, "currency": "ZZZ"}, {**good, "loyaltyNumber": "L-1", "mood": "sunny"}]

    reading = read(Provider.FLUX_V1, entries)

    assert (len(reading.refused), reading.unknown_fields) == (1, 2)


@pytest.mark.parametrize("amount", ["18.99", "1e3", "", " 5", "٣", "-0x1"])
def test_refuses_flux_v2_text_that_is_not_whole_minor_units(amount: str) -> None:
    entry = event_json("bank_flux_v2")[0]
    entry["amount"]["amount"] = amount
    (refused,) = read(Provider.FLUX_V2, [entry]).refused
    assert (refused.refusal.code, refused.refusal.field) == ("not_minor_units", "[0].amount.amount")


def test_ignores_a_flux_payment_of_nothing_with_its_index() -> None:
    entries = event_json("bank_flux_v2")
    entries[1]["amount"]["amount"] = "0"
    reading = read(Provider.FLUX_V2, entries)
    assert (len(reading.events), reading.ignored) == (1, (Ignored("zero_amount", 1),))


@pytest.mark.parametrize("provider", [Provider.FLUX_V1, Provider.FLUX_V2])
def test_refuses_over_a_hundred_entries_and_what_is_no_array(provider: Provider) -> None:
    with pytest.raises(TooLarge):
        read(provider, [{}] * 101)
    for body in ({}, "[]", 1, None):
        with pytest.raises(Malformed) as refusal:
            read(provider, body)
        assert refusal.value.code == "shape"
    assert read(provider, []) == BankReading()


def test_the_same_flux_entry_has_the_same_digest_whatever_the_order_of_its_keys() -> None:
    entry = event_json("bank_flux_v1")[1]
    turned = dict(reversed(list(entry.items())))
    (first,) = read(Provider.FLUX_V1, [entry]).events
    (second,) = read(Provider.FLUX_V1, [turned]).events
    (third,) = read(Provider.FLUX_V1, [{**entry, "amount": 12051}]).events
    assert first.digest == second.digest != third.digest
