"""What is new is announced to those who want to hear of it, each once, a hundred at a time."""

import json

import pytest

from chalicelib.kernel.ids import ConnectionId, RetailerId
from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.members import service as members
from chalicelib.members.choices import Topic
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Retailer, RetailerStatus
from chalicelib.notices.launching import service, store
from chalicelib.notices.launching.model import LaunchState, LaunchStopped, NotForEverybody
from chalicelib.notices.messages import LaunchMessage
from chalicelib.runtime import clock, queues
from infra.local import queue_time
from tests.makers.bank_server import BankServer
from tests.makers.dying import Died, dying_at_call
from tests.makers.journeys import NOON
from tests.makers.launches import BANK_ID, NAME, consent, join, open_bank
from tests.makers.network import BAKERY, OTHER_BANK
from tests.makers.outside import Counted, run_worker, waiting_on
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

AT_ONCE = 2


@pytest.fixture(autouse=True)
def harbour(bank: BankServer) -> None:
    clock.use(lambda: NOON)
    open_bank(bank)


def announce() -> None:
    service.announce_partner(BAKERY, [BANK_ID], now=NOON)


def step(number: int) -> int:
    return service.go_on(LaunchMessage(NAME, number), members_at_once=AT_ONCE, now=NOON)


def queued() -> tuple[list[str], list[int]]:
    """The members that are on the queue to be told, and the steps."""
    said = sent_to(queues.NOTICES)
    told = [str(one["member_id"]) for one in said if one["message"] == "notice"]
    return told, [int(str(one["step"])) for one in said if one["message"] == "launch"]


def walk() -> list[str]:
    """Every step as it comes from the queue; the members announced to, in order."""
    told: list[str] = []
    restore = queue_time.rule()
    try:
        for _ in range(20):
            found, steps = queued()
            told += found
            if not found and not steps:
                return told
            for number in steps:
                step(number)
            queue_time.skip(service.EVERY_SECONDS)
    finally:
        restore()
    raise AssertionError("it never ends")


def ids(*found: Member) -> list[str]:
    return sorted(str(one.member_id) for one in found)


@pytest.mark.requirement("OFR-14")
@pytest.mark.requirement("OFR-16")
def test_those_who_want_to_hear_of_partners_are_told_of_one_and_nobody_else(
    bank: BankServer, counted: Counted
) -> None:
    ada = join("ada", 1, Topic.PARTNERS)
    join("ben", 2)
    join("cy", 3, Topic.OFFERS)
    consent(join("dee", 4, Topic.PARTNERS), Topic.PARTNERS, is_wanted=False)
    eve = join("eve", 5, Topic.PARTNERS)
    assert eve.anchor is not None
    members.leave(eve.anchor, now=NOON)
    other = open_bank(bank, OTHER_BANK)
    join("fay", 6, Topic.PARTNERS, connection=other)

    announce()
    announce()
    ran = [run_worker(queues.NOTICES) for _ in range(3)]

    assert [one.failed for one in ran] == [(), (), ()]
    (heard,) = [json.loads(one.body) for one in bank.heard]
    assert (heard["type"], heard["data"]["user"]) == ("reward.partner_joined", "ada")
    assert (counted["launch_announced"], counted["notices_dropped"]) == (1, 0)
    found = store.find(NAME, now=NOON)
    assert found is not None
    assert (found.state, found.announced, found.after) == (LaunchState.DONE, 1, ada.member_id)


@pytest.mark.requirement("OFR-16")
def test_who_takes_the_consent_back_meanwhile_is_not_told(
    bank: BankServer, counted: Counted
) -> None:
    ada = join("ada", 1, Topic.PARTNERS)
    announce()
    run_worker(queues.NOTICES)

    consent(ada, Topic.PARTNERS, is_wanted=False)
    run_worker(queues.NOTICES)

    assert (bank.heard, counted["notices_dropped:not_wanted"]) == ([], 1)


def test_members_are_gone_through_in_steps_that_wait() -> None:
    all_of_them = ids(*(join(f"p{n}", n, Topic.PARTNERS) for n in range(1, 6)))
    announce()

    first = queued()
    done = step(1)
    at_once = (waiting_on(queues.NOTICES), queued())
    told = [*at_once[1][0], *all_of_them[2:]]

    assert (first, done) == (([], [1]), AT_ONCE)
    assert at_once == (AT_ONCE, (all_of_them[:2], []))  # The next step waits for six seconds.
    assert told == all_of_them


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5])
def test_each_is_announced_to_once_however_many_there_are(count: int) -> None:
    all_of_them = ids(*(join(f"p{n}", n, Topic.PARTNERS) for n in range(1, count + 1)))

    announce()
    told = walk()

    assert told == all_of_them
    found = store.find(NAME, now=NOON)
    assert found is not None
    assert (found.state, found.announced) == (LaunchState.DONE, count)


@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
def test_whoever_dies_at_any_call_leaves_nobody_out_and_tells_nobody_another_thing(
    is_heard: bool,
) -> None:
    all_of_them = ids(*(join(f"p{n}", n, Topic.PARTNERS) for n in range(1, 6)))
    announce()
    queued()
    with dying_at_call(0, is_heard=True) as calls:
        step(1)
    walk()
    for nth in range(1, len(calls.made) + 1):
        subject = RetailerId(f"again-{nth}")
        network.record_retailer(Retailer(subject, "Again"))
        service.announce_partner(subject, [BANK_ID], now=NOON)
        name = f"partner_joined#{subject}#{BANK_ID}"
        queued()
        with pytest.raises(Died), dying_at_call(nth, is_heard=is_heard):
            service.go_on(LaunchMessage(name, 1), members_at_once=AT_ONCE, now=NOON)

        told = _redeliver(name)

        assert sorted(set(told)) == all_of_them, f"call {nth}, {calls.made[nth - 1]}"
        assert len(told) <= len(all_of_them) + AT_ONCE
        found = store.find(name, now=NOON)
        assert found is not None
        assert (found.state, found.announced) == (LaunchState.DONE, 5)


def _redeliver(name: str) -> list[str]:
    """The step whose run died comes again, and then whatever was queued, until nothing is."""
    told: list[str] = []
    steps = [1]
    restore = queue_time.rule()
    try:
        for _ in range(20):
            for number in steps:
                message = LaunchMessage(name, number)
                service.go_on(message, members_at_once=AT_ONCE, now=NOON)
            found, steps = queued()
            told += found
            if not found and not steps and not _later():
                return told
            queue_time.skip(service.EVERY_SECONDS)
    finally:
        restore()
    raise AssertionError("it never ends")


def _later() -> bool:
    queue_time.skip(service.EVERY_SECONDS)
    return waiting_on(queues.NOTICES) > 0


def test_a_step_waits_for_the_one_before_and_is_done_once() -> None:
    for n in range(1, 6):
        join(f"p{n}", n, Topic.PARTNERS)
    announce()

    with pytest.raises(TryAgain):
        step(2)
    told = [step(1), step(1)]

    assert told == [AT_ONCE, 0]


def test_what_is_stopped_goes_no_further_and_does_not_begin_again() -> None:
    for n in range(1, 6):
        join(f"p{n}", n, Topic.PARTNERS)
    announce()
    step(1)
    told, _ = queued()

    service.stop(NAME, now=NOON)

    assert (len(told), walk()) == (AT_ONCE, [])
    with pytest.raises(LaunchStopped):
        announce()


def test_what_broke_off_before_it_was_queued_begins_when_it_is_asked_for_again() -> None:
    first, warm, grocer = BAKERY, RetailerId("warm"), RetailerId("grocer")
    for retailer_id in (warm, grocer):
        network.record_retailer(Retailer(retailer_id, "Green & Co"))
    network.forget()
    service.announce_partner(first, [BANK_ID], now=NOON)
    with dying_at_call(0, is_heard=True) as calls:
        service.announce_partner(warm, [BANK_ID], now=NOON)
    queued()
    with pytest.raises(Died), dying_at_call(len(calls.made), is_heard=False):
        service.announce_partner(grocer, [BANK_ID], now=NOON)
    lost = queued()

    service.announce_partner(grocer, [BANK_ID], now=NOON)

    assert calls.made[-1].startswith("SendMessage")
    assert (lost, queued()) == (([], []), ([], [1]))


@pytest.mark.parametrize("status", [RetailerStatus.TEST, RetailerStatus.ENDED])
def test_a_retailer_that_is_not_live_is_not_announced(status: RetailerStatus) -> None:
    network.record_retailer(Retailer(BAKERY, "Hearth & Rye", status))

    with pytest.raises(NotForEverybody):
        announce()

    assert (store.list_all(now=NOON), queued()) == ([], ([], []))


def test_nothing_is_announced_to_a_bank_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        service.announce_partner(BAKERY, [BANK_ID, ConnectionId("nobody")], now=NOON)

    assert (store.list_all(now=NOON), queued()) == ([], ([], []))
