"""Rewards of a release, frozen in the middle: cards, offers, claims, books, orders and notices.

`tests/vectors/rewards-1.json` holds what the first release with rewards left behind, and
`rewards-2.json` the one that counts an inquiry once, `rewards-3.json` the one that leads a void to
the sale of its return; written by

    FREEZE_RELEASE=1 .venv/bin/python -m pytest tests/integration/test_release_rewards.py

and after that release has gone out, never again: a later format gets a file of its own beside it.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.kernel.personal import Personal
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.rules import Condition, FixedCashback, Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members import service as members
from chalicelib.network.model import ClientKind, ConnectionKey, KeyUse, Provider
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Limit, campaign_id_of
from chalicelib.payouts.rails.model import Rail
from chalicelib.rewards.inquiries import service as inquiries
from chalicelib.runtime import clock, queues
from tests.makers.api import make_client
from tests.makers.banks import whsec
from tests.makers.inquiries import own
from tests.makers.members import user
from tests.makers.network import BAKERY, make_connection
from tests.makers.nights import begin, close_until
from tests.makers.offers import campaign, run
from tests.makers.outside import put_on, run_worker
from tests.makers.paying import make_account, record_paying, set_destination
from tests.makers.purchases import BANK, OPENED_AT, PAID_AT
from tests.makers.rewarding import (
    DAY,
    SETTLED_AT,
    bring_back,
    buy,
    holder,
    member,
    open_bakery,
    write_scheme,
)

RELEASES = tuple(sorted((Path(__file__).parents[1] / "vectors").glob("rewards-*.json")))
NEWEST = RELEASES[-1] if RELEASES else Path(__file__).parents[1] / "vectors" / "rewards-1.json"
BANK_AWAY = "http://127.0.0.1:9"
CLAIM = "c-1"
POINTS = f"{BAKERY}.points"
MUG = {
    "id": "mug",
    "title": "A mug",
    "cost": 3,
    "claim_hours": 72,
    "reward": {"kind": "free_text", "text": "A mug"},
}
MANY = 7  # The last of them is one more than is believed within an hour.
NIGHT = PAID_AT + timedelta(hours=16, minutes=30)  # When the first day was closed.
LEFT_AT = NIGHT + timedelta(hours=8)  # Of the next day, when the release stopped.


def live() -> None:
    """Two days at the bakery, left in the middle."""
    clock.use(lambda: SETTLED_AT)
    _open()
    buy("t-1", 5)
    settle()
    claims.reserve(holder(POINTS), _points(), name=CLAIM, reward_id=str(MUG["id"]), now=SETTLED_AT)
    begin(PAID_AT.date())
    clock.use(lambda: NIGHT)
    close_until(PAID_AT.date())
    # The rail is away, and so is the bank that is told of it all. What was put off is invisible.
    for name in (queues.PAYOUTS, queues.NOTICES):
        put_on(name, *run_worker(name).failed)
    clock.use(lambda: LEFT_AT)
    for number in range(MANY):
        buy(f"t-{10 + number}", at=PAID_AT + DAY + number * timedelta(minutes=1))
        settle(at=LEFT_AT)
    buy("t-2", 2, at=LEFT_AT)
    bring_back("t-1", 1, reference="B-1", at=LEFT_AT)
    inquiries.open_inquiry(own("t-2", now=LEFT_AT), now=LEFT_AT)


def _open() -> None:
    keys = (ConnectionKey(KeyUse.SIGN, Personal(whsec(2))),)
    bank = make_connection(provider=Provider.STANDARD, told_at_url=BANK_AWAY, keys=keys)
    open_bakery(expiry={"after": 20, "unit": "days"}, pending_days=0)
    write_scheme("points", unit="points", card=None, catalogue=[MUG], pending_days=0)
    make_client("bank", BANK)
    make_client("till", BAKERY, ClientKind.RETAILER)
    record_paying(make_account(Rail.SANDBOX, api_url=BANK_AWAY), connection=bank)
    set_destination(member(), now=OPENED_AT)
    terms: Any = {"reward": FixedCashback(50), "condition": Condition(), "limit": Limit(MANY)}
    made = campaign("coffee", retailer_id=BAKERY, **terms)
    run(replace(made, campaign_id=campaign_id_of(BAKERY, "coffee")))
    members.change_services(user("ada"), {Service.OFFERS: True}, bank, now=OPENED_AT)


def settle(*, at: Any = SETTLED_AT) -> None:
    """The worker takes what is queued about rewards."""
    clock.use(lambda: at)
    while run_worker(queues.REWARDS).bodies:
        pass


def _points() -> Scheme:
    return schemes.get_valid(POINTS, at=SETTLED_AT, now=SETTLED_AT)


def forget() -> None:
    """What a process remembers of another town."""
    schemes.forget()
    campaigns.forget()
