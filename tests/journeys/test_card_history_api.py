"""The history of a card over the API: every entry, those that moved away included."""

import json
from typing import Any

import pytest

from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.network import BAKERY
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import (
    DAY,
    SETTLED_AT,
    bring_back,
    buy,
    card,
    open_bakery,
    settle,
    write_scheme,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("bakery")]

POINTS = f"{BAKERY}.points"
HISTORY = f"/v1/members/ada/schemes/{BAKERY}.coffee/history"
HISTORY_OF_POINTS = f"/v1/members/ada/schemes/{POINTS}/history"
MUG = {"id": "mug", "title": "A mug", "cost": 2, "reward": {"kind": "free_text", "text": "A mug"}}
MANY = 13  # One more than a card keeps at hand.


@pytest.fixture
def bakery(embedded_aws: None) -> None:
    clock.use(lambda: PAID_AT + DAY)
    open_bakery(pending_days=0)
    make_client("bank", BANK)


def ask(path: str = HISTORY, method: str = "GET", body: object = None, scope: str = "") -> Said:
    return call(method, path, token=token_of("bank", scope), body=body)


def leaf_through(limit: int) -> list[dict[str, Any]]:
    met: list[dict[str, Any]] = []
    path = f"{HISTORY}?limit={limit}"
    while True:
        page = ask(path).body
        met += page["lines"]
        if "cursor" not in page:
            return met
        path = f"{HISTORY}?limit={limit}&cursor={page['cursor']}"


def buy_daily(times: int) -> None:
    """A coffee a day."""
    for n in range(times):
        buy(f"d-{n}", at=PAID_AT + n * DAY)
        settle(now=SETTLED_AT + n * DAY)
    clock.use(lambda: PAID_AT + times * DAY)


def test_tells_what_earned_was_taken_back_was_spent_and_filled_a_card() -> None:
    buy("t-1", 4)
    settle()
    buy("t-2", 3, at=PAID_AT + DAY)
    settle(now=SETTLED_AT + DAY)
    bring_back("t-2", 1, reference="B-1", at=PAID_AT + 2 * DAY)
    settle(now=SETTLED_AT + 2 * DAY)

    said = ask()

    assert (said.status, said.body) == (200, json.loads(event("card_history")))


def test_tells_each_purchase_once_newest_first_those_that_moved_to_the_history_too() -> None:
    buy_daily(MANY)
    kept = card(now=PAID_AT + MANY * DAY)
    assert kept is not None
    assert kept.archived == 1

    whole = leaf_through(50)

    assert leaf_through(4) == whole
    earned = [one["transaction"] for one in whole if one["kind"] == "earned"]
    assert earned == [f"d-{n}" for n in reversed(range(MANY))]
    assert [one["number"] for one in whole if one["kind"] == "filled"] == [2, 1]
    assert ask(HISTORY.removesuffix("/history")).body["cards_filled"] == 2
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)


def test_what_comes_back_after_it_moved_to_the_history_is_told_as_it_stands_now() -> None:
    buy_daily(MANY)
    bring_back("d-0", 1, reference="B-1", at=PAID_AT + MANY * DAY)
    settle(now=SETTLED_AT + MANY * DAY)

    (first,) = [one for one in leaf_through(50) if one.get("transaction") == "d-0"][:1]

    assert first["kind"] == "earned"
    assert (first["units"], first["taken_back"], first["counts"]) == (1, 1, 0)
    assert first["reason"] == "returned"


@pytest.mark.requirement("LOY-09")
def test_what_is_told_adds_up_to_the_balance() -> None:
    write_scheme("points", unit="points", card=None, catalogue=[MUG], pending_days=0)
    buy("t-1", 5)
    settle()
    points = f"/v1/members/ada/schemes/{POINTS}"
    ask(f"{points}/claims/c-1", "PUT", {"reward": "mug"})
    ask(f"{points}/claims/c-2", "PUT", {"reward": "mug"})
    ask(f"{points}/claims/c-2", "DELETE")

    lines = ask(HISTORY_OF_POINTS).body["lines"]
    balance = ask(points).body

    earned = sum(one["counts"] for one in lines if one["kind"] == "earned")
    spent = sum(
        one["units"] for one in lines if one["kind"] == "claimed" and one["state"] != "cancelled"
    )
    assert sorted((one["kind"], one.get("state", "")) for one in lines) == [
        ("claimed", "cancelled"),
        ("claimed", "reserved"),
        ("earned", ""),
    ]
    assert (earned, spent) == (5, balance["reserved"])
    assert balance["active"] == earned - spent


def test_units_that_expired_are_told_by_their_moment() -> None:
    write_scheme(
        "points", unit="points", card=None, pending_days=0, expiry={"after": 3, "unit": "days"}
    )
    buy("t-1", 4)
    settle()
    clock.use(lambda: PAID_AT + 5 * DAY)

    said = ask(HISTORY_OF_POINTS).body

    assert (said["expired"], said["unit"]) == (4, "points")
    expired, earned = said["lines"]
    assert expired == {
        "kind": "expired",
        "at": earned["expires_at"],
        "units": 4,
        "purchase": earned["purchase"],
        "transaction": "t-1",
    }


def test_a_member_without_a_card_has_an_empty_history_or_takes_no_part() -> None:
    write_scheme("club", membership="choice")
    empty = ask(HISTORY.replace("ada", "bela"))
    stranger = ask(HISTORY.replace("coffee", "club"))

    assert empty.body == {"scheme": f"{BAKERY}.coffee", "unit": "stamps", "expired": 0, "lines": []}
    assert (stranger.status, stranger.body["code"]) == (404, "not_in_scheme")


def test_a_token_for_another_user_sees_nothing_and_a_foreign_cursor_is_refused() -> None:
    foreign = ask(scope="user:bela")
    cursors = [ask(f"{HISTORY}?cursor={one}") for one in ("x", "1.5.a", "1.1.", "-1.1.a")]

    assert (foreign.status, foreign.body["code"]) == (404, "not_found")
    assert [(one.status, one.body["field"]) for one in cursors] == [(422, "cursor")] * 4
