"""What a match says of the device that paid: only what is new, and only if all else was sure."""

from dataclasses import replace

import pytest

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.matching.devices import device_of
from chalicelib.matching.outcome import Evidence, Matched
from chalicelib.matching.signals import Part, PaymentSignals
from chalicelib.matching.why import Why
from tests.makers.matching import four, payment, receipt

DEVICE, UNKNOWN = LastFourKind.DEVICE, LastFourKind.UNKNOWN
PAID = payment(card=CardFacts(last_four=four("4242")))


def matched(printed: LastFour | None, probability: float = 0.9999) -> Matched:
    evidence = Evidence(frozenset(), frozenset(), 0)
    part = Part(receipt(), 0, 420, CardFacts(last_four=printed))
    return Matched(part, evidence, Why.TIME_AND_AMOUNT_AGREE, None, probability)


@pytest.mark.parametrize("kind", [DEVICE, UNKNOWN])
def test_tells_of_digits_that_nobody_knew(kind: LastFourKind) -> None:
    assert device_of(PAID, matched(four("9087", kind))) == "9087"


@pytest.mark.parametrize(
    "printed",
    [
        None,
        four("9087"),
        four("9087", LastFourKind.ACCOUNT),
        four("4242", UNKNOWN),
        four("0000", UNKNOWN),
    ],
    ids=["no digits", "the card's", "the account's", "the bank's own", "a filler"],
)
def test_digits_of_no_device_tell_nothing(printed: LastFour | None) -> None:
    assert device_of(PAID, matched(printed)) is None


@pytest.mark.parametrize(
    "paid",
    [
        replace(PAID, known_last_fours=(four("1111"), four("9087", DEVICE))),
        replace(PAID, device_digits=("1122", "9087")),
    ],
    ids=["registered", "learned"],
)
def test_what_is_known_already_is_not_told_again(paid: PaymentSignals) -> None:
    assert device_of(paid, matched(four("9087", DEVICE))) is None


def test_a_match_that_was_less_than_very_sure_tells_nothing() -> None:
    printed = four("9087", DEVICE)

    assert device_of(PAID, matched(printed, 0.9995)) == "9087"
    assert device_of(PAID, matched(printed, 0.99949)) is None
