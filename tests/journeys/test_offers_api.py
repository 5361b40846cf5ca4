"""Members see offers through their banks: whose, in which order, why, and what they do then."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty.rules import Condition, FixedCashback, Matching
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Retailer
from chalicelib.offers.audiences.model import Area, Audience, CategoryBuyer, Frequent, Nearby, New
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import campaign_id_of
from chalicelib.offers.events import service as events
from chalicelib.purchases import store as purchases
from chalicelib.runtime import aws, clock, queues, settings
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.loyalty import SOLD_AT
from tests.makers.network import make_store
from tests.makers.offers import (
    BANK,
    award,
    bought,
    campaign,
    coffees,
    join,
    key_of,
    open_town,
    run,
)
from tests.makers.outside import Counted
from tests.makers.purchases import queued

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("town")]

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
EVENTS = Path(__file__).parents[2] / "events"
TEA = Retailer(RetailerId("tea-room"), "The Tea Room", website="https://tea.example")
TEA_SHOP = replace(
    make_store("tea-leeds", TEA.retailer_id), latitude=53.80, longitude=-1.55, postcode="LS1 5AA"
)
EVERYWHERE = Condition()


@pytest.fixture
def town(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_town()
    network.record_retailer(TEA)
    network.record_store(TEA_SHOP, [], now=NOW)
    make_client(BANK.connection_id, BANK.connection_id)


def tea(reference: str = "tea", **more: object) -> Any:
    """Fifty pence back at the tea room."""
    made = campaign(
        reference, retailer_id=TEA.retailer_id, reward=FixedCashback(50), condition=EVERYWHERE
    )
    return replace(made, campaign_id=campaign_id_of(TEA.retailer_id, reference), **more)


def ask(path: str = "/v1/members/ada/offers", method: str = "GET", body: object = None) -> Said:
    return call(method, path, token=token_of(BANK.connection_id), body=body)


def switch_off() -> Said:
    """Ada wants no offers any more."""
    return ask("/v1/members/ada/preferences", "PATCH", {"offers": False})


def seen(said: Said) -> list[tuple[str, list[str]]]:
    """Each offer's name at its retailer, and the criteria by which it is seen."""
    return [
        (one["retailer"], [why["criterion"] for why in one["why_am_i_seeing_this"]])
        for one in said.body["offers"]
    ]


def drank(member: Member, times: int, *, before: datetime = SOLD_AT) -> None:
    """The member bought coffee that often, on as many days, the last one on `before`."""
    for n in range(times):
        at = before - timedelta(days=n)
        receipt = replace(coffees(350), reference=f"A-{n}")
        one = bought(receipt, member, f"c-{n}", at=at)
        assert purchases.record_purchase(one, key=key_of(member))


@pytest.mark.requirement("OFR-01")
@pytest.mark.requirement("OFR-06")
def test_who_has_not_switched_offers_on_sees_none_and_nothing_is_computed(
    counted: Counted,
) -> None:
    ada = join(wants_offers=False)
    drank(ada, 3)
    run(campaign(audience=Audience((Frequent(2, 30),))), tea())

    said = ask()

    assert (said.status, said.body) == (200, {"offers": []})
    assert counted["audiences_computed"] == 0


@pytest.mark.requirement("OFR-04")
def test_switching_offers_off_hides_activated_ones_within_the_same_request() -> None:
    join()
    (one,) = run(tea(needs_activation=True))
    ask(f"/v1/members/ada/offers/{one.campaign_id}/activate", "POST")
    before = seen(ask())

    switched = switch_off()

    assert before == [("The Tea Room", ["everybody"])]
    assert (switched.status, ask().body) == (200, {"offers": []})
    again = ask(f"/v1/members/ada/offers/{one.campaign_id}/activate", "POST")
    assert (again.status, again.body["code"]) == (404, "not_found")


@pytest.mark.requirement("OFR-02")
def test_says_in_words_and_fields_why_an_offer_is_seen() -> None:
    ada = join()
    drank(ada, 3)
    run(
        campaign(
            audience=Audience(
                (Frequent(2, 30), CategoryBuyer("Coffee", 3, 90), Area(("LS1",)), New(1))
            )
        )
    )
    clock.use(lambda: SOLD_AT + timedelta(days=2))

    (offer,) = ask().body["offers"]

    assert offer["why_am_i_seeing_this"] == [
        {
            "criterion": "frequent",
            "words": "You bought at Bean & Leaf 3 times in the last 30 days.",
            "fields": {"visits": 3, "days": 30},
        },
        {
            "criterion": "category",
            "words": "You bought Coffee 3 times in the last 90 days.",
            "fields": {"category": "Coffee", "visits": 3, "days": 90},
        },
        {
            "criterion": "area",
            "words": "You often shop in LS1.",
            "fields": {"district": "LS1", "days": 90},
        },
        {
            "criterion": "new",
            "words": "You have not bought at Bean & Leaf in the last 1 days.",
            "fields": {"days": 1},
        },
    ]


@pytest.mark.requirement("OFR-09")
def test_an_offer_is_seen_by_its_audience_only() -> None:
    ada, bela = join(), join("bela", 2)
    drank(ada, 3)
    run(campaign(audience=Audience((Frequent(3, 30),))))

    assert len(ask().body["offers"]) == 1
    assert ask("/v1/members/bela/offers").body == {"offers": []}
    assert bela.member_id != ada.member_id


@pytest.mark.requirement("OFR-07")
def test_the_order_follows_the_members_interest_and_is_the_same_each_time() -> None:
    ada, _ = join(), join("bela", 2)
    drank(ada, 4)
    goods = Condition(lines=Matching(categories=("Coffee",)))
    run(tea(reward=FixedCashback(100)), campaign(reward=FixedCashback(90), condition=goods))

    orders = [[name for name, _ in seen(ask())] for _ in range(2)]
    for_bela = [name for name, _ in seen(ask("/v1/members/bela/offers"))]

    assert orders == [["Bean & Leaf", "The Tea Room"]] * 2
    assert for_bela == ["The Tea Room", "Bean & Leaf"]
    first = ask().body["offers"][0]["ordered_by"]
    assert first == {"worth_minor": 90, "visits": 4, "goods": 4}


@pytest.mark.requirement("OFR-11")
def test_purchases_and_place_are_two_inputs_and_each_works_without_the_other() -> None:
    ada = join()
    drank(ada, 3)
    run(
        campaign("frequent", audience=Audience((Frequent(2, 30),))),
        tea("near", needs_activation=True, audience=Audience((Nearby(3),))),
        tea("all"),
    )
    near, far = "?near=53.797,-1.543", "?near=51.5072,-0.1276"

    assert seen(ask()) == [("Bean & Leaf", ["frequent"]), ("The Tea Room", ["everybody"])]
    assert sorted(seen(ask("/v1/members/ada/offers" + near))) == [
        ("Bean & Leaf", ["frequent"]),
        ("The Tea Room", ["everybody"]),
        ("The Tea Room", ["nearby"]),
    ]
    assert sorted(seen(ask("/v1/offers" + near))) == [
        ("The Tea Room", ["everybody"]),
        ("The Tea Room", ["nearby"]),
    ]
    for path in ("/v1/offers", "/v1/offers" + far):
        assert seen(ask(path)) == [("The Tea Room", ["everybody"])]


def test_a_place_is_rounded_used_once_and_stored_nowhere() -> None:
    join()
    run(tea("near", needs_activation=True, audience=Audience((Nearby(3),))))

    (offer,) = ask("/v1/members/ada/offers?near=53.797444,-1.543777").body["offers"]

    assert offer["kilometres"] == 1
    assert "53.79" not in json.dumps(everything(), default=str)
    refused = [ask(f"/v1/offers?near={text}") for text in ("51.5", "91,0", "x,y", "1,2,3")]
    assert [(one.status, one.body["field"]) for one in refused] == [(422, "near")] * 4


@pytest.mark.requirement("OFR-05")
def test_switching_on_is_recorded_once_and_told_to_the_member() -> None:
    ada = join()
    (one,) = run(campaign(needs_activation=True))
    path = f"/v1/members/ada/offers/{one.campaign_id}/activate"

    first = ask(path, "POST")
    clock.use(lambda: NOW + timedelta(hours=1))
    again = ask(path, "POST")

    assert (first.status, first.body) == (
        200,
        {"offer": one.campaign_id, "activated_at": "2026-11-20T12:00:00Z"},
    )
    assert again.body == first.body
    assert len(set(queued(queues.NOTICES))) == 1
    (counts,) = events.list_counts(one.campaign_id, now=NOW)
    assert counts.activations == 1
    (offer,) = ask().body["offers"]
    assert offer["activated_at"] == "2026-11-20T12:00:00Z"
    assert ada.member_id not in json.dumps(offer)


def test_an_offer_that_is_not_seen_or_does_not_run_cannot_be_switched_on() -> None:
    join()
    hidden, paused = run(campaign(audience=Audience((Frequent(3, 30),))), tea())
    campaigns.pause(TEA.retailer_id, "tea", now=NOW)

    tried = [
        ask(f"/v1/members/ada/offers/{one}/activate", "POST")
        for one in (hidden.campaign_id, paused.campaign_id, "nothing")
    ]

    assert [(one.status, one.body["code"]) for one in tried] == [
        (404, "not_found"),
        (409, "offer_not_live"),
        (404, "not_found"),
    ]
    assert queued(queues.NOTICES) == []


@pytest.mark.requirement("OFR-03")
@pytest.mark.requirement("OFR-10")
def test_an_event_counts_once_for_a_member_and_keeps_no_text() -> None:
    join()
    join("bela", 2)
    (one,) = run(tea())
    body = json.loads((EVENTS / "offer_events.json").read_text())

    said = [
        ask(f"/v1/members/{name}/offers/{one.campaign_id}/events", "POST", body)
        for name in ("ada", "ada", "bela")
    ]

    assert [one.body for one in said] == [{"counted": 2}, {"counted": 0}, {"counted": 2}]
    (counts,) = events.list_counts(one.campaign_id, now=NOW)
    assert (counts.impressions, counts.views, counts.clicks) == (2, 0, 2)
    kept = [row for row in everything(("wallets",)) if row["sk"]["S"].startswith("offerevent#")]
    assert {name for row in kept for name in row} == {"pk", "sk", "expires_at", "kind", "at"}


@pytest.mark.parametrize(
    ("at", "offer", "status"),
    [
        ("2026-11-13T11:59:59Z", None, 422),
        ("2026-11-20T12:10:01Z", None, 422),
        ("2026-11-20T12:00:00Z", "nothing", 404),
    ],
)
def test_refuses_events_of_no_offer_or_of_another_time(
    at: str, offer: str | None, status: int
) -> None:
    join()
    (one,) = run(tea())
    told = {"events": [{"event_id": "e", "kind": "view", "at": at}]}

    said = ask(f"/v1/members/ada/offers/{offer or one.campaign_id}/events", "POST", told)

    assert said.status == status
    assert events.list_counts(one.campaign_id, now=NOW) == []


@pytest.mark.requirement("LOY-12")
@pytest.mark.requirement("LOY-13")
def test_a_member_reads_what_their_purchases_say_while_they_want_offers() -> None:
    ada = join()
    drank(ada, 4)
    (one,) = run(campaign())
    award(bought(coffees(350), ada, "c-0"), ada)

    said = ask("/v1/members/ada/profile")
    switch_off()

    taken = {"offer": one.campaign_id, "rewards": 1, "rewarded_minor": 100, "currency": "GBP"}
    most = {"retailer": "bean-and-leaf", "visits": 4, "spent_minor": 1_400}
    assert said.body == {
        "currency": "GBP",
        "visits": 4,
        "merchants": [{**most, "last_at": "2026-11-20T09:15:30Z"}],
        "categories": ["coffee", "drinks"],
        "districts": ["LS1"],
        "month_from_minor": 0,
        "month_to_minor": 5_000,
        "offers": [taken],
    }
    assert ask("/v1/members/ada/profile").status == 404


def test_a_bank_reaches_its_own_members_only_and_a_retailer_none() -> None:
    join()
    make_client("other-bank", "other-bank")

    said = call("GET", "/v1/members/ada/offers", token=token_of("other-bank"))

    assert (said.status, said.body["code"]) == (404, "not_found")


def everything(tables: Sequence[str] = ("wallets", "people", "money", "cases")) -> list[Any]:
    scan = aws.client("dynamodb").scan
    return [row for table in tables for row in scan(TableName=settings.table(table))["Items"]]
