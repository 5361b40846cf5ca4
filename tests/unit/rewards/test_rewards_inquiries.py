"""What becomes of an inquiry follows from how the purchase stands, and it ends once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.notices.wording import ENGLISH
from chalicelib.rewards.inquiries.model import (
    DUE_WITHIN,
    PAPER_WITHIN,
    Inquiry,
    InquiryState,
    Outcome,
    Situation,
    Step,
    Why,
    look,
    new_inquiry,
    resolve,
)

AT = datetime(2028, 2, 29, 23, 59, tzinfo=UTC)
NEW = new_inquiry(PaymentId("payment-1"), MemberId("ada"), anchored_at=AT, now=AT)
NO_RECEIPT = Situation(
    takes_part=True, has_earned=False, is_held=False, has_receipt=False, waits=False
)
WAITS = replace(NO_RECEIPT, waits=True)
NOTHING_EARNED = replace(NO_RECEIPT, has_receipt=True)
HELD = replace(NOTHING_EARNED, has_earned=True, is_held=True)
EARNED = replace(NOTHING_EARNED, has_earned=True)

situations = st.builds(
    Situation,
    takes_part=st.booleans(),
    has_earned=st.booleans(),
    is_held=st.booleans(),
    has_receipt=st.booleans(),
    waits=st.booleans(),
)


def looked(*seen: Situation | None, hours: int = 1) -> Inquiry:
    inquiry = NEW
    for number, situation in enumerate(seen):
        inquiry = look(inquiry, situation, now=AT + timedelta(hours=number * hours))
    return inquiry


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        (WAITS, Step.RECEIPT),
        (NO_RECEIPT, Step.PAPER),
        (NOTHING_EARNED, Step.PERSON),
        (HELD, Step.HOLD),
    ],
)
def test_waits_for_what_would_decide_it(situation: Situation, step: Step) -> None:
    inquiry = looked(situation)

    assert (inquiry.state, inquiry.step, inquiry.version) == (InquiryState.CHECKING, step, 2)
    assert look(inquiry, situation, now=AT) is inquiry


@pytest.mark.parametrize(
    ("seen", "outcome", "why"),
    [
        ((EARNED,), Outcome.GRANTED, Why.EARNED_ALREADY),
        ((WAITS, EARNED), Outcome.GRANTED, Why.FOUND_BY_ITSELF),
        ((NO_RECEIPT, EARNED), Outcome.GRANTED, Why.FOUND_BY_ITSELF),
        ((NOTHING_EARNED, EARNED), Outcome.GRANTED, Why.GRANTED),
        ((HELD, EARNED), Outcome.GRANTED, Why.GRANTED),
        ((replace(WAITS, takes_part=False),), Outcome.REFUSED, Why.NOT_ELIGIBLE),
        ((WAITS, None), Outcome.REFUSED, Why.NOT_ELIGIBLE),
    ],
)
def test_ends_with_its_reason(
    seen: tuple[Situation | None, ...], outcome: Outcome, why: Why
) -> None:
    inquiry = looked(*seen)

    assert (inquiry.state, inquiry.step) == (InquiryState.RESOLVED, None)
    assert (inquiry.outcome, inquiry.why) == (outcome, why)
    assert inquiry.resolved_at == AT + timedelta(hours=len(seen) - 1)


def test_paper_is_waited_for_two_weeks_and_a_late_receipt_as_long_as_it_may_come() -> None:
    last = AT + PAPER_WITHIN

    assert look(NEW, NO_RECEIPT, now=last - timedelta(seconds=1)).step is Step.PAPER
    assert look(NEW, NO_RECEIPT, now=last).why is Why.NO_RECEIPT
    assert look(NEW, WAITS, now=last).step is Step.RECEIPT


def test_is_overdue_only_where_a_person_should_have_looked() -> None:
    due = AT + DUE_WITHIN

    assert looked(NOTHING_EARNED).is_overdue(due)
    assert looked(HELD).is_overdue(due)
    assert not looked(NOTHING_EARNED).is_overdue(due - timedelta(seconds=1))
    assert not looked(WAITS).is_overdue(due)
    assert not looked(EARNED).is_overdue(due)


@given(st.lists(situations | st.none(), max_size=8), situations)
def test_what_has_ended_stays_so_whatever_is_seen_later(
    seen: list[Situation | None], later: Situation
) -> None:
    inquiry = looked(*seen)
    ended = (
        inquiry
        if inquiry.state is InquiryState.RESOLVED
        else resolve(inquiry, Outcome.REFUSED, Why.NO_RECEIPT, now=AT)
    )

    assert look(ended, later, now=AT + timedelta(days=90)) is ended
    assert ended.version <= len(seen) + 2


@pytest.mark.parametrize("why", Why)
def test_there_is_a_sentence_for_every_end(why: Why) -> None:
    assert why.value in ENGLISH.reasons
