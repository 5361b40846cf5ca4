"""Sealing, for any value and any bytes: it opens whole, or it is unreadable."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.runtime import vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
KEPT = Kept(
    Category.RECEIPT,
    Purpose.RECEIPTS,
    Erasure.SHRED,
    encrypted=True,
    holds={"value": Category.RECEIPT},
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PLACES = st.text(max_size=30)


@given(VALUES, PLACES)
def test_opens_any_value_whole_where_it_was_sealed(value: Any, place: str) -> None:
    sealed = vault.seal({"value": value}, key=KEY, place=place, kept=KEPT)

    opened = vault.open_sealed(sealed, dict[str, Any], key=KEY, place=place)
    assert opened == {"value": value}


@given(VALUES, PLACES, PLACES)
def test_opens_nothing_with_another_key_or_elsewhere(value: Any, here: str, there: str) -> None:
    sealed = vault.seal({"value": value}, key=KEY, place=here, kept=KEPT)

    assert is_unreadable(sealed, key=OTHER_KEY, place=here)
    assert is_unreadable(sealed, key=KEY, place=there) is (here != there)


@given(st.binary(max_size=80), st.booleans())
def test_calls_any_other_bytes_unreadable(raw: bytes, begins_right: bool) -> None:
    assert is_unreadable(b"\x01" + raw if begins_right else raw, key=KEY, place="a|b")


def is_unreadable(sealed: bytes, *, key: bytes, place: str) -> bool:
    """Whether `sealed` does not open with `key` at `place`."""
    try:
        vault.open_sealed(sealed, dict[str, Any], key=key, place=place)
    except vault.Unreadable:
        return True
    return False
