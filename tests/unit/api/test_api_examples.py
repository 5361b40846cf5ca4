"""Every operation has examples in the description, and its types read and write them."""

import json
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from chalicelib.api import examples, openapi
from chalicelib.api.rim import FORM, OPERATIONS, PROBLEM, Operation, Problem

# What tells of itself, or takes a body that no type of ours describes.
WITHOUT = {"show_description"}
TAKING = [one for one in OPERATIONS if one.takes is not None]
ANSWERED = [
    (one, status, declared)
    for one in OPERATIONS
    for status, declared in one.answers.items()
    if declared not in (None, Problem, str) and status < HTTPStatus.MULTIPLE_CHOICES
    if one.name not in WITHOUT
]


def members_of(declared: Any) -> tuple[Any, ...]:
    return getattr(declared, "__args__", ()) or (declared,)


def reads(example: Any, declared: Any) -> Any:
    """`example` as any of the types that `declared` names."""
    problems = []
    for one in members_of(declared) if not hasattr(declared, "__origin__") else (declared,):
        try:
            return msgspec.convert(example, one)
        except msgspec.ValidationError as error:
            problems.append(str(error))
    raise AssertionError(problems)


@pytest.mark.parametrize("operation", TAKING, ids=lambda one: one.name)
def test_an_example_of_a_body_is_one_that_the_operation_reads(operation: Operation) -> None:
    example = examples.body_of(operation.name)

    assert example is not None
    reads(example, operation.takes)


@pytest.mark.parametrize(
    ("operation", "status", "declared"), ANSWERED, ids=lambda one: str(getattr(one, "name", one))
)
def test_an_example_of_an_answer_is_written_by_its_type(
    operation: Operation, status: int, declared: Any
) -> None:
    example = examples.answer_of(operation.name, status)

    assert example is not None
    reads(example, declared)


def test_no_example_is_of_an_operation_that_there_is_not() -> None:
    known = {operation.name for operation in OPERATIONS}

    named = set(json.loads(examples.FILE.read_text("utf-8")))

    assert named <= known


def test_each_problem_of_each_operation_has_an_example_of_its_status() -> None:
    for entry in openapi.described()["paths"].values():
        for described in entry.values():
            for status, response in described["responses"].items():
                if PROBLEM in response.get("content", {}):
                    example = response["content"][PROBLEM]["example"]
                    assert msgspec.convert(example, Problem).status == int(status)


def test_the_description_shows_a_body_and_an_answer() -> None:
    paths = openapi.described()["paths"]

    form = paths["/auth/oauth/token"]["post"]["requestBody"]["content"][FORM]
    shown = paths["/v1/members/{user}/cashback"]["get"]["responses"]["200"]["content"]

    assert form["example"]["grant_type"] == "client_credentials"
    assert shown["application/json"]["example"]["balances"][0]["currency"] == "GBP"
