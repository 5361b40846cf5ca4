"""What is wrong is refused over HTTP with its code and field, and leaves nothing behind."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api import tills
from chalicelib.runtime import queues
from tests.makers.api import Said
from tests.makers.bad_input import (
    FIDEL,
    FLUX_V1,
    FLUX_V2,
    FORMATS,
    MERCHANT,
    MONZO,
    NATIVE,
    STANDARD,
    STARLING,
    Format,
    shows_the_card,
)
from tests.makers.journeys import TILL, open_town, token
from tests.makers.outside import everything_stored, stored_rows, waiting_on

pytestmark = pytest.mark.stores

CARD = "4111 1111 1111 1111"
DIGITS = "4111111111111111"
EACH = pytest.mark.parametrize("form", FORMATS, ids=lambda one: one.name)


@pytest.fixture(scope="module", autouse=True)
def town(shared_aws: None) -> None:
    open_town()
    for client in (TILL, "client-flux-v1", "client-flux-v2"):
        token(client)  # Asked for now, because what the token leaves is stored.


@pytest.fixture(autouse=True)
def nothing_is_kept(
    town: None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Whatever a test here sends, no row, message or log may come of it."""
    tills.forget()
    before = stored_rows()
    yield
    assert stored_rows() == before
    assert [waiting_on(name) for name in (queues.PAYMENTS, queues.RECEIPTS)] == [0, 0]
    printed = capfd.readouterr()
    logged = "".join(repr(record.__dict__) for record in caplog.records) + caplog.text
    for seen in (everything_stored(), logged, printed.out, printed.err):
        assert not shows_the_card(seen)


def refusal(said: Said) -> tuple[int, str, str | None]:
    """Status, code and field of a problem."""
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.body["status"] == said.status
    assert set(said.body) <= {"title", "status", "code", "detail", "field"}
    return said.status, said.body["code"], said.body.get("field")


@EACH
@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b'{"a": "' + b"x" * 1_048_576 + b'"}', 413, "too_large"),
        (b'{"a": "\xff"}', 400, "not_utf8"),
        (b"[" * 13 + b"]" * 13, 400, "too_deep"),
        (b"[" * 100_000, 400, "not_json"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
        (b'{"a": NaN}', 400, "not_json"),
        (b'{"a": -Infinity}', 400, "not_json"),
        (b'{"a": 1e99}', 400, "number"),
        (b'{"a": "\\ud800"}', 400, "not_utf8"),
        (b"<xml/>", 400, "not_json"),
        (b"", 400, "not_json"),
        (b'"only a text"', 422, "shape"),
        (b"42", 422, "shape"),
        (b"null", 422, "shape"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_refuses_a_body_that_no_format_knows(
    form: Format, raw: bytes, status: int, code: str
) -> None:
    said = form.send(raw)

    assert refusal(said) == (status, code, None)


@EACH
@pytest.mark.requirement("RCP-05")
@pytest.mark.requirement("SEC-05")
@pytest.mark.parametrize("value", [CARD, DIGITS, f"paid with {CARD[:4]}-{CARD[5:]} thanks"])
def test_refuses_a_card_number_in_free_text(form: Format, value: str) -> None:
    said = form.send(form.changed({form.text: value}))

    assert refusal(said)[:2] == (422, "card_number")
    assert said.body["field"].endswith(form.text.rpartition(".")[2])
    assert "4111" not in json.dumps(said.body)


@EACH
@pytest.mark.requirement("SEC-05")
def test_refuses_a_card_number_as_a_number_a_name_or_in_an_unknown_field(form: Format) -> None:
    odd: list[dict[str, Any]] = [
        {"unknown": int(DIGITS)},
        {"unknown": {"deep": [{"inside": CARD}]}},
        {CARD: 1},
        {form.reference: DIGITS},
        {"unknown": "４１１１ １１１１ １１１１ １１１１"},
    ]

    answers = [form.send(form.changed(change)) for change in odd]

    assert [refusal(said)[:2] for said in answers] == [(422, "card_number")] * 5
    assert "4111" not in json.dumps([said.body for said in answers])


@EACH
@pytest.mark.requirement("RCP-06")
@pytest.mark.parametrize("currency", ["XAU", "gbp", "£", "EURO"])
def test_refuses_an_unknown_currency(form: Format, currency: str) -> None:
    said = form.send(form.changed({form.currency: currency}))

    assert refusal(said) == (422, "unknown_currency", form.field(form.currency))


@pytest.mark.parametrize(
    ("form", "amount", "code", "field"),
    [
        (FLUX_V1, 7.45, "shape", "[0].amount"),
        (FLUX_V2, 7.45, "shape", "[0].amount.amount"),
        (FLUX_V2, "7.45", "not_minor_units", "[0].amount.amount"),
        (MONZO, -7.45, "shape", "data.amount"),
        (STARLING, 45.1, "shape", "content.amount.minorUnits"),
        (FIDEL, 18.405, "not_minor_units", "amount"),
        (STANDARD, 21.3, "shape", "data.amount.minor"),
        (STANDARD, "2130", "shape", "data.amount.minor"),
        (MERCHANT, 7.45, "shape", "amount"),
        (NATIVE, 7.45, "shape", "total_minor"),
        (NATIVE, True, "shape", "total_minor"),
        (FLUX_V1, -745, "negative_amount", "[0].amount"),
        (FLUX_V2, -1899, "negative_amount", "[0].amount.amount"),
        (STARLING, -1, "negative_amount", "content.amount.minorUnits"),
        (FIDEL, -18.4, "negative_amount", "amount"),
        (STANDARD, -1, "negative_amount", "data.amount.minor"),
        (FLUX_V1, 10**13, "not_minor_units", "[0].amount"),
        (MONZO, -(10**13), "not_minor_units", "data.amount"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
@pytest.mark.requirement("RCP-06")
def test_refuses_an_amount_that_is_not_whole_minor_units(
    form: Format, amount: object, code: str, field: str
) -> None:
    said = form.send(form.changed({form.amount: amount}))

    assert refusal(said) == (422, code, field)


@EACH
@pytest.mark.parametrize("time", ["2026-08-01T12:00:00Z", "2026-11-22T12:00:00Z"])
def test_refuses_a_time_in_the_far_past_or_future(form: Format, time: str) -> None:
    code = "time_out_of_range"
    if form in (MERCHANT, NATIVE):
        code = "time_in_past" if time < "2026-11" else "time_in_future"

    said = form.send(form.changed({form.time: time}))

    assert refusal(said) == (422, code, form.field(form.time))


@EACH
@pytest.mark.parametrize("time", ["yesterday", "2026-13-20T12:00:00Z", "0000-01-01T00:00:00Z", ""])
def test_refuses_what_is_no_time(form: Format, time: str) -> None:
    said = form.send(form.changed({form.time: time}))

    assert refusal(said) == (422, "time", form.field(form.time))


@EACH
@pytest.mark.requirement("RCP-04")
def test_refuses_what_lacks_amount_currency_or_time(form: Format) -> None:
    answers = [form.send(form.changed({n: ...})) for n in (form.amount, form.currency, form.time)]

    assert [refusal(said)[:2] for said in answers] == [(422, "shape")] * 3


@pytest.mark.requirement("RCP-04")
@pytest.mark.parametrize(
    ("form", "name", "code"),
    [(NATIVE, "store", "store_unnamed"), (MERCHANT, "storeId", "store_unnamed")],
)
def test_refuses_a_receipt_that_names_no_store(form: Format, name: str, code: str) -> None:
    said = form.send(form.changed({name: ...}))

    assert refusal(said) == (422, code, name)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"total_minor": 744}, "total_mismatch", "total_minor"),
        ({"lines.1.amount_minor": 146}, "total_mismatch", "total_minor"),
        ({"lines.0.amount_minor": 601}, "line_price_mismatch", "lines[0].amount_minor"),
        ({"tenders.0.amount_minor": 700}, "tenders_mismatch", "tenders"),
        ({"lines.0.quantity": "-2"}, "negative_quantity", "lines[0].quantity"),
        ({"lines.0.quantity": "0"}, "zero_quantity", "lines[0].quantity"),
        ({"lines.0.amount_minor": -600}, "negative_amount", "lines[0].amount_minor"),
        ({"lines": [{"description": "x", "amount_minor": 1}] * 501}, "too_many", "lines"),
        ({"store": "9999"}, "unknown_store", "store"),
        ({"tenders.0.last_four": "12345"}, "last_four", "tenders[0].last_four"),
        (
            {"lines.0.taxes": [{"amount_minor": 1, "rate": "NaN"}]},
            "quantity",
            "lines[0].taxes[0].rate",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_a_receipt_by_the_rule_it_breaks(
    change: dict[str, Any], code: str, field: str
) -> None:
    status = 413 if code == "too_many" else 422

    said = NATIVE.send(NATIVE.changed(change))

    assert refusal(said) == (status, code, field)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amount": 744}, "total_mismatch", "amount"),
        ({"items.0.quantity": -2}, "negative_quantity", "items[0].quantity"),
        ({"items": [{"description": "x", "price": 1}] * 501}, "too_many", "items"),
        ({"storeId": "9999"}, "unknown_store", "storeId"),
        ({"card": {"lastFour": "12"}}, "last_four", "card.lastFour"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_a_flux_sale_by_the_rule_it_breaks_in_fluxs_words(
    change: dict[str, Any], code: str, field: str
) -> None:
    status = 413 if code == "too_many" else 422

    said = MERCHANT.send(MERCHANT.changed(change))

    assert refusal(said) == (status, code, field)


@pytest.mark.parametrize("form", [FLUX_V1, FLUX_V2, MERCHANT, NATIVE], ids=lambda one: one.name)
def test_refuses_an_array_of_over_a_hundred(form: Format) -> None:
    said = form.send([form.sample] * 101)

    code = "too_many_entries" if form in (MERCHANT, NATIVE) else "too_large"
    assert refusal(said) == (413, code, None)
