"""The stage of the bench: DynamoDB Local for the tables, queues in memory, and moto for keys."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.serving import Reply, Request
    from infra.simulation.queues import SimQueues

RECEIPTS_PATH, NOTICES_PATH = "/receipts", "/notices"
ENVIRONMENT = {
    "COUNTERFOIL_STAGE": "bench",
    "COUNTERFOIL_PUBLIC_URL": "https://api.counterfoil.test",
    "COUNTERFOIL_PRIVATE_HOSTS": "allowed",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    # In Lambda metrics and logs are written as lines, which are metered.
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
}


class NoRealTables(RuntimeError):
    """The bench was started without DynamoDB Local; moto miscounts capacity."""


def prepare_environment() -> None:
    """Set what the platform's modules read when they are imported.

    :raises NoRealTables: `COUNTERFOIL_REAL_DYNAMODB` does not say where DynamoDB Local is.
    """
    url = os.environ.get("COUNTERFOIL_REAL_DYNAMODB")
    if not url:
        raise NoRealTables("run it beside DynamoDB Local: `make bench`")
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_DYNAMODB=url)


@dataclass
class Bank:
    """A bank that takes all it is told, and counts calls and bytes by what they are about."""

    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    bytes_told: Counter[str] = field(default_factory=Counter)

    def take(self, request: "Request") -> "Reply":
        """Answer 200."""
        from infra.local.serving import Reply

        self.calls[request.path] += 1
        self.bytes_told[request.path] += len(request.body)
        return Reply(200)


@dataclass(frozen=True)
class Stage:
    """What stands outside the platform: its queues, held in memory, and a bank."""

    queues: "SimQueues"
    bank: Bank


@contextmanager
def empty_stage() -> Iterator[Stage]:
    """Empty tables and queues, fresh keys, and a bank.

    Queues are those of the simulation, so that no server's work is taken for the platform's.
    """
    from moto import mock_aws

    from chalicelib.api import tills
    from chalicelib.budgets import service as budgets
    from chalicelib.loyalty.schemes import service as schemes
    from chalicelib.network import service as network
    from chalicelib.network.access import keys
    from chalicelib.offers.campaigns import service as campaigns
    from chalicelib.runtime import aws, clock, queues, vault
    from infra import master_keys, resources
    from infra.bench.shift import STARTS
    from infra.local.serving import LoopbackServer
    from infra.simulation.queues import SimQueues

    stage = Stage(SimQueues(now=clock.now), Bank())
    with mock_aws(), LoopbackServer(stage.bank.take) as server:
        stage.bank.url = server.url
        queues.forget_urls()
        vault.forget_keys()
        for module in (network, keys, tills, schemes, budgets, campaigns):
            module.forget()
        resources.create_kms_key(aws.client("kms"))
        master_keys.set_up(os.urandom, now=STARTS - timedelta(days=2))
        tables = aws.client("dynamodb")
        for name in tables.list_tables()["TableNames"]:
            tables.delete_table(TableName=name)
        resources.create_tables(tables)
        with _answering(stage.queues):
            yield stage


@contextmanager
def _answering(queues: "SimQueues") -> Iterator[None]:
    """Answer every call to SQS from memory, where it would leave the process."""
    import json

    from chalicelib.runtime import aws
    from infra.simulation.attempts import response

    def answer(request: Any, **_: Any) -> Any:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        return response(request.url, partial(queues.answer, operation, json.loads(request.body)))

    events = aws.client("sqs").meta.events
    events.register("before-send.sqs", answer)
    try:
        yield
    finally:
        events.unregister("before-send.sqs", answer)
