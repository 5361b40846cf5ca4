"""One attempt of a call that meets a fault: what comes back, and that botocore need not wait."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.retries import quota, standard

from infra.simulation.items import Answer, Refused
from infra.simulation.values import with_base64

_RETRIES_ALLOWED = 10**9  # botocore stops retrying in a long outage; each schedule starts anew.


def retry_without_waiting(client: Any) -> Callable[..., Any]:
    """The client's own decision whether to retry, by botocore's own rules, without its back-off.

    botocore asks every handler and takes the first answer that is not None; the client's own says
    how long to wait, and this one, asked before it, says not at all.
    """
    retries = client.meta.config.retries
    name = client.meta.service_model.service_id.hyphenize()
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    handler = standard.RetryHandler(
        retry_policy=standard.RetryPolicy(
            standard.StandardRetryConditions(max_attempts=retries["total_max_attempts"]),
            standard.ExponentialBackoff(random=lambda: 0.0, service_name=name),
        ),
        retry_event_adapter=standard.RetryEventAdapter(),
        retry_quota=standard.RetryQuotaChecker(quota.RetryQuota(_RETRIES_ALLOWED), detector),
        service_name=name,
    )
    decide: Callable[..., Any] = handler.needs_retry
    return decide


def response(url: str, do: Callable[[], Answer], *, status: int = 400) -> AWSResponse:
    """The answer as it would travel: JSON, and the refusal's name in `__type`."""
    try:
        code, answer = 200, do()
    except Refused as refusal:
        answer = {"__type": f"com.amazonaws#{refusal.code}", "message": refusal.message}
        code, answer = status, {**answer, **refusal.more}
    return AWSResponse(url, code, {}, _Raw(json.dumps(with_base64(answer)).encode()))


class _Raw:
    """The body of an answer, as urllib3 would give it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        """The body in one piece."""
        return [self._body]


def throttle(service: str) -> Answer:
    """Refuse, because too much was asked of `service`. :raises Refused: always."""
    codes = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "RequestThrottled"}
    raise Refused(codes.get(service, "ThrottlingException"), "Rate exceeded")


def fail() -> Answer:
    """Refuse without a reason. :raises Refused: always."""
    raise Refused("InternalServerError", "Internal server error")


def conflict(operation: str, body: bytes) -> Answer:
    """Refuse: another write or transaction was at the item. :raises Refused: always."""
    if operation != "TransactWriteItems":
        raise Refused("TransactionConflictException", "Transaction is ongoing for the item")
    count = len(msgspec.json.decode(body)["TransactItems"])
    reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * (count - 1)]
    raise Refused("TransactionCanceledException", "cancelled", CancellationReasons=reasons)
