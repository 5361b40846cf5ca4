"""What the person who paid says of a match: "not mine", or "this is mine", paper in hand."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.kernel.cards import NO_DIGITS, CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Matched
from chalicelib.matching.why import Why
from chalicelib.network import service as network
from chalicelib.purchases import service
from chalicelib.purchases.access import Own
from chalicelib.purchases.correcting import joining
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.correcting.paper import Paper, fitting
from chalicelib.purchases.correcting.service import (
    ATTEMPTS_PER_MEMBER_DAILY,
    ATTEMPTS_PER_PAYMENT_DAILY,
    HasReceipt,
    NotConfirmed,
    TooManyAttempts,
)
from chalicelib.purchases.messages import JoinMessage
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import Missing
from chalicelib.purchases.standing import question_of
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.runtime import aws, settings
from infra.local import queue_time
from tests.makers.corrections import (
    HOURS_OFF,
    LATER,
    PLAIN,
    holders,
    of_sum,
    own,
    pay,
    purchase,
    refused,
    unfinished,
)
from tests.makers.network import make_store, mid
from tests.makers.purchases import (
    A_MINUTE_LATER,
    PAID_AT,
    SALE,
    deliveries,
    event,
    found,
    open_town,
    receive,
)

pytestmark = pytest.mark.stores

PAPER = Paper(reference="R-1")
FOUR_HOURS_OFF = replace(HOURS_OFF, issued_at=PAID_AT + timedelta(hours=4))
# moto's tables are no match for threads: there the two speak one after the other.
SPEAKERS = 2 if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else 1


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town()
    yield
    restore()


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize(
    "paper",
    [PAPER, Paper(barcode="0042-R-1"), Paper(reference="RET-1"), Paper(barcode="RET-1")],
)
def test_joins_the_receipt_that_the_paper_names(paper: Paper) -> None:
    receive(HOURS_OFF)
    mine = pay()

    correcting.say_mine(mine, paper, now=LATER)

    joined = purchase()
    assert joined.receipt == HOURS_OFF
    assert joined.reason is not None
    assert (joined.reason.why, joined.reason.agreements) == ("said_mine", ("amount",))
    assert joined.reason.seconds_apart == 3600
    assert holders() == [mine.where.payment_id]
    assert len(deliveries()) == 1


def test_said_again_it_has_the_same_answer_and_uses_no_attempt() -> None:
    receive(HOURS_OFF)
    mine = pay()
    correcting.say_mine(mine, PAPER, now=LATER)
    deliveries()

    for _ in range(ATTEMPTS_PER_PAYMENT_DAILY + 1):
        correcting.say_mine(mine, PAPER, now=LATER)

    assert (purchase().version, deliveries()) == (1, [])


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param(of_sum(HOURS_OFF, 990), id="another sum"),
        pytest.param(of_sum(HOURS_OFF, 300), id="a tip of two fifths"),
        pytest.param(replace(HOURS_OFF, issued_at=PAID_AT + timedelta(hours=15)), id="another day"),
        pytest.param(of_sum(FOUR_HOURS_OFF, 350), id="a tip hours after the bill"),
        pytest.param(of_sum(HOURS_OFF, 420, CardFacts(auth_code="9Z9Z9Z")), id="another card"),
        pytest.param(replace(HOURS_OFF, kind=ReceiptKind.RETURN), id="a return"),
        pytest.param(replace(HOURS_OFF, currency="EUR"), id="another currency"),
    ],
)
def test_a_receipt_that_something_contradicts_is_as_if_there_were_none(printed: Receipt) -> None:
    receive(printed)
    mine = pay(card=CardFacts(auth_code="4K7Q2X"))

    contradicted = refused(partial(correcting.say_mine, mine, PAPER, now=LATER), NotConfirmed)
    made_up = refused(
        partial(correcting.say_mine, mine, Paper(reference="R-9"), now=LATER), NotConfirmed
    )

    assert contradicted == made_up == "receipt_not_confirmed"


@pytest.mark.parametrize(
    ("paid", "printed"),
    [
        pytest.param({"amount": Money(420, "GBP")}, of_sum(HOURS_OFF, 350), id="a tip of a fifth"),
        pytest.param(
            {"amount": Money(1000, "GBP"), "card": CardFacts(auth_code="4K7Q2X")},
            of_sum(HOURS_OFF, 420, CardFacts(auth_code="4K7Q2X")),
            id="more reserved than charged, by the same card",
        ),
    ],
)
def test_another_sum_may_be_its_own_with_a_tip_or_where_the_card_agrees(
    paid: dict[str, object], printed: Receipt
) -> None:
    receive(printed)
    mine = pay(**paid)

    correcting.say_mine(mine, PAPER, now=LATER)

    assert purchase().receipt == printed


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_a_receipt_for_which_somebody_waits_who_paid_its_sum_then_is_not_given_for_another_sum(
    is_waited_for: bool,
) -> None:
    """Two receipts of one sum fit the other payment, so it waits."""
    if is_waited_for:
        at = HOURS_OFF.issued_at
        other = event(
            "t-2", account_ref="acc-b", amount=Money(350, "GBP"), made_at=at, occurred_at=at,
            card=CardFacts(),
        )  # fmt: skip
        service.record_payment(other, now=at)
    twin = replace(HOURS_OFF, reference="R-2", return_reference=None, barcode=None)
    receive(of_sum(HOURS_OFF, 350), of_sum(twin, 350), now=HOURS_OFF.issued_at)
    mine = pay(amount=Money(420, "GBP"), card=CardFacts())
    later = HOURS_OFF.issued_at + timedelta(minutes=30)

    if is_waited_for:
        assert found("t-2", now=later) is Missing.PENDING
        say = partial(correcting.say_mine, mine, PAPER, now=later)
        assert refused(say, NotConfirmed) == "receipt_not_confirmed"
    else:
        correcting.say_mine(mine, PAPER, now=later)
        assert holders() == [mine.where.payment_id]


def test_a_receipt_of_another_shop_is_as_if_there_were_none() -> None:
    elsewhere = make_store("mill-road")
    network.record_store(elsewhere, [mid("10002")], now=PAID_AT)
    receive(replace(HOURS_OFF, store_id=elsewhere.store_id), place=elsewhere)
    mine = pay()

    assert refused(partial(correcting.say_mine, mine, PAPER, now=LATER), NotConfirmed)


def test_a_barcode_that_stands_on_two_receipts_names_none() -> None:
    receive(HOURS_OFF, replace(HOURS_OFF, reference="R-2", return_reference=None))
    mine = pay()

    act = partial(correcting.say_mine, mine, Paper(barcode="0042-R-1"), now=LATER)

    assert refused(act, NotConfirmed) == "receipt_not_confirmed"


def test_a_receipt_that_another_payment_holds_is_as_if_there_were_none() -> None:
    receive(HOURS_OFF)
    correcting.say_mine(pay(), PAPER, now=LATER)
    deliveries()
    bela = pay("t-2", account_ref="acc-b", digest="of Bela")

    assert refused(partial(correcting.say_mine, bela, PAPER, now=LATER), NotConfirmed)
    assert holders() == [own().where.payment_id]


@pytest.mark.parametrize("kind", [PaymentEventKind.REVERSED, PaymentEventKind.REFUNDED])
def test_a_payment_that_was_taken_back_gets_none(kind: PaymentEventKind) -> None:
    receive(HOURS_OFF)
    pay()
    back = replace(event(card=PLAIN), event_key=kind.value, kind=kind, digest=kind.value)
    service.record_payment(back, now=A_MINUTE_LATER)

    assert refused(partial(correcting.say_mine, own(), PAPER, now=LATER), NotConfirmed)


def test_a_payment_with_another_receipt_keeps_it() -> None:
    receive(SALE, replace(HOURS_OFF, reference="R-2"))
    service.record_payment(event(), now=A_MINUTE_LATER)
    deliveries()

    act = partial(correcting.say_mine, own(), Paper(reference="R-2"), now=LATER)

    assert refused(act, HasReceipt) == "has_a_receipt"
    assert found("t-1", LATER) == "R-1"


def test_of_two_who_name_one_paper_at_once_one_gets_it() -> None:
    receive(HOURS_OFF)
    both = (pay(), pay("t-2", account_ref="acc-b", digest="of Bela"))

    def say(mine: Own) -> str:
        try:
            correcting.say_mine(mine, PAPER, now=LATER)
        except NotConfirmed as refusal:
            return refusal.code
        return "joined"

    with ThreadPoolExecutor(SPEAKERS) as pool:
        outcomes = list(pool.map(say, both))

    assert sorted(outcomes) == ["joined", "receipt_not_confirmed"]
    winner = ("t-1", "t-2")[outcomes.index("joined")]
    loser = ("t-1", "t-2")[outcomes.index("receipt_not_confirmed")]
    assert holders() == [own(winner).where.payment_id]
    assert (found(winner, LATER), found(loser, LATER)) == ("R-1", Missing.PENDING)


def test_a_part_that_another_claimed_in_the_same_moment_is_not_joined() -> None:
    receive(HOURS_OFF)
    mine, bela = pay(), pay("t-2", account_ref="acc-b", digest="of Bela")
    known = payments.find_payment(mine.where.payment_id, key=mine.key, now=LATER)
    assert known is not None
    question = question_of(known, NO_DIGITS, now=LATER)
    ((part, evidence),) = fitting(question.signals, HOURS_OFF)
    decided = Matched(part, evidence, Why.SAID_MINE)
    correcting.say_mine(bela, PAPER, now=LATER)

    is_joined = joining.join_by_hand(question, known, None, decided, key=mine.key, now=LATER)

    assert not is_joined
    assert found("t-1", LATER) is Missing.PENDING
    assert holders() == [bela.where.payment_id]


def test_whoever_dies_after_the_claim_is_finished_by_its_message() -> None:
    receive(HOURS_OFF)
    mine = pay()
    correcting.say_mine(mine, PAPER, now=LATER)
    (order,) = unfinished(JoinMessage)
    die_before_the_purchase(mine)

    joining.finish(order, now=LATER)
    joining.finish(order, now=LATER)

    assert found("t-1", LATER) == "R-1"
    assert purchase().version == 1


def test_whoever_died_before_the_waiting_list_no_longer_waits() -> None:
    receive(HOURS_OFF)
    mine = pay()
    place = HOURS_OFF.store_id
    (waited,) = matching_store.list_waiting_between(place, PAID_AT, PAID_AT, now=LATER)
    correcting.say_mine(mine, PAPER, now=LATER)
    (order,) = unfinished(JoinMessage)
    matching_store.keep_waiting(waited)  # As if the run had died before it took this away.

    joining.finish(order, now=LATER)

    assert matching_store.list_waiting_between(place, PAID_AT, PAID_AT, now=LATER) == []
    assert found("t-1", LATER) == "R-1"


def die_before_the_purchase(mine: Own) -> None:
    """As if the run had died between its claim and its purchase: the purchase is not there."""
    table = settings.table("wallets")
    dynamodb = aws.client("dynamodb")
    for item in dynamodb.scan(TableName=table)["Items"]:
        if item["sk"]["S"].startswith("purchase#"):
            dynamodb.delete_item(TableName=table, Key={n: item[n] for n in ("pk", "sk")})
    assert found("t-1", LATER) is Missing.PENDING
    assert holders() == [mine.where.payment_id]


def test_a_message_whose_claim_was_lost_joins_nothing() -> None:
    receive(HOURS_OFF)
    bela = pay("t-2", account_ref="acc-b", digest="of Bela")
    correcting.say_mine(bela, PAPER, now=LATER)
    (order,) = unfinished(JoinMessage)
    mine = pay()
    lost = JoinMessage(
        mine.where.payment_id,
        mine.where.member_id,
        mine.where.anchored_at,
        0,
        order.receipt_id,
        order.part,
        order.store_id,
        order.issued_at,
        order.why,
    )

    joining.finish(lost, now=LATER)

    assert found("t-1", LATER) is Missing.PENDING
    assert holders() == [bela.where.payment_id]


def test_a_claim_whose_receipt_is_gone_is_given_back() -> None:
    receive(HOURS_OFF)
    mine = pay()
    correcting.say_mine(mine, PAPER, now=LATER)
    (order,) = unfinished(JoinMessage)
    die_before_the_purchase(mine)

    joining.finish(order, now=PAID_AT + timedelta(days=9))

    assert holders() == []


def test_no_more_attempts_than_a_few_a_day_and_the_next_day_again() -> None:
    receive(HOURS_OFF)
    mine = pay()
    for _ in range(ATTEMPTS_PER_PAYMENT_DAILY):
        with pytest.raises(NotConfirmed):
            correcting.say_mine(mine, Paper(reference="R-9"), now=LATER)

    with pytest.raises(TooManyAttempts) as refusal:
        correcting.say_mine(mine, PAPER, now=LATER)
    correcting.say_mine(mine, PAPER, now=LATER + timedelta(days=1))

    assert refusal.value.after_seconds == 11 * 3600 + 54 * 60 + 1
    assert found("t-1", LATER) == "R-1"


def test_no_more_attempts_of_one_member_over_all_payments() -> None:
    names = [f"t-{n}" for n in range(ATTEMPTS_PER_MEMBER_DAILY // ATTEMPTS_PER_PAYMENT_DAILY)]
    for name in names:
        mine = pay(name)
        for _ in range(ATTEMPTS_PER_PAYMENT_DAILY):
            with pytest.raises(NotConfirmed):
                correcting.say_mine(mine, Paper(reference="R-9"), now=LATER)

    with pytest.raises(TooManyAttempts):
        correcting.say_mine(pay("t-more"), Paper(reference="R-9"), now=LATER)
    bela = pay("t-b", account_ref="acc-b", digest="of Bela")
    with pytest.raises(NotConfirmed):
        correcting.say_mine(bela, Paper(reference="R-9"), now=LATER)
