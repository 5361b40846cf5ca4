"""The template, created: one payment and one receipt go through the stack's own resources."""

import importlib
import json
from collections.abc import Iterator

import boto3
import pytest
from chalice.local import LambdaContext

from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import clock, queues, settings, vault
from infra import resources
from infra.local.lambda_events import sqs_event
from tests.makers.bank_server import bank_server
from tests.makers.http_api import ask_http_api
from tests.makers.journeys import PAID, TILL, open_town, till_receipt, token
from tests.makers.signed_hooks import signed
from tests.makers.stack import Stack, created_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    _forget()
    with created_stack() as created:
        yield created
        clock.use(None)
    _forget()


def _forget() -> None:
    queues.forget_urls()
    vault.forget_keys()
    network.forget()


def work_off(queue: str) -> int:
    """Hand what is on `queue` to the handler of the Lambda that the stack polls it with."""
    arn = f"arn:aws:sqs:eu-west-2:123456789012:{settings.queue(queue)}"
    lambdas = boto3.client("lambda")
    (source,) = lambdas.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    function = lambdas.get_function(FunctionName=source["FunctionArn"])["Configuration"]
    module, _, name = function["Handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.queue(queue))["QueueUrl"]
    messages = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=source["BatchSize"], AttributeNames=["All"]
    ).get("Messages", [])
    event = sqs_event(settings.queue(queue), messages, region="eu-west-2")
    assert handler(event, LambdaContext(name, 512))["batchItemFailures"] == []
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


@pytest.mark.requirement("SEC-07")
@pytest.mark.requirement("RCP-01")
def test_carries_a_payment_and_a_receipt_through_the_created_resources_to_the_bank(
    stack: Stack,
) -> None:
    with bank_server() as bank:
        open_town(bank.url, providers=(Provider.STANDARD,))
        payment = signed(Provider.STANDARD)
        receipt = json.dumps(till_receipt(PAID[Provider.STANDARD])).encode()

        paid = ask_http_api("POST", payment.url, headers=payment.headers, body=payment.body)
        sold = ask_http_api(
            "POST",
            "/v1/receipts",
            headers={"Authorization": f"Bearer {token(TILL)}"},
            body=receipt,
        )
        worked = [work_off(name) for name in (queues.PAYMENTS, queues.RECEIPTS, queues.DELIVERIES)]

    assert (paid.status, sold.status, worked) == (200, 202, [1, 1, 1])
    (told,) = bank.heard
    assert told.target == "/receipts"
    assert json.loads(told.body)["data"]["transaction"] == "ob-20261120-0009"


@pytest.mark.requirement("SEC-01")
def test_creates_the_tables_and_queues_that_the_code_looks_for(stack: Stack) -> None:
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    key = stack.outputs["StageKeyArn"]

    # moto's CloudFormation forgets how a table is encrypted; the template's own test knows.
    assert sorted(dynamodb.list_tables()["TableNames"]) == sorted(
        settings.table(name) for name in resources.TABLES
    )
    for queue in resources.QUEUES:
        url = sqs.get_queue_url(QueueName=settings.queue(queue.name))["QueueUrl"]
        said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert said["KmsMasterKeyId"] == key
        assert json.loads(said["RedrivePolicy"])["deadLetterTargetArn"].endswith(
            f"-{queue.name}-dead"
        )
        (refused,) = json.loads(said["Policy"])["Statement"]
        assert (refused["Effect"], refused["Resource"]) == ("Deny", said["QueueArn"])


def test_creates_the_routes_and_alarms_that_moto_leaves_to_us(stack: Stack) -> None:
    api, cloudwatch = boto3.client("apigatewayv2"), boto3.client("cloudwatch")

    routes = api.get_routes(ApiId=stack.made["HooksApi"])["Items"]
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    alarms = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]

    assert len(routes) == 7
    assert {route["Target"] for route in routes} == {
        f"integrations/{stack.made['HooksIntegration']}"
    }
    assert len(alarms) == len(set(alarms)) == 94
    assert all(name.startswith("counterfoil-test-") for name in alarms)
