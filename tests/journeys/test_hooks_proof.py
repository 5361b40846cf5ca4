"""Who sent a hook is proved by what was sent, and told to nobody who cannot prove it."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.network import service as network
from chalicelib.network.model import KeyUse, Provider
from chalicelib.runtime import clock, queues
from tests.makers.bank_server import BankServer
from tests.makers.banks import rsa_pem, spki, whsec
from tests.makers.calls import counting_aws_calls
from tests.makers.events import event
from tests.makers.journeys import (
    NOON,
    PAID,
    open_town,
)
from tests.makers.outside import Counted, ask, waiting_on
from tests.makers.signed_hooks import EACH, EACH_SIGNED, UNAUTHENTICATED, Sending, signed

pytestmark = pytest.mark.stores


@EACH_SIGNED
@pytest.mark.requirement("SEC-02")
def test_a_wrong_signature_is_answered_alike_whatever_is_wrong(
    bank: BankServer, provider: Provider, counted: Counted
) -> None:
    open_town(bank.url, providers=(provider,))
    other = {
        Provider.STARLING: rsa_pem("second"),
        Provider.FIDEL: "no",
        Provider.STANDARD: whsec(9),
    }
    right = signed(provider)
    header = next(name for name in right.headers if "signature" in name.lower())

    answers = [
        signed(provider, key=other[provider]).send(),
        Sending(right.url, right.headers, right.body.replace(b"GBP", b"EUR")).send(),
        Sending(right.url, {**right.headers, header: "v1,%%%"}, right.body).send(),
        Sending(right.url, {}, right.body).send(),
        Sending(right.url, {}, b"{").send(),
    ]

    assert [(one.status, one.body) for one in answers] == [(401, UNAUTHENTICATED)] * 5
    assert counted["requests_refused:signature_mismatch"] == 5
    assert waiting_on(queues.PAYMENTS) == 0


@pytest.mark.parametrize("provider", [Provider.FLUX_V1, Provider.FLUX_V2])
def test_a_flux_request_needs_its_token_and_a_signature_that_verifies(
    bank: BankServer, provider: Provider
) -> None:
    open_town(bank.url, providers=(provider,))
    right = signed(provider)

    forged = signed(provider, key="another").send()
    anonymous = right.send(Authorization="")
    unsigned = Sending(right.url, {"Authorization": right.headers["Authorization"]}, right.body)

    assert [(forged.status, forged.body), (anonymous.status, anonymous.body)] == [
        (401, UNAUTHENTICATED)
    ] * 2
    assert waiting_on(queues.PAYMENTS) == 0
    assert unsigned.send().status == 200


@pytest.mark.parametrize("provider", [Provider.FIDEL, Provider.STANDARD, Provider.FLUX_V1])
@pytest.mark.parametrize("minutes", [-6, 6])
@pytest.mark.requirement("SEC-02")
def test_refuses_a_timestamp_out_of_tolerance(
    bank: BankServer, provider: Provider, minutes: int
) -> None:
    open_town(bank.url, providers=(provider,))

    said = signed(provider, at=NOON + timedelta(minutes=minutes)).send()

    assert (said.status, said.body) == (401, UNAUTHENTICATED)
    assert waiting_on(queues.PAYMENTS) == 0


def test_an_unknown_hook_is_answered_without_a_word(bank: BankServer) -> None:
    open_town(bank.url, providers=(Provider.MONZO,))

    said = ask("POST", "/hooks/hook-of-nobody", body=event("monzo_transaction_created"))

    assert said.status == 404
    assert said.body == {
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "there is nothing here",
    }
    assert waiting_on(queues.PAYMENTS) == 0


@EACH_SIGNED
@pytest.mark.requirement("SEC-02")
def test_two_keys_are_valid_while_they_are_rotated_and_the_old_one_ends(
    bank: BankServer, provider: Provider
) -> None:
    open_town(bank.url, providers=(provider,))
    new = {
        Provider.STARLING: (rsa_pem("second"), spki(rsa_pem("second"))),
        Provider.FIDEL: ("the-next-secret", "the-next-secret"),
        Provider.STANDARD: (whsec(7), whsec(7)),
    }[provider]
    connection_id = ConnectionId(PAID[provider].connection_id)
    ends = NOON + timedelta(hours=1)
    network.rotate_key(
        connection_id, KeyUse.VERIFY, Personal(new[1]), old_valid_until=ends, now=NOON
    )

    both = [signed(provider).send().status, signed(provider, key=new[0]).send().status]
    clock.use(lambda: ends)
    after = [
        signed(provider, at=ends).send(),
        signed(provider, key=new[0], at=ends).send(),
    ]

    assert both == [200, 200]
    assert [one.status for one in after] == [401, 200]
    assert after[0].body == UNAUTHENTICATED


@EACH
def test_one_call_to_aws_stands_between_a_hook_and_its_answer(
    bank: BankServer, provider: Provider
) -> None:
    open_town(bank.url, providers=(provider,))
    sending = signed(provider)
    sending.send()

    with counting_aws_calls() as calls:
        said = sending.send()

    assert (said.status, calls) == (200, ["SendMessageBatch"])


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_takes_json_whatever_is_said_of_its_letters(bank: BankServer, content_type: str) -> None:
    open_town(bank.url, providers=(Provider.STARLING,))

    assert signed(Provider.STARLING).send(Content_Type=content_type).status == 200
