"""An offer is announced to those who want to hear of offers, and may have it."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.members import service as members
from chalicelib.members.choices import Topic, with_topic
from chalicelib.members.model import Member
from chalicelib.notices.launching import service, store
from chalicelib.notices.launching.model import NotForEverybody
from chalicelib.offers.audiences.model import Audience, New
from chalicelib.runtime import clock, queues
from tests.makers.bank_server import BankServer
from tests.makers.launches import open_bank
from tests.makers.members import user
from tests.makers.network import BANK
from tests.makers.notices import told
from tests.makers.offers import ENDS_AT, SOLD_AT, STARTS_AT, campaign, join, open_town, run
from tests.makers.outside import Counted, run_worker
from tests.makers.receipts import RETAILER

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
BANKS = [ConnectionId(BANK)]


@pytest.fixture(autouse=True)
def town(bank: BankServer) -> None:
    clock.use(lambda: SOLD_AT)
    open_town()
    open_bank(bank)


def wants(name: str, topic: Topic = Topic.OFFERS) -> Member:
    return members.change_choices(
        user(name), lambda c: with_topic(c, topic, is_wanted=True, now=SOLD_AT), now=SOLD_AT
    )


@pytest.mark.requirement("OFR-14")
def test_those_who_want_to_hear_of_offers_and_have_them_are_told(
    bank: BankServer, counted: Counted
) -> None:
    run(campaign())
    for number, (name, has_offers) in enumerate((("ada", True), ("ben", False), ("cy", True)), 1):
        join(name, number, wants_offers=has_offers)
    wants("ada")
    wants("ben")
    wants("cy", Topic.PARTNERS)

    service.announce_offer(RETAILER.retailer_id, "autumn", BANKS, now=SOLD_AT)
    for _ in range(2):
        run_worker(queues.NOTICES)

    assert told(bank) == [("reward.offer_announced", 0)]
    assert (counted["launch_announced"], counted["notices_dropped:not_wanted"]) == (2, 1)


@pytest.mark.parametrize(
    "at", [STARTS_AT - timedelta(seconds=1), ENDS_AT], ids=["scheduled", "ended"]
)
def test_an_offer_that_does_not_run_is_not_announced(at: object) -> None:
    run(campaign())

    with pytest.raises(NotForEverybody):
        service.announce_offer(RETAILER.retailer_id, "autumn", BANKS, now=at)  # type: ignore[arg-type]

    assert store.list_all(now=SOLD_AT) == []


def test_an_offer_for_some_is_not_announced_to_all() -> None:
    run(campaign(audience=Audience((New(days=90),))))

    with pytest.raises(NotForEverybody):
        service.announce_offer(RETAILER.retailer_id, "autumn", BANKS, now=SOLD_AT)

    assert store.list_all(now=SOLD_AT) == []
