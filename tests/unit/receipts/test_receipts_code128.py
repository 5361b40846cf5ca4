"""Code 128: worked examples, the table's own laws, and reading back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.receipts import code128


def test_writes_letters_in_set_b_and_pairs_of_digits_in_set_c() -> None:
    # Worked examples: 104 + 48·1 + 42·2 + 42·3 + 17·4 + 18·5 + 19·6 + 35·7 = 879 ≡ 55 (mod 103),
    # and 105 + 12·1 + 34·2 = 185 ≡ 82.
    assert code128.symbols("PJJ123C") == [104, 48, 42, 42, 17, 18, 19, 35, 55, 106]
    assert code128.symbols("1234") == [105, 12, 34, 82, 106]


def test_every_symbol_is_eleven_modules_with_an_even_number_of_them_black() -> None:
    *usual, stop = code128._WIDTHS

    assert (len(usual), len(set(usual)), stop) == (106, 106, "2331112")
    for widths in usual:
        digits = [int(digit) for digit in widths]
        assert sum(digits) == 11
        assert sum(digits[0::2]) % 2 == 0


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80))
def test_a_barcode_reads_back_as_its_text(text: str) -> None:
    start, *values, check, stop = code128.symbols(text)
    weighted = start + sum(place * value for place, value in enumerate(values, 1))

    read = "".join(f"{value:02}" if start == 105 else chr(value + 32) for value in values)
    assert (read, check, stop) == (text, weighted % 103, 106)
    assert code128.to_svg(text).count("M") == 3 * (len(values) + 2) + 4


@pytest.mark.parametrize("text", ["", "é", "x" * 81, "a\nb"])
def test_refuses_what_code_128_cannot_write(text: str) -> None:
    with pytest.raises(code128.NotCode128):
        code128.to_svg(text)
