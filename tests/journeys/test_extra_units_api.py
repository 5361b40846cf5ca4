"""A full card that gives points, over the API: written, earned, told, shown, and taken back."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.network.model import ClientKind
from chalicelib.runtime import clock, queues
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.extra import GIVES, LATE, TEA, open_giving
from tests.makers.network import BAKERY
from tests.makers.outside import run_worker
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import COFFEE, bring_back, buy, settle
from tests.makers.schemes import points, stamps

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
HERS = f"/v1/members/ada/schemes/{BAKERY}"
BUYS_STAMPS = {
    "id": "six",
    "title": "Six stamps",
    "cost": 4,
    "reward": {"kind": "extra_units", "scheme": "coffee", "units": 6},
}


@pytest.fixture
def bakery(embedded_aws: None) -> None:
    clock.use(lambda: LATE)
    make_client("bank", BANK)
    make_client("till", BAKERY, ClientKind.RETAILER)
    open_giving()


def ask(path: str, method: str = "GET", body: object = None) -> Said:
    return call(method, path, token=token_of("bank"), body=body)


def write(name: str, document: dict[str, Any]) -> Said:
    return call("PUT", f"/v1/schemes/{name}", token=token_of("till"), body=document)


def history(scheme: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = ask(f"{HERS}.{scheme}/history").body["lines"]
    return lines


def leaf_through(scheme: str) -> list[dict[str, Any]]:
    """The same, a line a page."""
    met: list[dict[str, Any]] = []
    path = f"{HERS}.{scheme}/history?limit=1"
    page = ask(path).body
    while "cursor" in page:
        met += page["lines"]
        page = ask(f"{path}&cursor={page['cursor']}").body
    return [*met, *page["lines"]]


@pytest.mark.usefixtures("bakery")
def test_both_cards_tell_what_was_given_and_what_of_it_came_back() -> None:
    buy("t-1", 5)
    settle()
    buy("t-2", 6, at=PAID_AT + timedelta(hours=2))
    settle(now=PAID_AT + timedelta(hours=3))
    bring_back("t-1", 2, reference="B-1", at=LATE)
    settle(now=LATE)

    said = ask(f"{HERS}.points/history")

    assert (said.status, said.body) == (200, json.loads(event("card_history_extra")))
    gives = {"scheme": f"{BAKERY}.points", "units": 20}
    filled = [line for line in history("coffee") if line["kind"] == "filled"]
    assert [(one["number"], one["gives"], "undone_by" in one) for one in filled] == [
        (2, gives, False),
        (1, gives, True),
    ]
    assert ask(f"{HERS}.points").body["active"] == 20
    assert leaf_through("points") == said.body["lines"]


@pytest.mark.usefixtures("bakery")
def test_the_worker_may_do_all_that_it_takes_to_give_and_take_back() -> None:
    buy("t-1", 5)
    given = run_worker(queues.REWARDS)
    bring_back("t-1", 1, reference="B-1", at=LATE)
    taken = run_worker(queues.REWARDS)

    assert (given.failed, taken.failed) == ((), ())
    assert [(one["units"], one["counts"]) for one in history("points")] == [(20, 0)]


@pytest.mark.usefixtures("bakery")
def test_a_purchase_says_what_the_card_that_it_filled_gave() -> None:
    buy("t-1", 5)
    settle()

    told = {
        one["scheme"]: one["words"] for one in ask("/v1/transactions/t-1/rewards").body["schemes"]
    }

    assert told[f"{BAKERY}.points"][-1] == "20 points more by a full card of “Coffee card”."


@pytest.mark.requirement("LOY-10")
def test_points_buy_stamps_without_a_code_and_not_of_a_scheme_that_was_left() -> None:
    clock.use(lambda: LATE)
    make_client("bank", BANK)
    make_client("till", BAKERY, ClientKind.RETAILER)
    open_giving(card={"places": 5, "reward": {"kind": "free_text", "text": "Tea"}}, rules=[TEA])
    rules = {"rules": [COFFEE], "catalogue": [BUYS_STAMPS], "pending_days": 0, "budget_minor": 1}
    assert write("points", points() | rules).status == 201
    clock.use(lambda: LATE + timedelta(days=1))
    buy("t-1", 9, at=LATE + timedelta(hours=1))
    settle(now=LATE + timedelta(hours=2))

    claimed = ask(f"{HERS}.points/claims/c-1", "PUT", {"reward": "six"})
    left = ask(f"{HERS}.coffee/membership", "DELETE")
    refused = ask(f"{HERS}.points/claims/c-2", "PUT", {"reward": "six"})

    assert (claimed.status, claimed.body["state"], "code" in claimed.body) == (
        200,
        "redeemed",
        False,
    )
    assert left.status == 200
    assert (refused.status, refused.body["code"]) == (409, "reward_scheme_left")
    (claim,) = [one for one in history("points") if one["kind"] == "claimed"]
    (given,) = [one for one in history("coffee") if one["kind"] == "given"]
    assert claim["gives"] == {"scheme": f"{BAKERY}.coffee", "units": 6}
    assert (given["by"], given["units"], given["scheme"]) == (claim["claim"], 6, "points")
    assert leaf_through("coffee") == history("coffee")
    kinds = [one["kind"] for one in history("coffee")]
    assert kinds == ["given", "claimed", "filled"]  # The claim is that of the full card.


@pytest.mark.usefixtures("bakery")
def test_neither_end_of_a_chain_can_be_written() -> None:
    in_turn = {"catalogue": [BUYS_STAMPS], "budget_minor": 500_000}
    third = stamps(card={"places": 5, "reward": GIVES | {"scheme": "coffee"}})

    said = [write("points", points() | in_turn), write("third", third)]

    assert [(one.status, one.body["code"], one.body["field"]) for one in said] == [
        (422, "units_in_turn", "catalogue[0].reward.scheme"),
        (422, "units_in_turn", "card.reward.scheme"),
    ]
    assert call("GET", "/v1/schemes/third", token=token_of("till")).status == 404
