"""Bills that several cards paid: what a draft would have given is what the live campaign gives."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from chalicelib.loyalty.rules import PercentCashback
from chalicelib.members.model import Member
from chalicelib.offers.audiences.model import Audience, Criterion, Frequent, New, SpendBand
from chalicelib.offers.campaigns.model import Limit
from chalicelib.purchases import store
from chalicelib.purchases.model import Purchase
from infra.backtest.run import Backtest
from tests.makers.backtests import NOW, STAMPS, TEN_PERCENT, by_file, join_at_once, walked
from tests.makers.loyalty import SOLD_AT, paid_event, purchase
from tests.makers.offers import award, campaign, coffees, key_of, open_town, run
from tests.makers.receipts import by_cards

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

PEOPLE = 5
TENTH = PercentCashback(Fraction(1, 10), max_minor=100)
SPENT = {"kind": "spend", "min_minor": 4_000, "max_minor": 9_000, "days": 20}


def pay(member: Member, day: int, minor: int, part: int, *cards: int) -> Purchase:
    """`member` pays one of the parts of a bill of coffees, a minute after the part before it."""
    bill = replace(coffees(sum(cards)), reference=f"A-{member.member_id}-{day}")
    at, name = SOLD_AT + timedelta(days=day, minutes=part), f"t-{member.member_id}-{day}-{part}"
    event = paid_event(minor, transaction_id=name, digest=name, made_at=at, occurred_at=at)
    made = purchase(by_cards(bill, *cards), event, part=part, member_id=member.member_id)
    assert store.record_purchase(made, key=key_of(member))
    return made


def dine(member: Member) -> list[Purchase]:
    """A dinner that both of their cards paid, one of which they paid a part, and two coffees."""
    return [
        pay(member, 0, 4_500, 0, 4_500, 1_500),
        pay(member, 0, 1_500, 1, 4_500, 1_500),
        pay(member, 1, 2_000, 1, 4_000, 2_000),
        pay(member, 2, 350, 0, 350),
        pay(member, 3, 1_000, 0, 1_000),
    ]


def given(done: Backtest) -> tuple[int | None, int | None, int | None]:
    return done.outcome.winners, done.outcome.rewards, done.outcome.cost_minor


@pytest.mark.requirement("OFR-13")
@pytest.mark.parametrize(
    ("asked", "criterion", "rewards", "minor"),
    [
        ({"kind": "new", "days": 9}, New(9), 2, 200),  # Both payments of their first dinner.
        ({"kind": "frequent", "visits": 2, "days": 9}, Frequent(2, 9), 2, 135),
        (SPENT, SpendBand(4_000, 9_000, 20), 3, 235),
        ({**SPENT, "max_minor": 8_000}, SpendBand(4_000, 8_000, 20), 2, 135),
    ],
)
def test_a_draft_gives_what_the_live_campaign_gives(
    asked: dict[str, Any], criterion: Criterion, rewards: int, minor: int, tmp_path: Path
) -> None:
    open_town()
    people = [join_at_once(f"member-{number}", number) for number in range(1, PEOPLE + 1)]
    made = [(one, person) for person in people for one in dine(person)]
    draft = {**TEN_PERCENT, "limit": {"times": 9, "per": "ever"}, "audience": [asked]}

    walked_over, filed = walked(draft), by_file(tmp_path, draft, [one for one, _ in made])
    run(campaign(audience=Audience((criterion,)), reward=TENTH, limit=Limit(times=9)))
    won = [award(one, person, now=NOW).won for one, person in made]

    assert given(walked_over) == given(filed) == (PEOPLE, rewards * PEOPLE, minor * PEOPLE)
    assert sum(one.minor for several in won for one in several) == minor * PEOPLE


def test_items_of_a_split_bill_are_the_largest_parts_in_a_file_too(tmp_path: Path) -> None:
    open_town()
    people = [join_at_once(f"member-{number}", number) for number in range(1, PEOPLE + 1)]
    made = [one for person in people for one in dine(person)]

    walked_over, filed = walked(STAMPS), by_file(tmp_path, STAMPS, made)

    # Stamps for the dinner's larger part and two coffees: one card of three.
    assert given(walked_over) == given(filed) == (PEOPLE, 3 * PEOPLE, 300 * PEOPLE)
