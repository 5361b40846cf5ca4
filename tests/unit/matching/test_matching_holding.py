"""A match survives what clearing usually brings, and nothing that speaks of another purchase."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts, LastFourKind
from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.holding import Contradiction, find_contradiction
from chalicelib.matching.payment import Payment, add_event, first_of
from chalicelib.matching.signals import Part, parts_of
from tests.makers.matching import HIGH_STREET, SALE_AT, four, receipt
from tests.makers.purchases import cleared, event

AUTH = event(card=CardFacts(), made_at=SALE_AT)
OTHER_SHOP = StoreId("bakery-station")
CARD = CardFacts(last_four=four("4003"))


def part(**more: object) -> Part:
    """The one part of a receipt of £4.20."""
    (only,) = parts_of(receipt(**more))  # type: ignore[arg-type]
    return only


def told(*events: PaymentEvent) -> Payment:
    first, *later = events
    payment = first_of(first)
    for one in later:
        payment = add_event(payment, one)
    return payment


@pytest.mark.requirement("RCP-14")
@pytest.mark.parametrize(
    "minor", [420, 480, 630, 419, 1], ids=["equal", "tip", "half as much again", "less", "a part"]
)
def test_survives_what_tips_pumps_and_shipments_do_to_an_amount(minor: int) -> None:
    payment = told(AUTH, cleared(AUTH, minor))

    assert find_contradiction(payment, part(), named=()) is None


def test_does_not_survive_an_amount_that_nothing_explains() -> None:
    payment = told(AUTH, cleared(AUTH, 631))

    assert find_contradiction(payment, part(), named=()) is Contradiction.AMOUNT


def test_says_nothing_of_an_amount_in_other_money() -> None:
    euros = replace(cleared(AUTH, 999), amount=Money(999, "EUR"))

    assert find_contradiction(told(AUTH, euros), part(), named=()) is None


def test_takes_the_tills_own_money_where_the_bank_tells_it() -> None:
    euros = replace(cleared(AUTH, 999), amount=Money(999, "EUR"), local_amount=Money(631, "GBP"))

    assert find_contradiction(told(AUTH, euros), part(), named=()) is Contradiction.AMOUNT


@pytest.mark.parametrize(
    ("said", "contradiction"),
    [
        (four("4003"), None),
        (four("7777"), Contradiction.LAST_FOUR),
        (four("7777", LastFourKind.DEVICE), None),
        (four("7777", LastFourKind.UNKNOWN), None),
    ],
    ids=["same digits", "other digits", "of a device", "of who knows what"],
)
def test_another_card_contradicts_if_both_mean_the_same_number(
    said: object, contradiction: Contradiction | None
) -> None:
    clearing = replace(cleared(AUTH, 420), card=CardFacts(last_four=said))  # type: ignore[arg-type]

    assert find_contradiction(told(AUTH, clearing), part(card=CARD), named=()) is contradiction


def test_digits_that_one_event_says_alike_are_not_contradicted_by_another() -> None:
    auth = replace(AUTH, card=CARD)
    clearing = replace(cleared(auth, 420), card=CardFacts(last_four=four("7777")))

    assert find_contradiction(told(auth, clearing), part(card=CARD), named=()) is None


@pytest.mark.parametrize(
    ("code", "contradiction"), [("4K7Q2X", None), ("9Z9Z9Z", Contradiction.AUTH_CODE)]
)
def test_an_auth_code_decides(code: str, contradiction: Contradiction | None) -> None:
    clearing = replace(cleared(AUTH, 420), card=CardFacts(auth_code=code))
    coded = part(card=CardFacts(auth_code="4K7Q2X"))

    assert find_contradiction(told(AUTH, clearing), coded, named=()) is contradiction


def test_an_auth_code_that_agrees_outweighs_amount_and_place() -> None:
    clearing = replace(cleared(AUTH, 42_000), card=CardFacts(auth_code="4K7Q2X"))
    coded = part(card=CardFacts(auth_code="4K7Q2X"))

    assert find_contradiction(told(AUTH, clearing), coded, named=(OTHER_SHOP,)) is None


@pytest.mark.parametrize(
    ("named", "contradiction"),
    [
        ((), None),
        ((HIGH_STREET,), None),
        ((HIGH_STREET, OTHER_SHOP), None),
        ((OTHER_SHOP,), Contradiction.STORE),
    ],
    ids=["unknown", "the same", "either", "another"],
)
def test_another_shop_contradicts_if_it_is_known(
    named: tuple[StoreId, ...], contradiction: Contradiction | None
) -> None:
    assert find_contradiction(told(AUTH), part(), named=named) is contradiction


def test_a_refund_says_nothing_against_its_purchase() -> None:
    refund = replace(
        AUTH,
        transaction_id="refund",
        kind=PaymentEventKind.REFUNDED,
        occurred_at=SALE_AT + timedelta(days=9),
        amount=Money(9_999, "GBP"),
        card=CardFacts(last_four=four("7777")),
    )

    assert find_contradiction(told(AUTH, refund), part(card=CARD), named=()) is None
