"""What members do with offers is counted once: repeated, reordered, at once, and across crashes."""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.members.model import Member
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.offers.events import service as events
from chalicelib.offers.events.model import Counts, EventKind, OfferEvent
from chalicelib.offers.listing import service as listing
from tests.makers.dying import Died, dying
from tests.makers.loyalty import SOLD_AT
from tests.makers.offers import campaign, join, key_of, open_town, run

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
# moto answers one call after the other, so that there fewer threads show as much.
WORKERS, MEMBERS = (16, 8) if os.environ.get("COUNTERFOIL_REAL_DYNAMODB") else (4, 3)


def town() -> tuple[list[Member], Campaign]:
    open_town()
    (one,) = run(campaign(needs_activation=True))
    return [join(f"member-{n}", n) for n in range(1, MEMBERS + 1)], one


def seen(one: Campaign, number: int) -> OfferEvent:
    """Every third event is a click, the others are impressions."""
    kind = EventKind.CLICK if number % 3 == 0 else EventKind.IMPRESSION
    at = SOLD_AT + timedelta(minutes=number)
    return OfferEvent(f"e-{number}", kind, one.campaign_id, at)


def total(one: Campaign) -> Counts:
    return sum(events.list_counts(one.campaign_id, now=SOLD_AT), Counts())


def told(member: Member, event: OfferEvent) -> int:
    for _ in range(200):
        with contextlib.suppress(TryAgain):
            return events.record_events(member, [event], now=SOLD_AT + timedelta(hours=1))
    raise AssertionError("an event was not recorded in two hundred attempts")


@pytest.mark.requirement("OFR-03")
@pytest.mark.requirement("OFR-10")
def test_by_many_at_once_and_twice_in_any_order_each_event_counts_once() -> None:
    members, one = town()
    steps = [(member, seen(one, n)) for member in members for n in range(6)] * 2
    Random(5).shuffle(steps)

    with ThreadPoolExecutor(WORKERS) as pool:
        new = sum(pool.map(lambda step: told(*step), steps))

    assert new == 6 * MEMBERS
    assert total(one) == Counts(impressions=4 * MEMBERS, clicks=2 * MEMBERS)


@pytest.mark.requirement("OFR-03")
@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_run_that_dies_at_a_write_leaves_nothing_uncounted(nth: int, is_heard: bool) -> None:
    (ada, *_), one = town()

    with contextlib.suppress(Died), dying(nth, is_heard=is_heard):
        told(ada, seen(one, 1))
    told(ada, seen(one, 1))

    assert total(one) == Counts(impressions=1)


@pytest.mark.requirement("OFR-05")
@pytest.mark.parametrize("is_heard", [True, False])
@pytest.mark.parametrize("nth", [1, 2])
def test_an_activation_that_dies_at_a_write_is_counted_once(nth: int, is_heard: bool) -> None:
    (ada, *_), one = town()

    with contextlib.suppress(Died), dying(nth, is_heard=is_heard):
        listing.activate(ada, one.campaign_id, key=key_of(ada), now=SOLD_AT)
    taken = listing.activate(ada, one.campaign_id, key=key_of(ada), now=SOLD_AT)

    assert taken.activated_at == SOLD_AT
    assert total(one) == Counts(activations=1)


@pytest.mark.requirement("OFR-05")
def test_members_who_switch_on_at_once_and_twice_are_counted_once_each() -> None:
    members, one = town()

    def activate(member: Member) -> None:
        for _ in range(200):
            with contextlib.suppress(TryAgain):
                listing.activate(member, one.campaign_id, key=key_of(member), now=SOLD_AT)
                return
        raise AssertionError("an offer was not switched on in two hundred attempts")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(activate, members * 3))

    assert total(one) == Counts(activations=MEMBERS)
