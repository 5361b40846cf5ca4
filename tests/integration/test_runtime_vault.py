"""The vault: what is sealed opens where it stands and with its key, and nowhere else."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import msgspec
import pytest

from chalicelib.runtime import ring, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose

SHRED = Kept(
    Category.RECEIPT,
    Purpose.RECEIPTS,
    Erasure.SHRED,
    encrypted=True,
    holds={"name": Category.RECEIPT, "price": Category.RECEIPT, "colour": Category.RECEIPT}
    | {"at": Category.RECEIPT, "raw": Category.RECEIPT},
)
PLAIN = Kept(Category.RECEIPT, Purpose.RECEIPTS, Erasure.KEEP, holds=SHRED.holds)


class Colour(Enum):
    """A colour for these tests."""

    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Pear:
    """A value for these tests, with every kind of field that is stored."""

    name: str
    price: Decimal = Decimal("0.250")
    colour: Colour = Colour.GREEN
    at: datetime = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    raw: bytes = b"\x00\xff"


@dataclass(frozen=True, slots=True)
class NewerPear:
    """The same with a field that the register does not know."""

    name: str
    weight: int


PEAR = Pear("Conférence 🍐")
PLACE = "member#a|purchase#b"


def test_opens_what_it_sealed_whole(embedded_aws: None) -> None:
    key = vault.member_key(vault.new_salt())

    sealed = vault.seal(PEAR, key=key, place=PLACE, kept=SHRED)

    assert vault.open_sealed(sealed, Pear, key=key, place=PLACE) == PEAR
    assert b"Conf" not in sealed


def test_seals_the_same_value_differently_each_time(embedded_aws: None) -> None:
    key = vault.platform_key("pages")

    sealed = {vault.seal(PEAR, key=key, place=PLACE, kept=SHRED) for _ in range(20)}

    assert len(sealed) == 20


def test_does_not_open_where_it_does_not_stand(embedded_aws: None) -> None:
    key = vault.platform_key("pages")
    sealed = vault.seal(PEAR, key=key, place=PLACE, kept=SHRED)

    with pytest.raises(vault.Unreadable):
        vault.open_sealed(sealed, Pear, key=key, place="member#a|purchase#c")


def test_does_not_open_once_the_salt_is_gone(embedded_aws: None) -> None:
    salt = vault.new_salt()
    sealed = vault.seal(PEAR, key=vault.member_key(salt), place=PLACE, kept=SHRED)

    for other in (vault.member_key(vault.new_salt()), vault.platform_key("pages")):
        with pytest.raises(vault.Unreadable):
            vault.open_sealed(sealed, Pear, key=other, place=PLACE)


def test_does_not_open_when_any_byte_was_changed_or_cut_off(embedded_aws: None) -> None:
    key = vault.platform_key("pages")
    sealed = vault.seal(PEAR, key=key, place=PLACE, kept=SHRED)

    changed = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    for broken in [*changed, *(sealed[:i] for i in range(len(sealed)))]:
        with pytest.raises(vault.Unreadable):
            vault.open_sealed(broken, Pear, key=key, place=PLACE)


def test_does_not_open_what_grows_beyond_anything_stored(embedded_aws: None) -> None:
    key = vault.platform_key("pages")
    bomb = vault.seal(b"\x00" * 10_000_000, key=key, place=PLACE, kept=SHRED)

    with pytest.raises(vault.Unreadable, match="larger"):
        vault.open_sealed(bomb, bytes, key=key, place=PLACE)


@pytest.mark.parametrize(
    "value",
    [
        NewerPear("a", 1),
        [PEAR, NewerPear("a", 1)],
        (NewerPear("a", 1),),
        {"name": "a", "weight": 1},
        msgspec.defstruct("Struct", [("weight", int)])(1),
    ],
)
def test_refuses_to_seal_a_field_that_is_not_in_the_register(
    embedded_aws: None, value: object
) -> None:
    with pytest.raises(vault.UndeclaredField, match="weight"):
        vault.seal(value, key=vault.platform_key("pages"), place=PLACE, kept=SHRED)


def test_refuses_to_seal_what_the_register_says_is_open(embedded_aws: None) -> None:
    with pytest.raises(vault.UndeclaredField, match="not encrypted"):
        vault.seal(PEAR, key=vault.platform_key("pages"), place=PLACE, kept=PLAIN)


def test_seals_a_list_of_declared_values(embedded_aws: None) -> None:
    key = vault.platform_key("pages")

    sealed = vault.seal([PEAR, PEAR], key=key, place=PLACE, kept=SHRED)

    assert vault.open_sealed(sealed, list[Pear], key=key, place=PLACE) == [PEAR, PEAR]


def test_refuses_to_seal_more_than_a_row_holds(embedded_aws: None) -> None:
    key = vault.platform_key("pages")

    with pytest.raises(ValueError, match="too large"):
        vault.seal(os.urandom(390_000), key=key, place=PLACE, kept=SHRED)


def test_finds_a_reference_by_the_same_name_only(embedded_aws: None) -> None:
    names = [("account", "a", "bc"), ("account", "ab", "c"), ("card", "a", "bc")]

    assert vault.lookup_key("account", "a", "bc") == vault.lookup_key("account", "a", "bc")
    assert len({vault.lookup_key(kind, *parts) for kind, *parts in names}) == 3


def test_seals_for_each_whose_key_it_is_apart_from_every_other(embedded_aws: None) -> None:
    keys = [vault.platform_key("a"), vault.platform_key("b")]
    keys += [vault.member_key(b"a" * 16), vault.member_key(b"b" * 16)]
    sealed = [vault.seal(PEAR, key=key, place=PLACE, kept=SHRED) for key in keys]

    opens = [[is_opened(one, key) for key in keys] for one in sealed]

    assert opens == [[i == j for j in range(4)] for i in range(4)]


def is_opened(sealed: bytes, key: vault.SealingKey) -> bool:
    """Whether `sealed` opens to the pear with `key`."""
    try:
        return vault.open_sealed(sealed, Pear, key=key, place=PLACE) == PEAR
    except vault.Unreadable:
        return False


def test_shows_neither_salt_nor_key_in_words(embedded_aws: None) -> None:
    assert "MARKER" not in repr(vault.member_key(b"MARKER-of-member"))
    assert "key" not in repr(ring.sealing_key()).replace("MasterKey", "")
