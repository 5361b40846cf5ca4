"""A short fuzz of the running stack from outside; `make fuzz` is the long one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.api.rim import OPERATIONS
from infra.fuzzing import described, sent
from infra.fuzzing.world import World, opened
from infra.local.calling import Answered

SEED = 20261120


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with opened(seed=7, stage="test") as opened_world:
        yield opened_world


def test_no_answer_differs_from_the_description(world: World, tmp_path: Path) -> None:
    found = described.fuzz(
        world, tmp_path, seed=SEED, examples=3, phases="fuzzing,stateful", with_tokens=True
    )

    assert found.findings == ()
    assert found.operations == len(OPERATIONS) - 1  # All but the description itself.
    assert found.cases > 60


def test_true_requests_spoilt_and_signed_do_no_harm(world: World) -> None:
    found = sent.fuzz(world, seed=SEED, count=200)

    assert found.findings == []
    assert (found.cases, found.dead) == (200, 0)
    statuses = {name.rpartition(" ")[2] for name in found.answers}
    assert statuses >= {"200", "202", "400", "422"}


DOCUMENT = {
    "components": {"schemas": {"Pear": {"type": "object", "required": ["weight"]}}},
    "paths": {
        "/pears": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Pear"}}
                        }
                    },
                    "503": {},
                }
            }
        }
    },
}
JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answered(200, b'{"weight": 3}', JSON), None),
        (Answered(200, b"{}", JSON), "answered 200 with $: 'weight' is a required property"),
        (Answered(200, b"three", {"content-type": "text/plain"}), "answered 200 as 'text/plain'"),
        (Answered(418, b"no", JSON), "answered 418: b'no'"),
        (Answered(500, b"", JSON), "answered 500: b''"),
        (Answered(503, b"", JSON), "answered 503: b''"),
        (Answered(0), "answered 0: b''"),
    ],
)
def test_complains_of_each_answer_that_is_not_as_described(
    answer: Answered, complaint: str | None
) -> None:
    found = list(sent.complaints(DOCUMENT, "GET /pears", answer))

    assert found == ([] if complaint is None else [complaint])
