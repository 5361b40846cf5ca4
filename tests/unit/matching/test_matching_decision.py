"""Deciding while more may come: one explanation that is sure enough, or abstention and why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.cards import CardFacts, LastFourKind
from chalicelib.kernel.ids import StoreId
from chalicelib.kernel.money import Money
from chalicelib.matching.amounts import Relation
from chalicelib.matching.outcome import Agreement, Ambiguous, Hold, Matched, NothingNear
from chalicelib.matching.till_clock import TillClock
from chalicelib.matching.why import Why
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.receipts.canonical import Receipt, ReceiptKind, Tender, TenderKind
from tests.makers.deciding import decide, matched_to, put_off, unsure
from tests.makers.matching import BANK, CARD_NETWORK, HIGH_STREET, SALE_AT, four, payment, receipt


@pytest.mark.requirement("RCP-11")
def test_matches_the_only_receipt_of_the_amount_near_the_time() -> None:
    decision = decide(payment(), receipt(seconds=140))

    assert matched_to(decision) == ("r1", Why.TIME_AND_AMOUNT_AGREE)


def test_abstains_where_a_programme_asks_to_be_surer() -> None:
    sale = receipt(seconds=140)
    sure = decide(payment(), sale)
    assert isinstance(sure, Matched)

    as_sure = decide(payment(), sale, threshold=sure.probability)
    surer = decide(payment(), sale, threshold=sure.probability + 1e-9)

    assert as_sure == sure
    assert isinstance(surer, Ambiguous)
    assert (surer.probability, surer.rivals) == (sure.probability, 1)


@pytest.mark.requirement("RCP-11")
def test_abstains_between_two_receipts_of_one_amount() -> None:
    decision = decide(payment(), receipt("r1", seconds=20), receipt("r2", seconds=-60))

    assert unsure(decision) == (Why.SEVERAL_RECEIPTS, 2)


def test_abstains_where_strangers_pay_the_same_all_the_time() -> None:
    others = [receipt(f"r{n}", seconds=n * 100) for n in range(-9, 9) if n]

    decision = decide(payment(), receipt("r0", seconds=20), *others)

    assert unsure(decision) == (Why.SEVERAL_RECEIPTS, 18)


def test_says_of_those_at_hand_how_probably_one_is_its_own_and_how_far_off_that_is() -> None:
    close = decide(payment(), receipt("r1", seconds=20), receipt("r2", seconds=25))
    off = decide(payment(), receipt("r1", seconds=620), receipt("r2", seconds=-660))

    assert isinstance(close, Ambiguous)
    assert close.near.pairs == pytest.approx(close.probability + close.runner_up)
    assert isinstance(off, Ambiguous)
    assert 1 - off.near.pairs > 5 * (1 - close.near.pairs) > 0
    assert close.near.far < 0.02 * close.near.pairs
    assert off.near.far == pytest.approx(off.near.pairs, rel=0.01)
    assert off.near.late == pytest.approx(off.near.far / 2, rel=0.2)
    assert 580 < off.near.seconds / off.near.far < 700


def test_waits_until_the_store_had_time_to_send_its_receipts() -> None:
    decision = decide(payment(), receipt(), now=SALE_AT + timedelta(seconds=3))

    assert put_off(decision) == (Why.RECEIPTS_STILL_COMING, SALE_AT + timedelta(seconds=30))


def test_does_not_wait_where_the_auth_code_agrees() -> None:
    card = CardFacts(auth_code="4K7Q2X")

    decision = decide(payment(card=card), receipt(card=card), now=SALE_AT)

    assert matched_to(decision) == ("r1", Why.CARD_FACTS_AGREE)


def test_chooses_by_auth_code_among_receipts_of_one_amount() -> None:
    ours = CardFacts(auth_code="4K7Q2X", last_four=four("4242"))
    theirs = CardFacts(last_four=four("4242"))

    decision = decide(
        payment(card=ours), receipt("r1", card=theirs), receipt("r2", seconds=200, card=ours)
    )

    assert matched_to(decision) == ("r2", Why.CARD_FACTS_AGREE)


def test_abstains_between_two_receipts_of_one_card() -> None:
    card = CardFacts(last_four=four("4242"))

    decision = decide(
        payment(card=card), receipt("r1", card=card), receipt("r2", seconds=9, card=card)
    )

    assert unsure(decision) == (Why.SEVERAL_RECEIPTS, 2)


def test_looks_past_a_rival_whose_foreign_card_was_only_checked() -> None:
    card = CardFacts(auth_code="4K7Q2X")
    rival = payment("p2", amounts=(Money(0, "EUR"),), card=card)

    decision = decide(payment(card=card), receipt(card=card), rivals=[rival])

    assert matched_to(decision) == ("r1", Why.CARD_FACTS_AGREE)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (CardFacts(auth_code="111111"), CardFacts(auth_code="222222")),
        (CardFacts(scheme="visa"), CardFacts(scheme="amex")),
        (CardFacts(last_four=four("4242")), CardFacts(last_four=four("9999"))),
    ],
    ids=["auth code", "scheme", "last four"],
)
def test_never_matches_what_contradicts(ours: CardFacts, theirs: CardFacts) -> None:
    decision = decide(payment(card=ours), receipt(card=theirs))

    assert decision == NothingNear(Why.CARD_FACTS_DIFFER)


@pytest.mark.requirement("RCP-11")
def test_no_clock_is_good_enough_for_another_cards_receipt() -> None:
    steady = TillClock(offset=60.0, spread=1.0, votes=60, at=SALE_AT.timestamp())
    ours, theirs = CardFacts(last_four=four("4242")), CardFacts(last_four=four("9999"))

    decision = decide(payment(card=ours), receipt(seconds=60, card=theirs), clock=steady)

    assert decision == NothingNear(Why.CARD_FACTS_DIFFER)


def test_an_auth_code_outweighs_digits_that_differ() -> None:
    ours = CardFacts(auth_code="4K7Q2X", last_four=four("4242"))
    theirs = CardFacts(auth_code="4K7Q2X", last_four=four("9999"))

    assert matched_to(decide(payment(card=ours), receipt(card=theirs))) == (
        "r1",
        Why.CARD_FACTS_AGREE,
    )


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("kind", [LastFourKind.DEVICE, LastFourKind.ACCOUNT, LastFourKind.UNKNOWN])
def test_digits_of_another_kind_never_veto(kind: LastFourKind) -> None:
    ours = CardFacts(last_four=four("4242"))
    theirs = CardFacts(last_four=four("9999", kind))

    decision = decide(payment(card=ours), receipt(card=theirs))

    assert matched_to(decision) == ("r1", Why.TIME_AND_AMOUNT_AGREE)


def test_equal_digits_of_two_known_kinds_are_chance_and_not_strong() -> None:
    ours = CardFacts(last_four=four("4242"))
    theirs = CardFacts(last_four=four("4242", LastFourKind.DEVICE))

    decision = decide(payment(card=ours), receipt(card=theirs), now=SALE_AT)

    assert put_off(decision) == (Why.RECEIPTS_STILL_COMING, SALE_AT + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("kind", "field"), [(IdentifierKind.MID, "mid"), (IdentifierKind.TID, "tid")]
)
def test_never_matches_another_merchant_or_terminal_number(
    kind: IdentifierKind, field: str
) -> None:
    paid = payment(identifiers=(Identifier(kind, "10001"),))

    assert matched_to(decide(paid, receipt(**{field: "10001"}))) == (
        "r1",
        Why.TIME_AND_AMOUNT_AGREE,
    )
    assert decide(paid, receipt(**{field: "10002"})) == NothingNear(Why.CARD_FACTS_DIFFER)


@pytest.mark.parametrize(("near", "found"), [(HIGH_STREET, "r1"), (StoreId("another"), "r2")])
def test_the_place_that_a_bank_tells_speaks_for_the_store_that_stands_there(
    near: StoreId, found: str
) -> None:
    at_hand = (receipt("r1", seconds=20), receipt("r2", seconds=20, store_id=StoreId("another")))
    paid = payment(stores=(HIGH_STREET, StoreId("another")), near=(near,))

    decision = decide(paid, *at_hand)

    assert isinstance(decision, Ambiguous)
    assert decision.probability == pytest.approx(9 * decision.runner_up)
    likely = decide(paid, *at_hand, threshold=0.8)
    assert matched_to(likely) == (found, Why.TIME_AND_AMOUNT_AGREE)
    assert isinstance(likely, Matched)
    assert Agreement.PLACE in likely.evidence.agreements


@pytest.mark.requirement("LNK-03")
def test_matches_receipts_of_either_registered_card_and_of_no_other() -> None:
    paid = payment(known_last_fours=(four("1111"), four("2222")))

    for digits in ("1111", "2222"):
        card = CardFacts(last_four=four(digits))
        assert matched_to(decide(paid, receipt(card=card))) == ("r1", Why.CARD_FACTS_AGREE)
    stranger = CardFacts(last_four=four("3333"))
    assert decide(paid, receipt(card=stranger)) == NothingNear(Why.CARD_FACTS_DIFFER)


@pytest.mark.requirement("RCP-11")
def test_the_digits_of_a_members_phone_tell_two_receipts_apart() -> None:
    phone = CardFacts(last_four=four("9087", LastFourKind.DEVICE))
    stranger = CardFacts(last_four=four("5566", LastFourKind.DEVICE))
    at_hand = (receipt("r1", seconds=20, card=phone), receipt("r2", seconds=-20, card=stranger))

    known = decide(payment(device_digits=("9087",)), *at_hand)

    assert matched_to(known) == ("r1", Why.CARD_FACTS_AGREE)
    assert isinstance(known, Matched)
    assert known.evidence.agreements == {Agreement.AMOUNT, Agreement.TIME, Agreement.DEVICE}
    assert unsure(decide(payment(), *at_hand)) == (Why.SEVERAL_RECEIPTS, 2)


def test_a_clock_off_by_a_quarter_hour_needs_card_facts() -> None:
    card = CardFacts(auth_code="4K7Q2X")

    assert unsure(decide(payment(), receipt(seconds=900))) == (Why.CLOCK_UNKNOWN, 1)
    late = decide(payment(card=card), receipt(seconds=900, card=card))
    assert matched_to(late) == ("r1", Why.CARD_FACTS_AGREE)


def test_a_known_clock_is_believed_wherever_it_stands() -> None:
    at = SALE_AT.timestamp()
    slow = TillClock(offset=-840.0, spread=5.0, votes=40, at=at)

    assert matched_to(decide(payment(), receipt(seconds=-846), clock=slow)) == (
        "r1",
        Why.TIME_AND_AMOUNT_AGREE,
    )
    on_time = decide(payment(), receipt(), clock=slow)
    assert not isinstance(on_time, Matched)


def test_a_steady_clock_tells_sales_of_one_price_apart() -> None:
    near, far = receipt("r1", seconds=62), receipt("r2", seconds=180)
    steady = TillClock(offset=60.0, spread=4.0, votes=60, at=SALE_AT.timestamp())

    assert unsure(decide(payment(), near, far)) is not None
    matched = matched_to(decide(payment(), near, far, clock=steady))
    assert matched == ("r1", Why.TIME_AND_AMOUNT_AGREE)


def test_abstains_while_another_members_payment_fits_the_receipt() -> None:
    decision = decide(payment(), receipt(), rivals=[payment("p2")])

    assert unsure(decision) == (Why.RIVAL_PAYMENT, 1)


def test_decides_alike_in_whatever_order_its_rivals_are_told() -> None:
    rivals = [payment(f"p2{n}", made_at=SALE_AT + timedelta(seconds=9 * n)) for n in range(-4, 5)]
    sales = [receipt(f"r{n}", seconds=9 * n) for n in range(-5, 6)]
    assert decide(payment(), *sales, rivals=rivals) == decide(
        payment(), *sales, rivals=rivals[::-1]
    )


def test_abstains_while_another_payment_of_the_member_by_the_same_bank_fits_the_receipt() -> None:
    paid = payment()

    decision = decide(paid, receipt(), rivals=[payment("p2", member_id=paid.member_id)])

    assert unsure(decision) == (Why.RIVAL_PAYMENT, 1)


def test_the_same_purchase_told_by_another_source_is_no_rival() -> None:
    paid = payment()
    again = payment("p2", member_id=paid.member_id, connection_id=CARD_NETWORK)

    decision = decide(paid, receipt(), rivals=[again])

    assert matched_to(decision) == ("r1", Why.TIME_AND_AMOUNT_AGREE)


def test_never_takes_a_receipt_that_another_holds() -> None:
    sale = receipt()
    held = {(sale.receipt_id, 0): Hold(payment("p2").payment_id, "somebody else", BANK)}

    assert decide(payment(), sale, held=held) == NothingNear(Why.RECEIPT_TAKEN)


def test_goes_on_with_the_receipt_it_holds_though_others_came() -> None:
    paid, sale = payment(), receipt()
    held = {(sale.receipt_id, 0): Hold(paid.payment_id, paid.member_id, BANK)}

    decision = decide(paid, sale, receipt("r2"), held=held)

    assert matched_to(decision) == ("r1", Why.HELD_ALREADY)


def test_a_receipt_that_is_explained_is_no_rival_candidate() -> None:
    taken, free = receipt("r1"), receipt("r2", seconds=90)
    held = {(taken.receipt_id, 0): Hold(payment("p2").payment_id, "somebody else", BANK)}

    assert matched_to(decide(payment(), taken, free, held=held)) == (
        "r2",
        Why.TIME_AND_AMOUNT_AGREE,
    )


@pytest.mark.requirement("RCP-06")
def test_matches_the_tills_currency_and_never_the_number_alone() -> None:
    yen = payment(amounts=(Money(245, "GBP"), Money(420, "JPY")))

    assert decide(payment(), receipt(currency="EUR")) == NothingNear(Why.NO_RECEIPT_YET)
    assert matched_to(decide(yen, receipt(currency="JPY"))) == ("r1", Why.TIME_AND_AMOUNT_AGREE)


def test_each_card_of_a_split_bill_holds_its_own_part() -> None:
    split = receipt(
        minor=1000,
        tenders=(Tender(TenderKind.CARD, 420), Tender(TenderKind.CARD, 580)),
    )
    other = payment("p2", amounts=(Money(580, "GBP"),))

    first, second = decide(payment(), split), decide(other, split)

    assert isinstance(first, Matched)
    assert isinstance(second, Matched)
    assert (first.part.index, second.part.index) == (0, 1)


def test_the_card_part_of_a_sale_paid_with_a_gift_card_matches() -> None:
    split = receipt(
        minor=1000,
        tenders=(Tender(TenderKind.GIFT_CARD, 580), Tender(TenderKind.CARD, 420)),
    )

    assert matched_to(decide(payment(), split)) == ("r1", Why.TIME_AND_AMOUNT_AGREE)


@pytest.mark.parametrize(
    "sale",
    [
        receipt(tenders=(Tender(TenderKind.CASH, 420),)),
        receipt(kind=ReceiptKind.RETURN),
        receipt(kind=ReceiptKind.VOID),
        receipt(store_id=StoreId("another")),
        receipt(minor=421),
    ],
    ids=["cash", "return", "void", "another store", "a penny more"],
)
def test_what_no_card_payment_can_be_is_never_matched(sale: Receipt) -> None:
    assert decide(payment(), sale) == NothingNear(Why.NO_RECEIPT_YET)


facts = st.builds(
    CardFacts,
    scheme=st.sampled_from([None, "visa", "amex"]),
    last_four=st.sampled_from(
        [None, four("1111"), four("2222"), four("1111", LastFourKind.DEVICE)]
    ),
    auth_code=st.sampled_from([None, "A1", "B2"]),
)
sales = st.lists(
    st.tuples(st.integers(-2000, 2000), st.sampled_from([420, 500]), facts), max_size=6
)


@given(sales=sales, card=facts, order=st.randoms())
def test_the_order_of_receipts_changes_nothing(
    sales: list[tuple[int, int, CardFacts]], card: CardFacts, order: object
) -> None:
    receipts = [receipt(f"r{i}", seconds=s, minor=m, card=c) for i, (s, m, c) in enumerate(sales)]
    shuffled = list(receipts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    assert decide(payment(card=card), *receipts) == decide(payment(card=card), *shuffled)


@given(sales=sales, card=facts)
def test_a_match_is_always_free_and_sure(
    sales: list[tuple[int, int, CardFacts]], card: CardFacts
) -> None:
    receipts = [receipt(f"r{i}", seconds=s, minor=m, card=c) for i, (s, m, c) in enumerate(sales)]
    held = {
        (r.receipt_id, 0): Hold(payment("p2").payment_id, "somebody else", BANK)
        for r in receipts[::2]
    }

    decision = decide(payment(card=card), *receipts, held=held)

    if isinstance(decision, Matched):
        assert (decision.part.receipt_id, decision.part.index) not in held
        assert decision.probability >= 0.999
        if decision.evidence.relation is Relation.EQUAL:
            assert decision.part.amount_minor == 420
