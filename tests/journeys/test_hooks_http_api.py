"""The HTTP API is no different from the REST API: the same request, the same answer and effect."""

import json
from collections.abc import Callable

import pytest

from chalicelib.network.model import Provider
from chalicelib.runtime import aws, queues
from tests.makers.api import Said
from tests.makers.http_api import ask_http_api
from tests.makers.journeys import PAID, TILL, open_town, till_receipt, token
from tests.makers.outside import ask
from tests.makers.signed_hooks import signed

Ask = Callable[..., Said]


def taken(name: str) -> list[str]:
    """Take the bodies that are on the queue `name`."""
    sqs, url = aws.client("sqs"), queues.url(name)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town()


@pytest.mark.parametrize("in_base64", [False, True])
@pytest.mark.parametrize("provider", Provider)
@pytest.mark.requirement("SEC-02")
def test_takes_every_providers_event_from_either_api_alike(
    provider: Provider, in_base64: bool
) -> None:
    sending = signed(provider)

    rest = ask("POST", sending.url, headers=sending.headers, body=sending.body)
    from_rest = taken(queues.PAYMENTS)
    http = ask_http_api(
        "POST", sending.url, headers=sending.headers, body=sending.body, in_base64=in_base64
    )
    from_http = taken(queues.PAYMENTS)

    assert (http.status, http.headers, http.body) == (rest.status, rest.headers, rest.body)
    assert http.status == 200
    assert from_http == from_rest != []


@pytest.mark.requirement("SEC-02")
@pytest.mark.parametrize("asked", [ask, ask_http_api])
def test_refuses_a_forged_event_from_either_api_and_queues_nothing(asked: Ask) -> None:
    sending = signed(Provider.STANDARD)

    said = asked("POST", sending.url, headers=sending.headers, body=sending.body + b" ")

    assert (said.status, said.body["code"]) == (401, "signature_mismatch")
    assert taken(queues.PAYMENTS) == []


@pytest.mark.parametrize("asked", [ask, ask_http_api])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/R%201")])
def test_takes_a_tills_receipt_from_either_api_with_its_name_in_the_path(
    asked: Ask, method: str, path: str
) -> None:
    body = json.dumps(till_receipt(PAID[Provider.STANDARD], "R 1")).encode()

    said = asked(
        method,
        f"/v1/receipts{path}",
        headers={"Authorization": f"Bearer {token(TILL)}"},
        body=body,
    )

    assert said.status == 202, said.body
    (message,) = taken(queues.RECEIPTS)
    assert [r["reference"] for r in json.loads(message)["receipts"]] == ["R 1"]
