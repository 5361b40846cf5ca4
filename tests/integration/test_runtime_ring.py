"""The ring of master keys: what old code sealed opens, and rotations are seen in time."""

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.runtime import aws, clock, ring, secretsmanager, settings, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose
from infra import master_keys
from tests.makers.calls import counting_aws_calls
from tests.makers.secrets import hold_ring, nothing_sealed, refusing_secrets

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sealed_by_one_master_key.json").read_text()
)
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KEY = vault.platform_key("pages")
PLACE = "a|b"
KEPT = Kept(
    Category.RECEIPT,
    Purpose.RECEIPTS,
    Erasure.SHRED,
    encrypted=True,
    holds=dict.fromkeys(("name", "lines", "total_minor"), Category.RECEIPT),
)


class Hand:
    """The hand of a clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON


@pytest.fixture
def hand(embedded_aws: None) -> Iterator[Hand]:
    moved = Hand()
    clock.use(lambda: moved.at)
    yield moved
    clock.use(None)


def seal(name: str = "Crumb") -> bytes:
    return vault.seal({"name": name}, key=KEY, place=PLACE, kept=KEPT)


def open_name(sealed: bytes) -> str:
    opened: dict[str, str] = vault.open_sealed(sealed, dict[str, str], key=KEY, place=PLACE)
    return opened["name"]


def of_old_code(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.mark.parametrize("rotations", [0, 2])
def test_opens_what_was_sealed_before_there_was_a_ring(hand: Hand, rotations: int) -> None:
    old = of_old_code(VECTORS["master_key"])
    hold_ring(ring.first_ring(names_key=old, key=old, now=BEGUN))
    for _ in range(rotations):
        master_keys.rotate(os.urandom, now=hand.at)
        hand.at += 2 * HOUR

    opened = [open_vector(one) for one in VECTORS["sealed"]]

    assert opened == [VECTORS["value"]] * 6
    assert seal()[0] == 1 + rotations


def open_vector(vector: dict[str, str]) -> Any:
    purpose = vector["purpose"]
    key = vault.platform_key(purpose) if purpose else vault.member_key(of_old_code(VECTORS["salt"]))
    return vault.open_sealed(of_old_code(vector["sealed"]), dict, key=key, place=vector["place"])


def test_finds_people_under_the_same_names_after_a_rotation(hand: Hand) -> None:
    old = of_old_code(VECTORS["master_key"])
    hold_ring(ring.first_ring(names_key=old, key=old, now=BEGUN))
    master_keys.rotate(os.urandom, now=hand.at)
    hand.at += 2 * HOUR
    vault.forget_keys()

    names = [vault.lookup_key(*one["parts"]) for one in VECTORS["names"]]

    assert names == [one["name"] for one in VECTORS["names"]]


def test_a_new_key_seals_an_hour_after_it_was_published(hand: Hand) -> None:
    added = master_keys.rotate(os.urandom, now=hand.at)

    numbers = []
    for moment in (NOON, NOON + 59 * MINUTE, NOON + HOUR, NOON + 2 * HOUR):
        hand.at = moment
        numbers.append(seal()[0])

    assert (added.number, added.seals_from) == (2, NOON + HOUR)
    assert numbers == [1, 1, 2, 2]


def test_asks_anew_for_a_number_that_an_old_ring_lacks(hand: Hand) -> None:
    before = seal("old")
    master_keys.rotate(os.urandom, now=hand.at)
    new = in_another_process_at(NOON + HOUR, hand, "new", held=before)

    with counting_aws_calls() as calls:
        opened = open_name(new)

    assert (opened, new[0], calls) == ("new", 2, ["GetSecretValue"])


def in_another_process_at(moment: datetime, hand: Hand, name: str, *, held: bytes) -> bytes:
    """What a fresh process seals at `moment`; this one holds the ring of before the rotation."""
    rotated = ring.decode(secretsmanager.read(ring.NAME).text)
    vault.forget_keys()
    hand.at = moment
    sealed = seal(name)
    hold_ring(ring.Ring(rotated.names_key, rotated.keys[:1]))
    hand.at = NOON
    assert open_name(held) == "old"
    hold_ring(rotated, forgetting=False)
    hand.at = moment
    return sealed


@pytest.mark.parametrize("number", [0, 2, 255])
def test_garbage_is_unreadable_and_makes_no_process_ask(hand: Hand, number: int) -> None:
    sealed = seal()
    garbage = bytes((number,)) + sealed[1:]

    with counting_aws_calls() as calls:
        for _ in range(50):
            with pytest.raises(vault.Unreadable):
                open_name(garbage)

    assert calls == []


def test_asks_for_the_ring_every_half_hour_and_not_before(hand: Hand) -> None:
    asked = []
    for minutes in (0, 29, 30, 45, 59, 60):
        hand.at = NOON + minutes * MINUTE
        with counting_aws_calls() as calls:
            seal()
        asked.append(len(calls))

    assert asked == [1, 0, 1, 0, 0, 1]


def test_goes_on_with_the_ring_it_has_while_the_secret_is_refused(hand: Hand) -> None:
    sealed = seal("kept")
    hand.at += 3 * HOUR

    with refusing_secrets("ThrottlingException") as refused:
        again = seal("sealed meanwhile")
        opened = [open_name(sealed), open_name(again)]
        hand.at += 30 * timedelta(seconds=1)
        seal()
        with pytest.raises(TryAgain):  # Its key may be newer than the ring.
            open_name(b"\x02" + sealed[1:])

    assert opened == ["kept", "sealed meanwhile"]
    # One call and its three retries, and then none for a minute.
    assert refused == ["GetSecretValue"] * 4


def test_goes_on_with_the_ring_it_has_where_the_secret_was_spoilt(hand: Hand) -> None:
    sealed = seal("kept")
    secretsmanager.write(ring.NAME, '{"keys": []}', version_id="v" * 32)
    hand.at += HOUR

    assert [open_name(sealed), open_name(seal("meanwhile"))] == ["kept", "meanwhile"]
    vault.forget_keys()
    with pytest.raises(settings.InvalidSetting, match="documented JSON"):
        open_name(sealed)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_says_try_again_where_the_ring_was_never_given(hand: Hand, code: str) -> None:
    with refusing_secrets(code), pytest.raises(TryAgain, match=code):
        seal()


def test_names_the_stage_that_was_never_set_up(hand: Hand) -> None:
    aws.client("secretsmanager").delete_secret(
        SecretId=settings.secret(ring.NAME), ForceDeleteWithoutRecovery=True
    )
    vault.forget_keys()

    with pytest.raises(settings.InvalidSetting, match="not been set up"):
        seal()


def test_setting_up_again_changes_nothing(hand: Hand) -> None:
    before = secretsmanager.read(ring.NAME)

    assert master_keys.set_up(os.urandom, now=hand.at) is False
    assert secretsmanager.read(ring.NAME) == before


def test_of_two_operators_who_rotate_at_once_one_is_told_to_try_again(hand: Hand) -> None:
    rotated: list[int] = []

    def draw(length: int) -> bytes:
        """Another operator rotates just after this one read the ring."""
        if not rotated:
            rotated.append(1)
            rotated.append(master_keys.rotate(draw, now=hand.at).number)
        return os.urandom(length)

    with pytest.raises(TryAgain):
        master_keys.rotate(draw, now=hand.at)

    assert [one.number for one in master_keys.list_keys()] == [1, 2]


def test_adds_no_key_while_the_last_does_not_seal(hand: Hand) -> None:
    master_keys.rotate(os.urandom, now=hand.at)

    with pytest.raises(ring.RotationPending):
        master_keys.rotate(os.urandom, now=hand.at + 59 * MINUTE)

    assert [one.number for one in master_keys.list_keys()] == [1, 2]


def test_retires_a_key_36_days_after_another_seals_and_nothing_before(hand: Hand) -> None:
    sealed = seal()
    master_keys.rotate(os.urandom, now=hand.at)
    since = NOON + HOUR

    for at, number, refusal in (
        (since + 36 * DAY - MINUTE, 1, ring.StillSealing),
        (since + 36 * DAY, 2, ring.StillSealing),
        (since + 36 * DAY, 9, NotFound),
    ):
        with pytest.raises(refusal):
            master_keys.retire(number, nothing_sealed, now=at)
    with pytest.raises(ring.StillInUse):
        master_keys.retire(1, lambda number: number, now=since + 36 * DAY)
    assert [one.number for one in master_keys.list_keys()] == [1, 2]

    master_keys.retire(1, nothing_sealed, now=since + 36 * DAY)

    assert [one.number for one in master_keys.list_keys()] == [2]
    vault.forget_keys()
    with pytest.raises(vault.Unreadable):
        open_name(sealed)
