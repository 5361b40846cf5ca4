"""Retailers give prizes, members enter through their banks, and all see what was drawn."""

import json
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel.ids import RetailerId
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Retailer
from chalicelib.offers.competitions import draws
from chalicelib.offers.competitions import service as competitions
from chalicelib.offers.competitions.drawing import draw_winners
from chalicelib.runtime import aws, clock, queues, settings
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.competitions import (
    BY,
    ENDS_AT,
    HAMPER,
    KNOWN_AT,
    LIVE_AT,
    OPENED_AT,
    SEED,
    STARTS_AT,
)
from tests.makers.events import event
from tests.makers.network import BANK
from tests.makers.offers import join, open_town
from tests.makers.outside import work
from tests.makers.receipts import RETAILER

pytestmark = [
    pytest.mark.stores,
    pytest.mark.requirement("OFR-08"),
    pytest.mark.usefixtures("town"),
]
EVENT: dict[str, Any] = json.loads(event("competition_put"))
OTHER = Retailer(RetailerId("other-brand"), "Other Brand")
TERMS = {"terms_version": "2026-12"}


@pytest.fixture
def town(embedded_aws: None) -> None:
    clock.use(lambda: OPENED_AT)
    open_town()
    network.record_retailer(OTHER)
    for retailer in (RETAILER, OTHER):
        make_client(retailer.retailer_id, retailer.retailer_id, ClientKind.RETAILER)
    make_client("bank", BANK)
    join("ada", 1)
    join("ben", 2)
    join("cleo", 3, wants_offers=False)


def at(moment: datetime) -> None:
    competitions.forget()
    clock.use(lambda: moment)


def put(body: object = EVENT, name: str = "hamper", who: str = RETAILER.retailer_id) -> Said:
    return call("PUT", f"/v1/competitions/{name}", token=token_of(who), body=body)


def get(name: str = "hamper", who: str = RETAILER.retailer_id) -> Said:
    return call("GET", f"/v1/competitions/{name}", token=token_of(who))


def enter(user: str, body: object = TERMS, of: str = HAMPER) -> Said:
    path = f"/v1/members/{user}/competitions/{of}/entries"
    return call("POST", path, token=token_of("bank"), body=body)


def seen(user: str) -> list[dict[str, Any]]:
    said = call("GET", f"/v1/members/{user}/competitions", token=token_of("bank"))
    found: list[dict[str, Any]] = said.body["competitions"]
    return found


def changed(path: str, value: object) -> dict[str, Any]:
    """The competition with another value at `path` (`seed.known_at`)."""
    body = deepcopy(EVENT)
    *parents, last = path.split(".")
    place = body
    for parent in parents:
        place = place[parent]
    place[last] = value
    return body


def test_a_competition_is_told_as_it_was_written_and_the_same_again_changes_nothing() -> None:
    first, again, read = put(), put(), get()

    assert (first.status, again.status) == (201, 200)
    assert first.body == {
        "id": HAMPER,
        "reference": "hamper",
        "stage": "draft",
        "version": 1,
        "competition": EVENT,
    }
    assert again.body == first.body
    assert read.body == first.body | {"entries": 0}


def test_a_retailer_sees_and_changes_its_own_alone() -> None:
    put()
    other = put(changed("winners", 1), who=OTHER.retailer_id)

    listed = call("GET", "/v1/competitions", token=token_of(OTHER.retailer_id)).body
    assert (other.status, other.body["id"]) == (201, "other-brand.hamper")
    assert [one["id"] for one in listed["competitions"]] == ["other-brand.hamper"]
    assert get().body["competition"] == EVENT
    assert get("basket").status == 404
    assert call("GET", "/v1/competitions", token=token_of("bank")).status == 403


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("winners", 0, "shape", "winners"),
        ("winners", 101, "shape", "winners"),
        ("terms.text", "", "shape", "terms.text"),
        ("seed.source", "", "shape", "seed.source"),
        ("starts_at", "tomorrow", "time", "starts_at"),
        ("starts_at", "2026-11-19T00:00:00Z", "starts_in_the_past", "starts_at"),
        ("ends_at", "2026-12-01T00:00:00Z", "ends_before_start", "ends_at"),
        ("seed.known_at", "2026-12-17T23:59:59Z", "seed_known_too_early", "seed.known_at"),
    ],
)
def test_refuses_what_could_not_run_with_its_place_and_writes_nothing(
    path: str, value: object, code: str, field: str
) -> None:
    said = put(changed(path, value))

    assert (said.status, said.body["code"], said.body["field"]) == (422, code, field)
    assert get().status == 404


def test_refuses_a_name_that_is_none() -> None:
    said = put(name="Hamper!")

    assert (said.status, said.body["field"]) == (422, "reference")


def test_a_draft_is_changed_or_removed_until_it_begins() -> None:
    put()
    redrafted = put(changed("winners", 2))
    token = token_of(RETAILER.retailer_id)
    removed = [call("DELETE", "/v1/competitions/hamper", token=token).status for _ in range(2)]
    put()
    at(STARTS_AT)
    refused = put(changed("winners", 2))
    kept = call("DELETE", "/v1/competitions/hamper", token=token_of(RETAILER.retailer_id))

    assert (redrafted.status, redrafted.body["version"]) == (200, 2)
    assert removed == [204, 404]
    assert (refused.status, refused.body["code"]) == (409, "not_a_draft")
    assert (kept.status, kept.body["code"]) == (409, "not_a_draft")
    assert get().body["stage"] == "live"


def test_a_member_sees_enters_once_and_hears_who_won() -> None:
    put()
    before = seen("ada")
    at(LIVE_AT)
    shown = seen("ada")
    entered, twice = enter("ada"), enter("ada")
    enter("ben")
    at(KNOWN_AT)
    drawn = draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT).draw
    (told,) = seen("ada")

    entry = entered.body["entry"]
    assert drawn is not None
    assert before == []
    assert shown == [
        {"id": HAMPER, "retailer": RETAILER.name, "stage": "live", "competition": EVENT}
    ]
    assert (entered.status, entered.body) == (
        201,
        {
            "competition": HAMPER,
            "entry": entry,
            "terms_version": "2026-12",
            "entered_at": "2026-12-05T09:30:00Z",
        },
    )
    assert (twice.status, twice.body["code"]) == (409, "already_entered")
    assert told["stage"] == "drawn"
    assert told["entry"] == entered.body | {"won": True}
    assert told["draw"] == get().body["draw"]
    assert told["draw"] == {
        "seed": SEED,
        "entries": 2,
        "digest": drawn.digest,
        "winners": list(draw_winners(SEED, drawn.winners, 3)),
        "drawn_at": "2026-12-19T21:00:00Z",
    }
    assert get().body["entries"] == 2


def test_who_did_not_win_is_told_so() -> None:
    put(changed("winners", 1))
    at(LIVE_AT)
    numbers = {user: enter(user).body["entry"] for user in ("ada", "ben")}
    at(KNOWN_AT)
    drawn = draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT).draw

    assert drawn is not None
    won = {user: seen(user)[0]["entry"]["won"] for user in numbers}
    assert won == {user: (number,) == drawn.winners for user, number in numbers.items()}
    assert sorted(won.values()) == [False, True]


def test_every_refusal_to_enter_says_why_and_nothing_is_entered() -> None:
    put()
    early = enter("ada")
    at(LIVE_AT)
    unknown = enter("ada", {"terms_version": "2025-01"})
    without = enter("ada", {})
    switched_off = enter("cleo")
    nowhere = enter("ada", of="bean-and-leaf.basket")
    nobody = enter("nobody")
    at(ENDS_AT)
    late = enter("ada")

    said = [early, unknown, without, switched_off, nowhere, nobody, late]
    assert [(one.status, one.body["code"]) for one in said] == [
        (404, "not_found"),
        (422, "unknown_terms_version"),
        (422, "shape"),
        (412, "offers_switched_off"),
        (404, "not_found"),
        (404, "not_found"),
        (409, "competition_over"),
    ]
    assert get().body["entries"] == 0


def test_who_switches_offers_off_sees_what_they_entered_and_nothing_else() -> None:
    put()
    put(name="basket")
    at(LIVE_AT)
    enter("ada")
    token = token_of("bank")
    call("PATCH", "/v1/members/ada/preferences", token=token, body={"offers": False})

    assert [one["id"] for one in seen("ada")] == [HAMPER]
    assert seen("cleo") == []


def test_leaving_withdraws_an_entry_through_the_real_worker() -> None:
    put()
    at(LIVE_AT)
    number = enter("ada").body["entry"]
    enter("ben")

    left = call("DELETE", "/v1/members/ada", token=token_of("bank"))
    work(queues.PAYMENTS)

    drawn = draws.draw(HAMPER, SEED, by=BY, now=KNOWN_AT).draw
    assert drawn is not None
    assert left.status == 204
    assert (drawn.entries, number in drawn.winners) == (1, False)


def test_what_is_drawn_from_does_not_say_whose_it_is() -> None:
    put()
    at(LIVE_AT)
    number = enter("ada").body["entry"]

    found = aws.client("dynamodb").scan(TableName=settings.table("wallets"))["Items"]
    (pooled,) = [row for row in found if row["sk"]["S"] == number]
    ends = int((ENDS_AT + timedelta(days=400)).timestamp())
    assert pooled["pk"]["S"].startswith(f"pool#{HAMPER}#")
    assert sorted(pooled) == ["expires_at", "pk", "sk"]
    assert pooled["expires_at"] == {"N": str(ends)}
