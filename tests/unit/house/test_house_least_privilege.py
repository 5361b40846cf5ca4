"""The check of policies against calls: it sees a call that is not allowed, and a grant not used."""

import copy

import pytest

from tests import least_privilege
from tests.makers.privileges import asked_for, grant_of, grants

ARN = "arn:aws:dynamodb:eu-west-2:123456789012:table/counterfoil-test-{}"


def test_knows_what_a_role_allows_and_what_it_does_not() -> None:
    allowed = ("deliver_receipt", "dynamodb:PutItem", ARN.format("cases"))
    another_table = ("deliver_receipt", "dynamodb:PutItem", ARN.format("tills"))
    another_action = ("deliver_receipt", "dynamodb:Scan", ARN.format("cases"))
    another_stage = (
        "deliver_receipt",
        "dynamodb:PutItem",
        ARN.format("cases").replace("-test-", "-x-"),
    )

    assert grant_of(allowed) == allowed[1:]
    assert [grant_of(use) for use in (another_table, another_action, another_stage)] == [None] * 3


def test_judges_a_transaction_item_by_item_as_iam_does() -> None:
    entries = [
        {"Put": {"TableName": "counterfoil-test-wallets"}},
        {"ConditionCheck": {"TableName": "counterfoil-test-people"}},
    ]

    asked = asked_for("dynamodb", "TransactWriteItems", {"TransactItems": entries})

    assert asked == {
        ("dynamodb:PutItem", ARN.format("wallets")),
        ("dynamodb:ConditionCheckItem", ARN.format("people")),
    }


def test_judges_a_batch_of_messages_as_one_message() -> None:
    url = "https://sqs.eu-west-2.amazonaws.com/123456789012/counterfoil-test-payments"

    asked = asked_for("sqs", "SendMessageBatch", {"QueueUrl": url})

    arn = "arn:aws:sqs:eu-west-2:123456789012:counterfoil-test-payments"
    assert asked == {("sqs:SendMessage", arn)}


def test_finds_a_grant_that_nothing_used() -> None:
    everything = {
        (function, action, resource)
        for function in ("sweep_retention",)
        for action, resource in grants(function)
    }
    one = ("sweep_retention", "dynamodb:Scan", ARN.format("tills"))

    idle = least_privilege.unused(everything - {one})

    assert idle["sweep_retention"] == [one[1:]]
    assert "sweep_retention" not in least_privilege.unused(everything)


FROM_SETTINGS = pytest.Config.ArgsSource.TESTPATHS
FROM_COMMAND = pytest.Config.ArgsSource.ARGS


@pytest.mark.parametrize(
    ("source", "chosen", "is_whole"),
    [
        (FROM_SETTINGS, {}, True),
        (FROM_COMMAND, {}, False),
        (FROM_SETTINGS, {"markexpr": "stores"}, False),
        (FROM_SETTINGS, {"keyword": "closing"}, False),
        (FROM_SETTINGS, {"deselect": ["tests/unit"]}, False),
    ],
)
def test_judges_grants_only_where_no_test_was_left_out(
    pytestconfig: pytest.Config,
    source: pytest.Config.ArgsSource,
    chosen: dict[str, object],
    is_whole: bool,
) -> None:
    run = copy.copy(pytestconfig)
    run.option = copy.copy(pytestconfig.option)
    run.args_source = source
    vars(run.option).update({"markexpr": "", "keyword": "", "deselect": None} | chosen)

    assert least_privilege.is_whole(run) is is_whole
