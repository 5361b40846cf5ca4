"""The rim: raw bytes in, problems out, and nothing of a refusal that should not be seen."""

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice import Blueprint, Chalice

from chalicelib.api import rim
from chalicelib.kernel import refusals
from chalicelib.kernel.pan import CardNumberFound
from chalicelib.runtime import wire
from tests.makers.api import call

CARD = "4111 1111 1111 1111"
REFUSALS = [
    (refusals.Malformed("no", field="a[0].b"), 400),
    (refusals.SignatureMismatch("the HMAC of key two differs"), 401),
    (rim.callers.NotPermitted("no"), 403),
    (refusals.NotFound("no"), 404),
    (refusals.Conflicting("no"), 409),
    (refusals.TooLarge("no"), 413),
    (refusals.NotAllowed("no", code="own_code"), 422),
    (CardNumberFound("no"), 422),
]


def answered_by(handler: rim.Handler, **event: Any) -> tuple[int, dict[str, Any], Any]:
    """Status, headers and decoded JSON body of one request to an app with one route."""
    before = len(rim.OPERATIONS)
    bp = Blueprint("tests")
    rim.operation(bp, "POST", "/eat/{what}", summary="Eat", answers={200: None})(handler)
    del rim.OPERATIONS[before:]  # The app's own description must not know of it.
    app = Chalice(app_name="tests")
    app.register_blueprint(bp)
    response = app({**EVENT, **event}, None)
    return response["statusCode"], response["headers"], response["body"]


EVENT: dict[str, Any] = {
    "requestContext": {"httpMethod": "POST", "resourcePath": "/eat/{what}", "path": "/eat/pear"},
    "headers": {"Content-Type": "application/json", "X-Mixed-CASE": "Yes"},
    "multiValueQueryStringParameters": {"limit": ["5"]},
    "pathParameters": {"what": "pear"},
    "stageVariables": None,
    "body": "{}",
    "isBase64Encoded": False,
}


def echo(inbound: rim.Inbound) -> rim.Answer:
    """Answer with what arrived."""
    return rim.Answer(
        {
            "body": inbound.body.hex(),
            "header": inbound.headers["x-mixed-case"],
            "query": dict(inbound.query),
            "what": inbound.parameters["what"],
        },
        status=202,
    )


@pytest.mark.parametrize(
    "event",
    [
        {"body": '{"a":"é"}'},
        {"body": base64.b64encode('{"a":"é"}'.encode()).decode(), "isBase64Encoded": True},
    ],
    ids=["text", "base64"],
)
def test_hands_on_the_bytes_that_were_sent(event: dict[str, Any]) -> None:
    status, headers, body = answered_by(echo, **event)

    assert (status, headers["Content-Type"]) == (202, "application/json")
    assert json.loads(body) == {
        "body": '{"a":"é"}'.encode().hex(),
        "header": "Yes",
        "query": {"limit": "5"},
        "what": "pear",
    }


@pytest.mark.parametrize(
    "event",
    [
        {"body": "é", "isBase64Encoded": True},
        {"body": "abc", "isBase64Encoded": True},
        {"body": "\ud83c"},
    ],
)
def test_refuses_a_body_that_is_no_bytes(event: dict[str, Any]) -> None:
    status, headers, body = answered_by(echo, **event)

    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(body)["code"] == "not_utf8"


def test_refuses_a_body_over_one_mebibyte() -> None:
    status, _, body = answered_by(echo, body="x" * (wire.BODY_BYTES_MAX + 1))

    assert (status, json.loads(body)["code"]) == (413, "too_large")


@pytest.mark.parametrize(("refusal", "status"), REFUSALS, ids=lambda case: type(case).__name__)
def test_answers_each_refusal_with_its_status(refusal: refusals.Rejected, status: int) -> None:
    def refuse(_inbound: rim.Inbound) -> rim.Answer:
        raise refusal

    answered, headers, body = answered_by(refuse)

    problem = json.loads(body)
    assert (answered, headers["Content-Type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"]) == (status, refusal.code)
    assert problem.get("field") == refusal.field


def test_says_nothing_about_why_a_credential_failed() -> None:
    def refuse(_inbound: rim.Inbound) -> rim.Answer:
        raise refusals.SignatureMismatch("the second key differs", field="key", code="wrong_key")

    _, _, body = answered_by(refuse)

    assert json.loads(body) == {
        "title": "Signature mismatch",
        "status": 401,
        "code": "signature_mismatch",
        "detail": "The token or signature is missing, wrong or out of date.",
    }


@pytest.mark.requirement("RCP-05")
def test_never_answers_a_card_number() -> None:
    def refuse(_inbound: rim.Inbound) -> rim.Answer:
        raise refusals.NotAllowed(f"not a till: {CARD}")

    _, _, body = answered_by(refuse)

    assert json.loads(body)["detail"] == "not a till: [card number removed]"


@pytest.mark.parametrize(("after", "header"), [(None, "5"), (120, "120")])
def test_asks_to_come_again_when_the_obstacle_passes(after: int | None, header: str) -> None:
    def wait(_inbound: rim.Inbound) -> rim.Answer:
        raise refusals.TryAgain("SQS of the payments queue is slow", after_seconds=after)

    status, headers, body = answered_by(wait)

    assert (status, headers["Retry-After"]) == (503, header)
    assert json.loads(body)["detail"] == "Try again shortly."


def test_knows_no_caller_where_the_route_asks_for_none() -> None:
    inbound = rim.Inbound(b"", {}, {}, {}, "GET", "/")

    with pytest.raises(refusals.SignatureMismatch):
        _ = inbound.known_caller


@pytest.mark.parametrize("kind", ["text/plain", "application/xml; charset=utf-8", "json"])
def test_refuses_a_body_of_another_kind_as_a_problem_like_any_other(kind: str) -> None:
    status, headers, body = answered_by(echo, headers={"Content-Type": kind})

    assert (status, headers["Content-Type"]) == (415, rim.PROBLEM)
    assert json.loads(body)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=UTF-8", ""])
def test_takes_json_however_its_name_is_written(kind: str) -> None:
    status, _, _ = answered_by(echo, headers={"Content-Type": kind, "X-Mixed-CASE": "Yes"})

    assert status == 202


def test_asks_no_kind_of_a_request_without_a_body() -> None:
    said = call("GET", "/health", headers={"Content-Type": "text/plain"})

    assert said.status == 200


def test_asking_at_once_leaves_the_environment_in_its_place() -> None:
    before = os.environ

    with ThreadPoolExecutor(max_workers=8) as threads:
        answers = list(threads.map(lambda _: call("GET", "/health").status, range(64)))

    assert (set(answers), os.environ is before) == ({200}, True)
