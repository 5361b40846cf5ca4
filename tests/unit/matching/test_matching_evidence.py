"""What both sides say of a card, as a ratio: counted against strangers, and by kind of digits."""

from dataclasses import replace

import pytest

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.evidence import NOTHING_SEEN, Fact, Said, SeenWith, facts_of, ratio_of
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.sides import Charge, Slip
from tests.makers.slips import charge, slip

CARD, DEVICE, UNKNOWN = LastFourKind.CARD, LastFourKind.DEVICE, LastFourKind.UNKNOWN


def four(digits: str, kind: LastFourKind = CARD) -> LastFour:
    return LastFour(digits, kind)


def facts(
    paid: Charge, sold: Slip, *others: Slip, seen_with: SeenWith = NOTHING_SEEN
) -> list[Fact]:
    return facts_of(paid, sold, Said([sold, *others]), BELIEVED, seen_with)


def strangers(count: int, **said: object) -> list[Slip]:
    return [slip(f"s{n}", seconds=n * 30.0, **said) for n in range(count)]


def test_an_auth_code_that_nobody_else_has_is_worth_a_million() -> None:
    sold = slip(auth_code="4K7Q2X")

    others = [replace(s, auth_code=f"{n + 7:06}") for n, s in enumerate(strangers(300))]

    (fact,) = facts(charge(auth_code="4K7Q2X"), sold, *others)

    assert (fact.what, fact.agrees) == ("auth_code", True)
    assert fact.ratio == pytest.approx(1e6, rel=0.01)


def test_one_auth_code_for_a_whole_till_is_worth_nothing() -> None:
    same = strangers(300, auth_code="123456")

    (fact,) = facts(charge(auth_code="123456"), slip(auth_code="123456"), *same)

    assert fact.ratio < 1.01


def test_a_code_printed_again_is_worth_little() -> None:
    codes = [f"{100_000 + n // 2}" for n in range(60)]
    till = [slip(f"s{n}", seconds=n * 60.0, auth_code=code) for n, code in enumerate(codes)]

    (fact,) = facts_of(charge(auth_code=codes[11]), till[11], Said(till), BELIEVED)

    assert fact.ratio < 2.1


def test_a_short_code_says_less() -> None:
    (fact,) = facts(charge(auth_code="A1"), slip(auth_code="A1"))

    assert fact.ratio == pytest.approx(100, rel=0.01)


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize(
    ("ours", "theirs", "least", "most"),
    [
        (four("4242"), four("4242"), 9_000, 10_001),
        (four("4242"), four("9999"), 0.0, 0.001),
        (four("4242"), four("9999", UNKNOWN), 0.1, 0.9),
        (four("4242", UNKNOWN), four("4242"), 5_000, 9_000),
    ],
    ids=["same card", "another card", "unsaid and differing", "unsaid and alike"],
)
def test_digits_speak_by_their_kinds(
    ours: LastFour, theirs: LastFour, least: float, most: float
) -> None:
    (fact,) = facts(charge(last_four=ours), slip(last_four=theirs))

    assert least <= fact.ratio <= most


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("digits", ["4242", "9999"])
def test_digits_of_two_known_kinds_say_nothing(digits: str) -> None:
    sold = slip(last_four=four(digits, DEVICE))

    assert facts(charge(last_four=four("4242")), sold) == []


def test_a_wallets_digits_are_learned_from_the_members_other_payments() -> None:
    seen = SeenWith()
    before = charge("p0", member_id="ada")
    seen.add(before, "7788")
    sold = slip(last_four=four("7788", DEVICE))
    later = charge("p1", member_id="ada", last_four=four("4242"))

    (fact,) = facts(later, sold, seen_with=seen)

    assert (fact.what, fact.ratio > 1_000) == ("digits_of_device", True)
    assert facts(before, sold, seen_with=seen) == []


def test_digits_that_the_member_is_known_by_agree_and_never_differ() -> None:
    known = charge(device_digits=("1122", "7788"), last_four=four("4242"))

    (fact,) = facts(known, slip(last_four=four("7788", DEVICE)))

    assert (fact.what, fact.agrees, fact.ratio > 1_000) == ("digits_of_device", True, True)
    assert facts(known, slip(last_four=four("5566", DEVICE))) == []


def test_digits_that_the_member_is_known_by_yield_to_the_banks_of_that_kind() -> None:
    by_another = charge(device_digits=("7788",), last_four=four("1122", DEVICE))

    (fact,) = facts(by_another, slip(last_four=four("7788", DEVICE)))

    assert (fact.what, fact.agrees) == ("digits_same_kind", False)


def test_a_mid_tells_stores_apart_and_nothing_within_one() -> None:
    two = charge(stores=("shop", "other"), mids=frozenset({"M-1"}))
    slips = [slip(f"a{n}", mid="M-1") for n in range(20)]
    slips += [slip(f"b{n}", mid="M-2", store="other") for n in range(20)]
    said = Said(slips)

    alike, another = (facts_of(two, s, said, BELIEVED)[0] for s in (slips[0], slips[-1]))
    (alone,) = facts_of(charge(mids=frozenset({"M-1"})), slips[0], said, BELIEVED)

    assert (round(alike.ratio), another.ratio < 0.05, round(alone.ratio, 1)) == (2, True, 1.1)


def test_a_place_speaks_for_the_stores_that_stand_there_and_softly_against_others() -> None:
    paid = charge(stores=("shop", "b", "c", "d"), near=frozenset({"shop"}))

    (there,), (elsewhere,) = (facts(paid, slip(store=store)) for store in ("shop", "b"))

    assert there == Fact("place", agrees=True, ratio=pytest.approx(0.9 * 4))
    assert elsewhere == Fact("place", agrees=False, ratio=pytest.approx(0.1 * 4 / 3))


@pytest.mark.parametrize("what", ["auth_code", "scheme", "par"])
def test_a_difference_never_speaks_for_a_pair(what: str) -> None:
    fact = facts(charge(**{what: "aaaaaa"}), slip(**{what: "bbbbbb"}))[0]

    assert (fact.agrees, fact.ratio < 0.01) == (False, True)


def test_what_one_side_does_not_say_is_no_evidence() -> None:
    told = charge(auth_code="4K7Q2X", last_four=four("4242"), scheme="visa", par="P")

    assert (facts(told, slip()), facts(charge(), slip(auth_code="4K7Q2X"))) == ([], [])
    assert ratio_of([]) == 1.0
