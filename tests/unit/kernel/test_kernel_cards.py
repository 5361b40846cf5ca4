"""Card facts: tidied so that both sides compare equal, and never a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.cards import LastFour, LastFourKind, tidy_auth_code, tidy_scheme
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotAllowed


@pytest.mark.requirement("LNK-03")
def test_keeps_four_digits_and_their_kind() -> None:
    card = LastFour("0042", LastFourKind.CARD)

    assert (card.digits, card.kind) == ("0042", LastFourKind.CARD)
    assert card != LastFour("0042", LastFourKind.DEVICE)


@pytest.mark.parametrize("digits", ["", "123", "12345", "12a4", "١٢٣٤", "1234\n", " 123"])
def test_refuses_anything_but_four_ascii_digits(digits: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        LastFour(digits, LastFourKind.UNKNOWN)

    assert refused.value.code == "last_four"


@pytest.mark.parametrize(
    ("given_code", "tidied"),
    [
        ("a1b2c3", "A1B2C3"),
        (" 012345 ", "012345"),
        ("000000", None),
        ("0", None),
        ("", None),
        (None, None),
        ("A-1", None),
        ("1234567890123", None),
    ],
)
def test_tidies_an_auth_code_and_drops_fillers(given_code: str | None, tidied: str | None) -> None:
    assert tidy_auth_code(given_code) == tidied


@given(st.text(max_size=30))
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy_auth_code(tidy_auth_code(text)) == tidy_auth_code(text)
    assert tidy_scheme(tidy_scheme(text)) == tidy_scheme(text)


@pytest.mark.parametrize(
    ("given_scheme", "tidied"),
    [
        ("MasterCard", "mastercard"),
        ("MASTER_CARD", "mastercard"),
        ("mc", "mastercard"),
        ("American Express", "amex"),
        ("VISA", "visa"),
        ("  ", None),
        (None, None),
    ],
)
def test_tidies_a_scheme_to_one_word(given_scheme: str | None, tidied: str | None) -> None:
    assert tidy_scheme(given_scheme) == tidied


@given(st.text(min_size=4))
def test_a_personal_value_prints_as_dots_everywhere(secret: str) -> None:
    personal = Personal(secret)

    shown = [str(personal), repr(personal), f"{personal}", f"{personal:>3}", f"{personal!r}"]
    assert shown == ["•••"] * 5
    assert repr([personal]) == "[•••]"
    assert personal.reveal() == secret


def test_a_personal_value_equals_its_like_and_not_what_it_holds() -> None:
    assert Personal("a") == Personal("a")
    assert hash(Personal("a")) == hash(Personal("a"))
    assert Personal("a") != Personal("b")
    assert Personal("a") != "a"


def test_a_personal_value_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        Personal("a").__reduce__()
