"""The simulated DynamoDB set against a real client: drawn operations, and every difference found.

`python -m infra.simulation.comparing` compares with moto; under `python -m
infra.local.dynamodb_local`, with DynamoDB Local. What is known to differ is in
`docs/simulation.md` and is not drawn here.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.simulation.items import Refused
from infra.simulation.tables import SimTables

OPERATIONS_PER_SEQUENCE = 20
_METHODS = {
    "GetItem": "get_item",
    "BatchGetItem": "batch_get_item",
    "Query": "query",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "TransactWriteItems": "transact_write_items",
}
_PARTITIONS = ("a", "b")
_ROWS = ("x#1", "x#2", "x#3", "y#1")
_CONDITIONS = (
    "attribute_not_exists (pk)",
    "attribute_exists (pk)",
    "#n = :n",
    "(attribute_not_exists (#n) OR #n < :n)",
    "(#n <> :n AND NOT attribute_exists (#s))",
    "#n BETWEEN :n AND :m",
    "(attribute_not_exists (#t) OR (size (#t) < :m OR contains (#t, :one)))",
    "begins_with (#s, :s)",
    "#n IN (:n, :m)",
    "(attribute_exists (#m.#k) AND #m.#k = :n)",
    "(attribute_exists (#m) AND attribute_not_exists (#m.#k))",
)
_UPDATES = (
    "SET #n = :n",
    "SET #n = :n, #s = :s REMOVE #b",
    "ADD #n :n",
    "ADD #t :t",
    "DELETE #t :t",
    "SET #b = :b",
    "SET #n = #n + :n",
    "SET #n = if_not_exists(#n, :m)",
    "REMOVE #s, #n",
    "SET #m.#k = :n ADD #n :m",
    "SET #m.#k = #m.#k + :n",
    "ADD #m.#k :n",
    "REMOVE #m.#k",
)
_KEYS = ("sk BETWEEN :low AND :high", "begins_with (sk, :low)", "sk >= :low", "sk < :high")
_NAMES = {"#n": "n", "#s": "s", "#t": "t", "#b": "b", "#m": "m", "#k": "k"}

Operation = tuple[str, dict[str, Any]]


def drawn(chance: random.Random, table: str) -> Operation:
    """One operation on `table`."""
    draws = (_put, _put, _update, _update, _delete, _get, _batch_get, _query, _query, _transact)
    return chance.choice(draws)(chance, table)


def differences(client: Any, table: str, *, seed: int, sequences: int) -> Iterator[str]:
    """Where the simulated DynamoDB and the one behind `client` answer differently.

    `table` has keys `pk` and `sk`; what stands in it is deleted before each sequence.
    """
    for at in range(seed, seed + sequences):
        chance = random.Random(at)
        _empty(client, table)
        simulated = SimTables(now=lambda: datetime.now(UTC))
        simulated.create(table)
        for number in range(OPERATIONS_PER_SEQUENCE):
            operation = drawn(chance, table)
            real, ours = both(client, simulated, operation)
            if real != ours:
                yield f"seed {at}, operation {number}: {operation}: {real} and not {ours}"
                break


def both(client: Any, simulated: SimTables, operation: Operation) -> tuple[Any, Any]:
    """What the one behind `client` and the simulated one answer, as far as anybody reads it."""
    return _real(client, *operation), _ours(simulated, *operation)


def main(arguments: Sequence[str]) -> int:
    """Compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sequences", type=int, default=500)
    asked = parser.parse_args(arguments)
    real = os.environ.get("COUNTERFOIL_REAL_DYNAMODB")
    from infra.simulation.run import ENVIRONMENT

    os.environ.update(ENVIRONMENT)
    if real:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = real
    with ExitStack() as after:
        return _compare(after, real or "moto", seed=asked.seed, sequences=asked.sequences)


def _compare(after: ExitStack, with_what: str, *, seed: int, sequences: int) -> int:
    from moto import mock_aws  # takes a second to import

    from chalicelib.runtime import aws, settings
    from infra import resources

    after.enter_context(mock_aws())
    client = aws.client("dynamodb")
    resources.create_tables(client)
    found = list(differences(client, settings.table("cases"), seed=seed, sequences=sequences))
    print(*found, sep="\n")
    count = sequences * OPERATIONS_PER_SEQUENCE
    print(f"{count} operations in {sequences} sequences against {with_what}: {len(found)} differ")
    return 1 if found else 0


def _empty(client: Any, table: str) -> None:
    for pk in _PARTITIONS:
        values = {":pk": {"S": pk}}
        found = client.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
        )
        for item in found["Items"]:
            client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def _real(client: Any, name: str, request: dict[str, Any]) -> Any:
    try:
        answer = getattr(client, _METHODS[name])(**request)
    except ClientError as error:
        return _said(error.response["Error"]["Code"], error.response)
    return _told(answer)


def _ours(simulated: SimTables, name: str, request: dict[str, Any]) -> Any:
    try:
        answer = simulated.answer(name, request)
    except Refused as refusal:
        return _said(refusal.code, refusal.more)
    return _told(answer)


def _said(code: str, more: Any) -> Any:
    """A refusal as far as anybody reads it."""
    reasons = [reason.get("Code") for reason in more.get("CancellationReasons", ())]
    return code, reasons, _plain(more.get("Item"))


def _told(answer: Any) -> Any:
    """An answer as far as anybody reads it. Pages end where they end; items of a batch have no
    order.
    """
    if "Responses" in answer:
        return sorted(_plain(item) for found in answer["Responses"].values() for item in found)
    items = [_plain(item) for item in answer.get("Items", ())]
    return _plain(answer.get("Item")), _plain(answer.get("Attributes")), items


def _plain(item: Any) -> Any:
    if not item:
        return None
    return sorted(
        (name, kind, _in_order(held))
        for name, value in item.items()
        for kind, held in value.items()
    )


def _in_order(held: Any) -> Any:
    """A set's elements, or a map's entries, in one order."""
    if isinstance(held, dict):
        return _plain(held) or []
    return sorted(held) if isinstance(held, list) else held


def _key(chance: random.Random) -> dict[str, Any]:
    return {"pk": {"S": chance.choice(_PARTITIONS)}, "sk": {"S": chance.choice(_ROWS)}}


def _item(chance: random.Random) -> dict[str, Any]:
    values = {
        "n": {"N": str(chance.randint(0, 4))},
        "s": {"S": chance.choice(("left", "lead", "right"))},
        "t": {"SS": sorted({chance.choice("uvw"), chance.choice("uvw")})},
        "b": {"B": bytes([chance.randint(0, 255)])},
        "m": {"M": {chance.choice("kl"): {"N": str(chance.randint(0, 4))}}},
    }
    return _key(chance) | {name: v for name, v in values.items() if chance.random() < 0.6}


def _with(request: dict[str, Any], chance: random.Random, *expressions: str) -> dict[str, Any]:
    """`request` with the placeholders that `expressions` use."""
    text = " ".join(expressions)
    values: dict[str, Any] = {
        ":n": {"N": str(chance.randint(0, 3))},
        ":m": {"N": str(chance.randint(3, 5))},
        ":s": {"S": "le"},
        ":t": {"SS": [chance.choice("uvw")]},
        ":b": {"B": b"\x00\x01"},
        ":one": {"S": "u"},
        ":pk": {"S": chance.choice(_PARTITIONS)},
        ":low": {"S": chance.choice(("x", "x#2", "x#3"))},
        ":high": {"S": chance.choice(("x#3", "y#1", "z"))},
    }
    words = set(text.translate(str.maketrans("(),.", "    ")).split())
    names = {token: name for token, name in _NAMES.items() if token in words}
    used = {token: value for token, value in values.items() if token in words}
    return {
        **request,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": used} if used else {}),
    }


def _put(chance: random.Random, table: str) -> Operation:
    request: dict[str, Any] = {"TableName": table, "Item": _item(chance)}
    return "PutItem", _conditioned(request, chance, ("NONE", "ALL_OLD"))


def _delete(chance: random.Random, table: str) -> Operation:
    request: dict[str, Any] = {"TableName": table, "Key": _key(chance)}
    return "DeleteItem", _conditioned(request, chance, ("NONE", "ALL_OLD"))


def _update(chance: random.Random, table: str) -> Operation:
    expression = chance.choice(_UPDATES)
    request = {"TableName": table, "Key": _key(chance), "UpdateExpression": expression}
    return "UpdateItem", _conditioned(request, chance, ("ALL_NEW", "ALL_OLD", "NONE"), expression)


def _conditioned(
    request: dict[str, Any], chance: random.Random, returns: Sequence[str], *expressions: str
) -> dict[str, Any]:
    request["ReturnValues"] = chance.choice(returns)
    if chance.random() < 0.5:
        return _with(request, chance, *expressions)
    condition = chance.choice(_CONDITIONS)
    request["ConditionExpression"] = condition
    if chance.random() < 0.5:
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return _with(request, chance, condition, *expressions)


def _get(chance: random.Random, table: str) -> Operation:
    return "GetItem", {"TableName": table, "Key": _key(chance), "ConsistentRead": True}


def _batch_get(chance: random.Random, table: str) -> Operation:
    keys = [_key(chance) for _ in range(chance.randint(1, 4))]
    unique = list({(key["pk"]["S"], key["sk"]["S"]): key for key in keys}.values())
    return "BatchGetItem", {"RequestItems": {table: {"Keys": unique, "ConsistentRead": True}}}


def _query(chance: random.Random, table: str) -> Operation:
    condition = f"pk = :pk AND {chance.choice(_KEYS)}"
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ConsistentRead": True,
        "ScanIndexForward": chance.random() < 0.8,
    }
    if chance.random() < 0.4:
        request["Limit"] = chance.randint(1, 3)
    return "Query", _with(request, chance, condition)


def _transact(chance: random.Random, table: str) -> Operation:
    """A few writes of different rows, some with conditions."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(chance.randint(1, 3)):
        draw = chance.choice((_put, _update, _delete))
        name, request = draw(chance, table)
        request.pop("ReturnValues")
        request.pop("ReturnValuesOnConditionCheckFailure", None)
        key = request.get("Item") or request["Key"]
        entries[key["pk"]["S"], key["sk"]["S"]] = {name.removesuffix("Item"): request}
    return "TransactWriteItems", {"TransactItems": list(entries.values())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
