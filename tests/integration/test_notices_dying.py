"""Wherever a run that tells dies, each notice is told and logged, and a feed shows it once."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.members.announcing import Announcement
from chalicelib.network.model import Provider
from chalicelib.notices import replaying, sending
from chalicelib.notices.messages import TellPageMessage, decode_notices
from chalicelib.notices.sending import Run
from chalicelib.runtime import clock, queues
from infra.local import queue_time
from tests.makers.bank_server import BankServer
from tests.makers.dying import Died, dying_at_call
from tests.makers.journeys import NOON, PAID
from tests.makers.notices import make_announcement, member_of, open_banks
from tests.makers.outside import run_worker
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

NOTICES = 3
CALLS_MAX = 40


@pytest.fixture(autouse=True)
def at_noon(embedded_aws: None) -> Iterator[None]:
    clock.use(lambda: NOON)
    restore = queue_time.rule()
    yield
    restore()


def notices(provider: Provider, about: str) -> list[Announcement]:
    member_id = member_of(provider).member_id
    return [make_announcement(member_id, cause=f"{about}-{n}") for n in range(NOTICES)]


def tell(told: list[Announcement], about: str) -> None:
    """One run, as the worker makes it."""
    sending.send(told, Run(NOON, has_time=lambda: True), new_page_id=lambda: f"page{about}")


def ids(told: list[Announcement]) -> set[str]:
    return {one.notice_id for one in told}


def log_of(provider: Provider) -> set[str]:
    """The ids that the bank reads in its log since the morning."""
    now = NOON + timedelta(minutes=5)
    since = replaying.parse_since((NOON - timedelta(hours=1)).isoformat(), now=now)
    connection_id = ConnectionId(PAID[provider].connection_id)
    events = replaying.list_for_bank(connection_id, since, now=now).events
    return {event.data.id for event in events}


@pytest.mark.requirement("LOY-17")
@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
def test_a_webhook_is_told_again_under_its_id_wherever_its_run_dies(
    bank: BankServer, is_heard: bool
) -> None:
    open_banks(bank, Provider.STANDARD)
    everything: set[str] = set()
    for nth in range(1, CALLS_MAX):
        told = notices(Provider.STANDARD, f"p{nth}")
        everything |= ids(told)
        bank.heard.clear()
        try:
            with dying_at_call(nth, is_heard=is_heard):
                tell(told, f"{nth}a")
        except Died:
            tell(told, f"{nth}b")
            assert {one.headers["webhook-id"] for one in bank.heard} == ids(told)
            continue
        assert len(bank.heard) == NOTICES
        break
    else:
        raise AssertionError("it makes more calls than that")

    assert nth > 1
    assert log_of(Provider.STANDARD) == everything


@pytest.mark.requirement("LOY-17")
@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
def test_a_feed_item_is_never_put_twice_wherever_its_run_dies(
    bank: BankServer, is_heard: bool
) -> None:
    open_banks(bank, Provider.MONZO)
    for nth in range(1, CALLS_MAX):
        told = notices(Provider.MONZO, f"p{nth}")
        bank.heard.clear()
        try:
            with dying_at_call(nth, is_heard=is_heard):
                tell(told, f"{nth}a")
        except Died:
            tell(told, f"{nth}b")
            assert len(bank.heard) <= NOTICES
            assert NOTICES - len(bank.heard) <= 1  # The one of which nobody can tell.
            continue
        assert len(bank.heard) == NOTICES
        break
    else:
        raise AssertionError("it makes more calls than that")

    assert nth > NOTICES


def test_what_a_bank_did_not_take_is_told_from_the_page_wherever_that_run_dies(
    bank: BankServer,
) -> None:
    open_banks(bank, Provider.STANDARD)
    for nth in range(1, CALLS_MAX):
        told = notices(Provider.STANDARD, f"p{nth}")
        bank.heard.clear()
        bank.answers[:] = [(503, {}, b""), (200, {}, b"")]
        tell(told, f"{nth}")
        queue_time.skip(31)
        (body,) = [json.dumps(one) for one in sent_to(queues.NOTICES)]
        message = decode_notices(body)
        assert isinstance(message, TellPageMessage)
        try:
            with dying_at_call(nth, is_heard=True):
                sending.tell_on(message, Run(NOON, has_time=lambda: True))
        except Died:
            sending.tell_on(message, Run(NOON, has_time=lambda: True))
            assert {one.headers["webhook-id"] for one in bank.heard} == ids(told)
            continue
        break
    else:
        raise AssertionError("it makes more calls than that")

    assert nth > 1
    assert run_worker(queues.NOTICES).bodies == ()
