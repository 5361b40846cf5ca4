"""Audiences: what a history says, in words, and what is never looked at."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ReceiptId, RetailerId
from chalicelib.offers.audiences.history import (
    Visit,
    by_receipt,
    district_of_postcode,
    home_districts,
    visits_of,
)
from chalicelib.offers.audiences.meeting import Asked, find_reasons
from chalicelib.offers.audiences.model import (
    EVERYBODY,
    Area,
    Audience,
    CategoryBuyer,
    Criterion,
    Frequent,
    Lapsed,
    Nearby,
    New,
    SpendBand,
)
from chalicelib.offers.audiences.profile import Merchant, profile_of
from chalicelib.offers.audiences.sensitive import harmless
from chalicelib.purchases.model import Purchase
from tests.makers.loyalty import SOLD_AT, paid_event, purchase, refund_event
from tests.makers.receipts import by_cards, line, sale

DAY = timedelta(days=1)
OWN, OTHER = RetailerId("bean-and-leaf"), RetailerId("tea-room")


def visit(days_ago: int, *, at: RetailerId = OWN, minor: int = 350, district: str = "LS1") -> Visit:
    when = SOLD_AT - timedelta(days=days_ago)
    name = ReceiptId(f"{at}-{days_ago}")
    return Visit(name, when, at, district, "GBP", minor, frozenset({"coffee"}))


def criteria_met(criterion: Criterion, *visits: Visit, kilometres: int | None = None) -> bool:
    asked = Asked(OWN, "Bean & Leaf", "GBP", SOLD_AT, kilometres)
    return find_reasons(Audience((criterion,)), visits, asked) is not None


@pytest.mark.parametrize(
    ("criterion", "meets", "fails"),
    [
        (New(30), (visit(31), visit(2, at=OTHER)), (visit(30),)),
        (Lapsed(30), (visit(31),), (visit(31), visit(29))),
        (Lapsed(30), (visit(366),), (visit(367),)),
        (Frequent(2, 30), (visit(1), visit(30)), (visit(1), visit(31), visit(2, at=OTHER))),
        (CategoryBuyer("COFFEE ", 2, 9), (visit(1), visit(2, at=OTHER)), (visit(1),)),
        (SpendBand(700, None, 9), (visit(1), visit(2)), (visit(1), visit(2, at=OTHER))),
        (SpendBand(0, 699, 9), (visit(1),), (visit(1), visit(2))),
        (Area(("ls1",)), (visit(1), visit(2, district="SE1")), (visit(1, district="SE1"),)),
    ],
)
def test_a_criterion_is_met_by_these_visits_and_not_by_those(
    criterion: Criterion, meets: tuple[Visit, ...], fails: tuple[Visit, ...]
) -> None:
    assert criteria_met(criterion, *meets)
    assert not criteria_met(criterion, *fails)


def test_the_purchase_of_the_very_moment_does_not_count() -> None:
    assert criteria_met(New(30), visit(0))


def test_nearby_needs_a_place_that_is_near() -> None:
    assert [criteria_met(Nearby(3), kilometres=km) for km in (None, 3, 4)] == [False, True, False]


def test_an_offer_for_everybody_says_so() -> None:
    asked = Asked(OWN, "Bean & Leaf", "GBP", SOLD_AT)

    (reason,) = find_reasons(EVERYBODY, (), asked) or ()

    assert reason.words == "This offer is for everybody who has switched offers on."


def test_sensitive_categories_enter_no_history_and_no_audience() -> None:
    bought = purchase(sale(line(category=("Coffee", "Pharmacy"))))
    (seen,) = visits_of([bought], lambda _store: "LS1")

    assert seen.categories == frozenset({"coffee"})
    assert harmless(("coffee", "wine")) == frozenset({"coffee"})
    wine = Visit(ReceiptId("w"), SOLD_AT, OWN, "", "GBP", 1, frozenset({"wine"}))
    assert not criteria_met(CategoryBuyer("wine", 1, 30), wine)


def test_what_was_given_back_whole_or_has_no_receipt_is_no_visit() -> None:
    refunded = purchase(sale(line()), refund_event(350))

    assert visits_of([refunded, purchase(None)], lambda _store: "") == ()


def tendered(minor: int, part: int, *, seconds: int = 0, days_ago: int = 1) -> Purchase:
    """One payment of a dinner of £60.00, of which two cards paid £45.00 and £15.00."""
    dinner = by_cards(sale(line(amount=6_000, category=("Dinner",))), 4_500, 1_500)
    at = SOLD_AT - timedelta(days=days_ago, seconds=-seconds)
    return purchase(dinner, paid_event(minor, made_at=at), part=part)


def seen(*purchases: Purchase) -> tuple[Visit, ...]:
    return by_receipt(visits_of(purchases, lambda _store: "LS1"))


def test_of_a_split_bill_somebody_spent_what_they_paid() -> None:
    larger, smaller = seen(tendered(4_500, 0)), seen(tendered(1_500, 1))

    assert [one.minor for one in (*larger, *smaller)] == [4_500, 1_500]
    assert criteria_met(SpendBand(1_500, 1_500, 9), *smaller)
    assert not criteria_met(SpendBand(1_501, None, 9), *smaller)


def test_what_a_voucher_paid_and_what_was_given_out_is_not_spent() -> None:
    bill = sale(line(amount=6_000))
    by_voucher = purchase(by_cards(bill, 2_000, voucher=4_000), paid_event(2_000))
    with_cash = replace(by_cards(bill, 8_000), change_minor=2_000)

    (used,), (drawn,) = seen(by_voucher), seen(purchase(with_cash, paid_event(8_000)))

    assert (used.minor, drawn.minor) == (2_000, 6_000)


def test_two_payments_of_one_receipt_are_one_visit() -> None:
    first, second = tendered(4_500, 0), tendered(1_500, 1, seconds=40)
    coffee = visit(3, minor=350)

    (dinner,) = seen(second, first)

    began = SOLD_AT - timedelta(days=1)
    assert (dinner.at, dinner.minor, dinner.categories) == (began, 6_000, frozenset({"dinner"}))
    assert not criteria_met(Frequent(2, 30), dinner)
    assert criteria_met(Frequent(2, 30), dinner, coffee)
    assert not criteria_met(CategoryBuyer("dinner", 2, 30), dinner)
    assert criteria_met(SpendBand(6_000, 6_000, 30), dinner)


def test_a_profile_counts_a_split_bill_once_and_what_was_paid_of_it() -> None:
    visits = seen(
        tendered(4_500, 0),
        tendered(1_500, 1),
        purchase(sale(line(), reference="A-2"), paid_event(350, made_at=SOLD_AT - DAY * 3)),
    )

    profile = profile_of(visits, (), currency="GBP", at=SOLD_AT)

    assert (profile.visits, profile.month_band_minor) == (2, (5_000, 20_000))
    assert profile.merchants == (Merchant(OWN, 2, 6_350, SOLD_AT - DAY),)


def test_somebody_is_at_home_where_a_third_of_the_visits_are() -> None:
    visits = [visit(n, district="SE1" if n < 3 else "LS1") for n in range(9)]

    assert home_districts(visits) == {"SE1", "LS1"}
    assert home_districts([*visits, visit(10)]) == {"LS1"}
    assert [district_of_postcode(text) for text in ("se1 9pf", "SE19PF", "10115", "")] == [
        "SE1",
        "SE1",
        "10",
        "",
    ]
