"""Ids: the same name gives the same id, and no two names run together."""

import re

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import (
    ID_LENGTH,
    ConnectionId,
    RetailerId,
    encode_id,
    natural_id,
    payment_id_of,
    receipt_id_of,
)

PARTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=4)


@given(PARTS, PARTS)
def test_gives_equal_ids_to_equal_names_only(one: list[str], other: list[str]) -> None:
    assert (natural_id("a", *one) == natural_id("a", *other)) is (one == other)


@given(PARTS)
def test_looks_like_an_id_whatever_the_name(parts: list[str]) -> None:
    assert re.fullmatch(r"[a-z2-7]{26}", natural_id("a", *parts))


@given(st.binary(min_size=17, max_size=40))
def test_encodes_130_bits_of_what_it_is_given(raw: bytes) -> None:
    encoded = encode_id(raw)

    assert len(encoded) == ID_LENGTH
    assert encode_id(raw[:16] + bytes([raw[16] ^ 0x80])) != encoded


def test_does_not_run_parts_together() -> None:
    ids = {natural_id("a", "bc"), natural_id("ab", "c"), natural_id("a", "b", "c")}

    assert len(ids) == 3


def test_keeps_the_ids_that_are_already_stored() -> None:
    assert payment_id_of(ConnectionId("monzo"), "tx_1") == "iwv7o763rxmgw5purs3hwdaa4c"
    assert receipt_id_of(RetailerId("bean"), "R-1") == "k5opo2kg5ipusvprl6rxv7s5be"
