"""A till that is rung for one member: what the offer gives is held, seen, claimed and decided."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.holding import store as holds
from chalicelib.loyalty.rules import Condition, FixedCashback
from chalicelib.members import service as members
from chalicelib.network.model import Provider
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns.model import Limit, campaign_id_of
from chalicelib.runtime import clock, queues
from chalicelib.workers import cases
from infra.local.lambda_events import scheduled_event
from tests.makers.api import call, make_client, token_of
from tests.makers.members import user
from tests.makers.network import BAKERY, make_connection
from tests.makers.offers import campaign, run
from tests.makers.operating import WHY, operate
from tests.makers.outside import context, run_worker
from tests.makers.purchases import BANK, OPENED_AT, PAID_AT, queued
from tests.makers.rewarding import SETTLED_AT, bring_back, buy, money, open_bakery

pytestmark = pytest.mark.stores
OFFER = campaign_id_of(BAKERY, "coffee")
RUNG = 7  # One more than is believed within an hour.
LAST = f"t-{RUNG - 1}"
NOW = PAID_AT + timedelta(minutes=30)
BELIEVED = Balances("GBP", pending=50 * (RUNG - 1))


@pytest.fixture(autouse=True)
def rung(embedded_aws: None) -> None:
    """Half a pound for any purchase, forty times, and seven purchases within minutes."""
    clock.use(lambda: SETTLED_AT)
    open_bakery(card={"places": 20, "reward": {"kind": "fixed_cashback", "amount_minor": 300}})
    terms: Any = {
        "reward": FixedCashback(50),
        "condition": Condition(),
        "limit": Limit(40),
        "retailer_id": BAKERY,
    }
    run(replace(campaign("coffee", **terms), campaign_id=OFFER))
    bank = make_connection(provider=Provider.STANDARD, told_at_url="https://bank.test/receipts")
    members.change_services(user("ada"), {Service.OFFERS: True}, bank, now=OPENED_AT)
    make_client("bank", BANK)
    for number in range(RUNG):
        buy(f"t-{number}", at=PAID_AT + number * timedelta(minutes=1))
    clock.use(lambda: NOW)
    settle()
    queued(queues.NOTICES)


def settle() -> None:
    """The worker takes what is queued, and gives nothing back."""
    ran = run_worker(queues.REWARDS)
    assert ran.bodies
    assert ran.failed == ()


def ask(path: str, *, method: str = "GET") -> Any:
    return call(method, path, token=token_of("bank")).body


def told_of_last() -> dict[str, Any]:
    """What the app is told of the last purchase's offer."""
    (one,) = ask(f"/v1/transactions/{LAST}/rewards")["offers"]
    return {name: one.get(name) for name in ("minor", "why", "held")}


def decide(verdict: str) -> None:
    (held,) = (one for one in holds.list_open(now=NOW) if one.subject == OFFER)
    done = operate("decide-hold", f"--hold={held.hold_id}", f"--verdict={verdict}", WHY)
    assert done.exit_code == 0


def look_at_cases() -> None:
    event = scheduled_event("cases", at=NOW, event_id="1", region="eu-west-2")
    cases.look_at_cases(event, context("look_at_cases"))


def test_its_member_sees_that_it_waits_and_why_and_has_nothing_of_it() -> None:
    (offer,) = ask("/v1/members/ada/offers")["offers"]
    inbox = ask("/v1/members/ada/notices")["notices"]

    assert money(now=NOW) == (BELIEVED,)
    assert (offer["rewarded_minor"], offer["held_minor"]) == (50 * (RUNG - 1), 50)
    assert told_of_last() == {"minor": 0, "why": "held", "held": "many_in_an_hour"}
    assert sum("We are looking at it first" in one["text"] for one in inbox) == 2  # Its stamp, too.


def test_it_stands_on_one_list_with_held_stamps_and_is_shown_for_a_reason() -> None:
    listed = operate("list-holds").stdout
    (held,) = (one for one in holds.list_open(now=NOW) if one.subject == OFFER)
    shown = operate("show-hold", f"--hold={held.hold_id}", WHY).stdout

    rows = [line.split()[3:] for line in listed.splitlines()]
    assert sorted(rows) == [
        ["many_in_an_hour", OFFER, "0.50", "GBP"],
        ["many_in_an_hour", f"{BAKERY}.coffee", "1", "units"],
    ]
    assert f"many_in_an_hour  {OFFER}  0.50 GBP" in shown


@pytest.mark.parametrize(
    ("verdict", "minor", "told"),
    [
        ("release", 50, {"minor": 50, "why": "given", "held": None}),
        ("refuse", 0, {"minor": 0, "why": "refused", "held": None}),
    ],
)
def test_what_is_decided_is_followed_and_told(verdict: str, minor: int, told: object) -> None:
    decide(verdict)
    settle()

    assert told_of_last() == told
    assert money(now=NOW) == (replace(BELIEVED, pending=BELIEVED.pending + minor),)
    kinds = [json.loads(body)["kind"] for body in queued(queues.NOTICES)]
    assert kinds == (["offer_redeemed"] if minor else [])


def test_a_claim_for_it_waits_for_who_decides_and_ends_with_that() -> None:
    claims = f"/v1/transactions/{LAST}/rewards/claims"
    opened = ask(claims, method="POST")
    settle()
    decide("release")
    settle()
    look_at_cases()
    ended = ask(claims)

    assert (opened["waits_for"], ended["state"]) == ("hold", "resolved")
    assert (ended["outcome"], ended["reason"]) == ("granted", "granted")


def test_goods_that_come_back_meanwhile_leave_nothing_to_decide() -> None:
    bring_back(LAST, 1, reference="B-1", at=NOW)
    settle()

    assert told_of_last() == {"minor": 0, "why": "returned", "held": None}
    assert OFFER not in {one.subject for one in holds.list_open(now=NOW)}
    assert money(now=NOW) == (BELIEVED,)
