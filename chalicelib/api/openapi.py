"""The API's description of itself: an OpenAPI 3.1 document, made from the routes as declared.

The schemas come from the very types that decode requests and encode answers, so the description
cannot say otherwise than the code does.
"""

import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Union, get_args, get_origin

import msgspec

from chalicelib.api import examples
from chalicelib.api.rim import BODY_METHODS, JSON, OPERATIONS, PROBLEM, Operation, Problem
from chalicelib.runtime import settings

OPENAPI_VERSION = "3.1.0"
API_VERSION = "1.0.0"
TOKEN_PATH = "/auth/oauth/token"  # noqa: S105 - a path, not a secret

_SCHEMA_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")
_DESCRIPTION = (
    "Counterfoil joins card payments with till receipts and shows the itemised receipt in the "
    "bank's app. Errors are `application/problem+json` (RFC 9457) with a stable `code`."
)
_STATUS_SENTENCES = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; it will be worked on.",
    204: "Done; there is nothing to say.",
    400: "The request does not parse or has not the documented shape.",
    401: "The caller did not prove who it is.",
    403: "The caller is known and may not do this.",
    404: "There is no such thing, or the caller may not know of it.",
    409: "The same name came before with other content.",
    412: "Something must be done first.",
    413: "The request is over a documented limit.",
    415: "The `Content-Type` is none that this operation takes.",
    422: "The request parses and breaks a rule.",
    429: "It was asked for too often: again after `Retry-After` seconds.",
    503: "A passing obstacle: the same request may be sent again after `Retry-After` seconds.",
}


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The document for every operation of this process. Made once; do not change it."""
    return document(OPERATIONS, base_url=settings.public_url())


def document(operations: Sequence[Operation], *, base_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document that describes `operations`, served under `base_url`."""
    named = list(dict.fromkeys(_types_of(operations)))
    schemas, components = msgspec.json.schema_components(named, ref_template=_SCHEMA_REFERENCE)
    _as_written(schemas)
    _as_written(components)
    schema_by_type = dict(zip(named, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        entry = _entry(operation, schema_by_type)
        paths.setdefault(operation.path, {})[operation.method.lower()] = entry
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Counterfoil", "version": API_VERSION, "description": _DESCRIPTION},
        "servers": [{"url": base_url}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": _security_schemes(operations, base_url),
        },
    }


def _as_written(schema: Any) -> None:
    """Say of decimals how they travel: msgspec describes each as text, also where a shape's format
    has numbers, and marks it with `x-written-as` (`number`, or a list of types). Descriptions are
    docstrings, and lose the indentation that they have before Python 3.13.
    """
    if isinstance(schema, dict) and "x-written-as" in schema:
        schema["type"] = schema.pop("x-written-as")
        schema.pop("format", None)
    if isinstance(schema, dict) and isinstance(schema.get("description"), str):
        schema["description"] = inspect.cleandoc(schema["description"])
    inner = schema.values() if isinstance(schema, dict) else schema
    for value in inner if isinstance(schema, dict | list | tuple) else ():
        _as_written(value)


def _types_of(operations: Sequence[Operation]) -> Iterator[Any]:
    yield Problem
    for operation in operations:
        for declared in (operation.takes, *operation.answers.values()):
            if declared is not None:
                yield from _members(declared)


def _members(declared: Any) -> tuple[Any, ...]:
    """The members of a union, each on its own: msgspec describes no union of untagged structs."""
    is_union = get_origin(declared) in (Union, types.UnionType)
    return get_args(declared) if is_union else (declared,)


def _schema(declared: Any, schema_by_type: Mapping[Any, Any]) -> Any:
    members = [schema_by_type[member] for member in _members(declared)]
    return members[0] if len(members) == 1 else {"anyOf": members}


def _entry(operation: Operation, schema_by_type: Mapping[Any, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": " ".join(operation.description.split()),
        "tags": list(operation.tags),
        "security": _security(operation),
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation, schema_by_type),
    }
    if operation.takes is not None:
        schema = _schema(operation.takes, schema_by_type)
        entry["requestBody"] = {
            "required": True,
            "content": {
                kind: _content(schema, examples.body_of(operation.name))
                for kind in operation.content_types
            },
        }
    return {key: value for key, value in entry.items() if value or key == "security"}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for place, described_by_name in (("query", operation.query), ("header", operation.headers)):
        for name, sentence in described_by_name.items():
            yield {
                "name": name.removesuffix("!"),
                "in": place,
                "required": name.endswith("!"),
                "description": sentence,
                "schema": {"type": "string"},
            }


def _responses(operation: Operation, schema_by_type: Mapping[Any, Any]) -> dict[str, Any]:
    declared_by_status = dict.fromkeys(_problem_statuses(operation), Problem)
    declared_by_status |= operation.answers
    responses: dict[int, dict[str, Any]] = {}
    for status, declared in declared_by_status.items():
        responses[status] = {"description": _sentence(status)}
        if declared is Problem:
            said = _content(schema_by_type[Problem], examples.problem_of(status))
            responses[status]["content"] = {PROBLEM: said}
        elif declared is not None:
            said = _content(
                _schema(declared, schema_by_type), examples.answer_of(operation.name, status)
            )
            responses[status]["content"] = {JSON: said}
    for kind in operation.other_kinds:
        responses[200]["content"][kind] = {"schema": {"type": "string"}}
    return {str(status): responses[status] for status in sorted(responses)}


def _content(schema: Any, example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _problem_statuses(operation: Operation) -> Iterator[int]:
    yield 503
    if operation.method in BODY_METHODS:
        yield from (413, 415)
    if operation.takes is not None:
        yield from (400, 422)
    if operation.scopes is not None:
        yield from (401, 403)
    if _PARAMETER.search(operation.path):
        yield from (400, 404, 422)
    if operation.query:
        yield 422
    if operation.required_query:
        yield 400


def _sentence(status: int) -> str:
    return _STATUS_SENTENCES.get(status, f"Status {status}.")


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Either scheme opens the door: a token is the same token however it was described."""
    if operation.scopes is None:
        return []
    return [{"oauth": list(operation.scopes)}, {"bearer": []}]


def _security_schemes(operations: Sequence[Operation], base_url: str) -> dict[str, Any]:
    scopes = sorted({scope for operation in operations for scope in operation.scopes or ()})
    return {
        "oauth": {
            "type": "oauth2",
            "description": "OAuth 2 client credentials of a machine client.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": base_url + TOKEN_PATH,
                    "scopes": {scope: scope.replace(":", " ") for scope in scopes},
                }
            },
        },
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
