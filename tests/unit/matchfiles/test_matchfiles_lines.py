"""Lines of payments and receipts: what is taken, and which word refuses what is not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.refusals import Rejected
from infra.matchfiles import lines
from infra.matchfiles.lines import read_payment, read_receipt
from infra.matchfiles.rows import PaymentRow, ReceiptRow

AT = datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp()
PAYMENT: dict[str, Any] = {
    "id": "P-1",
    "member": "M-1",
    "store": "0042",
    "at": "2026-03-29T01:30:00+01:00",
    "amount_minor": 1090,
    "currency": "GBP",
}
RECEIPT: dict[str, Any] = {
    "id": "R-1",
    "store": "0042",
    "till": "3",
    "at": "2026-03-29T00:30:00Z",
    "total_minor": 1090,
    "currency": "GBP",
}
CARD_NUMBER = "4000 0566 5566 5556"


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def payment(line: bytes | None = None, **changes: Any) -> PaymentRow:
    return read_payment(line or raw({**PAYMENT, **changes}), offset=7, number=2)


def receipt(line: bytes | None = None, **changes: Any) -> ReceiptRow:
    return read_receipt(line or raw({**RECEIPT, **changes}), offset=7, number=2)


def refusal(line: bytes, read: Any = payment) -> tuple[str, str | None, str]:
    with pytest.raises(Rejected) as caught:
        read(line)
    return caught.value.code, caught.value.field, caught.value.detail


def test_reads_a_payment_with_all_that_may_be_known() -> None:
    row = payment(
        last_four="0123",
        last_four_kind="device",
        auth_code=" 01a2b3 ",
        scheme="MasterCard",
        kind="clearing",
        nobody="asked",
    )

    assert row == PaymentRow(
        offset=7,
        line=2,
        id="P-1",
        member="M-1",
        store="0042",
        at=AT,
        amount_minor=1090,
        currency="GBP",
        last_four="0123",
        last_four_kind="device",
        auth_code="01A2B3",
        scheme="mastercard",
        kind="clearing",
    )


def test_reads_a_receipt_with_all_that_may_be_known() -> None:
    known = {"last_four": "0123", "auth_code": "01A2B3", "scheme": "visa"}

    row = receipt(**known, tip_minor=100, kind="return", refers_to="R-0", lines=[{"sku": "a"}])

    assert row == ReceiptRow(
        offset=7,
        line=2,
        id="R-1",
        store="0042",
        at=AT,
        total_minor=1090,
        currency="GBP",
        till="3",
        last_four="0123",
        last_four_kind="unknown",
        auth_code="01A2B3",
        scheme="visa",
        tip_minor=100,
        is_return=True,
        refers_to="R-0",
    )


@pytest.mark.parametrize("nothing", [None, "", ...])
def test_takes_null_and_empty_text_for_what_is_not_known(nothing: Any) -> None:
    facts = ("last_four", "last_four_kind", "auth_code", "scheme", "kind")
    given = {} if nothing is ... else dict.fromkeys(facts, nothing)

    paid = payment(**given)
    sold = receipt(**given, **({} if nothing is ... else {"till": nothing, "refers_to": nothing}))

    assert (paid.last_four, paid.last_four_kind, paid.auth_code) == (None, "unknown", None)
    assert (paid.scheme, paid.kind) == (None, "auth")
    assert (sold.till, sold.refers_to) == ("3" if nothing is ... else None, None)
    assert not sold.is_return


@pytest.mark.parametrize("total", [-1090, 1090])
def test_takes_the_total_of_a_return_with_either_sign(total: int) -> None:
    row = receipt(total_minor=total, kind="return")

    assert (row.total_minor, row.is_return) == (1090, True)


WRONG_PAYMENTS = [
    (PAYMENT | {"at": "2026-03-29T00:30:00"}, "time_offset", "at"),
    (PAYMENT | {"at": "29/03/2026 00:30"}, "time", "at"),
    (PAYMENT | {"at": 1774744200}, "shape", "at"),
    (PAYMENT | {"currency": "GBX"}, "unknown_currency", "currency"),
    (PAYMENT | {"currency": "gbp"}, "unknown_currency", "currency"),
    (PAYMENT | {"amount_minor": -1}, "negative_amount", "amount_minor"),
    (PAYMENT | {"amount_minor": 10.9}, "shape", "amount_minor"),
    (PAYMENT | {"amount_minor": 1090.0}, "shape", "amount_minor"),
    (PAYMENT | {"amount_minor": "1090"}, "shape", "amount_minor"),
    (PAYMENT | {"amount_minor": True}, "shape", "amount_minor"),
    (PAYMENT | {"amount_minor": 10**12 + 1}, "not_minor_units", "amount_minor"),
    (PAYMENT | {"id": ""}, "shape", "id"),
    (PAYMENT | {"id": "x" * 201}, "shape", "id"),
    (PAYMENT | {"store": 42}, "shape", "store"),
    (PAYMENT | {"kind": "reversal"}, "unknown_kind", "kind"),
    (PAYMENT | {"last_four": "123"}, "last_four", "last_four"),
    (PAYMENT | {"last_four": "１２３４"}, "last_four", "last_four"),
    (PAYMENT | {"last_four": 1234}, "shape", "last_four"),
    (PAYMENT | {"last_four": "1234", "last_four_kind": "pan"}, "unknown_kind", "last_four_kind"),
    ({k: v for k, v in PAYMENT.items() if k != "member"}, "shape", "member"),
    ([PAYMENT], "shape", None),
    ("text", "shape", None),
]


@pytest.mark.parametrize(("value", "code", "field"), WRONG_PAYMENTS)
def test_refuses_a_wrong_payment_by_its_field(value: Any, code: str, field: str | None) -> None:
    assert refusal(raw(value))[:2] == (code, field)


WRONG_RECEIPTS = [
    (RECEIPT | {"total_minor": -1}, "negative_amount", "total_minor"),
    (RECEIPT | {"tip_minor": -1}, "negative_amount", "tip_minor"),
    (RECEIPT | {"tip_minor": 10**12 + 1}, "not_minor_units", "tip_minor"),
    (RECEIPT | {"tip_minor": "1"}, "shape", "tip_minor"),
    (RECEIPT | {"kind": "auth"}, "unknown_kind", "kind"),
    (RECEIPT | {"at": "2026-03-29T00:30:00"}, "time_offset", "at"),
    (RECEIPT | {"till": 3}, "shape", "till"),
    ({k: v for k, v in RECEIPT.items() if k != "store"}, "shape", "store"),
]


@pytest.mark.parametrize(("value", "code", "field"), WRONG_RECEIPTS)
def test_refuses_a_wrong_receipt_by_its_field(value: Any, code: str, field: str | None) -> None:
    assert refusal(raw(value), receipt)[:2] == (code, field)


def test_says_what_was_expected_and_repeats_nothing() -> None:
    line = raw(PAYMENT | {"kind": "Ada Lovelace", "amount_minor": 1})

    assert refusal(line)[2] == "it is none of: auth, clearing, refund"
    assert refusal(raw(PAYMENT | {"amount_minor": "Ada"}))[2] == "Expected `int`, got `str`"
    missing = raw({k: v for k, v in PAYMENT.items() if k != "member"})
    assert refusal(missing)[2] == "Object missing required field `member`"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"id": "P-1"', "not_json"),
        (b"\xff" + raw(PAYMENT), "not_utf8"),
        (raw(PAYMENT)[:-2] + b', "store": "0043"}', "duplicate_key"),
        (raw(PAYMENT)[:-2] + b', "store" : "0043"}', "duplicate_key"),
        (raw(PAYMENT)[:-2] + b', "amount_minor": 1}', "duplicate_key"),
        (raw(PAYMENT)[:-2] + b', "amount_minor": NaN}', "not_json"),
        (raw(PAYMENT | {"note": "x" * lines.LINE_BYTES_MAX}), "too_large"),
    ],
)
def test_refuses_what_is_no_strict_json(line: bytes, code: str) -> None:
    assert refusal(line)[0] == code


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize(
    "changes",
    [
        {"note": CARD_NUMBER},
        {"note": CARD_NUMBER.replace(" ", "-")},
        {"note": f"paid with {CARD_NUMBER.replace(' ', '')}, thanks"},
        {"note": int(CARD_NUMBER.replace(" ", ""))},
        {"note": CARD_NUMBER.replace(" ", "\u2009")},
        {"note": "４０００056655665556"},
        {"note": ["a", {"b": CARD_NUMBER}]},
        {"auth_code": CARD_NUMBER},
        {"id": CARD_NUMBER},
        {"member": CARD_NUMBER},
        {CARD_NUMBER: 1},
    ],
)
def test_refuses_a_card_number_anywhere_and_does_not_repeat_it(changes: dict[str, Any]) -> None:
    for line, read in ((raw(PAYMENT | changes), payment), (raw(RECEIPT | changes), receipt)):
        code, field, detail = refusal(line, read)

        assert code == "card_number"
        assert "5556" not in f"{field} {detail}"


def test_takes_names_of_many_digits_that_no_card_begins_with() -> None:
    # Passes Luhn, but no scheme's cards begin so.
    assert payment(id="9000000000000001", member="9000000000000001").id == "9000000000000001"


SEPARATORS = st.sampled_from(["", " ", "-", ".", " - ", "\u00a0", "    ", "/"])


@given(
    groups=st.lists(st.tuples(st.text("0123456789", min_size=1, max_size=6), SEPARATORS)),
    note=st.text(max_size=8),
)
def test_reads_the_same_on_both_ways(groups: list[tuple[str, str]], note: str) -> None:
    line = raw(RECEIPT | {"till": note + "".join(digits + between for digits, between in groups)})

    assert _outcome(lambda: lines._read(line, lines._RECEIPT)) == _outcome(
        lambda: lines._read_carefully(line, lines._RECEIPT)
    )


def _outcome(read: Any) -> object:
    try:
        return read()
    except Rejected as refused:
        return refused.code, refused.field, refused.detail
