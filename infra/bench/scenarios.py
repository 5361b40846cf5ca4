"""What is played under the meter: one shift of sales, sent in different ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from infra.bench.regulars import Gives
from infra.bench.road import Sent
from infra.bench.shift import SENT_AGAIN, Sale

TOLD_AFTER_SECONDS = (1, 5)  # How long a bank takes to tell of a payment.
SENT_AFTER = timedelta(seconds=2)
REPEATED_AFTER = timedelta(seconds=60)
CLEARED_AFTER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the receipts and payments of a shift are sent.

    `within_seconds` is what the stores are configured with. A target is the budget in write units
    for one matched and stamped receipt. A shift has no scheme; a month of regulars has what `gives`
    says, and `more_writes_max` is what that may cost beyond the month in which nothing is given.
    """

    name: str
    title: str
    receipts_per_post: int
    within_seconds: int
    write_units_max: float | None = None
    has_card_facts: bool = True
    at_day_end: bool = False
    is_cleared: bool = False
    gives: Gives | None = None
    more_writes_max: float | None = None

    @property
    def is_month(self) -> bool:
        """Whether it is a month of regulars, and no shift."""
        return self.gives is not None


SCENARIOS = (
    Scenario("batches", "tills send batches of 20", 20, 1_800, write_units_max=5),
    Scenario("singles", "tills send each receipt at once", 1, 30, write_units_max=7),
    Scenario("day_end", "a file of the day, 100 a post", 100, 43_200, at_day_end=True),
    Scenario(
        "cleared", "batches of 20, and each payment is cleared later", 20, 1_800, is_cleared=True
    ),
    Scenario("bare", "batches of 20 without card facts", 20, 1_800, has_card_facts=False),
    Scenario("regulars", "a month of regulars", 1, 30, gives=Gives.NOTHING),
    Scenario("stamped", "… each gets a stamp", 1, 30, gives=Gives.STAMPS, more_writes_max=1),
    Scenario(
        "rewarded",
        "… each gets cashback, another offer a week",
        1,
        30,
        gives=Gives.WEEKLY_OFFERS,
        more_writes_max=4,
    ),
    Scenario(
        "devoted",
        "… each gets cashback, one offer all month",
        1,
        30,
        gives=Gives.ONE_OFFER,
        more_writes_max=4,
    ),
    Scenario("both", "… stamps and cashback, full cards pay", 1, 30, gives=Gives.BOTH),
)
PLAIN_MONTH = "regulars"


def posts_of(
    scenario: Scenario, sales: Sequence[Sale], random: Random, *, stores: int
) -> list[Sent]:
    """Everything that is sent in `scenario`, a twentieth of it twice."""
    posts: list[Sent] = []
    for sale in sales:
        if sale.member is None:
            continue
        told_at = sale.paid_at + timedelta(seconds=random.randint(*TOLD_AFTER_SECONDS))
        posts += _once_or_twice(Sent(told_at, sale), random)
        if scenario.is_cleared:
            posts.append(Sent(told_at + CLEARED_AFTER, sale, "cleared"))
    closed_at = max(sale.sold_at for sale in sales)
    for store in range(stores):
        sold = [sale for sale in sales if sale.store == store]
        for first in range(0, len(sold), scenario.receipts_per_post):
            batch = sold[first : first + scenario.receipts_per_post]
            at = closed_at if scenario.at_day_end else batch[-1].sold_at
            sent = Sent(at + SENT_AFTER, receipts=tuple(sale.receipt for sale in batch))
            posts += _once_or_twice(sent, random)
    return posts


def _once_or_twice(sent: Sent, random: Random) -> list[Sent]:
    if random.random() >= SENT_AGAIN:
        return [sent]
    return [sent, Sent(sent.at + REPEATED_AFTER, sent.sale, sent.kind, sent.receipts)]
