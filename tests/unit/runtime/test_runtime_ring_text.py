"""The ring as text: a round trip loses nothing, and a ring that breaks a rule is named as one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.runtime import ring
from chalicelib.runtime.settings import InvalidSetting

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEYS = st.binary(min_size=32, max_size=32)
TEXT = base64.b64encode(b"k" * 32).decode()
ONE = {"number": 1, "key": TEXT, "seals_from": "2026-11-20T12:00:00Z"}


@given(KEYS, st.lists(KEYS, min_size=1, max_size=ring.KEYS_MAX))
def test_a_ring_comes_back_whole_after_rotations(names_key: bytes, drawn: list[bytes]) -> None:
    held = ring.first_ring(names_key=names_key, key=drawn[0], now=START)
    for turn, key in enumerate(drawn[1:], start=1):
        held = ring.decode(ring.encode(ring.decide_rotation(held, key, now=START + turn * HOUR)))

    assert held.names_key == names_key
    assert [one.key for one in held.keys] == drawn
    assert [one.number for one in held.keys] == list(range(1, len(drawn) + 1))


def test_of_several_keys_the_youngest_that_has_begun_seals() -> None:
    held = ring.first_ring(names_key=b"n" * 32, key=b"1" * 32, now=START)
    for turn in (1, 2):
        held = ring.decide_rotation(held, b"k" * 32, now=START + turn * HOUR)

    numbers = [held.sealing(now=START + turn * HOUR).number for turn in range(-1, 5)]

    assert numbers == [1, 1, 1, 2, 3, 3]


def test_takes_no_more_than_sixteen_keys_and_no_number_after_255() -> None:
    held = ring.first_ring(names_key=b"n" * 32, key=b"1" * 32, now=START)
    for turn in range(1, ring.KEYS_MAX):
        held = ring.decide_rotation(held, b"k" * 32, now=START + turn * HOUR)
    last = ring.Ring(b"n" * 32, (ring.MasterKey(255, b"k" * 32, START),))

    for full in (held, last):
        with pytest.raises(ring.TooManyMasterKeys):
            ring.decide_rotation(full, b"k" * 32, now=START + 100 * HOUR)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"names_key": TEXT, "keys": []},
        {"names_key": TEXT, "keys": [ONE, ONE]},
        {"names_key": TEXT, "keys": [{**ONE, "number": 0}]},
        {"names_key": TEXT, "keys": [{**ONE, "number": 256}]},
        {"names_key": TEXT, "keys": [{**ONE, "number": "1"}]},
        {"names_key": TEXT, "keys": [{**ONE, "key": TEXT[:-4]}]},
        {"names_key": TEXT, "keys": [{**ONE, "key": "not base64!"}]},
        {"names_key": TEXT, "keys": [{**ONE, "seals_from": "2026-11-20T12:00:00"}]},
        {"names_key": TEXT, "keys": [{**ONE, "seals_from": "tomorrow"}]},
        {"names_key": "", "keys": [ONE]},
        {"names_key": TEXT, "keys": [{**ONE, "number": n} for n in range(1, 18)]},
    ],
)
def test_refuses_a_ring_that_breaks_a_rule_and_shows_nothing_of_it(document: Any) -> None:
    with pytest.raises(InvalidSetting, match="the secret master-key") as refusal:
        ring.decode(json.dumps(document))

    assert TEXT not in str(refusal.value)


@given(st.text())
def test_any_text_is_a_ring_or_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting):
        ring.decode(text)
