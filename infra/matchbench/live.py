"""The platform's own decision on a block's days: payment by payment, as events come.

What decides is the platform's code (`matching.finding`, `matching.timekeeping`, `matching.looks`);
played here is what calls it: queues, workers, schedules. Nobody sees what comes later.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from chalicelib.kernel.ids import PaymentId, StoreId
from chalicelib.matching import looks
from chalicelib.matching.finding import Finder
from chalicelib.matching.outcome import MatchDecision, Matched, NotYet
from chalicelib.matching.questions import Near, Question, Scenery
from chalicelib.matching.reach import Window
from chalicelib.matching.scene import printed_sums, scene_of
from chalicelib.matching.standing import WAITING_DAYS, Waiting
from chalicelib.matching.timekeeping.keeping import Timekeeper
from chalicelib.matching.timekeeping.learning import learn_clocks
from chalicelib.matching.timekeeping.votes import vote_of
from chalicelib.receipts.canonical import Receipt
from chalicelib.tills.pages import GATHERING_SECONDS, complete_after
from infra.matchbench.block import Block
from infra.matchbench.memory import ClocksInMemory, ListsInMemory, PagesInMemory
from infra.matchbench.sending import (
    Delays,
    Paid,
    Posted,
    instant,
    payments_of,
    posts_of,
    stores_of,
)

GATHERED_AFTER = timedelta(seconds=GATHERING_SECONDS)  # Of receipts that nobody waits for.
PAGE_WORTH_RECEIPTS = 5  # So many of one store are a page at once, as `purchases.receiving` has it.
QUEUE_HOLDS_MAX = timedelta(minutes=15)  # A message; looks that are due later are the schedule's.
NIGHT_AT = timedelta(hours=3, minutes=20)
PROCESS_LIVES = timedelta(hours=6)  # Then a new one begins, and unwritten votes are lost.
WAITS = timedelta(days=WAITING_DAYS)  # Tills may be without a line for as long.


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a payment: the last decision, and when it was made."""

    decision: MatchDecision
    at: datetime


class _Worker:
    """A process of a Lambda: its finder, and what it remembers of clocks."""

    def __init__(
        self, pages: PagesInMemory, lists: ListsInMemory, clocks: ClocksInMemory, born: datetime
    ) -> None:
        self.born = born
        self.timekeeper = Timekeeper(clocks, tell_far_off=lambda *_: None)
        self.finder = Finder(pages=pages, lists=lists, timekeeping=self.timekeeper)


Job = Callable[[datetime], None]


class Live:
    """One retailer's days as they go by."""

    def __init__(self, block: Block, delays: Delays, random: Random) -> None:
        self.settled: dict[PaymentId, Settled] = {}
        self._pages, self._lists, self._clocks = PagesInMemory(), ListsInMemory(), ClocksInMemory()
        self._workers: dict[str, _Worker] = {}
        self._stores = stores_of(block)
        self._gathering: list[Receipt] = []
        self._jobs: list[tuple[datetime, int, Job]] = []
        self._jobs_counted = 0
        for paid in payments_of(block, delays, random):
            self._do_at(instant(paid.at), partial(self._record_payment, paid))
        for posted in posts_of(block, delays, random):
            self._do_at(instant(posted.at), partial(self._record_receipts, posted))
        self._schedule(instant(block.street.starts_at), timedelta(days=block.street.days))

    def play(self) -> dict[PaymentId, Settled]:
        """What became of every payment."""
        while self._jobs:
            now, _, job = heapq.heappop(self._jobs)
            job(now)
        return self.settled

    def _schedule(self, starts_at: datetime, days: timedelta) -> None:
        """Looks until nothing waits any more."""
        longest = max(complete_after(store) for store in self._stores.values())
        ends_at = starts_at + days + longest + looks.LOOKS_AFTER[-1]
        tick = starts_at
        while tick <= ends_at + looks.LOOKS_EVERY:
            self._do_at(tick, self._look_again_when_due)
            tick += looks.LOOKS_EVERY
        night = starts_at + NIGHT_AT
        while night <= starts_at + days + WAITS + timedelta(days=1):
            self._do_at(night, self._look_at_night)
            night += timedelta(days=1)

    def _do_at(self, at: datetime, job: Job) -> None:
        self._jobs_counted += 1
        heapq.heappush(self._jobs, (at, self._jobs_counted, job))

    def _worker(self, name: str, now: datetime) -> _Worker:
        """The process of the Lambda `name`; a new one where it has lived long."""
        worker = self._workers.get(name)
        if worker is None or now >= worker.born + PROCESS_LIVES:
            worker = _Worker(self._pages, self._lists, self._clocks, born=now)
            self._workers[name] = worker
        return worker

    def _record_payment(self, paid: Paid, now: datetime) -> None:
        waiting = Waiting(paid.signals, paid.signals.made_at, waits_since=now)
        self._lists.keep_waiting(waiting)
        self._settle(self._worker("record_payment", now), waiting, None, now=now)

    def _look_again(self, waiting: Waiting, now: datetime) -> None:
        """A message that was queued for now."""
        if self._waits(waiting):
            self._settle(self._worker("record_payment", now), waiting, None, now=now)

    def _record_receipts(self, posted: Posted, now: datetime) -> None:
        worker = self._worker("record_receipts", now)
        receipts, store_id = posted.receipts, posted.store_id
        is_page = len(receipts) >= PAGE_WORTH_RECEIPTS
        if is_page or worker.finder.are_awaited(receipts, store_id, now=now):
            self._keep(worker, store_id, receipts, now=now)
            return
        if not self._gathering:
            self._do_at(now + GATHERED_AFTER, self._gather_receipts)
        self._gathering += receipts

    def _gather_receipts(self, now: datetime) -> None:
        gathered, self._gathering = self._gathering, []
        by_store: dict[StoreId, list[Receipt]] = {}
        for receipt in gathered:
            by_store.setdefault(receipt.store_id, []).append(receipt)
        for store_id, receipts in by_store.items():
            self._keep(self._worker("gather_receipts", now), store_id, receipts, now=now)

    def _keep(
        self, worker: _Worker, store_id: StoreId, receipts: Sequence[Receipt], *, now: datetime
    ) -> None:
        """Keep receipts on a page, settle the payments that wait for them, and count their sums."""
        self._settle_awaited(worker, store_id, receipts, now=now)
        worker.timekeeper.count_sums(store_id, printed_sums(receipts), now=now)

    def _settle_awaited(
        self, worker: _Worker, store_id: StoreId, receipts: Sequence[Receipt], *, now: datetime
    ) -> None:
        finder, place = worker.finder, self._stores[store_id]
        paid, within = finder.window_around(store_id, receipts, now=now)
        self._pages.keep(receipts, now=now)
        waiting = finder.list_waiting(receipts, store_id, now=now, consistent=True)
        if not finder.of_interest(waiting, receipts, now=now):
            return  # Whoever looks needs the scene; to make it is most of the work.
        near = self._pages.receipts_near(
            place, since=within.since, until=within.until, now=now, consistent=True
        )
        settle = partial(self._settle, worker, now=now)
        around = Near(store_id, paid, waiting, Scenery(within, scene_of(near.values())))
        finder.settle_awaited(around, receipts, settle, now=now)

    def _look_again_when_due(self, now: datetime) -> None:
        worker = self._worker("look_again", now)
        for store_id, store in self._stores.items():
            for since, until in looks.spans_due(complete_after(store), now=now):
                self._look_at_store(worker, store_id, since, until, now=now)

    def _look_at_night(self, now: datetime) -> None:
        worker = self._worker("end_waiting", now)
        since = now - WAITS - timedelta(days=1)
        for store_id, store in self._stores.items():
            learned = learn_clocks(store, since, now, pages=self._pages, lists=self._lists, now=now)
            if learned is not None:
                worker.timekeeper.learn(store_id, learned.votes, at=learned.at, now=now)
            seen = self._look_at_store(worker, store_id, since, now, now=now)
            worker.timekeeper.count_unmatched(
                store_id,
                looks.unmatched_of(seen),
                until=now - complete_after(store),
                now=now,
            )
        worker.timekeeper.write_out(now=now)

    def _look_at_store(
        self,
        worker: _Worker,
        store_id: StoreId,
        since: datetime,
        until: datetime,
        *,
        now: datetime,
    ) -> list[looks.Seen]:
        found = self._lists.list_waiting_between(store_id, since, until, now=now)
        near = Near(store_id, (Window(since, until),), tuple(found))
        seen: list[looks.Seen] = []
        for one in found:
            decision = self._settle(worker, one, near, now=now)
            if isinstance(decision, Matched):
                near = near.without(one.signals.payment_id)
            seen.append((one.signals, decision))
        return seen

    def _settle(
        self, worker: _Worker, waiting: Waiting, near: Near | None, *, now: datetime
    ) -> MatchDecision:
        """Look for the receipt; join the two, or let the payment wait, or end."""
        signals = waiting.signals
        question = Question(
            signals, waiting.anchored_at, tuple(self._stores[one] for one in signals.stores)
        )
        decision = worker.finder.look(
            question, claim_stands=lambda _: True, now=now, consistent=True, near=near
        )
        self.settled[signals.payment_id] = Settled(decision, now)
        if isinstance(decision, Matched):
            vote = vote_of(decision, signals.made_at)
            if vote is not None:
                worker.timekeeper.vote(decision.part.receipt.store_id, vote, now=now)
            self._lists.stop_waiting(waiting)
        elif now >= waiting.waits_since + WAITS:
            self._lists.stop_waiting(waiting)
        elif isinstance(decision, NotYet):
            self._queue_look(waiting, decision.look_again_at, now=now)
        return decision

    def _queue_look(self, waiting: Waiting, look_again_at: datetime, *, now: datetime) -> None:
        delay = timedelta(seconds=int((look_again_at - now).total_seconds()) + 1)
        if delay <= QUEUE_HOLDS_MAX:
            self._do_at(now + delay, partial(self._look_again, waiting))

    def _waits(self, waiting: Waiting) -> bool:
        return not isinstance(self.settled[waiting.signals.payment_id].decision, Matched)
