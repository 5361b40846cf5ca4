"""Cards over the API: what a bank shows its user, and what a till redeems."""

import json
from typing import Any

import pytest

from chalicelib.loyalty.schemes import service as schemes
from chalicelib.network.model import ClientKind
from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.network import BAKERY
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import DAY, SCHEME, buy, open_bakery, settle, write_scheme

pytestmark = pytest.mark.stores
POINTS = f"{BAKERY}.points"
CARD = f"/v1/members/ada/schemes/{POINTS}"
MUG = {"id": "mug", "title": "A mug", "cost": 3, "reward": {"kind": "free_text", "text": "A mug"}}


@pytest.fixture
def town(embedded_aws: None) -> None:
    clock.use(lambda: PAID_AT + DAY)
    open_bakery()
    write_scheme("points", unit="points", card=None, catalogue=[MUG], pending_days=0)
    make_client("bank", BANK)
    make_client("till", BAKERY, ClientKind.RETAILER)
    buy("t-1", 4)
    settle()


def answer(name: str) -> Any:
    """An answer as `events/` shows it."""
    return json.loads(event(name))


def say(method: str, path: str, body: object = None, *, client: str = "bank") -> Said:
    return call(method, path, token=token_of(client), body=body)


@pytest.mark.requirement("LOY-09")
@pytest.mark.requirement("LOY-11")
def test_points_are_claimed_shown_and_redeemed_once(town: None) -> None:
    before = say("GET", CARD)
    claimed = say("PUT", f"{CARD}/claims/c-1", {"reward": "mug"})
    too_much = say("PUT", f"{CARD}/claims/c-2", {"reward": "mug"})
    confirm = f"/v1/claims/{claimed.body['code']}/confirm"
    redeemed = say("POST", confirm, {}, client="till")
    twice = say("POST", confirm, {}, client="till")

    assert (before.status, before.body) == (200, answer("card_viewed"))
    svg = claimed.body.pop("code_128_svg")
    own = {name: claimed.body[name] for name in ("code", "qr")}  # Hashed under a key of this run.
    assert (claimed.status, claimed.body) == (200, answer("reward_reserved") | own)
    assert claimed.body["qr"] == f"counterfoil:claim:{BAKERY}:{claimed.body['code']}"
    assert svg.startswith("<svg")
    assert (too_much.status, too_much.body["code"]) == (409, "INSUFFICIENT_POINTS")
    assert (redeemed.status, redeemed.body["state"]) == (200, "redeemed")
    assert (twice.status, twice.body["code"]) == (409, "claim_not_open")
    assert say("GET", CARD).body["active"] == 1


@pytest.mark.requirement("LOY-10")
def test_a_bank_that_lost_the_answer_reads_its_claim(town: None) -> None:
    make_client("other-bank", "other-bank")
    claimed = say("PUT", f"{CARD}/claims/c-1", {"reward": "mug"})

    by_name = say("GET", f"{CARD}/claims/c-1")
    by_id = say("GET", f"{CARD}/claims/{claimed.body['claim']}")
    unknown = say("GET", f"{CARD}/claims/c-2")
    say("DELETE", f"{CARD}/claims/c-1")
    given_up = say("GET", f"{CARD}/claims/c-1").body

    assert (by_name.status, by_name.body) == (200, claimed.body)
    assert by_id.body == claimed.body
    assert (unknown.status, unknown.body["code"]) == (404, "no_such_claim")
    assert (given_up["state"], "code" in given_up, "qr" in given_up) == ("cancelled", False, False)
    assert say("GET", f"{CARD}/claims/c-1", client="till").status == 403
    assert say("GET", f"{CARD}/claims/c-1", client="other-bank").status == 404
    assert say("GET", f"/v1/members/ada/schemes/{SCHEME}/claims/c-1").status == 404


def test_a_bank_cannot_redeem_and_a_till_sees_no_card(town: None) -> None:
    assert say("POST", "/v1/claims/ABCDEFGHIJKL/confirm", {}).status == 403
    assert say("GET", CARD, client="till").status == 403
    assert say("GET", CARD.replace("ada", "nobody")).status == 404


@pytest.mark.requirement("LOY-06")
@pytest.mark.requirement("LOY-10")
def test_a_member_joins_leaves_and_favours_and_the_same_again_changes_nothing(town: None) -> None:
    favoured = [say("POST", f"{CARD}/favourites/mug").body["favourites"] for _ in range(2)]
    left = [say("DELETE", f"{CARD}/membership").body["left_at"] for _ in range(2)]
    back = say("PUT", f"{CARD}/membership").body

    assert favoured == [["mug"], ["mug"]]
    assert left == ["2026-11-21T12:00:00Z"] * 2
    assert (back["enrolment_basis"], back["active"], "left_at" in back) == ("explicit", 4, False)
    assert say("POST", f"{CARD}/favourites/hat").body["code"] == "no_such_reward"


def test_lists_every_card_with_what_is_on_it(town: None) -> None:
    said = say("GET", "/v1/members/ada/schemes")

    assert [(one["scheme"], one["pending"], one["active"]) for one in said.body["cards"]] == [
        (SCHEME, 4, 0),
        (POINTS, 0, 4),
    ]


def test_tells_why_a_purchase_earned_in_each_scheme(town: None) -> None:
    said = say("GET", "/v1/transactions/t-1/rewards")

    assert said.body == answer("purchase_rewards")
    assert [(one["scheme"], one["units"], one["why"]) for one in said.body["schemes"]] == [
        (SCHEME, 4, "earned"),
        (POINTS, 4, "earned"),
    ]
    assert said.body["schemes"][0]["words"][0] == "4 stamps earned."
    assert say("GET", "/v1/transactions/t-9/rewards").status == 404


@pytest.mark.requirement("LOY-06")
def test_lists_what_a_member_takes_part_in_and_what_they_may_join(town: None) -> None:
    write_scheme("choice", membership="choice")
    write_scheme("untouched")
    write_scheme("over", now=PAID_AT)
    say("PUT", f"/v1/members/ada/schemes/{BAKERY}.over/membership")
    schemes.end_scheme(f"{BAKERY}.over", at=PAID_AT + DAY, now=PAID_AT + DAY)
    say("DELETE", f"{CARD}/membership")

    said = say("GET", "/v1/members/ada/schemes")

    assert said.body == answer("members_schemes")
    assert [(one["scheme"], one["state"]) for one in said.body["cards"]] == [
        (f"{BAKERY}.choice", "joinable"),
        (SCHEME, "joined"),
        (f"{BAKERY}.over", "ended"),
        (POINTS, "left"),
        (f"{BAKERY}.untouched", "joined"),
    ]


def test_a_joinable_scheme_is_joined_and_stands_so_in_the_list(town: None) -> None:
    write_scheme("choice", membership="choice")
    path = f"/v1/members/ada/schemes/{BAKERY}.choice/membership"

    joined = say("PUT", path)

    listed = say("GET", f"/v1/members/ada/schemes?retailer={BAKERY}").body["cards"]
    assert (joined.status, joined.body["state"]) == (200, "joined")
    assert [one["state"] for one in listed] == ["joined", "joined", "joined"]
    assert say("GET", "/v1/members/ada/schemes?retailer=nobody").body["cards"] == []


def test_who_has_stamps_off_is_shown_their_cards_and_nothing_to_join(town: None) -> None:
    write_scheme("choice", membership="choice")
    say("PATCH", "/v1/members/ada/preferences", {"stamps": False})

    said = say("GET", "/v1/members/ada/schemes")

    assert [one["scheme"] for one in said.body["cards"]] == [SCHEME, POINTS]
