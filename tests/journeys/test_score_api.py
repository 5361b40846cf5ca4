"""A member's score: shown with the card, gone with them, and nought for whoever begins anew."""

import json
from typing import Any

import pytest

from chalicelib.members import service as members
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.privacy import retention
from chalicelib.runtime import clock, queues, rows
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.members import user
from tests.makers.network import BAKERY
from tests.makers.outside import stored_rows, work
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import ADA, DAY, buy, open_bakery, settle, write_scheme

pytestmark = [pytest.mark.stores, pytest.mark.requirement("LOY-15")]
LEFT_AT = PAID_AT + DAY
CARD = f"/v1/members/ada/schemes/{BAKERY}.points"
LADDER = {
    "steps": [
        {"id": "bronze", "name": "Bronze", "threshold": 0},
        {"id": "silver", "name": "Silver", "threshold": 3},
        {"id": "gold", "name": "Gold", "threshold": 10},
    ]
}


@pytest.fixture
def town(embedded_aws: None) -> None:
    clock.use(lambda: LEFT_AT)
    open_bakery()
    write_scheme("points", unit="points", card=None, tiers=LADDER, pending_days=0)
    make_client("bank", BANK)


def say(method: str, path: str, body: object = None) -> Said:
    return call(method, path, token=token_of("bank"), body=body)


def score() -> dict[str, Any]:
    """What a card says of the member's score."""
    shown = say("GET", CARD).body
    return {name: shown.get(name) for name in ("score", "tier", "next_tier", "next_tier_missing")}


def test_a_card_shows_score_tier_and_what_the_next_one_lacks(town: None) -> None:
    before = score()
    buy("t-1", 4)
    settle()
    after = score()
    buy("t-2", 8)
    settle()

    assert before == {
        "score": 0,
        "tier": "bronze",
        "next_tier": "silver",
        "next_tier_missing": 3,
    }
    assert after == {"score": 4, "tier": "silver", "next_tier": "gold", "next_tier_missing": 6}
    assert score() == {"score": 12, "tier": "gold", "next_tier": None, "next_tier_missing": None}
    assert say("GET", "/v1/members/ada/schemes").body["cards"][1]["score"] == 12


def test_a_scheme_without_tiers_has_no_score(town: None) -> None:
    buy("t-1", 4)
    settle()

    shown = say("GET", f"/v1/members/ada/schemes/{BAKERY}.coffee").body

    assert (shown["pending"], [one for one in shown if one in ("score", "tier")]) == (4, [])


def test_after_leaving_the_score_is_gone_at_once_and_its_card_after_thirty_days(
    town: None,
) -> None:
    buy("t-1", 4)
    settle()

    left = say("DELETE", "/v1/members/ada")
    gone = [say("GET", path) for path in (CARD, f"{CARD}/history", "/v1/members/ada/schemes")]
    work(queues.PAYMENTS)

    assert left.status == 204
    assert [(one.status, one.body["code"]) for one in gone] == [(404, "not_found")] * 3
    ends = rows.epoch(LEFT_AT + KEPT_AFTER_LEAVING)
    cards = [row for row in stored_rows("wallets") if "card#" in row]
    assert [f"'expires_at': {{'N': '{ends}'}}" in row for row in cards] == [True, True]
    retention.sweep(now=LEFT_AT + KEPT_AFTER_LEAVING + retention.GRACE + DAY)
    assert [row for row in stored_rows("wallets") if ADA in row] == []


def test_who_comes_back_begins_at_the_first_tier_with_nought(town: None) -> None:
    buy("t-1", 12)
    settle()
    assert score()["tier"] == "gold"
    say("DELETE", "/v1/members/ada")
    work(queues.PAYMENTS)

    back = say("PUT", "/v1/members/ada", json.loads(event("member_put")))

    assert back.status == 201
    assert members.get_member(user("ada"), now=LEFT_AT).member_id != ADA
    assert score() == {
        "score": 0,
        "tier": "bronze",
        "next_tier": "silver",
        "next_tier_missing": 3,
    }
