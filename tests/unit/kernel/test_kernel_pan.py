"""Card numbers are found wherever they stand, and what only looks like one is let through."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.kernel.pan import (
    CardNumberFound,
    holds_card_number,
    holds_issued_number,
    mask_card_numbers,
    passes_gs1,
    passes_luhn,
    refuse_card_numbers,
)

CARD = "4111111111111111"
MASKED = "[card number removed]"


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """13 to 19 digits with a Luhn digit at the end."""
    body = draw(st.text("0123456789", min_size=12, max_size=18))
    return next(body + digit for digit in "0123456789" if passes_luhn(body + digit))


@st.composite
def written_card_numbers(draw: st.DrawFn) -> str:
    """A card number as people write it: in groups, with a separator of up to three characters."""
    digits = draw(card_numbers())
    separator = draw(st.sampled_from(["", " ", "-", ".", "  ", " - ", "\u00a0", "\u2009", "–"]))
    size = draw(st.integers(2, 6))
    return separator.join(digits[i : i + size] for i in range(0, len(digits), size))


@pytest.mark.requirement("RCP-05")
@pytest.mark.requirement("SEC-05")
@given(
    written_card_numbers(),
    st.text(st.characters(exclude_categories=["Nd"]), max_size=8),
    st.text(st.characters(exclude_categories=["Nd"]), max_size=8),
)
def test_finds_and_masks_a_card_number_within_any_text(
    written: str, before: str, after: str
) -> None:
    text = before + written + after
    assume(not (set(before[-8:] + after[:8]) & set("abcdefABCDEF")))  # else a hexadecimal id

    assert holds_card_number(text)
    masked = mask_card_numbers(text)
    assert not holds_card_number(masked)
    assert written not in masked


@given(st.text(st.sampled_from("0123456789 -.aF\u00a0٣,"), max_size=80))
def test_leaves_no_card_number_after_masking(text: str) -> None:
    masked = mask_card_numbers(text)

    assert not holds_card_number(masked)
    assert holds_card_number(text) or masked == text


@given(st.text("0123456789", min_size=13, max_size=19))
def test_finds_plain_digits_exactly_where_luhn_says(digits: str) -> None:
    assert holds_card_number(digits) is passes_luhn(digits)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "card4111111111111111paid",
        "3782 822463 10005",
        "please charge 5555.5555.5555.4444 today",
        "x 12 4111 1111 1111 1111 34",
        "４１１１１１１１１１１１１１１１",
        "٤١١١١١١١١١١١١١١١",
        "4111\u200b1111\u200b1111\u200b1111",
        "6011 1111 1111 1117 and 4111111111111111",
    ],
)
def test_finds_numbers_however_they_are_written(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",
        "411111111111",
        "41111111111111111111",
        "0f3e4567-e89b-12d3-a456-426614174000",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "2026-11-20T12:00:00.123456Z",
        "4111 1111, 1111 1111",
    ],
)
def test_lets_through_what_only_looks_like_one(text: str) -> None:
    assert not holds_card_number(text)


def test_masks_each_number_and_leaves_the_rest() -> None:
    text = "a 4111 1111 1111 1111, b 5555555555554444."

    assert mask_card_numbers(text) == f"a {MASKED}, b {MASKED}."


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize(
    ("value", "field"),
    [
        (CARD, None),
        (int(CARD), None),
        ({"a": [{"note": f"paid with {CARD}"}]}, "a[0].note"),
        ({"a": {"b": int(CARD)}}, "a.b"),
        ({"a": {CARD: 1}}, "a"),
        ([1, [CARD]], "[1][0]"),
        ({"gtin": CARD}, "gtin"),
        ({"sku": "4222222222222"}, "sku"),
    ],
)
def test_refuses_a_card_number_anywhere_and_names_the_field(value: object, field: str) -> None:
    with pytest.raises(CardNumberFound) as refused:
        refuse_card_numbers(value)

    assert refused.value.code == "card_number"
    assert refused.value.field == field
    assert CARD not in str(refused.value)


def test_takes_a_product_code_in_a_field_for_product_codes_only() -> None:
    code = "5012345678900"
    looks_like_a_card = next(
        gtin
        for gtin in (f"50123456{n:04}" for n in range(1000))
        for gtin in [gtin + str(digit) for digit in range(10)]
        if passes_gs1(gtin) and passes_luhn(gtin)
    )

    assert passes_gs1(code)
    refuse_card_numbers({"lines": [{"gtin": looks_like_a_card, "SKU": looks_like_a_card}]})
    with pytest.raises(CardNumberFound):
        refuse_card_numbers({"note": looks_like_a_card})


def test_takes_product_codes_in_lists_of_them_and_nothing_else_there() -> None:
    """What schemes and campaigns name goods by: this code passes Luhn too."""
    refuse_card_numbers({"lines": {"gtins": ["5000159400022"], "skus": ["5000159400022", "MARS"]}})

    for value, field in (
        ({"gtins": ["5000159400022", CARD]}, "gtins[1]"),
        ({"skus": [["5000159400022"]]}, "skus[0][0]"),
        ({"skus": [{"note": CARD}]}, "skus[0].note"),
        ({"gtins": "5000159400022"}, "gtins"),
        ({"stores": ["5000159400022"]}, "stores[0]"),
        ({"gtins": ["4222222222222"]}, "gtins[0]"),
    ):
        with pytest.raises(CardNumberFound) as refused:
            refuse_card_numbers(value)
        assert refused.value.field == field


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_walks_any_json_without_breaking(value: object) -> None:
    try:
        refuse_card_numbers(value)
    except CardNumberFound as refusal:
        assert refusal.code == "card_number"


@pytest.mark.parametrize("pattern", ["1 2 ", "0 3 7 ", "4 1-", "123456 ", "9" * 20 + " ", "a1"])
def test_reads_the_longest_body_in_reasonable_time(pattern: str) -> None:
    text = pattern * (1_048_576 // len(pattern))
    began = time.process_time()

    holds_card_number(text)

    assert time.process_time() - began < 10


@pytest.mark.requirement("RCP-05")
@pytest.mark.parametrize("field", ["mid", "merchantId", "reference", "id", "userId"])
def test_a_name_that_passes_luhn_and_begins_like_no_card_is_a_name(field: str) -> None:
    refuse_card_numbers({field: "123456789012347"})

    with pytest.raises(CardNumberFound) as refusal:
        refuse_card_numbers({field: "4111 1111 1111 1111"})
    assert refusal.value.field == field


def test_the_same_number_in_any_other_field_is_refused() -> None:
    with pytest.raises(CardNumberFound):
        refuse_card_numbers({"notes": "123456789012347"})


@pytest.mark.parametrize(
    "number",
    [
        "4222222222222",
        "4111111111111111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "3530111333300000",
        "6011111111111117",
        "6759649826438453",
    ],
)
def test_knows_the_numbers_of_every_scheme(number: str) -> None:
    assert holds_issued_number(number)
