"""Audiences: what a history says, in words, and what is never looked at."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import PaymentId, RetailerId
from chalicelib.offers.audiences.history import (
    Visit,
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
from chalicelib.offers.audiences.sensitive import harmless
from tests.makers.loyalty import SOLD_AT, purchase, refund_event
from tests.makers.receipts import line, sale

OWN, OTHER = RetailerId("bean-and-leaf"), RetailerId("tea-room")


def visit(days_ago: int, *, at: RetailerId = OWN, minor: int = 350, district: str = "LS1") -> Visit:
    when = SOLD_AT - timedelta(days=days_ago)
    name = PaymentId(f"{at}-{days_ago}")
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
    wine = Visit(PaymentId("w"), SOLD_AT, OWN, "", "GBP", 1, frozenset({"wine"}))
    assert not criteria_met(CategoryBuyer("wine", 1, 30), wine)


def test_what_was_given_back_whole_or_has_no_receipt_is_no_visit() -> None:
    refunded = purchase(sale(line()), refund_event(350))

    assert visits_of([refunded, purchase(None)], lambda _store: "") == ()


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
