"""A draft on the purchases that the platform has: of the members who switched offers on, and them.

Members are found by sweeping the table of links (half a read unit for 4 KB; it holds no purchases),
and then each one's own partition is read. Whoever has offers switched off, has left, or whose bank
took the consent back is passed over before any of their purchases is opened. What is opened stays
in memory; counts alone leave it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import TypeVar

from chalicelib.kernel.ids import MemberId, PaymentId, RetailerId
from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale, sale_of
from chalicelib.members import service as members
from chalicelib.members.model import Member, MemberStatus
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.offers.audiences import service as audiences
from chalicelib.offers.audiences.history import Visit, by_receipt, visits_of
from chalicelib.offers.campaigns.model import Campaign
from chalicelib.purchases import store as purchases
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import sweeping, vault
from infra.backtest.drafts import Period, read_draft
from infra.backtest.keeping import NOWHERE, Diary, Step
from infra.backtest.run import Backtest, outcome_of_draft
from infra.backtest.summing import Tally
from infra.backtest.telling import THRESHOLD
from infra.backtest.trying import Buyer, try_buyer
from infra.matchfiles.crew import Crew, crew_of

ROWS_PER_PAGE = 500
MEMBERS_PER_TASK = 25
ATTEMPTS_MAX = 5  # At one page, where DynamoDB is busy; whoever keeps a diary goes on later.
WAIT_SECONDS = 2.0
_TABLE, _ROW = "people", "holder"  # One row for each member who has not left.

Report = Callable[[int], object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Walk:
    """What is tried on whom: a member's purchases since `since` are read, as of `now`."""

    draft: Campaign | Scheme
    since: datetime
    now: datetime
    rows_per_page: int = ROWS_PER_PAGE
    purchases_per_query: int = purchases.PURCHASES_READ_MAX


@dataclass(slots=True)
class Pace:
    """At most so many members in a second, on the average since it began."""

    per_second: float
    wait: Callable[[float], object] = time.sleep
    seconds: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _done: int = 0

    def __post_init__(self) -> None:
        self._began = self.seconds()

    def keep(self, done: int) -> None:
        """Wait until `done` members more are not too many."""
        self._done += done
        early = self._done / self.per_second - (self.seconds() - self._began)
        if early > 0:
            self.wait(early)


def rows_about() -> int:
    """How many rows have to be swept, about: DynamoDB counts every six hours."""
    return sweeping.rows_about(_TABLE)


def backtest_members(
    draft: bytes,
    *,
    retailer_id: RetailerId,
    days: int,
    now: datetime,
    pace: Pace,
    processes: int = 1,
    diary: Diary = NOWHERE,
    report: Report = lambda _: None,
    threshold: int = THRESHOLD,
    rows_per_page: int = ROWS_PER_PAGE,
) -> Backtest:
    """Try `draft` on the purchases of the last `days` before `now`; `report` hears of rows read.

    With a `diary` that was begun before, it goes on where that ended, as of the moment it began.

    :raises Rejected: the draft could never run, or the diary is of something else.
    :raises NotFound: there is no such retailer. :raises TryAgain: DynamoDB stays busy.
    :raises WorkerLost: a process went away.
    """
    network.get_retailer(retailer_id, now=now)
    now = diary.begin(draft, retailer_id, days=days, now=now)
    period = Period(now - timedelta(days=days), now)
    stores = network.list_stores(retailer_id, now=now)
    read = read_draft(
        draft, retailer_id, period, store_ids={one.reference: one.store_id for one in stores}
    )
    begins = period.since - timedelta(days=_looked_back_days(read))
    walk = Walk(read, begins, now, rows_per_page)
    tally = Tally()
    with crew_of(processes) as crew:
        for step in _steps(walk, crew, pace, diary):
            tally.merge(step.tally)
            report(step.rows)
    diary.end()
    return Backtest(outcome_of_draft(read, tally, threshold=threshold), period, 0, read.currency)


def try_members(walk: Walk, member_ids: Sequence[MemberId]) -> Tally:
    """Try those of the members who switched offers on and bought anything."""
    tally = Tally()
    for member_id in member_ids:
        member = members.find_member(member_id, now=walk.now, consistent=False)
        if member is not None and (buyer := _buyer(walk, member)) is not None:
            tally.add(try_buyer(walk.draft, buyer))
    return tally


def _steps(walk: Walk, crew: Crew, pace: Pace, diary: Diary) -> Iterator[Step]:
    """What was done before, then page by page what is still to do."""
    after: tuple[str, str] | None = None
    for done in diary.read():
        yield done
        if done.stopped_at is None:
            return
        after = done.stopped_at
    while True:
        step, found = patiently(partial(_step, walk, crew, after), pace)
        diary.note(step)
        yield step
        if step.stopped_at is None:
            return
        pace.keep(found)
        after = step.stopped_at


def _step(walk: Walk, crew: Crew, after: tuple[str, str] | None) -> tuple[Step, int]:
    page = sweeping.list_members(_TABLE, _ROW, after=after, rows_max=walk.rows_per_page)
    found = [MemberId(one) for one in page.found]
    parts = [found[at : at + MEMBERS_PER_TASK] for at in range(0, len(found), MEMBERS_PER_TASK)]
    tally = Tally()
    for one in crew.do(try_members, [(walk, part) for part in parts]):
        tally.merge(one)
    return Step(tally, page.read, page.stopped_at), len(found)


def patiently(step: Callable[[], T], pace: Pace) -> T:
    """What `step` returns, asked again a few times. :raises TryAgain: that did not help."""
    for attempt in range(1, ATTEMPTS_MAX):
        try:
            return step()
        except TryAgain:
            pace.wait(WAIT_SECONDS * attempt)
    return step()


def _buyer(walk: Walk, member: Member) -> Buyer | None:
    """The member as the draft sees them; None where nothing of them is to be seen."""
    if member.status is not MemberStatus.ACTIVE or Service.OFFERS not in member.services:
        return None
    if member.salt is None:
        return None
    key = vault.member_key(member.salt)
    bought = [one for one in _purchases(walk, member, key) if one.receipt is not None]
    if not bought:
        return None
    visits = visits_of(bought, lambda store_id: audiences.district_of(store_id, now=walk.now))
    sales = [sale for one in bought if (sale := _sale(walk, one)) is not None]
    counted = [sale for sale in sales if sale.sold_at >= member.activated_at]
    ordered = sorted(counted, key=lambda sale: (sale.sold_at, sale.purchase_id))
    return Buyer(ordered, visits, area=area_of(by_receipt(visits)))


def _purchases(walk: Walk, member: Member, key: vault.SealingKey) -> list[Purchase]:
    """All of them since `walk.since`, however many."""
    found: dict[PaymentId, Purchase] = {}
    until, most = walk.now, walk.purchases_per_query
    while True:
        read = purchases.list_purchases(
            member.member_id, key=key, now=walk.now, since=walk.since, until=until, limit=most
        )
        known = len(found)
        found = {one.payment.payment_id: one for one in read} | found
        if len(read) < most or len(found) == known:
            return list(found.values())
        until = read[0].payment.anchored_at


def _sale(walk: Walk, purchase: Purchase) -> Sale | None:
    """What the purchase says, where it is the retailer's and counts."""
    receipt = purchase.receipt
    if receipt is None or receipt.retailer_id != walk.draft.retailer_id:
        return None
    try:
        store = network.get_store(receipt.store_id, now=walk.now)
    except NotFound:
        return None
    sale = sale_of(purchase, store)
    return None if sale.is_withdrawn or sale.is_told_twice else sale


def area_of(visits: Sequence[Visit]) -> str | None:
    """The letters that the most visited shops' postcodes begin with; of a postcode without, all."""
    names = Counter(_letters(one.district) for one in visits if one.district)
    return min(names, key=lambda name: (-names[name], name), default=None)


def _letters(district: str) -> str:
    return "".join(takewhile(str.isalpha, district)) or district


def _looked_back_days(draft: Campaign | Scheme) -> int:
    return draft.audience.looks_back_days if isinstance(draft, Campaign) else 0
