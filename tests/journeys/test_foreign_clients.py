"""Every route that asks for a token, walked by every client that has no business there.

The victim is one bank with a member, and one retailer with a store. The walkers are another bank,
another retailer, the victim's opposite number, a token without a scope, an expired one, and none.
Whatever the route, what the victim has stays as it is and nothing of it is shown.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import app
from chalicelib.api.rim import OPERATIONS, Operation
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind, Provider
from chalicelib.runtime import aws, clock, rows
from infra import resources
from tests.makers.api import call, make_client, token_of
from tests.makers.network import (
    BAKERY,
    BANK,
    CINEMA,
    OTHER_BANK,
    make_connection,
    make_retailer,
    make_store,
    mid,
)

pytestmark = pytest.mark.stores

GUARDED = [one for one in OPERATIONS if one.scopes is not None and one.path in app.routes]
VICTIMS = {
    "user": "victim-user",
    "account_id": "victim-account",
    "connection": BANK,
    "transaction": "victim-transaction",
    "reference": "victim-receipt",
    "retailer": BAKERY,
    "scheme": f"{BAKERY}.victim-scheme",
    "version": "1",
    "offer": "victim-offer",
    "competition": f"{BAKERY}.victim-competition",
    "reward": "victim-reward",
    "claim": "victim-claim",
    "code": "victim-code",
    "payout": "20261119victim-payout",
    "period": "2026-11",
}
QUERY = (
    "?user=victim-user&userId=victim-user&transactionId=victim-transaction&limit=5"
    "&since=2026-11-20T00:00:00Z&day=2026-11-19"
)
# A body that does not read is refused before it is anybody's, so these refusals are as good.
REFUSED_FIRST = {400, 412, 413, 415, 422}
NOT_ONES_OWN = {401, 403, 404}
# What these write belongs to whoever calls, by whatever name: a bank's own account of the same id,
# a retailer's own receipts. So they may succeed, beside what the victim has.
WRITE_TO_ONES_OWN = {"put_account", "receive_flux_sales", "receive_receipts"}
# What these read is the caller's own, which has no name in the path: a list, a log, a statement.
READ_ONES_OWN = {
    "list_campaigns",
    "list_competitions",
    "list_notices",
    "list_public_offers",
    "list_payouts",
    "list_schemes",
    "read_statement",
}
WELCOME = {200, 201, 202}


@pytest.fixture
def tokens(embedded_aws: None, now: datetime) -> dict[str, str | None]:
    """A token of each walker, beside a victim who has everything."""
    clock.use(lambda: now - timedelta(hours=2))
    for connection_id in (BANK, OTHER_BANK):
        connection = make_connection(
            connection_id, provider=Provider.MONZO, auth_url="http://127.0.0.1:9/"
        )
        network.record_connection(connection, now=now)
        make_client(connection_id, connection_id)
    for retailer_id in (BAKERY, CINEMA):
        network.record_retailer(make_retailer(retailer_id))
        make_client(retailer_id, retailer_id, ClientKind.RETAILER)
    network.record_store(make_store("victim-store"), [mid("victim-mid")], now=now)
    make_client("operator", "", ClientKind.OPERATOR)
    expired = token_of(BANK)
    clock.use(lambda: now)
    body = {"terms": {"version": "2026-01"}, "accounts": [{"id": "victim-account"}]}
    said = call("PUT", "/v1/members/victim-user", token=token_of(BANK), body=body)
    assert said.status == 201
    return {
        "nobody": None,
        "garbage": "x.y.z",
        "expired": expired,
        "operator": token_of("operator"),
        "other bank": token_of(OTHER_BANK),
        "other retailer": token_of(CINEMA),
        "own bank for another user": token_of(BANK, "user:somebody-else"),
    }


def everything_stored() -> list[str]:
    scan = aws.client("dynamodb").scan
    return sorted(
        repr(sorted(item.items()))
        for table in resources.TABLES
        for item in scan(TableName=rows.settings.table(table))["Items"]
    )


def messages_waiting() -> list[str]:
    sqs = aws.client("sqs")
    return [
        sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=rows.settings.queue(queue.name))["QueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )["Attributes"]["ApproximateNumberOfMessages"]
        for queue in resources.QUEUES
    ]


def walk(operation: Operation, token: str | None, body: Any) -> tuple[int, str]:
    path = operation.path.format_map(VICTIMS) + QUERY
    said = call(operation.method, path, token=token, body=body)
    return said.status, repr(said.body)


def test_the_walk_knows_a_victim_for_every_path() -> None:
    for operation in GUARDED:
        assert operation.path.format_map(VICTIMS)
    assert len(GUARDED) >= 8


@pytest.mark.requirement("RCP-03")
@pytest.mark.parametrize("operation", GUARDED, ids=lambda one: f"{one.method} {one.path}")
def test_a_foreign_client_changes_nothing_and_sees_nothing(
    operation: Operation, tokens: dict[str, str | None]
) -> None:
    before, waiting = everything_stored(), messages_waiting()

    for name, token in tokens.items():
        bodies = [{}, []] if operation.takes is not None else [None]
        for body in bodies:
            status, shown = walk(operation, token, body)
            allowed = NOT_ONES_OWN | (REFUSED_FIRST if operation.takes is not None else set())
            if operation.name in WRITE_TO_ONES_OWN | READ_ONES_OWN:
                allowed = allowed | WELCOME
            if token in (None, "x.y.z", tokens["expired"]):
                allowed = {401}
            assert status in allowed, (name, status, shown)
            assert "victim" not in shown, (name, shown)

    if operation.name in WRITE_TO_ONES_OWN:
        assert set(everything_stored()) >= set(before)
    else:
        assert everything_stored() == before
    assert messages_waiting() == waiting
