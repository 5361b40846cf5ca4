"""Whatever happens to a member's money, in whatever order and how often: the invariants hold."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import checking, moving
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.giving import bring_to, give, make_available, take_back
from chalicelib.ledger.invariants import broken
from chalicelib.ledger.model import MoreThanGiven
from chalicelib.payouts import service as payouts
from chalicelib.payouts import store as instructions
from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    Outcome,
    Returned,
    Unknown,
    new_instruction,
    payout_id_of,
)
from tests.makers.ledger import BOUGHT_AT, DUE_AT, balances, make_gift, pounds

LATER = DUE_AT + timedelta(days=2)
_members = count(1)
GIFTS = st.integers(1, 3)
AMOUNTS = st.integers(1, 600)
TOTALS = st.sampled_from(range(0, 501, 125))  # Two steps of one size are two.
WORDS: tuple[Outcome, ...] = (
    Unknown(),
    Accepted("r"),
    Executed("r", LATER),
    Failed("closed", is_final=True),
    Failed("busy", is_final=False),
    Returned("AC04", LATER),
)


@dataclass
class _Said:
    """What a model without pages, keys or accounts keeps of one gift."""

    given: int
    taken: dict[str, int]


class MembersMoney(RuleBasedStateMachine):
    """One member, three gifts, a payout a day, and everything that may be said of them."""

    def __init__(self) -> None:
        super().__init__()
        self.member = MemberId(f"member{next(_members):020}")
        self.gifts: dict[int, _Said] = {}
        self.days = 0
        self.payouts: list[str] = []

    def _gift(self, number: int):
        return make_gift(number, 500, member_id=self.member)

    @rule(number=GIFTS)
    def is_given(self, number: int) -> None:
        give(self._gift(number), now=BOUGHT_AT)
        self.gifts.setdefault(number, _Said(500, {}))

    @precondition(lambda self: self.gifts)
    @rule(number=GIFTS, part=st.sampled_from("abc"), minor=AMOUNTS)
    def a_part_is_taken_back(self, number: int, part: str, minor: int) -> None:
        said = self.gifts.get(number)
        if said is None or said.taken.get(part, minor) != minor:
            return
        more = 0 if part in said.taken else minor
        taking = {"member_id": self.member, "amount": pounds(minor), "originated_at": BOUGHT_AT}
        if sum(said.taken.values()) + more > said.given:
            with pytest.raises(MoreThanGiven):
                take_back(self._gift(number).key, part, reason="returned", now=LATER, **taking)
        else:
            take_back(self._gift(number).key, part, reason="returned", now=LATER, **taking)
            said.taken[part] = minor

    @precondition(lambda self: self.gifts)
    @rule(number=GIFTS, total=TOTALS)
    def is_brought_to(self, number: int, total: int) -> None:
        said = self.gifts.get(number)
        if said is None:
            return
        bring_to(self._gift(number), total, reason="returned", now=LATER)
        before = sum(said.taken.values())
        if total > before:
            said.taken[f"to:{total}"] = total - before

    @precondition(lambda self: self.gifts)
    @rule()
    def falls_due(self) -> None:
        keys = [self._gift(number).key for number in self.gifts]
        make_available(self.member, keys, originated_at=BOUGHT_AT, now=LATER)

    @rule(minimum=st.integers(1, 800))
    def a_payout_is_written(self, minimum: int) -> None:
        on = date(2026, 12, 5) + timedelta(days=self.days)
        payout_id = payout_id_of(self.member, "GBP", on)
        posted = moving.instruct(
            self.member,
            "GBP",
            payout_id,
            minor_min=minimum,
            originated_at=BOUGHT_AT,
            now=LATER,
        )
        if posted is None:
            return
        self.days += 1
        order = new_instruction(
            payout_id,
            member_id=self.member,
            connection_id=ConnectionId("bank"),
            amount=Money(posted.entry.legs[1].minor, "GBP"),
            rail="sandbox",
            now=LATER,
        )
        instructions.record_new(order, now=LATER)
        self.payouts.append(payout_id)

    @precondition(lambda self: self.payouts)
    @rule(which=st.integers(0, 9), word=st.sampled_from(WORDS))
    def something_is_said(self, which: int, word: Outcome) -> None:
        payouts.record_outcome(self.payouts[which % len(self.payouts)], word, now=LATER)

    @rule()
    def a_debt_is_written_off(self) -> None:
        key = f"off:{self.days}"
        moving.write_off(self.member, "GBP", key=key, originated_at=BOUGHT_AT, now=LATER)

    @invariant()
    def the_invariants_hold(self) -> None:
        book = checking.read_book(member_owner(self.member), now=LATER)
        assert broken(book) == ()

    @invariant()
    def what_was_earned_is_what_was_said(self) -> None:
        earned = sum(said.given - sum(said.taken.values()) for said in self.gifts.values())
        assert balances(self.member, now=LATER).earned == earned

    def teardown(self) -> None:
        assert (
            checking.check_pages(
                checking.read_book(member_owner(self.member), now=LATER), now=LATER
            )
            == ()
        )


@pytest.mark.stores
def test_whatever_happens_in_whatever_order_the_invariants_hold(embedded_aws: None) -> None:
    run_state_machine_as_test(
        MembersMoney, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )
