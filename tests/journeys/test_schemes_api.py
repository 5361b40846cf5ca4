"""A retailer writes its schemes and asks what a basket would earn."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.api.scheme_shapes import read_document
from chalicelib.loyalty.schemes import service
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Provider
from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.members import make_activation, numbered
from tests.makers.network import make_connection
from tests.makers.receipts import RETAILER
from tests.makers.schemes import NOW, open_shop, points, stamps

pytestmark = pytest.mark.stores

TILL = "bean-till"


@pytest.fixture(autouse=True)
def shop(embedded_aws: None) -> None:
    clock.use(lambda: NOW)
    open_shop()
    make_client(TILL, RETAILER.retailer_id, ClientKind.RETAILER)


def ask(method: str, path: str, body: Any = None, *, client: str = TILL) -> Said:
    headers = {"Authorization": f"Bearer {token_of(client)}", "Content-Type": "application/json"}
    raw = b"" if body is None else json.dumps(body).encode()
    return call(method, path, raw=raw, headers=headers)


def basket(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"store": "0042", "lines": lines, **more}


COFFEE = {"amount_minor": 380, "category": ["Coffee"]}


def test_writes_a_scheme_and_reads_it_back() -> None:
    said = ask("PUT", "/v1/schemes/points", points())

    written = {
        "scheme_id": "bean-and-leaf.points",
        "version": 1,
        "starts_at": "2026-11-20T12:00:00Z",
        "document": {**points(), "starts_at": "2026-11-20T12:00:00Z"},
    }
    assert (said.status, said.body) == (201, written)
    for path in ("points", "points/versions/1", "bean-and-leaf.points"):
        assert ask("GET", f"/v1/schemes/{path}").body == written
    assert ask("GET", "/v1/schemes").body == {"schemes": [written]}
    assert ask("GET", "/v1/schemes/points/versions").body == {
        "versions": [{"version": 1, "starts_at": "2026-11-20T12:00:00Z"}]
    }


def test_writing_the_same_again_says_so() -> None:
    ask("PUT", "/v1/schemes/points", points())

    assert ask("PUT", "/v1/schemes/points", points()).status == 200


def test_tells_every_problem_with_its_place() -> None:
    said = ask("PUT", "/v1/schemes/coffee", stamps(budget_minor=None, currency="XXX"))

    assert (said.status, said.body) == (
        422,
        {
            "title": "Unknown currency",
            "status": 422,
            "code": "unknown_currency",
            "detail": "the currency is not in ISO 4217",
            "field": "currency",
            "problems": [
                {
                    "code": "unknown_currency",
                    "detail": "the currency is not in ISO 4217",
                    "field": "currency",
                },
                {
                    "code": "no_budget",
                    "detail": "a reward pays money, so the scheme needs a budget",
                    "field": "budget_minor",
                },
            ],
        },
    )
    assert ask("GET", "/v1/schemes").body == {"schemes": []}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (points(ruels=[]), "ruels"),
        (
            points({"kind": "item", "id": "a", "per_minor": 5}),
            "rules[0].per_minor",
        ),
        (
            points({"kind": "visit", "id": "a", "when": {"windows": [{"days": "x", "to": "9"}]}}),
            "rules[0].when.windows[0].to",
        ),
    ],
)
def test_a_field_that_nobody_knows_is_a_mistake(document: dict[str, Any], field: str) -> None:
    said = ask("PUT", "/v1/schemes/points", document)

    assert (said.status, said.body["code"], said.body["field"]) == (422, "unknown_field", field)


def test_another_retailers_schemes_are_not_there() -> None:
    ask("PUT", "/v1/schemes/points", points())
    make_client("other-till", "other-shop", ClientKind.RETAILER)

    for path in ("points", "points/versions", "points/versions/1", "bean-and-leaf.points"):
        assert ask("GET", f"/v1/schemes/{path}", client="other-till").status == 404
    asked = "/v1/schemes/bean-and-leaf.points/what-if"
    assert ask("POST", asked, basket(COFFEE), client="other-till").status == 404
    assert ask("GET", "/v1/schemes", client="other-till").body == {"schemes": []}


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "1234567", "٣"])
def test_a_version_that_is_not_there_is_not_found(number: str) -> None:
    ask("PUT", "/v1/schemes/points", points())

    assert ask("GET", f"/v1/schemes/points/versions/{number}").status == 404


def test_a_till_without_the_scope_writes_nothing() -> None:
    make_client("reader", RETAILER.retailer_id, ClientKind.RETAILER, "schemes:read")

    assert ask("PUT", "/v1/schemes/points", points(), client="reader").status == 403
    assert service.list_schemes(RETAILER.retailer_id, now=NOW) == ()


def test_says_what_a_basket_would_earn_and_what_is_missing() -> None:
    over_five = {"kind": "visit", "id": "visit", "when": {"min_spend_minor": 500}}
    ask("PUT", "/v1/schemes/coffee", stamps(over_five))

    said = ask("POST", "/v1/schemes/coffee/what-if", basket(COFFEE))

    assert (said.status, said.body) == (
        200,
        {
            "scheme_id": "bean-and-leaf.coffee",
            "version": 1,
            "units": 0,
            "why": "below_minimum",
            "words": ["0 stamps earned.", "Nothing by “visit”: it takes £1.20 more."],
            "nothing": [{"rule": "visit", "why": "below_minimum", "missing_minor": 120}],
            "missing": {
                "units": 1,
                "words": "£1.20 more for 1 stamp",
                "rule": "visit",
                "missing_minor": 120,
            },
        },
    )


@pytest.mark.requirement("LOY-20")
def test_answers_as_the_example_files_say() -> None:
    headers = {"Authorization": f"Bearer {token_of(TILL)}", "Content-Type": "application/json"}
    path = "/v1/schemes/points"

    written = call("PUT", path, raw=event("scheme_put"), headers=headers)
    said = call("POST", f"{path}/what-if", raw=event("scheme_what_if"), headers=headers)

    sent = json.loads(event("scheme_put"))
    assert written.status == 201
    assert read_document(written.body["document"]) == read_document(sent)  # Defaults are left out.
    assert (said.status, said.body) == (200, json.loads(event("scheme_what_if_answered")))


def test_says_which_line_earns_by_which_rule() -> None:
    ask("PUT", "/v1/schemes/coffee", stamps())
    tea = {"amount_minor": 300, "category": ["Tea"]}

    said = ask("POST", "/v1/schemes/coffee/what-if", basket(tea, {**COFFEE, "quantity": "2"}))

    assert said.body["earned"] == [{"rule": "coffee", "units": 2, "line": 1}]
    assert said.body["words"] == ["2 stamps earned.", "2 stamps by “coffee”."]


def test_tells_of_a_time_that_is_still_to_come() -> None:
    ask("PUT", "/v1/schemes/points", points(starts_at="2026-12-01T00:00:00Z"))

    before = ask("POST", "/v1/schemes/points/what-if", basket(COFFEE))
    after = ask("POST", "/v1/schemes/points/what-if", basket(COFFEE, at="2026-12-01T00:00:00Z"))

    assert (before.body["why"], before.body["units"]) == ("not_started", 0)
    assert after.body["units"] == 3


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (basket(COFFEE) | {"store": "9999"}, 404, "store"),
        (basket(), 422, "lines"),
        (basket({"amount_minor": -1}), 422, "lines[0].amount_minor"),
        (basket({**COFFEE, "quantity": "0"}), 422, "lines[0].quantity"),
        (basket({**COFFEE, "quantity": "0.0001"}), 422, "lines[0].quantity"),
        (basket({**COFFEE, "quantity": "1000001"}), 422, "lines[0].quantity"),
        (basket({**COFFEE, "quantity": "NaN"}), 422, "lines[0].quantity"),
        (basket({**COFFEE, "quantity": "Infinity"}), 422, "lines[0].quantity"),
        (basket(COFFEE, at="noon"), 422, "at"),
    ],
)
def test_a_basket_that_cannot_be_is_refused(body: dict[str, Any], status: int, field: str) -> None:
    ask("PUT", "/v1/schemes/points", points())

    said = ask("POST", "/v1/schemes/points/what-if", body)

    assert (said.status, said.body["field"]) == (status, field)


def test_a_basket_in_another_currency_earns_nothing() -> None:
    ask("PUT", "/v1/schemes/points", points())

    said = ask("POST", "/v1/schemes/points/what-if", basket(COFFEE, currency="EUR"))

    assert (said.body["units"], said.body["why"]) == (0, "other_currency")


def test_a_change_is_seen_by_a_process_that_remembers_within_a_minute() -> None:
    ask("PUT", "/v1/schemes/points", points())
    assert service.list_valid(RETAILER.retailer_id, at=NOW, now=NOW)[0].version == 1

    ask("PUT", "/v1/schemes/points", points(name="Renamed"))

    later = NOW + timedelta(seconds=60)
    assert service.list_valid(RETAILER.retailer_id, at=later, now=later)[0].version == 2


def join(**more: Any) -> None:
    """Ada switches the programme on at Harbour Bank, which has a machine here too."""
    bank = make_connection(provider=Provider.STANDARD, **more)
    network.record_connection(bank, now=NOW)
    make_client("harbour", bank.connection_id)
    members.activate(make_activation("ada", connection=bank), fresh=numbered(1), now=NOW)


def ask_for(user: str, body: Any, *, scheme: str = "bean-and-leaf.points") -> Said:
    return ask("POST", f"/v1/members/{user}/schemes/{scheme}/what-if", body, client="harbour")


def test_a_bank_asks_for_its_member_what_a_basket_would_earn() -> None:
    ask("PUT", "/v1/schemes/points", json.loads(event("scheme_put")))
    join()

    said = ask_for("ada", json.loads(event("scheme_what_if")))

    assert (said.status, said.body) == (200, json.loads(event("scheme_what_if_answered")))


def test_a_bank_is_told_why_a_basket_would_earn_its_member_nothing() -> None:
    ask("PUT", "/v1/schemes/points", points(membership="choice"))
    join()
    unchosen = ask_for("ada", basket(COFFEE))

    ask("PUT", "/v1/schemes/coffee", stamps())
    joined = ask_for("ada", basket(COFFEE), scheme="bean-and-leaf.coffee")
    before = ask_for(
        "ada", basket(COFFEE, at="2026-11-20T11:59:00Z"), scheme="bean-and-leaf.coffee"
    )

    assert (unchosen.body["units"], unchosen.body["barred"]) == (3, "not_joined")
    assert "barred" not in joined.body
    assert before.body["barred"] == "before_joining"


def test_a_bank_whose_members_have_no_stamps_is_told_so() -> None:
    ask("PUT", "/v1/schemes/points", points())
    join(stamps=False)

    assert ask_for("ada", basket(COFFEE)).body["barred"] == "stamps_off"


def test_a_bank_asks_for_its_own_members_and_of_schemes_that_there_are() -> None:
    ask("PUT", "/v1/schemes/points", points())
    join()

    assert ask_for("bela", basket(COFFEE)).status == 404
    assert ask_for("ada", basket(COFFEE), scheme="bean-and-leaf.none").status == 404
    asked = "/v1/members/ada/schemes/bean-and-leaf.points/what-if"
    assert ask("POST", asked, basket(COFFEE)).status == 403
