"""The rim of the HTTP API: one decorator under Chalice's own.

It undoes the gateway's base64, checks the size, asks who is calling, maps refusals to problem+json
(RFC 9457) and keeps the list of operations from which `/openapi.json` is made. Handlers below it
get an `Inbound`, return an `Answer`, and know nothing of Chalice. Each request has a trace, and
what it counted is written out when it ends, a bug included.
"""

import base64
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import msgspec
from chalice import Blueprint, Response

from chalicelib.api import callers, path_parameters
from chalicelib.api.statuses import UnsupportedMediaType, status_of
from chalicelib.kernel.pan import mask_card_numbers
from chalicelib.kernel.refusals import (
    Malformed,
    Rejected,
    SignatureMismatch,
    TooLarge,
    TooOften,
    TryAgain,
)
from chalicelib.runtime import clock, observability, settings, tracing, wire

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
RETRY_AFTER_SECONDS = 5
# Which one it is would help whoever guesses; that it is one of them helps everybody else.
NOT_AUTHENTICATED = "The token or signature is missing, wrong or out of date."

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class ProblemPlace(msgspec.Struct, omit_defaults=True):
    """One of several problems: its code, what it is, and the JSON path of its place."""

    code: str
    detail: str
    field: str | None = None


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457. `code` is stable; `field` is the JSON path of what broke the rule.

    Where a document has several problems, they are the first one's, and `problems` has all.
    """

    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    problems: tuple[ProblemPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request: raw bytes, lower-case header names, decoded parameters and query, and who calls.

    `path` is as it came.
    """

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    parameters: Mapping[str, str]
    method: str
    path: str
    caller: callers.Caller | None = None

    def json(self) -> Any:
        """The body as strict JSON (see `wire.read_json`)."""
        return wire.read_json(self.body)

    @property
    def known_caller(self) -> callers.Caller:
        """The caller of an operation that asks for scopes."""
        if self.caller is None:
            raise SignatureMismatch("no credential was given")
        return self.caller


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: struct or builtins for JSON, bytes for anything else, or nothing."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


Handler = Callable[[Inbound], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """One documented route. `answers` maps status to the type of its body, None for no body.

    `scopes` None means no bearer token: the route is public, or proves its caller another way.
    `other_kinds` are content types that a 200 may have beside JSON.
    """

    method: str
    path: str
    name: str
    summary: str
    description: str
    tags: tuple[str, ...]
    takes: Any = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    content_types: tuple[str, ...] = (JSON,)
    other_kinds: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def required_query(self) -> tuple[str, ...]:
        """The names of the query parameters that have to be there."""
        return tuple(name.removesuffix("!") for name in self.query if name.endswith("!"))


OPERATIONS: list[Operation] = []


def operation(
    bp: Blueprint,
    method: str,
    path: str,
    *,
    summary: str,
    answers: Mapping[int, Any],
    takes: Any = None,
    scopes: tuple[str, ...] | None = None,
    content_types: tuple[str, ...] = (JSON,),
    other_kinds: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Make a handler a documented Chalice route of `bp`. `query` and `headers` map a parameter's
    name to the sentence that describes it; names with a trailing `!` are required.
    """

    def decorate(handler: Handler) -> Handler:
        documented = Operation(
            method=method,
            path=path,
            name=handler.__name__,
            summary=summary,
            description=inspect.cleandoc(handler.__doc__ or ""),
            tags=tags,
            takes=takes,
            answers=answers,
            scopes=scopes,
            content_types=content_types,
            other_kinds=other_kinds,
            query=query or {},
            headers=headers or {},
        )
        _route(bp, documented, handler)
        return handler

    return decorate


def _route(bp: Blueprint, documented: Operation, handler: Handler) -> None:
    OPERATIONS.append(documented)

    @wraps(handler)
    def view(**parameters: str) -> Response:
        now, fresh = clock.now(), os.urandom(tracing.RANDOM_BYTES)
        trace = tracing.new_trace(settings.trace_header(), fresh=fresh, now=now)
        with tracing.following(trace), observability.invocation(clock.now):
            return _respond(handler, bp.current_request, parameters, documented)

    bp.route(
        documented.path,
        methods=[documented.method],
        content_types=["*/*"],  # Judged below: Chalice would refuse a GET by it, in its own words.
        name=handler.__name__,
    )(view)


def _respond(
    handler: Handler, request: Any, parameters: dict[str, str], documented: Operation
) -> Response:
    try:
        answer = handler(_inbound(request, parameters, documented))
    except Rejected as refusal:
        return _refusal(refusal)
    except TryAgain as passing:
        return _problem(
            503,
            "try_again",
            "Try again shortly.",
            headers={"Retry-After": str(passing.after_seconds or RETRY_AFTER_SECONDS)},
        )
    return _response(answer)


def _inbound(request: Any, parameters: dict[str, str], documented: Operation) -> Inbound:
    event = request.to_original_event()
    body = _raw_body(event)
    if len(body) > wire.BODY_BYTES_MAX:
        raise TooLarge("the body is over 1 MiB")
    headers = {name.lower(): value for name, value in (request.headers or {}).items()}
    _check_media_type(headers, documented)
    scopes = documented.scopes
    caller = None if scopes is None else callers.authenticate(headers, scopes, now=clock.now())
    inbound = Inbound(
        body=body,
        headers=headers,
        query=dict(request.query_params or {}),
        parameters=path_parameters.decode(parameters, event),
        method=request.method,
        path=request.context.get("path", ""),
        caller=caller,
    )
    _check_query(inbound, documented)
    return inbound


def _check_query(inbound: Inbound, documented: Operation) -> None:
    """Whether all is there that has to be; what it says is for the handler to judge."""
    for name in documented.required_query:
        if not inbound.query.get(name):
            raise Malformed(f"the query parameter `{name}` is missing", field=name, code="missing")


def _check_media_type(headers: Mapping[str, str], documented: Operation) -> None:
    """Refuse a body of a kind that is not taken; one that does not say its kind is believed."""
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    if documented.method in BODY_METHODS and sent and sent not in documented.content_types:
        raise UnsupportedMediaType("the content type is none of those this operation takes")


def _raw_body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if isinstance(body, bytes):  # Chalice's own local server does not decode.
        return body
    try:
        return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        raise Malformed("the body is neither UTF-8 nor base64", code="not_utf8") from error


def _refusal(refusal: Rejected) -> Response:
    status = status_of(refusal)
    observability.count("requests_refused", code=refusal.code)
    if isinstance(refusal, SignatureMismatch):
        return _problem(401, SignatureMismatch.code, NOT_AUTHENTICATED)
    after = refusal.after_seconds if isinstance(refusal, TooOften) else None
    headers = {"Retry-After": str(after)} if after is not None else {}
    detail = mask_card_numbers(refusal.detail)
    places = tuple(ProblemPlace(one.code, one.detail, one.field) for one in refusal.problems)
    return _problem(status, refusal.code, detail, at=refusal.field, headers=headers, places=places)


def _problem(
    status: int,
    code: str,
    detail: str,
    *,
    at: str | None = None,
    headers: Mapping[str, str] | None = None,
    places: tuple[ProblemPlace, ...] = (),
) -> Response:
    title = code.replace("_", " ").capitalize()
    problem = Problem(title, status, code, detail, at, places)
    return _response(Answer(problem, status, headers or {}, PROBLEM))


def _response(answer: Answer) -> Response:
    body: Any = answer.body
    if body is None:
        encoded = ""
    elif isinstance(body, bytes | str):
        encoded = body if isinstance(body, str) else body.decode()
    else:
        encoded = wire.to_json(body).decode()
    headers: dict[str, str | list[str]] = {"Content-Type": answer.content_type, **answer.headers}
    return Response(body=encoded, status_code=answer.status, headers=headers)
