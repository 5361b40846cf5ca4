"""A release, frozen in the middle of its work: its rows, secrets and messages as it wrote them.

`tests/vectors/release-1.json` is what every later release meets on the day it is deployed, and so
are those after it. The newest is written by

    FREEZE_RELEASE=1 .venv/bin/python -m pytest tests/integration/test_release_frozen.py

and after that release has gone out, never again: a later format gets a file of its own beside it.
"""

import base64
import json
from pathlib import Path
from typing import Any

from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.network.model import Provider
from chalicelib.purchases.access import find_own
from chalicelib.purchases.correcting.paper import Paper
from chalicelib.purchases.correcting.service import say_mine, say_not_mine
from chalicelib.purchases.messages import LookAgainMessage, encode
from chalicelib.runtime import aws, queues, settings, vault
from infra.resources import QUEUES, TABLES
from tests.makers.api import Said, token_of
from tests.makers.calls import hearing_parameters
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt, token
from tests.makers.outside import ask, put_on, work
from tests.makers.purchases import queued
from tests.makers.signed_hooks import Sending, changed, signed

RELEASES = tuple(sorted((Path(__file__).parents[1] / "vectors").glob("release-*.json")))
NEWEST = RELEASES[-1]
BANK_AWAY = "http://127.0.0.1:9"

MATCHED = Provider.STANDARD  # told to its bank next
ON_PAGE = Provider.FLUX_V1  # its receipt lies on a page, its payment is on the queue
WAITS = Provider.STARLING  # its payment waits, its receipt is on the queue
GATHERS = Provider.FLUX_V2  # its payment waits, its receipt gathers
RETURNED_EARLY = Provider.FIDEL  # as ON_PAGE, and the return came before anybody held the sale
SETTLED = Provider.MONZO  # matched; nothing is left to do


def live() -> None:
    """Work of one morning, left in the middle: each kind of row and message is there."""
    token.cache_clear()  # Who has one from a test before asks for none, and leaves no row.
    open_town(BANK_AWAY)
    send_receipts([_receipt(MATCHED), _receipt(SETTLED)])
    for provider in (MATCHED, SETTLED, WAITS):
        signed(provider).send()
    work()
    _give_back_early()
    send_receipts([_receipt(GATHERS)])
    work(queues.RECEIPTS)
    signed(GATHERS).send()
    work(queues.PAYMENTS)
    bad = _receipt(MATCHED) | {"reference": "R-bad", "total_minor": 1}
    send_receipts([_receipt(WAITS), bad])
    for provider in (ON_PAGE, RETURNED_EARLY):
        signed(provider).send()
    paid = PAID[WAITS]
    waits = payment_id_of(ConnectionId(paid.connection_id), paid.transaction)
    put_on(queues.PAYMENTS, encode(LookAgainMessage(waits)))
    _correct_by_hand()


def _correct_by_hand() -> None:
    """A receipt was taken away and said to be theirs after all; both are done, and their messages
    wait to see to it.
    """
    now, paid = NOON, PAID[SETTLED]
    mine = find_own(ConnectionId(paid.connection_id), paid.transaction, of_user=None, now=now)
    assert mine is not None
    with hearing_parameters("sqs", "SendMessageBatch") as sent:
        say_not_mine(mine, version=1, now=now)
        say_mine(mine, Paper(reference=_name(SETTLED)), now=now)
    orders = [one["MessageBody"] for call in sent for one in call["Entries"]]
    by_hand = ('"kind":"withdraw"', '"kind":"join"')
    put_on(queues.PAYMENTS, *(body for body in orders if any(kind in body for kind in by_hand)))
    of_it = f'"{mine.where.payment_id}"'
    told = queued(queues.DELIVERIES)
    newest = max((body for body in told if of_it in body), key=lambda b: json.loads(b)["version"])
    put_on(queues.DELIVERIES, newest, *(body for body in told if of_it not in body))


def _give_back_early() -> None:
    """Receipts on pages, and the return of one before anybody holds the sale."""
    refers_to = _name(RETURNED_EARLY)
    back = {
        "kind": "return",
        "reference": "R-back",
        "store": "0042",
        "issued_at": "2026-11-20T11:50:00Z",
        "currency": "GBP",
        "total_minor": 300,
        "refers_to": refers_to,
        "lines": [
            {
                "kind": "return",
                "description": "Flat white",
                "amount_minor": 300,
                "quantity": "1",
                "refers_to": {"receipt": refers_to, "line_id": "1"},
            }
        ],
        "tenders": [{"kind": "card", "amount_minor": 300}],
    }
    send_receipts([_receipt(ON_PAGE), _receipt(RETURNED_EARLY)])
    work()
    send_receipts(back)
    work()


def _receipt(provider: Provider) -> dict[str, Any]:
    return till_receipt(PAID[provider], _name(provider))


def _name(provider: Provider) -> str:
    return f"R-{provider.value}"


def captured() -> dict[str, Any]:
    """Everything that is stored, kept secret, or queued now. The queues are empty after it."""
    dynamodb, secrets = aws.client("dynamodb"), aws.client("secretsmanager")
    names = [one["Name"] for one in secrets.list_secrets(MaxResults=100)["SecretList"]]
    return {
        "tables": {
            table: [_as_text(i) for i in dynamodb.scan(TableName=settings.table(table))["Items"]]
            for table in TABLES
        },
        "secrets": {
            name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in sorted(names)
        },
        "queues": {queue.name: queued(queue.name) for queue in QUEUES},
    }


def restored(frozen: dict[str, Any]) -> None:
    """Put it all back, into an empty AWS."""
    dynamodb, secrets = aws.client("dynamodb"), aws.client("secretsmanager")
    present = {one["Name"] for one in secrets.list_secrets(MaxResults=100)["SecretList"]}
    for name, text in frozen["secrets"].items():
        write = secrets.put_secret_value if name in present else secrets.create_secret
        write(**{"SecretId" if name in present else "Name": name}, SecretString=text)
    for table, items in frozen["tables"].items():
        for item in items:
            dynamodb.put_item(TableName=settings.table(table), Item=_as_item(item))
    for name, bodies in frozen["queues"].items():
        put_on(name, *bodies)
    for forget in (vault.forget_keys, network.forget, keys.forget):
        forget()


def kinds(frozen: dict[str, Any]) -> dict[str, list[str]]:
    """Which kinds of rows stand in each table, and of messages in each queue."""
    found = {
        table: sorted({_kind_of_row(item) for item in items})
        for table, items in frozen["tables"].items()
    }
    for name, bodies in frozen["queues"].items():
        found[f"queue {name}"] = sorted({json.loads(body).get("kind", "") for body in bodies})
    return found


def _kind_of_row(item: dict[str, Any]) -> str:
    """Its keys' words without ids and dates, and its attributes."""
    words = [item[key]["S"].partition("#")[0] for key in ("pk", "sk") if "#" in item[key]["S"]]
    attributes = ",".join(sorted(set(item) - {"pk", "sk"}))
    return f"{'+'.join(w for w in words if w.isalpha())}({attributes})"


def read_release(path: Path = NEWEST) -> dict[str, Any]:
    """What `path` holds."""
    frozen: dict[str, Any] = json.loads(path.read_text())
    return frozen


def ask_as(provider: Provider, method: str, path: str) -> Said:
    """The provider's bank asks, with a token of the keys that stand now."""
    bearer = token_of(f"client-{PAID[provider].connection_id}")
    return ask(method, path, headers={"Authorization": f"Bearer {bearer}"})


def _as_text(value: Any) -> Any:
    """A DynamoDB item as JSON: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _as_text(inner) for name, inner in sorted(value.items())}
    return value


def _as_item(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value
        for name, value in item.items()
    }


def clearing_of(provider: Provider) -> Sending:
    """The provider's Standard Webhooks event that its payment cleared, for one penny more."""
    change = {"type": "payment.cleared", "data.amount.minor": PAID[provider].minor + 1}
    return signed(provider, changed(provider, change), message_id="msg-cleared")
