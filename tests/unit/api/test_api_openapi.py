"""The API's description: valid, complete, and made from the types that decode."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib.api import examples, openapi
from chalicelib.api.rim import FORM, JSON, OPERATIONS, PROBLEM, Operation, Problem
from tests.makers.api import call

BASE = "https://api.counterfoil.test"


class Apple(msgspec.Struct, forbid_unknown_fields=True):
    """A struct for these tests."""

    weight_grams: int
    label: str | None = None


class Pear(msgspec.Struct):
    """Another one, without a tag."""

    ripe: bool


@dataclass(frozen=True)
class Basket:
    """A dataclass for these tests."""

    apples: tuple[Apple, ...]


def operation(**fields: Any) -> Operation:
    """An operation with what does not matter filled in."""
    given: dict[str, Any] = {
        "method": "POST",
        "path": "/apples",
        "name": "record_apples",
        "summary": "Take apples",
        "description": "Take\n    apples.",
        "tags": ("fruit",),
        "answers": {200: None},
    }
    return Operation(**{**given, **fields})


def described(**fields: Any) -> dict[str, Any]:
    """The document's entry for one operation; the whole document is checked on the way."""
    wanted = operation(**fields)
    document = openapi.document([wanted], base_url=BASE)
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()
    entry: dict[str, Any] = document["paths"][wanted.path][wanted.method.lower()]
    return entry


def test_describes_every_route_of_the_app_and_no_other() -> None:
    deployed = {(m, path) for path, methods in app.routes.items() for m in methods}
    document = openapi.described()

    described_routes = {
        (method.upper(), path) for path, entry in document["paths"].items() for method in entry
    }

    assert described_routes == deployed


def test_is_a_valid_openapi_document() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(openapi.described()))).validate()


def test_names_each_operation_once() -> None:
    names = [operation.name for operation in OPERATIONS]

    assert sorted(set(names)) == sorted(names)


def test_every_struct_in_it_says_what_it_is() -> None:
    schemas = openapi.described()["components"]["schemas"]

    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_answers_the_document_over_http() -> None:
    said = call("GET", "/openapi.json")

    assert said.status == 200
    assert said.headers["Content-Type"] == "application/json"
    assert said.body == json.loads(json.dumps(openapi.described()))


def test_answers_that_it_is_up_and_nothing_else_about_itself() -> None:
    said = call("GET", "/health")

    assert said.status == 200
    assert said.body == {"status": "ok", "version": openapi.API_VERSION}


def test_asks_for_the_body_that_the_type_decodes() -> None:
    entry = described(takes=list[Apple])

    assert entry["requestBody"] == {
        "required": True,
        "content": {
            JSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Apple"}}}
        },
    }


def test_describes_a_dataclass_and_what_it_holds() -> None:
    document = openapi.document([operation(answers={200: Basket})], base_url=BASE)

    assert set(document["components"]["schemas"]) == {"Basket", "Apple", "Problem", "ProblemPlace"}


def test_offers_each_member_of_a_union() -> None:
    entry = described(takes=Apple | list[Pear])

    assert entry["requestBody"]["content"][JSON]["schema"] == {
        "anyOf": [
            {"$ref": "#/components/schemas/Apple"},
            {"type": "array", "items": {"$ref": "#/components/schemas/Pear"}},
        ]
    }


def test_takes_a_form_where_the_route_takes_one() -> None:
    entry = described(takes=Apple, content_types=(FORM, JSON))

    assert list(entry["requestBody"]["content"]) == [FORM, JSON]


def problem(status: int) -> dict[str, Any]:
    """How a problem of `status` is described."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"schema": schema, "example": examples.problem_of(status)}


def test_answers_nothing_where_the_handler_answers_nothing() -> None:
    entry = described(method="DELETE", answers={204: None, 404: Problem})

    assert entry["responses"] == {
        "204": {"description": "Done; there is nothing to say."},
        "404": {
            "description": "There is no such thing, or the caller may not know of it.",
            "content": {PROBLEM: problem(404)},
        },
        "503": {
            "description": "A passing obstacle: the same request may be sent again after"
            " `Retry-After` seconds.",
            "content": {PROBLEM: problem(503)},
        },
    }


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        ({}, ["200", "503"]),
        ({"method": "POST"}, ["200", "413", "415", "503"]),
        ({"method": "PUT", "takes": Apple}, ["200", "400", "413", "415", "422", "503"]),
        ({"scopes": ("fruit:write",)}, ["200", "401", "403", "503"]),
        ({"path": "/apples/{apple_id}"}, ["200", "400", "404", "422", "503"]),
        ({"query": {"ripe": "Whether."}}, ["200", "422", "503"]),
    ],
)
def test_says_which_refusals_to_expect(fields: dict[str, Any], statuses: list[str]) -> None:
    assert list(described(**{"method": "GET", **fields})["responses"]) == statuses


def test_describes_decimals_as_they_travel() -> None:
    schemas = openapi.described()["components"]["schemas"]

    assert schemas["chalicelib.banks.flux_receipts.FluxItem"]["properties"]["quantity"] == {
        "type": "number"
    }
    assert schemas["NativeLine"]["properties"]["quantity"]["type"] == ["string", "number"]
    assert "x-written-as" not in json.dumps(schemas)


def test_describes_every_content_type_that_an_answer_may_have() -> None:
    entry = described(method="GET", answers={200: Apple}, other_kinds=("text/plain",))

    assert list(entry["responses"]["200"]["content"]) == ["application/json", "text/plain"]


def test_asks_for_a_token_with_the_scopes_of_the_route() -> None:
    wanted = operation(scopes=("fruit:write",))
    document = openapi.document([wanted], base_url=BASE)

    entry = document["paths"]["/apples"]["post"]
    assert entry["security"] == [{"oauth": ["fruit:write"]}, {"bearer": []}]
    flow = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
    assert flow == {
        "tokenUrl": f"{BASE}/auth/oauth/token",
        "scopes": {"fruit:write": "fruit write"},
    }


def test_asks_for_no_token_on_an_open_route() -> None:
    assert described(scopes=None)["security"] == []


def test_describes_parameters_of_path_query_and_header() -> None:
    entry = described(
        path="/apples/{apple_id}",
        query={"limit": "How many at most."},
        headers={"X-Request-Signature!": "HMAC-SHA256 of the body."},
    )

    assert entry["parameters"] == [
        {"name": "apple_id", "in": "path", "required": True, "schema": {"type": "string"}},
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "description": "How many at most.",
            "schema": {"type": "string"},
        },
        {
            "name": "X-Request-Signature",
            "in": "header",
            "required": True,
            "description": "HMAC-SHA256 of the body.",
            "schema": {"type": "string"},
        },
    ]
