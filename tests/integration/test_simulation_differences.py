"""The simulated DynamoDB answers as moto and DynamoDB Local do, on drawn operations."""

import random

import pytest

from chalicelib.runtime import aws, settings
from infra.simulation import comparing
from infra.simulation.items import Refused
from infra.simulation.tables import SimTables
from tests.conftest import NOON, REAL_DYNAMODB

SEQUENCES = 150 if REAL_DYNAMODB else 25  # moto takes ten times as long for each.
TABLE = settings.table("cases")


@pytest.mark.stores
def test_answers_drawn_operations_as_a_real_client_does(embedded_aws: None) -> None:
    found = list(comparing.differences(aws.client("dynamodb"), TABLE, seed=1, sequences=SEQUENCES))

    assert found == []


@pytest.mark.stores
def test_the_comparison_finds_a_condition_that_is_not_asked(embedded_aws: None) -> None:
    class Careless(SimTables):
        def answer(self, operation: str, request: dict) -> dict:  # type: ignore[override]
            asked = {k: v for k, v in request.items() if k != "ConditionExpression"}
            return super().answer(operation, asked)

    client, chance = aws.client("dynamodb"), random.Random(1)
    simulated = Careless(now=lambda: NOON)
    simulated.create(TABLE)
    pairs = []
    for _ in range(40):
        operation = comparing.drawn(chance, TABLE)
        real, ours = comparing.both(client, simulated, operation)
        pairs.append((real, ours))

    assert any(real != ours for real, ours in pairs)


def test_refuses_a_between_whose_bounds_are_reversed_as_dynamodb_does() -> None:
    tables = SimTables(now=lambda: NOON)
    tables.create(TABLE)
    request = {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
        "ExpressionAttributeValues": {
            ":pk": {"S": "a"},
            ":low": {"S": "y"},
            ":high": {"S": "x"},
        },
    }

    with pytest.raises(Refused) as refused:
        tables.answer("Query", request)

    assert refused.value.code == "ValidationException"
