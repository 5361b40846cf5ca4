"""An example of each operation's body and answer, for the API's description of itself.

They stand in `examples.json` beside this module, by the name of the operation: `takes` is a body
that is accepted, `answers` what is answered, by status. Most were recorded in tests, the rest is
written by hand; people and amounts are invented. A test holds each against the type that reads or
writes it.
"""

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chalicelib.api.rim import NOT_AUTHENTICATED, Problem
from chalicelib.runtime import wire

FILE = Path(__file__).with_name("examples.json")

# What is most often wrong, by status; every code is one that operations do answer.
_PROBLEMS = {
    HTTPStatus.BAD_REQUEST: ("not_json", "the body is not JSON"),
    HTTPStatus.UNAUTHORIZED: ("signature_mismatch", NOT_AUTHENTICATED),
    HTTPStatus.FORBIDDEN: ("not_permitted", "the token lacks the scope that this asks for"),
    HTTPStatus.NOT_FOUND: ("not_found", "there is no such member"),
    HTTPStatus.CONFLICT: ("offer_not_live", "the offer does not run now"),
    HTTPStatus.PRECONDITION_FAILED: ("terms_not_accepted", "the terms have to be accepted first"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "the body is over 1 MiB"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "unsupported_media_type",
        "the content type is none of those this operation takes",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("too_often", "it was asked for too often"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("try_again", "Try again shortly."),
}


def body_of(operation: str) -> Any:
    """A body that the operation accepts; None where it has no example."""
    return _all().get(operation, {}).get("takes")


def answer_of(operation: str, status: int) -> Any:
    """What the operation answers with `status`; None where it has no example."""
    return _all().get(operation, {}).get("answers", {}).get(str(status))


def problem_of(status: int) -> Any:
    """A problem as it is answered with `status`, as it travels."""
    known = {one.value: said for one, said in _PROBLEMS.items()}
    code, detail = known.get(status, ("shape", "Expected `int`, got `str`"))
    field = "lines[0].amount_minor" if status not in known else None
    title = code.replace("_", " ").capitalize()
    return wire.read_json(wire.to_json(Problem(title, status, code, detail, field)))


@cache
def _all() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read
