"""A draw follows from the seed and the entries alone; so does what a competition may be."""

import hashlib
import hmac
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.offers.competitions import checking
from chalicelib.offers.competitions.checking import NotACompetition
from chalicelib.offers.competitions.drawing import digest_of, draw_winners, rank_of
from chalicelib.offers.competitions.model import Draw, Stage, is_reference
from tests.makers.competitions import ENDS_AT, KNOWN_AT, OPENED_AT, STARTS_AT, competition

pytestmark = pytest.mark.requirement("OFR-08")

SEED = "3 11 19 24 41 52"
NUMBERS = st.lists(st.text("abcdefghij234567", min_size=4, max_size=8), unique=True, max_size=30)
SECOND = timedelta(seconds=1)


def test_a_draw_is_what_the_documented_formula_says() -> None:
    """As anybody can work it out: with `openssl dgst -sha256 -hmac SEED` and `sort`."""
    entries = ["aaaa", "bbbb", "cccc", "dddd"]

    ranks = {
        hmac.new(SEED.encode(), one.encode(), hashlib.sha256).hexdigest(): one for one in entries
    }

    assert rank_of(SEED, "aaaa") == hmac.new(b"3 11 19 24 41 52", b"aaaa", "sha256").hexdigest()
    assert draw_winners(SEED, entries, 2) == tuple(ranks[one] for one in sorted(ranks)[:2])
    assert digest_of(entries) == hashlib.sha256(b"aaaa\nbbbb\ncccc\ndddd").hexdigest()


@given(NUMBERS, st.integers(1, 5), st.randoms())
def test_the_order_of_the_entries_is_nothing_to_the_draw(
    entries: list[str], winners: int, chance: Random
) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)

    assert draw_winners(SEED, shuffled, winners) == draw_winners(SEED, entries, winners)
    assert digest_of(shuffled) == digest_of(entries)


@given(NUMBERS, st.integers(1, 5))
def test_as_many_win_as_there_are_prizes_and_nobody_twice(entries: list[str], winners: int) -> None:
    drawn = draw_winners(SEED, entries, winners)

    assert len(set(drawn)) == len(drawn) == min(winners, len(entries))
    assert set(drawn) <= set(entries)


@given(NUMBERS.filter(lambda found: len(found) > 1), st.integers(1, 5), st.randoms())
def test_who_leaves_moves_nobody_past_anybody(
    entries: list[str], winners: int, chance: Random
) -> None:
    gone = chance.choice(entries)
    whole = draw_winners(SEED, entries, len(entries))

    left = draw_winners(SEED, [one for one in entries if one != gone], winners)

    assert left == tuple(one for one in whole if one != gone)[:winners]


def test_over_many_seeds_every_entry_wins_about_as_often() -> None:
    entries = [f"entry-{n}" for n in range(10)]

    won = Counter(draw_winners(f"seed {n}", entries, 1)[0] for n in range(2_000))

    assert set(won) == set(entries)
    assert max(abs(times - 200) for times in won.values()) < 60  # Over four standard deviations.


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"ends_at": STARTS_AT}, "ends_before_start", "ends_at"),
        ({"starts_at": OPENED_AT - timedelta(hours=1)}, "starts_in_the_past", "starts_at"),
        (
            {
                "starts_at": datetime(9999, 12, 1, tzinfo=UTC),
                "ends_at": datetime(9999, 12, 31, tzinfo=UTC),
            },
            "starts_too_late",
            "starts_at",
        ),
        (
            {"ends_at": STARTS_AT + timedelta(days=367)},
            "lasts_too_long",
            "ends_at",
        ),
        ({"seed_known_at": ENDS_AT - SECOND}, "seed_known_too_early", "seed.known_at"),
        (
            {"seed_known_at": ENDS_AT + timedelta(days=60) + SECOND},
            "seed_known_too_late",
            "seed.known_at",
        ),
    ],
)
def test_refuses_a_competition_that_cannot_run(
    changes: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(NotACompetition) as refused:
        checking.check(replace(competition(), **changes), now=OPENED_AT)  # type: ignore[arg-type]

    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        (STARTS_AT - SECOND, Stage.DRAFT),
        (STARTS_AT, Stage.LIVE),
        (ENDS_AT - SECOND, Stage.LIVE),
        (ENDS_AT, Stage.ENDED),
        (KNOWN_AT, Stage.ENDED),
    ],
)
def test_a_competition_begins_and_ends_by_the_clock(at: datetime, stage: Stage) -> None:
    draw = Draw(SEED, 0, digest_of([]), (), KNOWN_AT, "staff")

    assert competition().stage_at(at) is stage
    assert replace(competition(), draw=draw).stage_at(KNOWN_AT) is Stage.DRAWN


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("hamper", True),
        ("h4-x", True),
        ("a" * 40, True),
        ("a" * 41, False),
        ("", False),
        ("Hamper", False),
        ("a.b", False),
        ("-a", False),
        ("a\n", False),
    ],
)
def test_knows_what_a_retailer_may_call_a_competition(text: str, is_one: bool) -> None:
    assert is_reference(text) is is_one
