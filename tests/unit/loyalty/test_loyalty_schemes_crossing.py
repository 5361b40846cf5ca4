"""Schemes that give units of one another: one step and no further, whichever is written last."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes.checking import read_scheme
from chalicelib.loyalty.schemes.problems import SchemeRefused
from tests.makers.schemes import AROUND, NOW, points, read, shape_of, stamps

OWN = "points"  # What `AROUND` calls the scheme that is written.
TEXT = {"kind": "free_text", "text": "A mug"}
CASH = {"kind": "fixed_cashback", "amount_minor": 300}
PERCENT = {"kind": "percent_cashback", "percent": "5", "max_minor": 300}


def gives(scheme: str) -> dict[str, Any]:
    return {"kind": "extra_units", "scheme": scheme, "units": 20}


def of_card(reward: dict[str, Any]) -> dict[str, Any]:
    return stamps(card={"places": 5, "reward": reward})


def of_catalogue(*rewards: dict[str, Any]) -> dict[str, Any]:
    every = [
        {"id": f"r{at}", "title": "One", "cost": 3, "reward": reward}
        for at, reward in enumerate(rewards)
    ]
    return points(catalogue=every, budget_minor=500_000)


def other(name: str, document: dict[str, Any], **more: Any) -> Scheme:
    """Another scheme of the retailer, as it was once written."""
    scheme = read(document | {"name": name}) if "extra_units" not in str(document) else None
    if scheme is None:
        around = replace(AROUND, scheme_id=f"bean-and-leaf.{name}")
        others = tuple(
            replace(read(points()), scheme_id=f"bean-and-leaf.{one}") for one in (OWN, "third")
        )
        scheme = read_scheme(shape_of(document), replace(around, others=others), before=None)
    return replace(scheme, scheme_id=f"bean-and-leaf.{name}", **more)


def found(document: dict[str, Any], *others: Scheme) -> list[tuple[str, str]]:
    """Code and place of every problem of `document`, beside these others."""
    try:
        read_scheme(shape_of(document), replace(AROUND, others=others), before=None)
    except SchemeRefused as refusal:
        return [(one.code, one.field or "") for one in refusal.problems]
    return []


@pytest.mark.parametrize("document", [of_card(TEXT), of_card(CASH), points(), of_catalogue(TEXT)])
def test_a_scheme_may_give_units_of_one_that_gives_none(document: dict[str, Any]) -> None:
    target = other("other", document)

    assert found(of_card(gives("other")), target) == []
    assert found(of_catalogue(TEXT, gives("other")), target) == []


@pytest.mark.requirement("LOY-16")
@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (of_card(gives("nothing")), ("unknown_scheme", "card.reward.scheme")),
        (of_catalogue(TEXT, gives("nothing")), ("unknown_scheme", "catalogue[1].reward.scheme")),
        (of_card(gives(OWN)), ("own_units", "card.reward.scheme")),
        (of_catalogue(gives(OWN)), ("own_units", "catalogue[0].reward.scheme")),
    ],
)
def test_refuses_units_of_a_scheme_that_is_not_another_of_the_retailer(
    document: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert found(document, other("other", points())) == [problem]


def test_refuses_units_of_a_scheme_that_has_ended_by_the_time_it_starts() -> None:
    over = other("other", points(), ends_at=NOW + timedelta(days=3))
    later = (NOW + timedelta(days=3)).isoformat()

    assert found(of_card(gives("other")), over) == []
    assert found(of_card(gives("other")) | {"starts_at": later}, over) == [
        ("scheme_ended", "card.reward.scheme")
    ]


@pytest.mark.parametrize("back", [OWN, "third"])
@pytest.mark.parametrize("document", [of_card, of_catalogue])
def test_refuses_a_chain_and_a_ring(document: Any, back: str) -> None:
    target = other("other", document(gives(back)))

    problems = found(of_card(gives("other")), target)

    assert problems[0] == ("units_in_turn", "card.reward.scheme")
    assert set(problems[1:]) <= {("units_in_turn", "card.reward")}


@pytest.mark.parametrize("document", [of_card, of_catalogue])
def test_refuses_a_chain_that_is_closed_from_its_other_end(document: Any) -> None:
    giver = other("giver", document(gives(OWN)))
    third = other("third", points())

    assert found(of_card(gives("third")), giver, third) == [("units_in_turn", "card.reward")]
    assert found(of_catalogue(TEXT, gives("third")), giver, third) == [
        ("units_in_turn", "catalogue[1].reward")
    ]
    assert found(of_card(CASH), giver, third) == []


def test_a_version_to_come_counts_as_well() -> None:
    present = other("other", points())
    to_come = other("other", of_catalogue(gives("third")), version=2)

    assert found(of_card(gives("other")), present, to_come) == [
        ("units_in_turn", "card.reward.scheme")
    ]


def test_refuses_a_card_worth_a_part_of_a_purchase_where_units_may_fill_it() -> None:
    target = other("other", of_card(PERCENT))
    giver = other("giver", of_card(gives(OWN)))

    assert found(of_card(gives("other")), target) == [("worth_by_purchase", "card.reward.scheme")]
    assert found(of_card(PERCENT), giver) == [("worth_by_purchase", "card.reward")]
