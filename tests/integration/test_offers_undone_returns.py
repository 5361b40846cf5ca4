"""A return that is undone gives an offer again, unless another purchase has its place by now."""

from dataclasses import replace

import pytest

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.money import Money
from chalicelib.offers.campaigns.model import Limit
from chalicelib.purchases.model import LinkedRefund, Purchase
from chalicelib.purchases.versions import with_refund, without_refund
from tests.makers.offers import (
    BANK,
    SETTLED_AT,
    award,
    bought,
    campaign,
    coffees,
    join,
    next_version,
    open_town,
    owed,
    returned,
    run,
    spent,
)
from tests.makers.receipts import line, sale

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]
COFFEE = coffees(350)
BACK = returned(COFFEE, "1")


@pytest.fixture
def town(embedded_aws: None) -> None:
    open_town()


def _with_a_return(before: Purchase) -> Purchase:
    return next_version(before, returns=(BACK,))


def _without(before: Purchase) -> Purchase:
    return next_version(before, returns=())


def test_a_return_that_is_undone_gives_the_reward_again() -> None:
    ada, (pound,) = join(), run(campaign())
    first = bought(COFFEE, ada)
    back = _with_a_return(first)

    had = []
    for one in (first, back, _without(back), _without(back)):
        award(one, ada)
        had.append(owed(ada.member_id))

    assert had == [100, 0, 100, 100]
    assert spent(pound) == 100


@pytest.mark.parametrize("times", [1, 2])
def test_a_return_that_is_undone_does_not_pass_the_limit(times: int) -> None:
    ada, (pound,) = join(), run(campaign(limit=Limit(times=times)))
    first = bought(COFFEE, ada)
    back = _with_a_return(first)
    for one in (first, back):
        award(one, ada)
    for name in ("t-2", "t-3")[:times]:
        award(bought(coffees(360), ada, name, at=SETTLED_AT), ada)

    award(_without(back), ada)

    assert (owed(ada.member_id), spent(pound)) == (100 * times, 100 * times)


def test_a_refund_that_goes_to_another_purchase_does_not_pass_the_limit() -> None:
    ada, (pound,) = join(), run(campaign())
    refund = LinkedRefund(
        PaymentId("r" * 26), BANK.connection_id, "t-back", Money(350, "GBP"), SETTLED_AT, "amount"
    )
    first = bought(COFFEE, ada)
    back = with_refund(first, refund)
    award(first, ada)
    award(back, ada)
    without = owed(ada.member_id)
    award(bought(coffees(360), ada, "t-2", at=SETTLED_AT), ada)

    award(without_refund(back, refund.payment_id), ada)

    assert (without, owed(ada.member_id), spent(pound)) == (0, 100, 100)


def test_the_place_is_free_again_once_the_other_purchase_came_back_too() -> None:
    ada, (pound,) = join(), run(campaign())
    first, second = bought(COFFEE, ada), bought(coffees(360), ada, "t-2", at=SETTLED_AT)
    back = _with_a_return(first)
    for one in (first, back, second, _without(back)):
        award(one, ada)
    other = next_version(second, returns=(returned(coffees(360), "1"),))

    award(other, ada)
    award(_without(back), ada)

    assert (owed(ada.member_id), spent(pound)) == (100, 100)


def test_a_purchase_whose_first_receipt_comes_back_has_its_own_place() -> None:
    ada, (pound,) = join(), run(campaign())
    first = bought(COFFEE, ada)
    other = sale(line("1", amount=350, category=("Drinks", "Coffee")), reference="S-2")
    second = replace(bought(other, ada), version=2)
    third = replace(first, version=3)

    had = []
    for one in (first, second, third):
        award(one, ada)
        had.append((owed(ada.member_id), spent(pound)))

    assert had == [(100, 100)] * 3
