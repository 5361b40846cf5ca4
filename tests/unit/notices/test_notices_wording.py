"""Notices in plain words: whole sentences, with real amounts and days, and no codes."""

from datetime import date

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import NoticeKind
from chalicelib.notices.wording import ENGLISH, Words, money_text, words_of
from tests.makers.notices import make_announcement

ADA = MemberId("ada")
LEAP = date(2028, 2, 29)


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (
            NoticeKind.STAMP_EARNED,
            {"units": 1},
            Words("1 stamp earned at Bun", "1 stamp went onto your card at Bun."),
        ),
        (
            NoticeKind.STAMP_EARNED,
            {"units": 3, "reason": "held"},
            Words(
                "3 stamps earned at Bun",
                "3 stamps went onto your card at Bun. "
                "We are looking at it first; it does not count yet.",
            ),
        ),
        (
            NoticeKind.ADJUSTED,
            {"units": -2, "reason": "returned"},
            Words(
                "Your rewards at Bun changed",
                "2 taken back. Something you bought was returned.",
            ),
        ),
        (
            NoticeKind.ADJUSTED,
            {"units": 0, "amount": Money(-125, "EUR")},
            Words("Your rewards at Bun changed", "€1.25 taken back."),
        ),
        (
            NoticeKind.ADJUSTED,
            {"units": 0, "reason": "returned"},
            Words(
                "Your rewards at Bun changed",
                "A card is full no more. Something you bought was returned.",
            ),
        ),
        (
            NoticeKind.CARD_COMPLETE,
            {"units": 0, "reason": "left_scheme"},
            Words(
                "Your card at Bun is full",
                "It gives units of a scheme that you left, so they were not added.",
            ),
        ),
        (
            NoticeKind.EXPIRING,
            {"units": 40, "on": LEAP},
            Words("40 points will expire", "Use them by the end of 29 February 2028."),
        ),
        (
            NoticeKind.CLAIM_DECIDED,
            {"reason": "granted"},
            Words(
                "We looked into your reward",
                "You were right: what was missing has been added.",
            ),
        ),
        (
            NoticeKind.CLAIM_DECIDED,
            {"reason": "a_code_of_tomorrow"},
            Words("We looked into your reward", "Have a look at your rewards."),
        ),
    ],
)
def test_says_it_in_whole_sentences(
    kind: NoticeKind, more: dict[str, object], words: Words
) -> None:
    announcement = make_announcement(ADA, kind, **more)

    assert words_of(announcement, retailer="Bun", language="en") == words


@pytest.mark.parametrize(
    ("kind", "more", "unit", "words"),
    [
        (
            NoticeKind.EXPIRING,
            {"units": 1, "on": LEAP},
            Unit.STAMPS,
            Words("1 stamp will expire", "Use them by the end of 29 February 2028."),
        ),
        (
            NoticeKind.ADJUSTED,
            {"units": -10},
            Unit.POINTS,
            Words("Your rewards at Bun changed", "10 points taken back."),
        ),
        (
            NoticeKind.ADJUSTED,
            {"units": 1},
            Unit.STAMPS,
            Words("Your rewards at Bun changed", "1 stamp added."),
        ),
        (
            NoticeKind.CARD_COMPLETE,
            {"units": 0, "reason": "no_budget"},
            None,
            Words(
                "Your card at Bun is full",
                "Your reward waits until the shop's budget has enough for it.",
            ),
        ),
        (
            NoticeKind.REWARD_RETURNED,
            {"units": 0, "amount": Money(500, "GBP"), "reason": "returned"},
            None,
            Words(
                "£5.00 came back",
                "Your bank account did not take £5.00. Please check the account we pay to.",
            ),
        ),
    ],
)
def test_says_what_units_are_and_no_reason_of_something_else(
    kind: NoticeKind, more: dict[str, object], unit: Unit | None, words: Words
) -> None:
    announcement = make_announcement(ADA, kind, **more)

    assert words_of(announcement, retailer="Bun", language="en", unit=unit) == words


def test_a_language_without_words_is_english_and_a_brand_with_braces_is_a_brand() -> None:
    announcement = make_announcement(ADA, units=1)

    assert words_of(announcement, retailer="{why}", language="cy").title == (
        "1 stamp earned at {why}"
    )
    assert words_of(announcement, retailer="", language="en").title == "1 stamp earned"


def test_there_are_words_for_every_kind() -> None:
    assert set(ENGLISH.sentences) == set(NoticeKind)
    for reason in ENGLISH.reasons.values():
        assert reason.endswith(".")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1234, "GBP"), "£12.34"),
        (Money(-5, "EUR"), "−€0.05"),
        (Money(500, "JPY"), "500 JPY"),
        (Money(-1500, "KWD"), "−1.500 KWD"),
        (Money(0, "USD"), "$0.00"),
    ],
)
def test_writes_money_as_people_read_it(amount: Money, text: str) -> None:
    assert money_text(amount) == text
