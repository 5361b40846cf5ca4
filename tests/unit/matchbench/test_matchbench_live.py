"""The platform's own decision on days in memory: when it is asked, and what it knows by then."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from chalicelib.kernel.ids import PaymentId
from chalicelib.matching.finding import Finder
from chalicelib.matching.outcome import MatchDecision, Matched, NothingNear
from chalicelib.matching.questions import Near, Question
from chalicelib.matching.reach import Window
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.standing import Waiting
from chalicelib.matching.timekeeping.keeping import Timekeeper
from chalicelib.matching.why import Why
from chalicelib.purchases import receiving
from chalicelib.runtime import queues
from chalicelib.tills.store import UNMATCHED_RECEIPTS
from infra.matchbench import live, memory
from infra.matchbench.block import Block
from infra.matchbench.contestants import LIVE, LIVE_FIRST, LIVE_LATER, ORACLE, OURS, contest_live
from infra.matchbench.generating import draw_block
from infra.matchbench.judging import Tally
from infra.matchbench.laws import Amounts, Arrivals
from infra.matchbench.live import Live, Settled
from infra.matchbench.sending import Delays, instant, receipt_of, signals_of, stores_of
from infra.matchbench.street import DAY_SECONDS, Street
from infra.matchbench.true_clocks import TrueClock

STREET = Street(sales_per_day=20, days=2)
NOON = STREET.starts_at + DAY_SECONDS / 2
AT_ONCE = Delays(hook_seconds=1e-6, hook_behind_share=0.0, line_down_share=0.0)
ODD = 4_273  # Minor units that no other sale has.


def block_of(charges: list[Charge], slips: list[tuple[Slip, float]]) -> Block:
    """Days of one store with one till, whose clock is right; slips with when they come."""
    block = Block(STREET, Arrivals(STREET), Amounts(STREET, Random(1)), {})
    block.clocks["shop", "1"] = TrueClock(0.0, 0.0, STREET.starts_at, (), 5.0)
    block.charges.extend(charges)
    for slip, arrived_at in slips:
        block.slips.append(slip)
        block.sold_at.append(slip.at)
        block.arrived_at.append(arrived_at)
    block.receipt_by_payment.update({c.payment_id: f"r-{c.payment_id}" for c in charges})
    return block


def charge(name: str = "p", at: float = NOON, amount: int = ODD) -> Charge:
    return Charge(name, f"m-{name}", at, ((amount, "GBP"),), ("shop",), "bank", auth_code="A1B2C3")


def slip(name: str = "r-p", at: float = NOON, amount: int = ODD) -> Slip:
    return Slip(name, 0, "shop", "1", at, amount, "GBP", auth_code="A1B2C3")


def played(charges: list[Charge], slips: list[tuple[Slip, float]]) -> dict[str, Settled]:
    settled = Live(block_of(charges, slips), AT_ONCE, Random(1)).play()
    return {str(payment_id): became for payment_id, became in settled.items()}


def waited(became: Settled) -> float:
    """Seconds from noon to the decision."""
    return became.at.timestamp() - NOON


def test_a_payment_that_waits_is_matched_when_its_receipt_comes() -> None:
    became = played([charge()], [(slip(), NOON + 12.0)])["p"]

    assert isinstance(became.decision, Matched)
    assert became.decision.part.receipt.reference == "r-p"
    assert waited(became) == pytest.approx(12.0)


def test_a_receipt_that_nobody_waits_for_is_not_seen_until_it_is_gathered() -> None:
    late = Delays(hook_seconds=1e-6, hook_behind_share=0.0, line_down_share=0.0)
    paid_after = replace(charge(), at=NOON + 60.0)

    settled = Live(block_of([paid_after], [(slip(), NOON + 12.0)]), late, Random(1)).play()

    became = settled[PaymentId("p")]
    assert isinstance(became.decision, Matched)
    assert waited(became) == pytest.approx(12.0 + 300.0)


def test_a_strangers_receipt_is_not_taken_while_the_own_one_is_being_gathered() -> None:
    paid = replace(charge(), auth_code=None)
    own, strangers = (replace(slip(name), auth_code=None) for name in ("r-p", "r-other"))
    hook_is_slow = replace(AT_ONCE, hook_seconds=10.0)
    came = [(own, NOON + 0.5), (replace(strangers, at=NOON + 20.0), NOON + 40.0)]

    settled = Live(block_of([paid], came), hook_is_slow, Random(1)).play()

    assert not isinstance(settled[PaymentId("p")].decision, Matched)


def test_a_receipt_that_comes_hours_later_still_finds_its_payment() -> None:
    became = played([charge()], [(slip(), NOON + 5 * 3_600.0)])["p"]

    assert isinstance(became.decision, Matched)
    assert waited(became) == pytest.approx(5 * 3_600.0)


def test_a_payment_without_a_receipt_is_looked_at_by_night_and_ends_after_a_week() -> None:
    became = played([charge()], [])["p"]

    assert became.decision == NothingNear(Why.NO_RECEIPT_YET)
    half_past_three_a_week_later = (7 * DAY_SECONDS) + 15 * 3_600.0 + 20 * 60.0
    assert waited(became) == half_past_three_a_week_later


def test_two_who_paid_the_same_one_after_the_other_are_decided_together() -> None:
    """Each alone could be either's; of both together only one way is probable."""
    morning = NOON - 6 * 3_600
    known = [(f"e{n}", morning + 600 * n, 3_000 + 37 * n) for n in range(12)]
    charges = [charge(name, at, amount) for name, at, amount in known]
    came = [(slip(f"r-{name}", at + 2, amount), at + 10) for name, at, amount in known]
    for name, at in (("p", NOON), ("q", NOON + 40)):
        charges.append(replace(charge(name, at), auth_code=None))
        came.append((replace(slip(f"r-{name}", at + 2), auth_code=None), NOON + 3 * 3_600))

    settled = Live(block_of(charges, came), AT_ONCE, Random(1)).play()

    for name in ("p", "q"):
        decision = settled[PaymentId(name)].decision
        assert isinstance(decision, Matched)
        assert decision.part.receipt.reference == f"r-{name}"


def test_a_list_that_lacks_who_came_since_decides_nothing_by_itself() -> None:
    """Two sources' payments may be told while a store's waiting ones are looked at."""
    pages, lists = memory.PagesInMemory(), memory.ListsInMemory()
    keeper = Timekeeper(memory.ClocksInMemory(), tell_far_off=lambda *_: None)
    finder = Finder(pages=pages, lists=lists, timekeeping=keeper)
    (store,) = stores_of(block_of([], [(slip(), NOON)])).values()
    when = instant(NOON)
    first, other = (
        Waiting(signals_of(charge(name)), when, waits_since=when) for name in ("p", "q")
    )
    pages.keep([receipt_of([slip()])], now=when)
    lists.keep_waiting(first)
    later = when + timedelta(hours=1)
    old = Near(store.store_id, (Window(when - timedelta(days=1), later),), (first,))
    question = Question(first.signals, when, (store,))

    def look() -> MatchDecision:
        return finder.find_match(
            question, claim_stands=lambda _: True, now=later, consistent=True, near=old
        )

    alone = look()
    lists.keep_waiting(other)
    beside = look()

    assert isinstance(alone, Matched)
    assert not isinstance(beside, Matched)


def test_two_who_want_one_receipt_both_end_without_it() -> None:
    both = [replace(charge(name), auth_code=None) for name in ("p", "q")]
    only = replace(slip(), auth_code=None)

    found = played(both, [(only, NOON + 12.0)])

    assert {became.decision.why for became in found.values()} == {Why.NO_RECEIPT_YET}
    assert {type(became.decision) for became in found.values()} == {NothingNear}


def test_what_surrounds_the_decision_is_as_the_platform_has_it() -> None:
    assert timedelta(seconds=queues.DELAY_SECONDS_MAX) == live.QUEUE_HOLDS_MAX
    assert UNMATCHED_RECEIPTS.lasts == memory.PAGES_LAST
    assert live.PAGE_WORTH_RECEIPTS == receiving.PAGE_WORTH_RECEIPTS


def test_everybody_is_judged_on_the_same_purchases() -> None:
    street = replace(STREET, sales_per_day=150, days=4, return_share=0.3)
    block = draw_block(street, Random("judged"), name="b", slips=600)
    tallies: dict[str, Tally] = {}

    contest_live(block, tallies, seed="judged")

    assert set(tallies) == {LIVE, LIVE_FIRST, LIVE_LATER, OURS, ORACLE}
    one = tallies[LIVE]
    assert one.payments == tallies[OURS].payments == tallies[ORACLE].payments
    assert one.with_receipt == tallies[OURS].with_receipt
    assert one.payments == tallies[LIVE_FIRST].payments + tallies[LIVE_LATER].payments
    assert one.payments < len(block.charges)
    assert one.waited.total() == one.right + one.wrong
    assert one.recall > 0.5
