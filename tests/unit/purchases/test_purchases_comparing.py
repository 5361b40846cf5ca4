"""What a payment and its receipt say alike now, whatever they said when they were joined."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.matching.payment import Payment, first_of
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.purchases.comparing import agreements_of, clues_of, no_longer_holds, relation_of
from chalicelib.purchases.explaining import explain_match
from chalicelib.purchases.history import noted
from chalicelib.purchases.model import Clue, Purchase, Reason
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from tests.makers.purchases import A_MINUTE_LATER, SALE, cleared, event

LATER = A_MINUTE_LATER + timedelta(minutes=5)
CARD = CardFacts("visa", LastFour("4321", LastFourKind.CARD), "4K7Q2X")
BY_CARD = Reason(
    "card_facts_agree", "posterior-1", ("amount", "auth_code", "last_four", "scheme", "time"), 0
)


def paid(**more: object) -> Payment:
    return first_of(event(card=CARD, **more))


def sale(minor: int = 420, **of_tender: object) -> Receipt:
    tender = replace(SALE.tenders[0], **{"amount_minor": minor, "card": CARD, **of_tender})  # type: ignore[arg-type]
    return replace(SALE, total_minor=minor, tenders=(tender,))


def purchase(
    payment: Payment | None = None, receipt: Receipt | None = None, reason: Reason = BY_CARD
) -> Purchase:
    return Purchase(
        MemberId("ada"),
        payment or paid(),
        1,
        receipt=receipt or sale(),
        reason=reason,
        matched_at=A_MINUTE_LATER,
    )


def corrected(before: Purchase, receipt: Receipt) -> Purchase:
    after = replace(before, version=2, receipt=replace(receipt, version=2))
    return noted(before, after, now=LATER)


def stands(of: Purchase) -> dict[str, str]:
    return {clue.what: clue.stand for clue in clues_of(of)}


def test_an_untouched_receipt_agrees_in_what_it_was_joined_by() -> None:
    assert clues_of(purchase()) == (
        *(Clue(what, "agrees") for what in BY_CARD.agreements),
        Clue("mid", "unknown"),
        Clue("tid", "unknown"),
    )
    assert agreements_of(purchase()) == list(BY_CARD.agreements)


def test_a_correction_of_sum_and_card_is_told_as_it_stands() -> None:
    other = CardFacts("visa", LastFour("9999", LastFourKind.CARD), "ZZZZZZ")

    after = corrected(purchase(), sale(900, card=other))

    assert stands(after) == {
        "amount": "differs",
        "auth_code": "differs",
        "last_four": "differs",
        "scheme": "agrees",
        "time": "agrees",
        "mid": "unknown",
        "tid": "unknown",
    }
    assert agreements_of(after) == ["scheme", "time"]
    assert after.reason == BY_CARD


def test_facts_that_a_correction_left_out_are_unknown() -> None:
    after = corrected(purchase(), sale(card=CardFacts()))

    assert agreements_of(after) == ["amount", "time"]
    assert stands(after)["auth_code"] == "unknown"


@pytest.mark.parametrize("known", ["registered_card", "digits_of_device"])
def test_digits_that_were_the_members_are_unknown_after_a_correction(known: str) -> None:
    reason = Reason("card_facts_agree", "posterior-1", ("amount", known), 0)
    before = purchase(reason=reason)

    assert agreements_of(before) == ["amount", known]
    assert agreements_of(corrected(before, sale())) == ["amount"]


def test_a_void_receipt_agrees_in_nothing_that_it_no_longer_says() -> None:
    after = corrected(purchase(), replace(sale(), kind=ReceiptKind.VOID))

    assert agreements_of(after) == ["time"]
    assert relation_of(after) is None


@pytest.mark.parametrize(
    ("charged", "relation", "words"),
    [
        (
            480,
            "bank_higher",
            "The bank charged more than the till printed, as where a tip is added.",
        ),
        (
            200,
            "bank_lower",
            "The bank charged less than the till printed, as where a bill is shared.",
        ),
    ],
)
def test_amounts_that_differ_say_how(charged: int, relation: str, words: str) -> None:
    reason = Reason("card_facts_agree", "posterior-1", ("auth_code", "time"), 0)
    unequal = purchase(paid(amount=Money(charged, "GBP")), reason=reason)

    (clue,) = [one for one in explain_match(unequal).evidence if one.code == "amount"]

    assert (clue.stand, clue.relation, clue.words) == ("differs", relation, words)
    assert not no_longer_holds(unequal)


def test_money_of_two_currencies_cannot_be_compared() -> None:
    abroad = purchase(paid(amount=Money(500, "EUR")))

    assert (stands(abroad)["amount"], relation_of(abroad)) == ("unknown", "other_currency")


def test_the_sum_that_was_authorised_agrees_though_more_was_cleared() -> None:
    twice = paid()
    twice = replace(twice, events=(*twice.events, cleared(twice.events[0], 480)))

    assert (stands(purchase(twice))["amount"], relation_of(purchase(twice))) == ("agrees", None)


def test_the_newest_word_of_the_bank_says_how_amounts_relate() -> None:
    twice = paid(amount=Money(100, "GBP"))
    twice = replace(twice, events=(*twice.events, cleared(twice.events[0], 480)))

    assert relation_of(purchase(twice)) == "bank_higher"


def test_one_of_several_numbers_of_the_shop_is_enough() -> None:
    numbers = tuple(Identifier(IdentifierKind.MID, one) for one in ("10001", "10002"))

    assert stands(purchase(paid(merchant=numbers), sale(mid="10002")))["mid"] == "agrees"
    assert stands(purchase(paid(merchant=numbers), sale(mid="10003")))["mid"] == "differs"


@pytest.mark.parametrize(
    ("kind", "stand"), [(LastFourKind.DEVICE, "unknown"), (LastFourKind.UNKNOWN, "unknown")]
)
def test_digits_of_another_kind_say_nothing(kind: LastFourKind, stand: str) -> None:
    reason = Reason("only_candidate", "posterior-1", ("amount",), 0)
    device = replace(CARD, last_four=LastFour("9999", kind))

    assert stands(purchase(receipt=sale(card=device), reason=reason))["last_four"] == stand


def test_what_differed_when_they_were_joined_is_told_while_nobody_knows_better() -> None:
    reason = Reason("forced", "posterior-1", (), 0, evidence=(Clue("place", "differs"),))

    assert stands(purchase(reason=reason))["place"] == "differs"


def test_the_words_say_that_the_receipt_was_corrected_since() -> None:
    kept = explain_match(corrected(purchase(), replace(sale(), notes=("Corrected",))))
    broken = explain_match(corrected(purchase(), sale(900)))

    first = "What the bank and the till say of the card is the same."
    assert (kept.reason, kept.words) == ("card_facts_agree", first)
    assert (broken.reason, broken.words) == (
        "card_facts_agree",
        f"{first} The shop corrected the receipt since, and not all of that still holds.",
    )
    assert [(turn.at, turn.what) for turn in broken.history][-1] == (LATER, "corrected")


def test_the_words_say_where_it_is_the_bank_that_told_more() -> None:
    reason = Reason("card_facts_agree", "posterior-1", ("auth_code", "scheme"), 0)
    without = replace(CARD, scheme=None)

    told = explain_match(
        purchase(receipt=sale(card=replace(without, scheme="amex")), reason=reason)
    )

    assert told.words.endswith(" The bank told more since, and not all of that still holds.")
