"""What a person's paper receipt may be, where the device that paid is known."""

from chalicelib.kernel.cards import CardFacts, LastFourKind
from chalicelib.matching.outcome import Agreement
from chalicelib.purchases.correcting.paper import fitting
from tests.makers.matching import four, payment, receipt

DEVICE = LastFourKind.DEVICE
PAPER = receipt(minor=1_000, card=CardFacts(last_four=four("9087", DEVICE)))


def test_a_device_that_agrees_is_a_fact_of_the_card() -> None:
    ((part, evidence),) = fitting(payment(device_digits=("9087",)), PAPER)

    assert (part.index, evidence.agreements) == (0, {Agreement.DEVICE, Agreement.TIME})
    assert fitting(payment(), PAPER) == []  # Another sum, and nothing says that it is theirs.


def test_a_known_device_does_not_speak_against_the_banks_word() -> None:
    paid = payment(device_digits=("9087",), card=CardFacts(last_four=four("1122", DEVICE)))

    assert fitting(paid, PAPER) == []
