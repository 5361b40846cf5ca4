"""An AWS in memory behind the platform's own clients, and the faults that it meets on the way.

A call without a fault is answered before anything is serialised or signed: everything of the
platform's and of PynamoDB's is real, HTTP is left out. A call that meets a fault goes the whole way
through botocore, so that its own retries, with the platform's own settings, decide what the worker
sees. Only their waiting is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from chalicelib.runtime import aws
from chalicelib.runtime.rows import RowMeta
from infra.simulation.asking import APPS
from infra.simulation.attempts import (
    conflict,
    fail,
    response,
    retry_without_waiting,
    throttle,
)
from infra.simulation.faults import Call, Crash, Injector, Kind
from infra.simulation.items import Answer, Refused, Request
from infra.simulation.keeping import SimSecrets, Version, answer_kms
from infra.simulation.nights import CLOCKS
from infra.simulation.queues import QueuesState, SimQueues
from infra.simulation.tables import SimTables, TablesState
from infra.simulation.values import with_bytes

SERVICES = ("dynamodb", "sqs", "kms", "secretsmanager")
_READS_THAT_LAG = {"GetItem", "BatchGetItem", "Query"}
_MET_AT_ONCE = (Kind.CRASH_AFTER, Kind.STALE, Kind.STALE_BY_ONE)


class Twist(Protocol):
    """What a planted bug does on the way to AWS."""

    drops_consistency: bool

    def rewritten(self, service: str, operation: str, request: Request, /) -> Request | None:
        """The request that is done instead; None answers it without doing anything."""


@dataclass(frozen=True, slots=True)
class AwsState:
    """Everything that AWS holds, to come back to."""

    tables: TablesState
    queues: QueuesState
    secrets: Mapping[str, tuple[Version, ...]]


@dataclass(frozen=True, slots=True)
class _Answered:
    """What botocore asks of an HTTP answer that never was one."""

    status_code: int
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Pending:
    """A call that meets `kind` on its way, and how many attempts were made of it."""

    kind: Kind
    attempts: int = 0


class SimAws:
    """The simulated AWS. `injector` says what goes wrong, `twist` is a planted bug."""

    def __init__(self, *, now: Callable[[], datetime], injector: Injector) -> None:
        self.tables = SimTables(now=now)
        self.queues = SimQueues(now=now, also=(APPS, *CLOCKS))
        self.secrets = SimSecrets()
        self.twist: Twist | None = None
        self._injector = injector
        self._pending: _Pending | None = None

    def state(self) -> AwsState:
        """What it holds now."""
        return AwsState(self.tables.state(), self.queues.state(), dict(self.secrets.secrets))

    def restore(self, state: AwsState) -> None:
        """Hold what it held at `state`."""
        self.tables.restore(state.tables)
        self.queues.restore(state.queues)
        self.secrets.restore(state.secrets)

    def attach(self) -> Callable[[], None]:
        """Answer every client that the platform has from now on; returns what undoes it."""
        shared: Any = RowMeta.row_types[0]._get_connection().connection
        client = shared.client
        undo = [self._attach_to(one) for one in (*map(aws.client, SERVICES), client)]
        shared._client = _Shortcut(client, self._answer)

        def detach() -> None:
            shared._client = client
            for one in undo:
                one()

        return detach

    def _attach_to(self, client: Any) -> Callable[[], None]:
        events, service = client.meta.events, client.meta.service_model.service_name
        handlers = {
            "before-call": self._before_call,
            "before-send": partial(self._send, service),
            f"needs-retry.{client.meta.service_model.service_id.hyphenize()}": (
                retry_without_waiting(client)
            ),
        }
        for name, handler in handlers.items():
            events.register_first(name, handler)

        def detach() -> None:
            for name, handler in handlers.items():
                events.unregister(name, handler)

        return detach

    def _before_call(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        if self._pending is not None and self._pending.attempts == 0:
            return None  # The shortcut has counted it already.
        service, operation = model.service_model.service_name, model.name
        request = with_bytes(msgspec.json.decode(params["body"]))
        try:
            answer = self._answer(service, operation, request)
        except Refused as refusal:
            return _Answered(400, {}), _error(refusal)
        return None if answer is None else (_Answered(200, {}), {**answer, "ResponseMetadata": {}})

    def _answer(self, service: str, operation: str, request: dict[str, Any]) -> Answer | None:
        """The answer to one call; None where it meets a fault, and has to go the whole way."""
        asked = _without_consistency(request) if self._is_inconsistent else request
        kind = self._injector.meet(_call_of(service, operation, asked))
        self._pending = None
        if kind is not None and kind not in _MET_AT_ONCE:
            self._pending = _Pending(kind)
            return None
        if kind in (Kind.STALE, Kind.STALE_BY_ONE):
            self.tables.lag_behind(1 if kind is Kind.STALE_BY_ONE else self.tables.writes_count)
        try:
            return self._do(service, operation, request)
        finally:
            if kind is Kind.CRASH_AFTER:
                raise Crash

    @property
    def _is_inconsistent(self) -> bool:
        return self.twist is not None and self.twist.drops_consistency

    def _send(self, service: str, request: Any, **_: Any) -> AWSResponse:
        """One attempt of a call that meets a fault."""
        pending = self._pending
        if pending is None:
            raise AssertionError("a call reached the network without a fault")
        pending.attempts += 1
        is_first = pending.attempts == 1
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        said = with_bytes(msgspec.json.decode(request.body))
        done = partial(self._do, service, operation, said)
        match pending.kind:
            case Kind.REQUEST_LOST:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Kind.REQUEST_LOST_ONCE if is_first:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Kind.ANSWERS_LOST:
                response(request.url, done)
                raise ReadTimeoutError(endpoint_url=request.url)
            case Kind.ANSWER_LOST if is_first:
                response(request.url, done)
                raise ReadTimeoutError(endpoint_url=request.url)
            case Kind.THROTTLED:
                return response(request.url, partial(throttle, service))
            case Kind.THROTTLED_ONCE if is_first:
                return response(request.url, partial(throttle, service))
            case Kind.FAILED:
                return response(request.url, fail, status=500)
            case Kind.CONFLICTED:
                return response(request.url, partial(conflict, operation, request.body))
        return response(request.url, done)

    def _do(self, service: str, operation: str, request: dict[str, Any]) -> Answer:
        if self.twist is not None:
            twisted = self.twist.rewritten(service, operation, request)
            if twisted is None:
                return {"Successful": []} if operation == "SendMessageBatch" else {}
            request = dict(twisted)
        if self._is_inconsistent:
            request = _without_consistency(request)
        match service:
            case "dynamodb":
                return self.tables.answer(operation, request)
            case "sqs":
                return self.queues.answer(operation, request)
            case "kms":
                return answer_kms(operation, request)
        return self.secrets.answer(operation, request)


class _Shortcut:
    """The client that all rows share, asked before it serialises anything."""

    def __init__(
        self, client: Any, answer: Callable[[str, str, dict[str, Any]], Answer | None]
    ) -> None:
        self._client = client
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def _make_api_call(self, operation: str, request: dict[str, Any]) -> Any:
        """As botocore's, which PynamoDB calls."""
        try:
            answer = self._answer("dynamodb", operation, request)
        except Refused as refusal:
            kind = self._client.exceptions.from_code(refusal.code)
            raise kind(_error(refusal), operation) from refusal
        return self._client._make_api_call(operation, request) if answer is None else answer


def _without_consistency(request: Request) -> dict[str, Any]:
    asked = {name: value for name, value in request.items() if name != "ConsistentRead"}
    if "RequestItems" in asked:
        tables = asked["RequestItems"].items()
        asked["RequestItems"] = {name: _without_consistency(one) for name, one in tables}
    return asked


def _call_of(service: str, operation: str, request: Mapping[str, Any]) -> Call:
    if service != "dynamodb":
        return Call(service, operation)
    asked = request.get("RequestItems", {})
    tables = [request["TableName"]] if "TableName" in request else sorted(asked)
    lags = operation in _READS_THAT_LAG and not any(
        one.get("ConsistentRead") for one in (request, *asked.values())
    )
    names = " ".join(table.rpartition("-")[2] for table in tables)
    return Call(service, f"{operation} {names}".strip(), may_lag=lags)


def _error(refusal: Refused) -> dict[str, Any]:
    """What botocore's parser makes of a refusal."""
    error = {"Code": refusal.code, "Message": refusal.message}
    return {"Error": error, "ResponseMetadata": {}, **refusal.more}
