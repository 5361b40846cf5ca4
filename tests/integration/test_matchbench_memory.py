"""What the benchmark keeps in memory answers as the platform's tables do."""

from datetime import timedelta
from random import Random

import pytest

from chalicelib.matching import service as matching
from chalicelib.matching import store as lists
from chalicelib.matching.finding import Finder
from chalicelib.matching.outcome import MatchDecision, Matched
from chalicelib.matching.questions import Question
from chalicelib.matching.standing import Waiting
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.matching.timekeeping.keeping import Timekeeper
from chalicelib.matching.timekeeping.votes import vote_of
from chalicelib.tills import service as tills
from infra.matchbench.generating import draw_block
from infra.matchbench.memory import ClocksInMemory, ListsInMemory, PagesInMemory
from infra.matchbench.sending import DELAYS, instant, payments_of, posts_of, stores_of
from infra.matchbench.street import DAY_SECONDS, Street

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

STREET = Street(sales_per_day=150, days=1, member_share=0.3, till_digits_share=0.3, price_points=6)


def test_a_day_is_decided_in_memory_as_on_tables() -> None:
    block = draw_block(STREET, Random("alike"), name="b", slips=150)
    (store,) = stores_of(block).values()
    receipts = [one for post in posts_of(block, DELAYS, Random(1)) for one in post.receipts]
    evening = instant(STREET.starts_at + DAY_SECONDS)
    pages, memory = PagesInMemory(), ListsInMemory()
    timekeeper = Timekeeper(ClocksInMemory(), tell_far_off=lambda *_: None)
    finder = Finder(pages=pages, lists=memory, timekeeping=timekeeper)
    pages.keep(receipts, now=evening)
    tills.keep_on_pages(store, receipts, now=evening)
    waiting = [
        Waiting(paid.signals, paid.signals.made_at, evening)
        for paid in payments_of(block, DELAYS, Random(1))
    ]
    for one in waiting:
        memory.keep_waiting(one)
        lists.keep_waiting(one)

    decided: list[tuple[MatchDecision, MatchDecision]] = []
    for number, one in enumerate(waiting):
        now = evening + timedelta(seconds=number)
        question = Question(one.signals, one.anchored_at, (store,))
        in_memory, on_tables = (
            by.look(question, claim_stands=lambda _: True, now=now, consistent=True)
            for by in (finder, matching)
        )
        decided.append((in_memory, on_tables))
        for decision, votes in ((in_memory, timekeeper), (on_tables, timekeeping)):
            vote = vote_of(decision, one.anchored_at) if isinstance(decision, Matched) else None
            if vote is not None:
                votes.vote(store.store_id, vote, now=now)
        if isinstance(in_memory, Matched):
            memory.stop_waiting(one)
            lists.stop_waiting(one.signals)

    assert [mine for mine, _ in decided] == [theirs for _, theirs in decided]
    assert sum(isinstance(mine, Matched) for mine, _ in decided) > 20
    assert not all(isinstance(mine, Matched) for mine, _ in decided)
