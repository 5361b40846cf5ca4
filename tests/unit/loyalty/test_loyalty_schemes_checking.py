"""Schemes that cannot be meant are refused, with every reason and its place."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.loyalty.schemes.checking import read_scheme
from tests.makers.schemes import AROUND, NOW, points, problems, read, shape_of, stamps

TEXT = {"kind": "free_text", "text": "A cake"}
POUND = {"kind": "spend", "id": "pound", "per_minor": 100}
CASHBACK = {"kind": "fixed_cashback", "amount_minor": 300}
LADDER = [{"id": "bronze", "name": "Bronze", "threshold": 0}]


def rule(**more: Any) -> dict[str, Any]:
    return points(POUND | more)


def window(**more: Any) -> dict[str, Any]:
    return rule(when={"windows": [{"days": "FREQ=DAILY"} | more]})


def tiers(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return points(tiers={"steps": [*LADDER, *steps], **more})


def test_finds_nothing_wrong_with_plain_schemes() -> None:
    assert (problems(points()), problems(stamps())) == ([], [])


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (rule(units=0), [("out_of_range", "rules[0].units")]),
        (rule(units=-1), [("out_of_range", "rules[0].units")]),
        (rule(per_minor=0), [("out_of_range", "rules[0].per_minor")]),
        (rule(units=1_000_000, per_minor=1), [("overflows", "rules[0].units")]),
        (rule(multiplier="101"), [("out_of_range", "rules[0].multiplier")]),
        (rule(multiplier="0"), [("fraction", "rules[0].multiplier")]),
        (rule(multiplier="3/0"), [("fraction", "rules[0].multiplier")]),
        (rule(caps=[{"units": -5, "per": "day"}]), [("out_of_range", "rules[0].caps[0].units")]),
        (points(caps=[{"units": 0, "per": "day"}]), [("out_of_range", "caps[0].units")]),
        (rule(when={"min_spend_minor": -1}), [("out_of_range", "rules[0].when.min_spend_minor")]),
        (points(min_spend_minor=10**13), [("out_of_range", "min_spend_minor")]),
        (points(pending_days=-1), [("out_of_range", "pending_days")]),
        (points(budget_minor=0), [("out_of_range", "budget_minor")]),
        (points(expiry={"after": 0}), [("out_of_range", "expiry.after")]),
        (
            points({"kind": "streak", "id": "s", "steps": 1, "step": "ever"}),
            [("out_of_range", "rules[0].steps"), ("out_of_range", "rules[0].step")],
        ),
        (
            stamps(card={"places": 0, "reward": CASHBACK | {"amount_minor": -3}}),
            [("out_of_range", "card.places"), ("out_of_range", "card.reward.amount_minor")],
        ),
        (
            points(
                budget_minor=9,
                catalogue=[
                    {
                        "id": "r",
                        "title": "Half off",
                        "cost": 5,
                        "reward": {"kind": "percent_cashback", "percent": "101", "max_minor": 9},
                    }
                ],
            ),
            [("out_of_range", "catalogue[0].reward.percent")],
        ),
    ],
)
def test_refuses_numbers_that_cannot_be(
    document: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(document) == found


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (points(currency="XXX"), ("unknown_currency", "currency")),
        (points(zone="Mars/Olympus"), ("unknown_zone", "zone")),
        (points(starts_at="2026-11-20T11:54:59Z"), ("starts_in_past", "starts_at")),
        (points(starts_at="2029-12-01T00:00:00Z"), ("starts_too_late", "starts_at")),
        (points(starts_at="tomorrow"), ("time", "starts_at")),
        (points(ends_at="2026-11-20T12:00:00Z"), ("ends_before_start", "ends_at")),
        (window(days="FREQ=HOURLY"), ("window", "rules[0].when.windows[0].days")),
        (window(**{"from": "25:00"}), ("window", "rules[0].when.windows[0].from")),
        (window(minutes=7 * 24 * 60 + 1), ("window", "rules[0].when.windows[0].minutes")),
        (window(since="2026-02-30"), ("day", "rules[0].when.windows[0].since")),
        (
            window(days="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
            ("window_empty", "rules[0].when.windows[0].days"),
        ),
        (
            window(days="FREQ=DAILY;UNTIL=20261101"),
            ("window_empty", "rules[0].when.windows[0].days"),
        ),
        (rule(when={"stores": ["0042", "9999"]}), ("unknown_store", "rules[0].when.stores[1]")),
        (rule(when={"tiers": ["gold"]}), ("unknown_tier", "rules[0].when.tiers[0]")),
        (points(name=" "), ("blank", "name")),
        (points(POUND | {"name": "\t"}), ("blank", "rules[0].name")),
        (tiers({"id": "b", "name": " ", "threshold": 900}), ("blank", "tiers.steps[1].name")),
        (stamps(card={"places": 3, "reward": TEXT | {"text": " "}}), ("blank", "card.reward.text")),
        (
            rule(when={"lines": {"gtins": ["05012345678900", "latte"]}}),
            ("gtin", "rules[0].when.lines.gtins[1]"),
        ),
        (
            rule(when={"without": {"gtins": ["1234567"]}}),
            ("gtin", "rules[0].when.without.gtins[0]"),
        ),
        (
            points(exclusions={"lines": {"gtins": ["٤٤٤٤٤٤٤٤"]}}),
            ("gtin", "exclusions.lines.gtins[0]"),
        ),
        (
            rule(
                when={"lines": {"categories": ["Coffee"]}, "without": {"categories": ["COFFEE"]}}
            ),
            ("required_and_excluded", "rules[0].when.without.categories"),
        ),
        (
            rule(when={"lines": {"skus": ["GC"]}}) | {"exclusions": {"lines": {"skus": ["GC"]}}},
            ("required_and_excluded", "rules[0].when.lines.skus"),
        ),
        (
            rule(when={"min_spend_minor": 2000}, caps=[{"units": 19, "per": "purchase"}]),
            ("minimum_above_cap", "rules[0].caps[0].units"),
        ),
        (
            rule(caps=[{"units": 9, "per": "day"}, {"units": 5, "per": "day"}]),
            ("cap_twice", "rules[0].caps[1].per"),
        ),
        (points(POUND, POUND), ("id_twice", "rules[1].id")),
        (
            points(POUND, POUND | {"id": "other"}, stacking="priority"),
            ("order_ambiguous", "rules[1].priority"),
        ),
        (
            tiers({"id": "b", "name": "B", "threshold": 0}),
            ("tier_order", "tiers.steps[1].threshold"),
        ),
        (
            tiers({"id": "bronze", "name": "B", "threshold": 9}),
            ("id_twice", "tiers.steps[1].id"),
        ),
        (
            tiers({"id": "b", "name": "B", "threshold": 9, "multiplier": "0.5"}),
            ("tier_order", "tiers.steps[1].multiplier"),
        ),
        (
            points(tiers={"steps": [{"id": "a", "name": "A", "threshold": 1}]}),
            ("first_tier", "tiers.steps[0].threshold"),
        ),
        (stamps(budget_minor=None), ("no_budget", "budget_minor")),
        (stamps(budget_minor=299), ("budget_too_small", "card.reward")),
        (stamps(card=None), ("card_or_points", "card")),
        (points(card={"places": 3, "reward": {"kind": "free_text", "text": "Tea"}}),
         ("card_or_points", "card")),
        (
            stamps(card={"places": 3, "reward": {
                "kind": "extra_units", "scheme": "points", "units": 3}}),
            ("own_units", "card.reward.scheme"),
        ),
    ],
)  # fmt: skip
def test_refuses_what_cannot_be_meant(document: dict[str, Any], found: tuple[str, str]) -> None:
    assert problems(document) == [found]


def test_rules_of_equal_priority_may_want_lines_that_are_surely_others() -> None:
    apart = [
        POUND | {"id": name, "when": {"lines": {"skus": [name]}}} for name in ("tea", "coffee")
    ]

    assert problems(points(*apart, stacking="priority")) == []


def test_rules_of_different_priority_have_an_order() -> None:
    second = POUND | {"id": "other", "priority": 1}

    assert problems(points(POUND, second, stacking="priority")) == []


def test_tells_all_that_is_wrong_with_one_window() -> None:
    wrong = {"days": "FREQ=HOURLY", "from": "25:00", "minutes": 0, "since": "2026-02-30"}

    assert problems(window(**wrong)) == [
        ("day", "rules[0].when.windows[0].since"),
        ("window", "rules[0].when.windows[0].days"),
        ("window", "rules[0].when.windows[0].from"),
        ("window", "rules[0].when.windows[0].minutes"),
    ]


def test_tells_all_problems_of_a_document_at_once() -> None:
    document = stamps(
        budget_minor=None,
        ends_at="2026-01-01T00:00:00Z",
        rules=[POUND | {"when": {"stores": ["nowhere"], "tiers": ["gold"]}}, POUND],
    )

    assert problems(document) == [
        ("unknown_store", "rules[0].when.stores[0]"),
        ("ends_before_start", "ends_at"),
        ("id_twice", "rules[1].id"),
        ("unknown_tier", "rules[0].when.tiers[0]"),
        ("no_budget", "budget_minor"),
    ]


def test_a_new_version_does_not_start_before_the_one_that_it_replaces() -> None:
    later = replace(read(points()), starts_at=NOW + timedelta(days=30))

    assert problems(points(starts_at="2026-12-01T00:00:00Z"), later) == [
        ("starts_before_version", "starts_at")
    ]


def test_a_new_version_keeps_what_members_hold() -> None:
    before = replace(read(points()), currency="EUR", zone="Europe/Paris")

    assert problems(stamps(), before) == [
        ("changed", "unit"),
        ("changed", "currency"),
        ("changed", "zone"),
    ]


BONUS_TIER = {"id": "b", "name": "B", "threshold": 0, "multiplier": "100"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (POUND | {"units": 1_000, "per_minor": 1}, []),
        (POUND | {"units": 1_001, "per_minor": 1}, ["rules[0].units"]),
        (POUND | {"units": 1_000, "per_minor": 100, "multiplier": "100"}, []),
        (POUND | {"units": 1_001, "per_minor": 100, "multiplier": "100"}, ["rules[0].units"]),
        ({"kind": "visit", "id": "v", "units": 1_000_000, "multiplier": "100"}, []),
        ({"kind": "streak", "id": "s", "units": 1_000_000, "steps": 2, "multiplier": "100"}, []),
        ({"kind": "item", "id": "i", "units": 1_000_000}, []),
        ({"kind": "item", "id": "i", "units": 1_000_000, "multiplier": "3"}, ["rules[0].units"]),
    ],
)
def test_refuses_what_could_earn_more_than_can_be_counted(
    given: dict[str, Any], found: list[str]
) -> None:
    assert problems(points(given)) == [("overflows", field) for field in found]


def test_what_could_be_earned_in_the_highest_tier_is_counted_too() -> None:
    ladder = {"steps": [BONUS_TIER]}
    given = POUND | {"units": 1_001, "multiplier": "100", "per_minor": 10_000}

    assert problems(points(given | {"units": 1_000}, tiers=ladder)) == []
    assert problems(points(given, tiers=ladder)) == [("overflows", "rules[0].units")]
    assert problems(points(given | {"is_tiered": False}, tiers=ladder)) == []


FRIDAY = {"days": "FREQ=WEEKLY;BYDAY=FR", "from": "17:00", "minutes": 60}
WEEKS = {"kind": "streak", "id": "weeks", "steps": 5, "step": "week"}
NINE_DAYS = {"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-10T00:00:00Z"}
TO_FRIDAY = {"starts_at": "2026-11-30T00:00:00Z", "ends_at": "2026-12-04T17:00:00Z"}
MONTH_END = {"after": 1, "unit": "days", "end_of": "month"}
CAKE = {"id": "cake", "title": "A cake", "reward": {"kind": "free_text", "text": "A cake"}}
COFFEE_AND_TEA = {"lines": {"categories": ["Coffee", "Tea"]}}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            points(expiry={"after": 30, "unit": "days"}, pending_days=30),
            [("expires_before_active", "expiry.after")],
        ),
        (points(expiry={"after": 31, "unit": "days"}, pending_days=30), []),
        (
            points(expiry={"after": 30, "unit": "days"}),
            [("expires_before_active", "expiry.after")],
        ),
        (points(expiry={"after": 31, "unit": "days"}), []),
        (points(expiry={"after": 1, "unit": "days"}, pending_days=0), []),
        (points(expiry=MONTH_END, pending_days=31), [("expires_before_active", "expiry.after")]),
        (points(expiry=MONTH_END, pending_days=30), []),
        (points(expiry=MONTH_END, pending_days=29, **NINE_DAYS), []),
        (
            points(
                expiry=MONTH_END,
                pending_days=29,
                starts_at="2026-12-02T00:00:00Z",
                ends_at="2026-12-10T00:00:00Z",
            ),
            [("expires_before_active", "expiry.after")],
        ),
        (stamps(expiry={"after": 7, "unit": "days"}), []),
        (
            stamps(expiry={"after": 7, "unit": "days"}, catalogue=[CAKE | {"cost": 9}]),
            [("expires_before_active", "expiry.after")],
        ),
    ],
)
def test_refuses_what_expires_before_it_could_ever_be_spent(
    document: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(document) == found


@pytest.mark.parametrize(("cost", "found"), [(9, []), (10, ["catalogue[0].cost"])])
def test_refuses_a_reward_for_which_no_card_has_room(cost: int, found: list[str]) -> None:
    dear = stamps(catalogue=[CAKE | {"cost": cost}])

    assert problems(dear) == [("cost_above_card", field) for field in found]


def test_refuses_a_streak_that_is_longer_than_the_scheme() -> None:
    longer = NINE_DAYS | {"ends_at": "2026-12-28T00:00:01Z"}

    assert problems(points(WEEKS, **NINE_DAYS)) == [("streak_too_long", "rules[0].steps")]
    assert problems(points(WEEKS, **longer)) == []


def test_a_streak_may_go_on_from_the_version_before() -> None:
    before = read(points(WEEKS))

    assert problems(points(WEEKS, **NINE_DAYS), before) == []
    assert problems(points(WEEKS | {"id": "others"}, **NINE_DAYS), before) != []


def test_refuses_a_window_that_opens_when_the_scheme_is_over_in_every_store() -> None:
    document = points(POUND | {"when": {"windows": [FRIDAY]}}, **TO_FRIDAY)
    in_paris = replace(AROUND, zones=("Europe/London", "Europe/Paris"))

    assert problems(document) == [("window_empty", "rules[0].when.windows[0].days")]
    assert read_scheme(shape_of(document), in_paris, before=None)


@pytest.mark.parametrize(
    ("when", "excluded", "found"),
    [
        (COFFEE_AND_TEA | {"without": {"categories": ["Tea"]}}, {}, []),
        (COFFEE_AND_TEA, {"categories": ["tea"]}, []),
        (COFFEE_AND_TEA, {"categories": ["tea", "Coffee", "Cake"]}, ["lines.categories"]),
        (
            COFFEE_AND_TEA | {"without": {"categories": ["Coffee"]}},
            {"categories": ["Tea"]},
            ["lines.categories"],
        ),
        ({"lines": {"categories": ["Coffee"], "skus": ["X"]}}, {"skus": ["X"]}, []),
        (
            {"lines": {"gtins": ["05000112637922"]}, "without": {"gtins": ["5000112637922"]}},
            {},
            ["without.gtins"],
        ),
    ],
)
def test_refuses_a_rule_only_where_all_that_it_asks_for_is_left_out(
    when: dict[str, Any], excluded: dict[str, Any], found: list[str]
) -> None:
    document = rule(when=when) | {"exclusions": {"lines": excluded}}

    assert problems(document) == [
        ("required_and_excluded", f"rules[0].when.{part}") for part in found
    ]
