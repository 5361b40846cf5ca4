"""What members are told is seen in the sandbox banks' apps, each once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.kernel.personal import Personal
from chalicelib.network import service as network
from chalicelib.network.model import ConnectionKey, KeyUse, Provider
from chalicelib.runtime import clock
from infra.local.calling import call
from infra.local.sandbox_bank import TOLD_BY_JWS, SandboxBank, ShownNotice
from tests.makers.banks import whsec
from tests.makers.journeys import NOON, PAID, connection_of, open_town
from tests.makers.notices import make_announcement, member_of, say

pytestmark = pytest.mark.stores


@pytest.fixture
def sandbox(embedded_aws: None) -> Iterator[SandboxBank]:
    clock.use(lambda: NOON)
    bank = SandboxBank(now=clock.now)
    bank.endpoint.use_secret(Provider.STANDARD.value, whsec(2))
    yield bank
    bank.stop()


def connect(bank: SandboxBank, provider: Provider, **more: object) -> None:
    open_town(providers=(provider,))
    told = bank.told_at_url(provider)
    is_jws = provider in TOLD_BY_JWS
    urls = {"told_at_url": told, "notices_at_url": told if is_jws else "", **more}
    network.record_connection(replace(connection_of(provider), **urls), now=NOON)  # type: ignore[arg-type]


def test_a_webhook_that_is_repeated_is_shown_once_and_no_receipt(sandbox: SandboxBank) -> None:
    connect(sandbox, Provider.STANDARD)
    stamp = make_announcement(member_of(Provider.STANDARD).member_id)

    say(stamp)
    say(stamp)

    account = PAID[Provider.STANDARD].account
    assert len(sandbox.endpoint.books.told) == 2
    assert sandbox.notices() == [
        ShownNotice(
            Provider.STANDARD,
            account,
            "2 stamps earned at Crumb & Kettle",
            "2 stamps went onto your card at Crumb & Kettle.",
            stamp.notice_id,
        )
    ]
    assert (sandbox.delivered(), sandbox.refused()) == ([], [])
    shown = call("GET", f"{sandbox.url}/sandbox/notices").json()["notices"]
    assert [one["name"] for one in shown] == [stamp.notice_id]


def test_a_forged_notice_is_not_shown(sandbox: SandboxBank) -> None:
    forged = ConnectionKey(KeyUse.SIGN, Personal(whsec(9)))
    connect(sandbox, Provider.STANDARD, keys=(forged,))

    say(make_announcement(member_of(Provider.STANDARD).member_id))

    assert sandbox.notices() == []
    assert sandbox.refused() == ["no Standard Webhooks signature fits"]
