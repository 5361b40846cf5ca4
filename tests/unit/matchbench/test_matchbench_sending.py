"""What banks and tills send of drawn days: those days, in the platform's words, a little later."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from chalicelib.kernel.ids import ReceiptId
from chalicelib.matching.scene import charge_of, scene_of
from chalicelib.matching.sides import ChargeKind
from chalicelib.receipts.canonical import ReceiptKind
from infra.matchbench.generating import draw_block
from infra.matchbench.sending import (
    DELAYS,
    RECEIPTS_PER_POST,
    payments_of,
    posts_of,
    signals_of,
    stores_of,
)
from infra.matchbench.street import Arrival, BankDigits, Street, Tips

QUICK = Street(sales_per_day=150, days=2, till_digits_share=0.5, till_code_share=0.5)
STREETS = {
    "bare": QUICK,
    "split": replace(QUICK, split_share=0.5),
    "tips": replace(QUICK, tip_share=0.5, tips=Tips.BESIDE),
    "foreign": replace(QUICK, foreign_share=0.5, bank_digits=BankDigits.REGISTERED),
    "mids": replace(QUICK, stores_together=3, has_mids=True),
    "twice": replace(QUICK, sent_twice_share=0.3),
}


@pytest.mark.parametrize("name", STREETS)
def test_the_matcher_weighs_what_was_drawn(name: str) -> None:
    block = draw_block(STREETS[name], Random(name), name="b", slips=600)

    posts = list(posts_of(block, DELAYS, Random(1)))

    receipts = [one for post in posts for one in post.receipts]
    drawn_id = {receipt.receipt_id: receipt.reference for receipt in receipts}
    weighed = [
        replace(slip, receipt_id=drawn_id[ReceiptId(slip.receipt_id)])
        for slip in scene_of(receipts).shelf.slips
    ]
    assert Counter(weighed) == Counter(replace(slip, content=None) for slip in block.slips)
    assert [charge_of(signals_of(charge)) for charge in block.charges] == block.charges


def test_each_comes_after_it_happened_and_some_come_late() -> None:
    block = draw_block(replace(QUICK, member_share=1.0), Random(1), name="b", slips=2_000)

    payments = payments_of(block, DELAYS, Random(2))
    posts = list(posts_of(block, DELAYS, Random(2)))

    hooks = [paid.at - paid.signals.made_at.timestamp() for paid in payments]
    lines = [one.at - at for one, at in zip(posts, block.arrived_at, strict=True)]
    assert min(hooks) >= 1.0
    assert min(lines) == 0.0
    assert 0.01 < sum(wait > 30.0 for wait in hooks) / len(hooks) < 0.03
    assert 0.02 < sum(wait > 0.0 for wait in lines) / len(lines) < 0.04


def test_delays_change_nothing_of_the_days() -> None:
    block = draw_block(QUICK, Random(1), name="b", slips=600)
    before = (list(block.charges), list(block.slips), list(block.arrived_at))

    payments_of(block, DELAYS, Random(2))
    list(posts_of(block, DELAYS, Random(2)))

    assert (block.charges, block.slips, list(block.arrived_at)) == before


def test_a_file_of_the_day_comes_in_posts_after_midnight() -> None:
    street = replace(QUICK, arrival=Arrival.END_OF_DAY)
    block = draw_block(street, Random(1), name="b", slips=300)

    posts = list(posts_of(block, DELAYS, Random(2)))

    assert [len(post.receipts) for post in posts].count(RECEIPTS_PER_POST) == 2
    assert sum(len(post.receipts) for post in posts) == len(block.slips)
    for post in posts:
        printed = [receipt.issued_at.timestamp() for receipt in post.receipts]
        assert post.at > max(printed)
        assert printed == sorted(printed)
    (store,) = stores_of(block).values()
    assert store.receipts_within_seconds == 90_000


def test_refunds_are_no_purchases_and_returns_no_part_of_one() -> None:
    block = draw_block(replace(QUICK, return_share=0.5), Random(1), name="b", slips=1_500)

    payments = payments_of(block, DELAYS, Random(2))
    receipts = [one for post in posts_of(block, DELAYS, Random(2)) for one in post.receipts]

    kinds = Counter(charge.kind for charge in block.charges)
    assert kinds[ChargeKind.REFUND] > 10
    assert len(payments) == kinds[ChargeKind.AUTH]
    returns = [receipt for receipt in receipts if receipt.kind is ReceiptKind.RETURN]
    assert len(returns) == sum(slip.is_return for slip in block.slips)
    assert scene_of(returns).parts == {}
