"""Sixteen workers on one card: every stamp once, every full card paid once."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random
from threading import Barrier

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards import store
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.purchases.messages import decode_reward
from chalicelib.rewards import service
from chalicelib.runtime import queues
from tests.makers.extra import entries, fills, open_giving, points
from tests.makers.purchases import PAID_AT, queued
from tests.makers.rewarding import DAY, SCHEME, bring_back, buy, card, money, open_bakery
from tests.makers.scheme_budgets import rich

pytestmark = pytest.mark.stores

ON_REAL_DYNAMODB = bool(os.environ.get("COUNTERFOIL_REAL_DYNAMODB"))
# moto's tables are no match for threads: there one works the same messages off, in their order.
PURCHASES, WORKERS = (24, 16) if ON_REAL_DYNAMODB else (8, 1)
TRIES_MAX = 100
NOW = PAID_AT + 60 * DAY


def until_done(step: Callable[[], None], pauses: Random) -> None:
    for _ in range(TRIES_MAX):
        try:
            step()
        except TryAgain:
            time.sleep(pauses.random() * 0.05)
            continue
        return
    raise AssertionError("a message was never settled")


def fight(bodies: list[str]) -> None:
    """All workers begin at one moment, each with all messages in an order of its own."""
    barrier = Barrier(WORKERS)

    def work(number: int) -> None:
        pauses, mine = Random(number), list(bodies)
        pauses.shuffle(mine)
        barrier.wait()
        for body in mine:
            message = decode_reward(body)
            until_done(lambda message=message: service.settle(message, now=NOW), pauses)  # type: ignore[misc]

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work, number) for number in range(WORKERS)]:
            done.result()


def test_of_two_who_change_a_card_at_once_the_slower_writes_nothing(embedded_aws: None) -> None:
    holder = rich(1, SCHEME, 4)
    found = store.find_card(holder, now=NOW)
    assert found is not None

    written = [store.record_card(replace(found, expired=units), holder) for units in (1, 2)]

    after = store.find_card(holder, now=NOW)
    assert (written, after) == ([True, False], replace(found, expired=1, version=2))


@pytest.mark.requirement("LOY-01")
def test_sixteen_at_once_give_each_stamp_once(embedded_aws: None) -> None:
    open_bakery()
    for number in range(PURCHASES):
        buy(f"t-{number}", 2, at=PAID_AT + number * timedelta(hours=30))
    bring_back("t-0", 1, reference="B-1", at=NOW)

    fight(queued(queues.REWARDS))

    found = card(now=NOW)
    assert found is not None
    total = 2 * PURCHASES - 1
    full = sum(not fill.undone_by for fill in found.fills)
    archived = found.fills_made - len(found.fills)
    assert full + archived == total // 5
    assert sum(one.free for one in found.lots) == total % 5
    balance = balance_at(found, NOW)
    assert balance.active + balance.pending == total % 5
    assert sum(one.pending + one.available for one in money(now=NOW)) == 300 * (total // 5)
    assert Balances("GBP") not in money(now=NOW)


@pytest.mark.requirement("LOY-16")
def test_sixteen_at_once_give_the_units_of_each_full_card_once(embedded_aws: None) -> None:
    open_giving()
    for number in range(PURCHASES):
        buy(f"t-{number}", 2, at=PAID_AT + number * timedelta(hours=30))
    bring_back("t-0", 1, reference="B-1", at=NOW)

    fight(queued(queues.REWARDS))

    full = (2 * PURCHASES - 1) // 5
    assert points(now=NOW + 40 * DAY) == (0, 20 * full, 0)
    given = [entry.payment_id for entry in entries(now=NOW)]
    assert len(set(given)) == len(given)
    at_hand = {fill.number for fill in fills(now=NOW) if not fill.undone_by}
    standing = {int(one.rpartition("~f")[2]) for one in given}
    assert at_hand <= standing
