"""Sixteen at once on one book and one payout: exact, each once, and the chain holds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from chalicelib.kernel.refusals import TryAgain
from chalicelib.ledger import checking
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.giving import give, take_back
from chalicelib.ledger.model import Balances, EntryKind
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Accepted, Executed, Failed, PayoutState, Unknown
from tests.makers.ledger import BOUGHT_AT, MEMBER, balances, book_of, make_gift, pounds
from tests.makers.payouts import LATER, make_available_money, open_queues, write_instruction

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

THREADS = 16
TRIES_MAX = 200
NEXT_DAY = BOUGHT_AT + timedelta(days=1)


def _at_once(steps: Sequence[Callable[[], object]]) -> None:
    """Do all of `steps`, each again until it did not have to be tried again, as a queue would."""

    def until_done(step: Callable[[], object]) -> None:
        for _ in range(TRIES_MAX):
            try:
                step()
            except TryAgain:
                continue
            return
        raise AssertionError("a step was never done")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(until_done, steps))


def test_sixteen_threads_on_one_book_leave_every_entry_once() -> None:
    gifts = [make_gift(number, 100) for number in range(1, 25)]
    gives = [lambda gift=gift: give(gift, now=BOUGHT_AT) for gift in gifts for _ in range(2)]
    Random(5).shuffle(gives)

    _at_once(gives)
    taking = [
        lambda gift=gift: take_back(
            gift.key,
            "line-1",
            member_id=MEMBER,
            amount=pounds(40),
            originated_at=BOUGHT_AT,
            reason="returned",
            now=NEXT_DAY,
        )
        for gift in gifts
        for _ in range(2)
    ]
    _at_once(taking)

    assert balances(now=NEXT_DAY) == Balances("GBP", pending=24 * 60)
    assert [posting.seq for posting in book_of(now=NEXT_DAY)] == list(range(1, 49))
    assert (
        checking.check_pages(checking.read_book(member_owner(MEMBER), now=NEXT_DAY), now=NEXT_DAY)
        == ()
    )


def test_sixteen_threads_that_say_all_kinds_of_things_settle_one_payout_once() -> None:
    open_queues()
    make_available_money(500)
    payout_id = write_instruction(500).payout_id
    words = [Unknown(), Accepted("r"), Executed("r", LATER), Failed("late", is_final=True)] * 8
    Random(7).shuffle(words)

    _at_once(
        [lambda word=word: payouts.record_outcome(payout_id, word, now=LATER) for word in words]
    )

    kinds = [posting.entry.kind for posting in book_of(now=LATER)]
    assert kinds.count(EntryKind.PAYOUT_SETTLED) == 1
    assert kinds.count(EntryKind.PAYOUT_FAILED) <= 1
    assert payouts.get(payout_id, now=LATER).state is PayoutState.EXECUTED
    assert balances(now=LATER) == Balances("GBP", paid=500)
    assert (
        checking.check_pages(checking.read_book(member_owner(MEMBER), now=LATER), now=LATER) == ()
    )
