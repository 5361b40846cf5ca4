"""The operator's terminal: who consented before there were rows to find them is found."""

import pytest

from chalicelib.members import service as members
from chalicelib.members import store
from chalicelib.members.choices import Topic
from chalicelib.members.model import Member
from chalicelib.members.subscribing import service as subscribing
from chalicelib.members.subscribing.store import SubscriberRow, list_subscribers
from chalicelib.privacy import leaving
from chalicelib.runtime import clock, queues, rows
from tests.makers.bank_server import BankServer
from tests.makers.journeys import NOON
from tests.makers.launches import BANK_ID, consent, join, open_bank
from tests.makers.network import BAKERY
from tests.makers.notices import told
from tests.makers.operating import operate
from tests.makers.outside import run_worker

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]


@pytest.fixture(autouse=True)
def a_bank(bank: BankServer) -> None:
    clock.use(lambda: NOON)
    open_bank(bank)


def as_before(member: Member) -> None:
    """As an older release left it: the consents in the head, and no rows beside it."""
    for consented in member.choices.consents:
        pk = f"topic#{consented.topic.value}#{BANK_ID}"
        rows.delete(SubscriberRow(pk, member.member_id))


def found(topic: Topic) -> list[str]:
    return [*list_subscribers(topic, BANK_ID, after="", limit=10, now=NOON)]


@pytest.mark.requirement("OFR-16")
def test_who_consented_under_an_older_release_is_announced_to_once_mended(bank: BankServer) -> None:
    ada = join("ada", 1, Topic.PARTNERS, Topic.OFFERS)
    join("ben", 2)
    as_before(ada)
    before = found(Topic.PARTNERS)

    done = [operate("mend-topics") for _ in range(2)]
    operate("announce-partner", f"--retailer={BAKERY}")
    while run_worker(queues.NOTICES).bodies:
        pass

    assert [one.exit_code for one in done] == [0, 0]
    assert "2 members, 1 of whom consented to a topic." in done[0].stderr
    assert (before, found(Topic.PARTNERS), found(Topic.OFFERS)) == (
        [],
        [ada.member_id],
        [ada.member_id],
    )
    assert told(bank) == [("reward.partner_joined", 0)]
    after = members.find_member(ada.member_id, now=NOON)
    assert after is not None
    assert after.choices == ada.choices


def test_who_took_the_consent_back_or_left_stays_out() -> None:
    ada, ben = join("ada", 1, Topic.PARTNERS), join("ben", 2, Topic.PARTNERS)
    as_before(ada)
    consent(ada, Topic.PARTNERS, is_wanted=False)
    assert ben.anchor is not None
    leaving.switch_off(ben.anchor, now=NOON)
    heads = [store.find_member(one.member_id, now=NOON) for one in (ada, ben)]

    mended = [subscribing.mend(one.member_id, now=NOON) for one in (ada, ben)]

    assert (mended, found(Topic.PARTNERS)) == ([False, False], [])
    assert [store.find_member(one.member_id, now=NOON) for one in (ada, ben)] == heads
