"""A till that is hours off: no stranger's receipt, a sign that names it, and then its payments."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.matching.timekeeping import store as timekeeping_store
from chalicelib.matching.timekeeping.votes import Vote
from chalicelib.purchases import service, waiting
from chalicelib.purchases.reading import Missing
from chalicelib.receipts.canonical import Receipt
from tests.makers.outside import Counted
from tests.makers.purchases import PAID_AT, SALE, SHOP, event, found, open_town, receive

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

THREE_HOURS = timedelta(hours=3, seconds=20)
EVENING = PAID_AT + timedelta(hours=10)
AT_NIGHT = PAID_AT + timedelta(hours=15)
SALES = range(8)


def paid_at(number: int) -> datetime:
    return PAID_AT + timedelta(minutes=37 * number)


def printed(number: int, *, off: timedelta = THREE_HOURS) -> Receipt:
    """The sale of `number`, by a till whose clock is off."""
    minor = 420 + 111 * number
    tender = replace(SALE.tenders[0], amount_minor=minor, card=CardFacts())
    return replace(
        SALE,
        reference=f"R-{number}",
        till="T7",
        issued_at=paid_at(number) + off + timedelta(seconds=number % 3),
        total_minor=minor,
        lines=(replace(SALE.lines[0], amount_minor=minor),),
        tenders=(tender,),
    )


def pay(number: int, *, now: datetime = EVENING) -> None:
    """Ada pays for it. Her bank says nothing of the card."""
    told = event(
        f"t-{number}",
        made_at=paid_at(number),
        occurred_at=paid_at(number),
        amount=Money(420 + 111 * number, "GBP"),
        card=CardFacts(),
    )
    service.record_payment(told, now=now)


def matches(now: datetime) -> list[object]:
    return [found(f"t-{number}", now=now) for number in SALES]


def a_day() -> None:
    open_town()
    for number in SALES:
        pay(number)
    receive(*(printed(number) for number in SALES), now=EVENING)


@pytest.mark.requirement("RCP-11")
def test_finds_at_night_what_a_wrong_clock_hid_by_day(counted: Counted) -> None:
    a_day()
    by_day = matches(EVENING)

    waiting.look_again_between(AT_NIGHT - waiting.LONGEST, AT_NIGHT, now=AT_NIGHT)

    assert by_day == [Missing.PENDING] * len(SALES)
    assert matches(AT_NIGHT) == [f"R-{number}" for number in SALES]
    assert counted["tills_far_off"] == 1
    clocks = timekeeping_store.find_clocks(SHOP.store_id, now=AT_NIGHT, consistent=True).clocks
    assert clocks.tills["T7"].offset == pytest.approx(THREE_HOURS.total_seconds(), abs=5)


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize("order", list(permutations(range(2))), ids=str)
def test_knows_the_clock_from_then_on_whoever_comes_first(order: Sequence[int]) -> None:
    a_day()
    waiting.look_again_between(AT_NIGHT - waiting.LONGEST, AT_NIGHT, now=AT_NIGHT)
    steps: list[Callable[[], object]] = [
        lambda: pay(20, now=AT_NIGHT),
        lambda: receive(printed(20), now=AT_NIGHT),
    ]

    for step in order:
        steps[step]()

    assert found("t-20", now=AT_NIGHT) == "R-20"


@pytest.mark.requirement("RCP-11")
def test_finds_at_night_what_a_clock_hid_that_was_wrong_for_an_afternoon_and_is_right_again() -> (
    None
):
    right = range(20, 32)
    open_town()
    for number in right:
        vote = Vote("T7", 2.0, (paid_at(number) - timedelta(days=1)).timestamp())
        timekeeping.vote(SHOP.store_id, vote, now=PAID_AT)
    for number in SALES:
        pay(number)
    receive(*(printed(number) for number in SALES), now=EVENING)
    timekeeping.vote(SHOP.store_id, Vote("T7", 2.0, EVENING.timestamp()), now=EVENING)

    waiting.look_again_between(AT_NIGHT - waiting.LONGEST, AT_NIGHT, now=AT_NIGHT)

    assert matches(AT_NIGHT) == [f"R-{number}" for number in SALES]
    clocks = timekeeping_store.find_clocks(SHOP.store_id, now=AT_NIGHT, consistent=True).clocks
    assert clocks.tills["T7"].offset == pytest.approx(2.0, abs=0.1)


@pytest.mark.requirement("RCP-11")
def test_learns_nothing_of_a_clock_from_prices_that_anybody_pays() -> None:
    """Eight coffees at one price, printed every ten minutes: any difference explains them."""
    open_town()
    for number in SALES:
        service.record_payment(
            event(f"t-{number}", made_at=paid_at(number), card=CardFacts()), now=EVENING
        )
    coffees = [
        replace(printed(0), reference=f"C-{n}", issued_at=PAID_AT + timedelta(minutes=10 * n + 240))
        for n in range(40)
    ]
    receive(*coffees, now=EVENING)

    waiting.look_again_between(AT_NIGHT - waiting.LONGEST, AT_NIGHT, now=AT_NIGHT)

    assert matches(AT_NIGHT) == [Missing.PENDING] * len(SALES)
