"""What a stage costs a month, by its size: the bench's dollars for a receipt, storage, and what
costs the same whatever comes.

How much people buy and what a row weighs are assumptions, stated here once and printed with the
table. Numbers of queues, alarms and dashboards are the template's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.bench.prices import GIB, MILLION, PriceList
from infra.resources import QUEUES

MEMBERS = (10_000, 1_000_000, 10_000_000)
MATCHED_A_MONTH = 8  # Twice a week in a shop that takes part.
MEMBERS_PER_STORE = 100
STORES_MIN = 50
MONTHS_KEPT = 13  # Claims and payments live thirteen months; purchases as long as the member stays.
ROWS_BYTES = 2_600  # Payment, claim and purchase of one receipt, with DynamoDB's 100 bytes a row.
CONNECTIONS = 5
SECRETS_BESIDE_CONNECTIONS = 2
METRICS = 120  # Name and dimensions, with five connections and twenty retailers.
ALARMS = 60
POLLS_A_MONTH = 5 * 3 * 60 * 24 * 30  # Lambda polls a queue with five long polls of 20 seconds.
LOOKS_A_MONTH = 96 * 30
READ_UNITS_A_LOOK = 3 * 0.5  # Three windows of each store, eventually consistent.


@dataclass(frozen=True, slots=True)
class Month:
    """Dollars a month for one size."""

    members: int
    receipts_matched: int
    traffic: float
    storage: float
    standing: float

    @property
    def total(self) -> float:
        """Everything together."""
        return self.traffic + self.storage + self.standing

    @property
    def per_member(self) -> float:
        """Cents a member."""
        return 100 * self.total / self.members


def months_of(scenario: Mapping[str, Any], prices: PriceList) -> list[Month]:
    """A month of each size, at what a matched receipt cost in `scenario`."""
    return [_month(members, scenario["total_dollars_per_million"], prices) for members in MEMBERS]


def _month(members: int, dollars_per_million: float, prices: PriceList) -> Month:
    matched = members * MATCHED_A_MONTH
    stored = matched * MONTHS_KEPT * ROWS_BYTES / GIB
    stores = max(members // MEMBERS_PER_STORE, STORES_MIN)
    looks = stores * LOOKS_A_MONTH * READ_UNITS_A_LOOK * prices.read_units_per_million / MILLION
    polls = len(QUEUES) * POLLS_A_MONTH * prices.sqs_per_million / MILLION
    standing = (
        prices.kms_key_month
        + (CONNECTIONS + SECRETS_BESIDE_CONNECTIONS) * prices.secret_month
        + METRICS * prices.metric_month
        + ALARMS * prices.alarm_month
        + prices.dashboard_month
        + polls
        + looks
    )
    return Month(
        members=members,
        receipts_matched=matched,
        traffic=matched * dollars_per_million / MILLION,
        storage=stored * (prices.table_storage_gb_month + prices.table_pitr_gb_month),
        standing=standing,
    )


def markdown(months: list[Month], prices: PriceList) -> str:
    """The table of `docs/deploy.md`."""
    lines = [
        "| members | matched a month | traffic | storage | standing | dollars | cents a member |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {m.members:,} | {m.receipts_matched:,} | {m.traffic:,.2f} | {m.storage:,.2f} "
        f"| {m.standing:,.2f} | {m.total:,.2f} | {m.per_member:,.2f} |"
        for m in months
    ]
    lines.append(
        f"\nBy AWS's list prices for {prices.region} of {prices.as_of}, without free tiers; "
        f"{MATCHED_A_MONTH} matched receipts a member and month, rows kept {MONTHS_KEPT} months, "
        f"a store for each {MEMBERS_PER_STORE} members."
    )
    return "\n".join(lines)
