"""Purchases and returns in any order, told twice, given back whole, and played again from nothing.

What a member then has is compared with plain sums over what was bought and kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest

from chalicelib.budgets import service as budgets
from chalicelib.budgets import verifying
from chalicelib.budgets.service import Purse
from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.money import Money
from chalicelib.ledger import checking
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books.pages import balances_after
from chalicelib.ledger.invariants import broken
from chalicelib.loyalty.cards.lots import balance_at, owed
from chalicelib.loyalty.cards.standing import tier_at
from chalicelib.loyalty.rules import Condition, FixedCashback
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.members import service as members
from chalicelib.network.model import Provider
from chalicelib.network.programmes import Service
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Campaign, Limit, campaign_id_of
from chalicelib.purchases import service as purchases
from chalicelib.runtime import aws, queues
from infra import resources
from tests.makers.members import user
from tests.makers.network import BAKERY, make_connection
from tests.makers.offers import campaign, run
from tests.makers.purchases import OPENED_AT, PAID_AT, event, queued, receive
from tests.makers.rewarding import (
    ADA,
    SCHEME,
    bought,
    card,
    gives_back,
    money,
    open_bakery,
    settle_again,
    write_scheme,
)

pytestmark = pytest.mark.stores
NOW = PAID_AT + timedelta(days=2)
POINTS = f"{BAKERY}.points"
PLACES, FULL_CARD, OFFERED, SILVER_FROM = 5, 300, 50, 8
TIERS = [
    {"id": "bronze", "name": "Bronze", "threshold": 0},
    {"id": "silver", "name": "Silver", "threshold": SILVER_FROM},
]
TENTH = {"kind": "percent_cashback", "percent": "10", "max_minor": 100}
POUND = {"kind": "spend", "id": "pound", "per_minor": 100}
# Somebody who brings everything back time and again is held, and held by what is known by then.
WHOLLY_BACK_MAX = 2


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase of coffees at a pound each, and how many of them come back at each return."""

    name: str
    hours: int
    coffees: int
    backs: tuple[int, ...] = ()

    @property
    def kept(self) -> int:
        return self.coffees - sum(self.backs)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is told: the purchase, or one of its returns."""

    of: Bought
    back: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """All that Ada has: stamps by full cards and loose ones, points and tier, money, and budget."""

    full_cards: int
    stamps: int
    points: int
    tier: str
    minor: int
    spent_minor: int


def history(random: Random) -> tuple[Bought, ...]:
    """Four or five purchases, some of which come back in part or whole, at once or by and by."""
    made: list[Bought] = []
    for number in range(random.randint(4, 5)):
        coffees = random.randint(1, 6)
        back = random.randint(0, coffees)
        if back == coffees and sum(one.kept == 0 for one in made) >= WHOLLY_BACK_MAX:
            back = coffees - 1
        first = random.randint(0, back)
        backs = tuple(one for one in (first, back - first) if one)
        made.append(Bought(f"t-{number}", number * 3, coffees, backs))
    return tuple(made)


def acts_of(made: Sequence[Bought]) -> list[Act]:
    return [
        act
        for one in made
        for act in (Act(one), *(Act(one, place) for place in range(len(one.backs))))
    ]


def offer() -> Campaign:
    made = campaign(
        "any",
        retailer_id=BAKERY,
        reward=FixedCashback(OFFERED),
        condition=Condition(),
        limit=Limit(20),
    )
    return replace(made, campaign_id=campaign_id_of(BAKERY, "any"))


def open_shop() -> None:
    """Stamps, points with tiers, a tenth back, and an offer; Ada has switched offers on."""
    open_bakery()
    visit = {"kind": "visit", "id": "visit"}
    write_scheme("tenth", rules=[visit], card={"places": 1, "reward": TENTH})
    write_scheme("points", unit="points", card=None, rules=[POUND], tiers=ladder())
    run(offer())
    bank = make_connection(provider=Provider.STANDARD, told_at_url="https://bank.test/receipts")
    members.change_services(user("ada"), {Service.OFFERS: True}, bank, now=OPENED_AT)


def ladder() -> dict[str, object]:
    return {"measure": "units", "span": "year", "downgrade": "by_balance", "steps": TIERS}


def begin_anew() -> None:
    """Forget everything that was ever stored, and open the shop again."""
    client = aws.client("dynamodb")
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)
    resources.create_tables(client)
    for name in (queues.PAYMENTS, queues.DELIVERIES, queues.REWARDS, queues.NOTICES):
        queued(name)
    for module in (schemes, campaigns, budgets, timekeeping):
        module.forget()
    open_shop()


def arrive(act: Act) -> None:
    """It is told, days later than it was."""
    at = PAID_AT + timedelta(hours=act.of.hours)
    name = act.of.name
    if act.back is None:
        code = CardFacts(auth_code=f"C{name}")
        amount = Money(act.of.coffees * 100, "GBP")
        told = event(name, made_at=at, occurred_at=at, amount=amount, card=code)
        purchases.record_payment(told, now=NOW)
        receive(bought(name, act.of.coffees, at=at), now=NOW)
        return
    reference = f"B-{name}-{act.back}"
    coffees = act.of.backs[act.back]
    receive(gives_back(name, coffees, reference=reference, at=at), now=NOW)


def play(acts: Sequence[Act], random: Random) -> None:
    """Tell all `acts`, and settle now and then; what was settled may come again at any time."""
    seen: list[str] = []
    for act in acts:
        arrive(act)
        if random.random() < 0.5:
            seen += settle_queued()
        if seen and random.random() < 0.3:
            settle_again([random.choice(seen)], now=NOW)
    seen += settle_queued()
    random.shuffle(seen)
    settle_again(seen[:4], now=NOW)


def settle_queued() -> list[str]:
    bodies = queued(queues.REWARDS)
    settle_again(bodies, now=NOW)
    return bodies


def held() -> Held:
    stamps, points = card(now=NOW), card(POINTS, now=NOW)
    scheme = schemes.get_valid(POINTS, at=NOW, now=NOW)
    tier = tier_at(points, scheme, NOW) if points else None
    made = offer()
    standing = budgets.get_standing(Purse(made.campaign_id, made.ends_at), now=NOW)
    balances = [balance_at(one, NOW) for one in (stamps, points) if one is not None]
    assert [owed(one) for one in (stamps, points) if one is not None] == [0, 0]
    return Held(
        full_cards=sum(not fill.undone_by for fill in stamps.fills) if stamps else 0,
        stamps=balances[0].pending + balances[0].active,
        points=balances[1].pending + balances[1].active,
        tier=tier.tier_id if tier else "",
        minor=sum(one.pending + one.available for one in money(now=NOW)),
        spent_minor=standing.spent_minor,
    )


def expected(made: Sequence[Bought]) -> Held:
    """The same by plain sums; of an offer as large a part comes back as of the goods."""
    kept = sum(one.kept for one in made)
    offered = sum(OFFERED - OFFERED * sum(one.backs) // one.coffees for one in made)
    tenth = sum(10 * one.kept for one in made)
    return Held(
        full_cards=kept // PLACES,
        stamps=kept % PLACES,
        points=kept,
        tier="silver" if kept >= SILVER_FROM else "bronze",
        minor=FULL_CARD * (kept // PLACES) + offered + tenth,
        spent_minor=offered,
    )


def check_books() -> None:
    """The journal's balances are what its entries come to, and nothing in it is broken."""
    owner = member_owner(ADA)
    book = checking.read_book(owner, now=NOW)
    postings = [posting for read in book for posting in read.page.postings]
    assert list(broken(book)) == []
    assert checking.check_pages(checking.read_book(owner, now=NOW), now=NOW) == ()
    assert balances_after((), postings, owner=owner) == book[-1].said_balances
    assert verifying.list_faults(offer().campaign_id, now=NOW) == []


@pytest.fixture(autouse=True)
def shop(embedded_aws: None) -> None:
    open_shop()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_changes_nothing_and_all_of_it_played_again_gives_the_same(
    seed: int,
) -> None:
    random = Random(seed)
    made = history(random)
    acts = acts_of(made)
    random.shuffle(acts)

    play(acts, random)
    first = held()
    check_books()
    begin_anew()
    play(acts_of(made), random)

    assert first == expected(made)
    assert held() == first
    check_books()


@pytest.mark.parametrize("seed", range(2))
def test_giving_everything_back_leaves_no_stamp_point_tier_reward_or_spent_budget(
    seed: int,
) -> None:
    random = Random(100 + seed)
    made = [replace(one, backs=(one.coffees,)) for one in history(random)]
    acts = acts_of(made)
    bought_first = [act for act in acts if act.back is None]
    returns = [act for act in acts if act.back is not None]
    random.shuffle(bought_first)
    random.shuffle(returns)

    play(bought_first, random)
    before = held()
    play(returns, random)

    assert before == expected([replace(one, backs=()) for one in made])
    assert held() == Held(0, 0, 0, "bronze", 0, 0)
    assert money(now=NOW) == ()
    check_books()


def test_the_sums_that_it_is_compared_with_tell_what_was_kept() -> None:
    made = (Bought("t-0", 0, 6, (1, 1)), Bought("t-1", 3, 5))

    assert expected(made) == Held(1, 4, 9, "silver", 300 + 34 + 50 + 90, 84)
    assert SCHEME != POINTS
