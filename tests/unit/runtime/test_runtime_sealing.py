"""Sealing, for any value and any bytes: it opens whole, or it is unreadable, through rotations."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.runtime import clock, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose
from infra import master_keys

pytestmark = pytest.mark.usefixtures("shared_aws")

KEY, OTHER_KEY = vault.member_key(b"k" * 16), vault.member_key(b"o" * 16)
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
STEP = timedelta(hours=2)  # A new key seals after one.


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


def test_opens_every_value_through_every_rotation(shared_aws: None) -> None:
    moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    sealed: list[bytes] = []
    try:
        for turn in range(6):
            clock.use(lambda at=moment + turn * STEP: at)  # type: ignore[misc]
            value = {"value": turn}
            sealed.append(vault.seal(value, key=KEY, place="a|b", kept=KEPT))
            opened = [vault.open_sealed(one, dict, key=KEY, place="a|b") for one in sealed]
            assert opened == [{"value": number} for number in range(turn + 1)]
            master_keys.rotate(os.urandom, now=moment + turn * STEP)
    finally:
        clock.use(None)

    assert [one[0] for one in sealed] == [1, 2, 3, 4, 5, 6]


@given(value=VALUES)
def test_seals_a_value_anew_without_reading_it(value: Any) -> None:
    sealed = vault.seal({"value": value}, key=KEY, place="a|b", kept=KEPT)

    anew = vault.reseal(sealed, key=KEY, place="a|b")

    assert anew != sealed
    assert vault.open_sealed(anew, dict, key=KEY, place="a|b") == {"value": value}


def is_unreadable(sealed: bytes, *, key: vault.SealingKey, place: str) -> bool:
    """Whether `sealed` does not open with `key` at `place`."""
    try:
        vault.open_sealed(sealed, dict[str, Any], key=key, place=place)
    except vault.Unreadable:
        return True
    return False
