"""What the town has beside its receipts where histories are about rewards: an offer, and a way to
pay what it gives.

The shop gives what `offer` says for every receipt, from a budget; members have switched offers on
and named the account that cashback is paid to; the banks' members are paid by the rail in memory.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import msgspec

from chalicelib.kernel.personal import Personal
from chalicelib.loyalty.rules import FixedCashback, PercentCashback
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations.accounts import Destination, SortCodeAccount
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail
from infra.simulation.bank import URL
from infra.simulation.town import ADA, BAKERY, BELA, HARBOUR, NOON

PENDING_DAYS = 2
CARD, PLACES, FULL_CARD = "loaf", 2, 142
OFFER = "warm-bread"
CAMPAIGN_ID = campaign_id_of(BAKERY, OFFER)
STARTS_AT = NOON - timedelta(hours=2)
ENDS_AT = NOON + timedelta(days=90)
TIMES_MAX = 5
# What the town of months gives: a card alone (131) fails, and with the offer (232) comes back.
MONTHS_OFFER, MONTHS_CARD = 101, 131
BUN, CASH, CASH_MINOR = "bun", "cash", 242
SCHEME_ID = f"{BAKERY}.{CARD}"
# The other scheme: what a full card of the first gives of it, and what a full card of it pays.
OTHER, EXTRA = "crumbs", 7
OTHER_ID = f"{BAKERY}.{OTHER}"
OTHER_PLACES, OTHER_FULL = 5, 242
SIX, SIX_UNITS = "six", 4  # What two points buy of it.
_BUDGET = 10_000
_SORT_CODE = "102030"
STAMP_CARD: Mapping[str, Any] = {
    "name": "Loaf card",
    "unit": "stamps",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [{"kind": "spend", "id": "loaf", "per_minor": 140}],
    "card": {
        "places": PLACES,
        "reward": {"kind": "fixed_cashback", "amount_minor": FULL_CARD},
    },
    "budget_minor": 500_000,
    "pending_days": PENDING_DAYS,
}
POINTS: Mapping[str, Any] = {
    "name": "Crumbs",
    "unit": "points",
    "currency": "GBP",
    "zone": "Europe/London",
    "rules": [{"kind": "spend", "id": "pound", "per_minor": 100}],
    "catalogue": [
        {"id": BUN, "title": "A bun", "cost": 2, "reward": {"kind": "free_text", "text": "A bun"}},
        {
            "id": CASH,
            "title": "Money",
            "cost": 2,
            "reward": {"kind": "fixed_cashback", "amount_minor": CASH_MINOR},
        },
    ],
    "budget_minor": 500_000,
    "pending_days": 0,
}


def with_offer(reward_minor: int, *, budget_minor: int) -> Callable[[datetime], None]:
    """What opens a town with an offer of `reward_minor` a receipt, up to `budget_minor` in all."""

    def open_offer(now: datetime) -> None:
        _join(now)
        _offer(FixedCashback(reward_minor), budget_minor, now)
        _pay_out(now)

    return open_offer


def with_card(now: datetime) -> None:
    """Open a town in which every £1.40 is a stamp, and every `PLACES` stamps give `FULL_CARD`."""
    _scheme(STAMP_CARD, now)
    _pay_out(now)


def with_points(more: Mapping[str, Any]) -> Callable[[datetime], None]:
    """What opens a town with points that are active at once, and what they may be spent on. The
    scheme is as `more` says.
    """

    def open_points(now: datetime) -> None:
        _scheme({**POINTS, **more}, now)
        _pay_out(now)

    return open_points


def with_giving_card(*, is_stamps: bool) -> Callable[[datetime], None]:
    """What opens a town in which full cards give `EXTRA` of another scheme, in which nothing else
    earns: points, or stamps whose full cards pay `OTHER_FULL`.
    """

    def open_card(now: datetime) -> None:
        _scheme(_other(is_stamps=is_stamps), now, name=OTHER)
        reward = {"kind": "extra_units", "scheme": OTHER, "units": EXTRA}
        _scheme({**STAMP_CARD, "card": {"places": PLACES, "reward": reward}}, now)
        _pay_out(now)

    return open_card


def with_units_to_buy(now: datetime) -> None:
    """Open a town whose points buy stamps of another scheme."""
    reward = {"kind": "extra_units", "scheme": OTHER, "units": SIX_UNITS}
    six = {"id": SIX, "title": "Stamps", "cost": 2, "reward": reward}
    _scheme(_other(is_stamps=True), now, name=OTHER)
    _scheme({**POINTS, "catalogue": [six]}, now)
    _pay_out(now)


def _other(*, is_stamps: bool) -> Mapping[str, Any]:
    """A scheme that nobody buys enough for."""
    dear = [{"kind": "visit", "id": "dear", "when": {"min_spend_minor": 1_000_000}}]
    if not is_stamps:
        return {**POINTS, "rules": dear, "catalogue": []}
    reward = {"kind": "fixed_cashback", "amount_minor": OTHER_FULL}
    return {**STAMP_CARD, "rules": dear, "card": {"places": OTHER_PLACES, "reward": reward}}


def with_everything(now: datetime) -> None:
    """Open a town with an offer of a tenth of what is bought, and points for it."""
    _join(now)
    _offer(PercentCashback(Fraction(1, 10), max_minor=1_000), _BUDGET, now)
    _scheme(POINTS, now)
    _pay_out(now)


def with_offer_and_card(now: datetime) -> None:
    """Open a town for months: an offer, and a stamp card whose stamps expire. What a night pays
    fails, or comes back, or is paid, as these amounts come together.
    """
    _join(now)
    _offer(FixedCashback(MONTHS_OFFER), _BUDGET, now)
    reward = {"kind": "fixed_cashback", "amount_minor": MONTHS_CARD}
    card = {"places": PLACES, "reward": reward}
    _scheme({**STAMP_CARD, "card": card, "expiry": {"after": 1, "unit": "months"}}, now)
    _pay_out(now)


def _scheme(document: Mapping[str, Any], now: datetime, *, name: str = CARD) -> None:
    schemes.record_scheme(BAKERY, name, msgspec.convert(document, SchemeShape), now=now)


def _join(now: datetime) -> None:
    connection = network.get_connection(HARBOUR, now=now)
    for person in (ADA, BELA):
        members.change_services(person.anchor, {Service.OFFERS: True}, connection, now=now)


def _offer(reward: FixedCashback | PercentCashback, budget_minor: int, now: datetime) -> None:
    campaign = Campaign(
        campaign_id=CAMPAIGN_ID,
        retailer_id=BAKERY,
        reference=OFFER,
        name="Warm bread",
        currency="GBP",
        zone="Europe/London",
        starts_at=STARTS_AT,
        ends_at=ENDS_AT,
        reward=reward,
        budget_minor=budget_minor,
        limit=Limit(TIMES_MAX),
        pending_days=PENDING_DAYS,
    )
    campaigns.write_draft(campaign, now=now)
    campaigns.schedule(BAKERY, OFFER, now=now)


def _pay_out(now: datetime) -> None:
    account = PayingAccount(HARBOUR, "GBP", Rail.SANDBOX, api_url=URL)
    paying.record_account(account, PayingSecrets(Personal("our token")), now=now)
    destinations.make_envelope_key(lambda: bytes(range(32)), now=now)
    for number, person in enumerate((ADA, BELA)):
        member = members.get_member(person.anchor, now=now)
        account_number = SortCodeAccount(_SORT_CODE, f"1234567{number}")
        payee = Destination(account_number, f"{person.name.title()} Wren")
        destinations.set_destination(member, payee, now=now)
