"""Packing: everything comes back as it was, in fewer bytes, and old bytes still open."""

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.runtime import packing
from chalicelib.runtime.packing import RECORDS_MIN, TooLargeUnpacked, field_names, pack, unpack


class Colour(Enum):
    """A colour for these tests."""

    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Seed:
    """A small part."""

    grams: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fruit:
    """A record with a field of every kind that is stored, most of them with defaults."""

    name: str
    picked_at: datetime
    colour: Colour = Colour.GREEN
    weight: Decimal = Decimal(1)
    is_ripe: bool = True
    rank: int = 1
    raw: bytes = b""
    origin: str | None = None
    seeds: tuple[Seed, ...] = ()
    core: Seed | None = None
    labels: dict[str, int] = field(default_factory=dict)


FRUITS = st.builds(
    Fruit,
    name=st.text(max_size=5),
    picked_at=st.datetimes(timezones=st.just(UTC)),
    colour=st.sampled_from(Colour),
    weight=st.sampled_from([Decimal(1), Decimal("1.0"), Decimal("0.250")]),
    is_ripe=st.booleans(),
    rank=st.integers(0, 2),
    raw=st.binary(max_size=3),
    origin=st.none() | st.text(max_size=3),
    seeds=st.lists(
        st.builds(Seed, st.integers(0, 2), st.lists(st.text(max_size=2), max_size=3).map(tuple)),
        max_size=RECORDS_MIN + 2,
    ).map(tuple),
    core=st.none() | st.builds(Seed),
    labels=st.dictionaries(st.text(max_size=2), st.integers(0, 2**63), max_size=2),
)


@given(st.lists(FRUITS, max_size=RECORDS_MIN + 3).map(tuple))
def test_everything_comes_back_as_it_was(fruits: tuple[Fruit, ...]) -> None:
    opened = unpack(pack(fruits), tuple[Fruit, ...])

    assert opened == fruits
    assert [str(one.weight) for one in opened] == [str(one.weight) for one in fruits]


@given(FRUITS)
def test_opens_what_was_packed_before_the_names_of_rewards_were_in_the_dictionary(
    fruit: Fruit,
) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=packing._PURCHASES)
    before = packer.compress(msgspec.msgpack.encode(fruit)) + packer.flush()

    assert unpack(before, Fruit) == fruit


@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (760, "f6ddf39a01f526529963bd2e3cb2e75ea14314f79e5411ecf33d4b17caf8bf95"),
        (2_654, "61135afd5e40c7ca8bab8c86e9bdbab08eca61c7f90c1730053946b9fbb3d4f1"),
    ],
)
def test_nothing_changes_in_what_packed_values_look_back_into(length: int, digest: str) -> None:
    end = packing._DICTIONARY[-length:]

    assert sha256(end).hexdigest() == digest


@given(FRUITS)
def test_opens_what_was_packed_before_defaults_were_left_out(fruit: Fruit) -> None:
    dictionary = packing._DICTIONARY
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=dictionary)
    before = packer.compress(msgspec.msgpack.encode(fruit)) + packer.flush()

    assert unpack(before, Fruit) == fruit


def test_leaves_defaults_out_and_lays_long_lists_out_by_column() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    fruits = [Fruit(f"pear {number}", at, rank=number) for number in range(200)]

    together = len(pack(fruits))

    assert together < sum(len(pack(fruit)) for fruit in fruits) / 10
    assert len(pack(Fruit("pear", at))) < len(pack(Fruit("pear", at, origin="Kent", rank=7)))


def test_ignores_fields_of_a_newer_release() -> None:
    @dataclass
    class NewerSeed:
        grams: int
        colour: str

    seeds = [NewerSeed(number, "brown") for number in range(RECORDS_MIN)]

    assert unpack(pack(seeds), list[Seed]) == [Seed(number) for number in range(RECORDS_MIN)]


def test_names_every_field_also_those_left_out() -> None:
    assert field_names([Seed(), {"a": 1}]) == {"grams", "notes", "a"}


def test_refuses_what_grows_beyond_anything_stored() -> None:
    with pytest.raises(TooLargeUnpacked):
        unpack(pack(b"\x00" * 5_000_000), bytes)


def test_refuses_a_layout_it_does_not_know() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    alien = packer.compress(msgspec.msgpack.encode(msgspec.msgpack.Ext(9, b"x"))) + packer.flush()

    with pytest.raises(msgspec.ValidationError, match="unknown layout"):
        unpack(alien, list[Seed])
