"""A shop and its regulars: each buys something every day of a month, and the shop rewards it.

The same month is played with a shop that gives nothing, and with one that gives stamps, cashback or
both, so that what a reward costs is a difference of two runs and nothing else.
"""

from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any

from chalicelib.loyalty.rules import FixedCashback
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.terms import Per
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of
from chalicelib.runtime import wire
from infra.bench.shift import STARTS, Sale, sale_at, shelves_of
from infra.bench.town import BANK, RETAILER

DAYS = 30
REGULARS = 12
WEEK = timedelta(days=7)
REWARD_MINOR = 25
BUDGET_MINOR = 1_000_000
CARD = "visits"
OFFER = "a-quarter-back"
_PLACES = 10
_FULL_CARD_MINOR = 300


class Gives(Enum):
    """What the shop gives for a purchase."""

    NOTHING = "nothing"
    STAMPS = "stamps"
    WEEKLY_OFFERS = "weekly_offers"  # cashback, by another offer each week
    ONE_OFFER = "one_offer"  # cashback, by one offer thirty times
    BOTH = "both"  # stamps and weekly offers, and full cards give money


def month_of(random: Random) -> list[Sale]:
    """What the regulars buy, in order of time: one purchase each on each day, within the shift."""
    moments = sorted(
        (STARTS + timedelta(days=day, seconds=random.randrange(8 * 3_600)), member)
        for day in range(DAYS)
        for member in range(REGULARS)
    )
    shelves = shelves_of(random)
    return [
        sale_at(random, number, at, shelves, member=member, stores=1)
        for number, (at, member) in enumerate(moments)
    ]


def open_shop(gives: Gives, *, now: datetime) -> None:
    """Let the bench's retailer give it, to everybody who was switched on."""
    if gives in (Gives.STAMPS, Gives.BOTH):
        card = _card(pays=gives is Gives.BOTH)
        schemes.record_scheme(RETAILER, CARD, wire.convert(card, SchemeShape), now=now)
    if gives in (Gives.WEEKLY_OFFERS, Gives.BOTH):
        _make_offers(WEEK, now)
    elif gives is Gives.ONE_OFFER:
        _make_offers(timedelta(days=DAYS + 1), now)


def _card(*, pays: bool) -> dict[str, Any]:
    """A stamp a visit, ten to a card; a full one gives a cake, or money where it `pays`."""
    cake = {"kind": "free_text", "text": "A cake of your choice"}
    money = {"kind": "fixed_cashback", "amount_minor": _FULL_CARD_MINOR}
    made: dict[str, Any] = {
        "name": "Visits",
        "unit": "stamps",
        "currency": "GBP",
        "zone": "Europe/London",
        "rules": [{"kind": "visit", "id": "visit"}],
        "card": {"places": _PLACES, "reward": money if pays else cake},
        "expiry": {"after": 12, "unit": "months", "end_of": "month"},
    }
    return made | ({"budget_minor": BUDGET_MINOR} if pays else {})


def _make_offers(lasting: timedelta, now: datetime) -> None:
    """One offer after the other, each `lasting` so long, for all who have switched offers on."""
    connection = network.get_connection(BANK, now=now)
    for number in range(REGULARS):
        user = Reference(LinkKind.USER, BANK, f"user-{number}")
        members.change_services(user, {Service.OFFERS: True}, connection, now=now)
    starts_at = now
    while starts_at < STARTS + timedelta(days=DAYS):
        reference = f"{OFFER}-{starts_at:%m%d}"
        offer = Campaign(
            campaign_id=campaign_id_of(RETAILER, reference),
            retailer_id=RETAILER,
            reference=reference,
            name="A quarter back",
            currency="GBP",
            zone="Europe/London",
            starts_at=starts_at,
            ends_at=starts_at + lasting,
            reward=FixedCashback(REWARD_MINOR),
            budget_minor=BUDGET_MINOR,
            limit=Limit(1, Per.DAY),
        )
        campaigns.write_draft(offer, now=now)
        campaigns.schedule(RETAILER, reference, now=now)
        starts_at += lasting
