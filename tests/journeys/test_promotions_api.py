"""Flux's promotions: offers and cards in the shape of Flux's apps, and switching them on."""

import json
from datetime import datetime
from typing import Any

import pytest

from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.service import Buyer
from chalicelib.members.model import Member
from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.offers import (
    BANK,
    FIVE_PERCENT,
    OPENED_AT,
    as_sale,
    award,
    bought,
    campaign,
    coffees,
    join,
    key_of,
    open_town,
    owed,
    run,
)
from tests.makers.receipts import RETAILER
from tests.makers.schemes import shape_of, stamps

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
COFFEE_CARD = f"{RETAILER.retailer_id}.coffee"
BADGE = {"places": 4, "reward": {"kind": "free_text", "text": "a badge"}}


@pytest.fixture
def town(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_town()
    schemes.forget()
    make_client(BANK.connection_id, BANK.connection_id)


def ask(path: str = "/promotions?userId=ada", method: str = "GET", body: object = None) -> Said:
    return call(method, path, token=token_of(BANK.connection_id), body=body)


def write_scheme(name: str = "coffee", **more: Any) -> None:
    shape = shape_of(stamps(**more))
    schemes.record_scheme(RETAILER.retailer_id, name, shape, now=OPENED_AT)


def rewarded_ada() -> tuple[Member, str]:
    """Ada had five per cent of a coffee back, by an offer that had to be switched on."""
    ada = join()
    (one,) = run(campaign(reward=FIVE_PERCENT, terms=("Once.",)))
    award(bought(coffees(350), ada, "c-0"), ada)
    return ada, one.campaign_id


def give_points(ada: Member) -> None:
    """Ada bought two coffees while the scheme ran: two points."""
    one = bought(coffees(350, 350), ada, "c-1")
    loyalty.award_purchase(one, as_sale(one), Buyer(ada, key_of(ada)), now=NOW)


def test_shows_offers_and_cards_in_fluxs_shape() -> None:
    rewarded_ada()
    write_scheme()

    said = ask()

    assert (said.status, said.body) == (200, json.loads(event("flux_promotions")))


def test_says_decimals_as_numbers_because_fluxs_apps_look_for_numbers() -> None:
    rewarded_ada()
    write_scheme(card=BADGE)

    offer, card = ask().body["items"]

    assert [offer["value"][which]["decimal"] for which in ("current", "target")] == [0.17, 5.0]
    assert card["value"] == {
        "current": {"decimal": 0, "description": "stamps", "type": "discrete"},
        "target": {"decimal": 4, "description": "stamps", "type": "discrete"},
    }
    assert card["description"] == "4 stamps at Bean & Leaf: a badge."


def test_finds_a_member_by_token_user_or_account_and_refuses_to_guess() -> None:
    join()
    run(campaign())
    narrowed = token_of(BANK.connection_id, "user:ada")

    by_token = call("GET", "/promotions", token=narrowed)
    by_account = ask("/promotions?accountId=acc-ada")
    foreign = call("GET", "/promotions?userId=bela", token=narrowed)
    account_by_user = call("GET", "/promotions?accountId=acc-ada", token=narrowed)
    unsaid, both = ask("/promotions"), ask("/promotions?userId=ada&accountId=acc-ada")

    assert by_token.body == by_account.body == ask().body
    assert [one["type"] for one in by_token.body["items"]] == ["flux_cashback"]
    assert (foreign.status, foreign.body["code"]) == (404, "not_found")
    assert (account_by_user.status, account_by_user.body["code"]) == (403, "not_permitted")
    assert (unsaid.status, unsaid.body["code"], unsaid.body["field"]) == (400, "missing", "userId")
    assert (both.status, both.body["field"]) == (422, "accountId")
    assert ask("/promotions?accountId=acc-nobody").status == 404


def test_an_offer_waits_until_it_is_switched_on_for_an_account() -> None:
    join()
    (one,) = run(campaign(needs_activation=True))
    body = json.loads(event("flux_offer_activation")) | {"offerId": one.campaign_id}
    before = ask().body["items"][0]["promotionState"]

    said = ask("/offers/activations/acc-ada", "POST", body)
    nobody = ask("/offers/activations/acc-nobody", "POST", body)

    assert (said.status, said.body) == (
        200,
        {"offer": one.campaign_id, "activated_at": "2026-11-20T12:00:00Z"},
    )
    assert nobody.status == 404
    assert (before, ask().body["items"][0]["promotionState"]) == ("PENDING_ACTIVATION", "READY")


def test_a_card_that_is_to_be_chosen_is_joined_by_the_same_activation() -> None:
    join()
    write_scheme(membership="choice")
    before = ask().body["items"]

    said = [ask("/offers/activations/acc-ada", "POST", {"offerId": COFFEE_CARD}) for _ in range(2)]
    unknown = ask("/offers/activations/acc-ada", "POST", {"offerId": "bean-and-leaf.nothing"})

    assert [one["promotionState"] for one in before] == ["PENDING_ACTIVATION"]
    joined = {"offer": COFFEE_CARD, "activated_at": "2026-11-20T12:00:00Z"}
    assert [(one.status, one.body) for one in said] == [(200, joined)] * 2
    assert [one["promotionState"] for one in ask().body["items"]] == ["READY"]
    assert (unknown.status, unknown.body["code"]) == (404, "not_found")


def test_a_switched_off_service_shows_nothing_and_computes_no_audience() -> None:
    rewarded_ada()
    write_scheme()

    ask("/v1/members/ada/preferences", "PATCH", {"offers": False, "stamps": False})

    assert ask().body == {"total": 0, "items": []}


def test_a_left_card_and_an_ended_one_are_no_promotions() -> None:
    join()
    write_scheme()
    write_scheme("over")
    ask(f"/v1/members/ada/schemes/{COFFEE_CARD}/membership", "PUT")
    ask(f"/v1/members/ada/schemes/{COFFEE_CARD}/membership", "DELETE")
    schemes.end_scheme(f"{RETAILER.retailer_id}.over", at=NOW, now=NOW)

    assert ask().body["items"] == []


def test_a_reserved_reward_is_shown_with_its_code_until_its_time_is_over() -> None:
    ada = join()
    mug = {"id": "mug", "title": "A mug", "cost": 1, "reward": {"kind": "free_text", "text": "a"}}
    write_scheme(unit="points", card=None, catalogue=[mug], pending_days=0)
    give_points(ada)
    claim = f"/v1/members/ada/schemes/{COFFEE_CARD}/claims/c-1"
    code = ask(claim, "PUT", {"reward": "mug"}).body["qr"]

    shown = ask().body["items"]
    clock.use(lambda: datetime.fromisoformat("2026-11-22T12:00:00+00:00"))

    assert shown[0]["code"] == {"code": code, "type": "CODE_QR", "title": "A mug"}
    assert shown[0]["value"]["current"]["decimal"] == 1  # The other is reserved.
    assert "code" not in ask().body["items"][0]


def test_a_full_card_that_waits_for_the_budget_is_no_redemption_yet() -> None:
    ada = join()
    reward = {"kind": "fixed_cashback", "amount_minor": 300}
    write_scheme(card={"places": 2, "reward": reward}, budget_minor=300)
    one = bought(coffees(350, 350, 350, 350), ada, "c-1")
    loyalty.award_purchase(one, as_sale(one), Buyer(ada, key_of(ada)), now=NOW)

    (card,) = ask().body["items"]

    assert card["redemptions"] == [
        {
            "timestamp": "2026-11-20T12:00:00Z",
            "description": "full card",
            "monetaryEquivelant": {"amount": 300, "currency": "GBP"},
        }
    ]
    assert (owed(ada.member_id), card["value"]["current"]["decimal"]) == (300, 0)
