"""A refund whose bank does not say what it gives back: found, counted once, in any order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.kernel.ids import payment_id_of
from chalicelib.kernel.money import Money
from chalicelib.matching.payment import PaymentState
from chalicelib.network import service as network
from chalicelib.purchases.history import changes_of, in_words
from chalicelib.purchases.model import Ending
from chalicelib.purchases.refunding import waiting
from chalicelib.purchases.refunds import Refunded, refunded, status_of
from chalicelib.receipts.canonical import Line, ReceiptKind
from chalicelib.receipts.returns import returnable_quantity
from tests.makers.network import CINEMA, make_retailer, make_store, mid
from tests.makers.outside import Counted
from tests.makers.purchases import BANK, PAID_AT, deliveries, open_town, receive
from tests.makers.refunds import (
    A_DAY,
    bought,
    given_back,
    own_row,
    purchase,
    refund,
    tell,
)

pytestmark = pytest.mark.stores
NEXT_DAY = PAID_AT + A_DAY
LATER = PAID_AT + 2 * A_DAY
CAKE = Line("9", "Plum cake", 350, sku="PLUM")
LOAF = Line("9", "Rye loaf", 210, sku="RYE")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


@pytest.mark.requirement("RCP-09")
def test_finds_the_purchase_that_a_refund_gives_back_in_whole(counted: Counted) -> None:
    bought("t-1")
    deliveries()

    tell(refund("t-9", 770))

    after = purchase("t-1")
    assert (refunded(after), status_of(after)) == (Refunded(770, 770), PaymentState.REFUNDED)
    assert [(one.transaction_id, one.amount) for one in after.refunds] == [
        ("t-9", Money(770, "GBP"))
    ]
    assert after.version == 2
    assert len(deliveries()) == 1
    assert counted["refunds_linked:one_purchase_fits"] == 1
    assert purchase("t-9") == after


def test_finds_the_purchase_by_what_some_of_its_goods_cost() -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2), lines=(Line("1", "Seed bun", 275),))

    tell(refund("t-9", 350))

    assert refunded(purchase("t-1")) == Refunded(770, 350)
    assert status_of(purchase("t-1")) is PaymentState.AUTHORISED
    assert purchase("t-2").refunds == ()


def test_waits_between_two_purchases_that_fit_alike(counted: Counted) -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2))

    tell(refund("t-9", 770))

    assert [purchase(name).refunds for name in ("t-1", "t-2")] == [(), ()]
    assert own_row("t-9", now=LATER) is None
    assert counted["refunds_waiting:several_purchases"] == 1


@pytest.mark.requirement("RCP-09")
def test_a_return_receipt_says_which_of_two_purchases_in_either_order() -> None:
    def story(*steps: Callable[[], object]) -> None:
        for step in steps:
            step()
            step()

    ended = []
    for number, order in enumerate(permutations(range(2))):
        first, second, back = (f"{name}-{number}" for name in ("t-1", "t-2", "t-9"))
        at = PAID_AT + number * timedelta(days=60)
        bought(first, at=at)
        bought(second, at=at + timedelta(hours=2))
        steps = [
            lambda back=back, at=at: tell(refund(back, 350, at=at + A_DAY)),
            lambda second=second, at=at: receive(
                given_back(f"B-{second}", CAKE, refers_to=f"R-{second}", at=at + A_DAY),
                now=at + A_DAY,
            ),
        ]
        story(*(steps[place] for place in order))
        found = [purchase(name, now=at + 2 * A_DAY) for name in (first, second)]
        ended.append(
            [
                (
                    refunded(one),
                    [returnable_quantity(line) for line in one.after_returns.sale.lines],
                )
                for one in found
            ]
        )

    assert ended == [[(Refunded(770, 0), [2, 1]), (Refunded(770, 350), [2, 0])]] * 2


def test_a_guess_moves_when_the_goods_come_back_to_another_purchase(counted: Counted) -> None:
    bought("t-1", lines=(Line("1", "Plum cake", 350, sku="PLUM"),))
    tell(refund("t-9", 350))
    assert refunded(purchase("t-1")).minor == 350
    bought("t-2", at=PAID_AT + timedelta(hours=3))

    receive(given_back("B-1", CAKE, refers_to="R-t-2"), now=LATER)
    receive(given_back("B-1", CAKE, refers_to="R-t-2"), now=LATER)

    assert [refunded(purchase(name)).minor for name in ("t-1", "t-2")] == [0, 350]
    row = own_row("t-9", now=LATER)
    assert row is not None
    assert row.refund_of is not None
    assert row.refund_of.payment_id == payment_id_of(BANK, "t-2")
    assert counted["refunds_linked:return_receipt"] == 1


def test_the_same_refund_told_twice_counts_once() -> None:
    bought("t-1")

    tell(refund("t-9", 350))
    tell(refund("t-9", 350))
    tell(refund("t-9", 350), now=LATER)

    assert refunded(purchase("t-1")) == Refunded(770, 350)
    assert purchase("t-1").version == 2


@pytest.mark.parametrize("linked_first", [True, False])
def test_a_refund_told_with_and_without_its_link_counts_once(linked_first: bool) -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2), lines=(Line("1", "Seed bun", 350),))
    alone = refund("t-9", 350)
    linked = replace(alone, refers_to="t-1", event_key="refunded:linked", digest="linked")

    for told in (linked, alone) if linked_first else (alone, linked):
        tell(told)
        tell(told)
    waiting.look_daily(LATER)

    assert [refunded(purchase(name)).told_minor for name in ("t-1", "t-2")] == [350, 0]
    assert [one.refunds for one in (purchase("t-1"), purchase("t-2"))] == [(), ()]
    row = own_row("t-9", now=LATER)
    assert row is not None
    assert row.refund_of is not None
    assert (row.refund_of.payment_id, row.ending) == (
        payment_id_of(BANK, "t-1"),
        Ending.REFUND_LINKED,
    )


def test_never_gives_a_purchase_more_than_was_paid() -> None:
    bought("t-1")
    tell(refund("t-8", 770))

    tell(refund("t-9", 770))

    assert refunded(purchase("t-1")) == Refunded(770, 770)
    assert own_row("t-9", now=LATER) is None


def test_a_refund_that_the_bank_links_in_another_currency_is_told_of_and_does_not_count() -> None:
    bought("t-1")

    tell(refund("t-9", 770, amount=Money(1500, "JPY"), refers_to="t-1"))

    after = purchase("t-1")
    assert refunded(after) == Refunded(770, 0, has_other_currency=True)
    assert status_of(after) is PaymentState.AUTHORISED
    assert [in_words(change) for change in changes_of(after)] == [
        "The receipt R-t-1 was found.",
        "The bank refunded 1500 JPY.",
    ]


def test_money_in_another_currency_pays_for_no_goods_that_came_back() -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2))
    receive(given_back("B-1", CAKE, refers_to="R-t-2"), now=NEXT_DAY)
    tell(refund("t-8", 350, amount=Money(350, "JPY"), refers_to="t-2"))

    tell(refund("t-9", 350))

    assert refunded(purchase("t-1")) == Refunded(770, 0)
    assert refunded(purchase("t-2")) == Refunded(770, 350, has_other_currency=True)


def test_a_refund_of_another_member_is_never_linked() -> None:
    bought("t-1")

    tell(refund("t-9", 770, account_ref="acc-b"))

    assert purchase("t-1").refunds == ()


def test_finds_the_purchase_under_another_merchant_id_of_the_retailer_and_of_its_group() -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2), lines=(Line("1", "Seed bun", 275),))
    cinema = replace(make_retailer(CINEMA), group="lantern-street")
    network.record_retailer(cinema)
    network.record_retailer(replace(make_retailer(), group="lantern-street"))
    network.record_store(make_store("kings-road"), [mid("20002")], now=PAID_AT)
    network.record_store(make_store("screen-1", CINEMA), [mid("30003")], now=PAID_AT)

    tell(refund("t-8", 770, merchant=(mid("20002"),)))
    tell(refund("t-9", 275, merchant=(mid("30003"),)))

    assert refunded(purchase("t-1")) == Refunded(770, 770)
    assert refunded(purchase("t-2")) == Refunded(275, 275)


def test_a_refund_from_a_shop_of_another_brand_waits() -> None:
    bought("t-1")
    network.record_retailer(make_retailer(CINEMA))
    network.record_store(make_store("screen-1", CINEMA), [mid("30003")], now=PAID_AT)

    tell(refund("t-9", 770, merchant=(mid("30003"),)))

    assert purchase("t-1").refunds == ()


def test_a_refund_long_after_the_return_period_waits() -> None:
    bought("t-1")
    months_later = PAID_AT + 60 * A_DAY

    tell(refund("t-9", 770, at=months_later))

    assert purchase("t-1", now=months_later).refunds == ()


def test_a_refund_that_comes_before_its_purchase_is_told_finds_it_with_the_next_daily_look() -> (
    None
):
    tell(refund("t-9", 770))
    bought("t-1")

    assert waiting.look_daily(LATER) == 1

    assert refunded(purchase("t-1")) == Refunded(770, 770)
    assert waiting.look_daily(LATER) == 0


@pytest.mark.requirement("RCP-09")
def test_a_refund_and_goods_that_came_back_before_their_sale_is_found_wait_for_nothing() -> None:
    tell(refund("t-9", 350))
    receive(given_back("B-1", CAKE, refers_to="R-t-1"), now=NEXT_DAY)

    bought("t-1")

    after = purchase("t-1")
    assert refunded(after) == Refunded(770, 350)
    assert [one.reference for one in after.returns] == ["B-1"]
    own = own_row("t-9", now=LATER)
    assert own is not None
    assert own.ending is Ending.REFUND_LINKED
    assert waiting.look_daily(LATER) == 0


def test_a_pending_refund_that_is_settled_with_another_amount_counts_with_the_last() -> None:
    bought("t-1")
    tell(refund("t-9", 770))
    settled = refund("t-9", 765, at=NEXT_DAY)

    tell(replace(settled, occurred_at=NEXT_DAY + timedelta(hours=9), event_key="refunded:765"))

    assert refunded(purchase("t-1")).told_minor == 765


def test_goods_that_came_back_without_a_name_are_found_by_the_refund_in_either_order() -> None:
    card_facts = ("1", "2")
    for number, is_refund_first in zip(card_facts, (True, False), strict=True):
        at = PAID_AT + int(number) * timedelta(days=60)
        bought(f"t-{number}", at=at)
        back = given_back(f"B-{number}", CAKE, refers_to=None, at=at + A_DAY)
        money = refund(f"t-9{number}", 350, at=at + A_DAY)
        for _ in range(2):
            if is_refund_first:
                tell(money)
            receive(back, now=at + A_DAY + timedelta(minutes=2))
            if not is_refund_first:
                tell(money)

        found = purchase(f"t-{number}", now=at + 2 * A_DAY)
        assert refunded(found) == Refunded(770, 350)
        assert [one.reference for one in found.returns] == [f"B-{number}"]
        assert [returnable_quantity(line) for line in found.after_returns.sale.lines] == [2, 0]


@pytest.mark.parametrize("others", [0, 1])
def test_an_unnamed_return_is_given_to_a_purchase_that_it_fits_alone(others: int) -> None:
    bought("t-1")
    for number in range(others):
        bought(f"t-2{number}", at=PAID_AT + timedelta(hours=2))
    receive(given_back("B-1", CAKE, refers_to=None), now=NEXT_DAY)
    linked = refund("t-9", 350, refers_to="t-1", event_key="linked", digest="linked")

    tell(linked)
    tell(refund("t-9", 350))

    after = purchase("t-1")
    assert refunded(after) == Refunded(770, 350)
    assert [one.reference for one in after.returns] == ([] if others else ["B-1"])


def test_goods_that_came_back_without_a_name_are_nobodys_where_two_purchases_fit() -> None:
    bought("t-1")
    bought("t-2", at=PAID_AT + timedelta(hours=2))
    receive(given_back("B-1", LOAF, refers_to=None), now=NEXT_DAY)

    tell(refund("t-9", 210))

    assert [purchase(name).returns for name in ("t-1", "t-2")] == [(), ()]


def test_an_unnamed_return_that_is_voided_is_of_its_purchase_no_more() -> None:
    bought("t-1")
    back = given_back("B-1", CAKE, refers_to=None)
    receive(back, now=NEXT_DAY)
    tell(refund("t-9", 350))
    assert purchase("t-1").returns == (back,)
    void = replace(back, version=2, kind=ReceiptKind.VOID, lines=(), total_minor=0, tenders=())

    receive(void, now=LATER)

    assert purchase("t-1").returns == (void,)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("changed", ["void", "other amount", "named"])
def test_an_unnamed_return_that_was_changed_before_the_refund_is_not_given(
    changed: str, *, together: bool
) -> None:
    bought("t-1")
    back = given_back("B-1", CAKE, refers_to=None)
    newer = {
        "void": replace(back, kind=ReceiptKind.VOID, lines=(), total_minor=0, tenders=()),
        "other amount": given_back("B-1", LOAF, refers_to=None),
        "named": given_back("B-1", CAKE, refers_to="R-of-nobody"),
    }[changed]
    newer = replace(newer, version=2)
    if together:
        receive(back, newer, now=NEXT_DAY)
    else:
        receive(back, now=NEXT_DAY)
        receive(newer, now=NEXT_DAY)

    tell(refund("t-9", 350))

    assert purchase("t-1").returns == ()
