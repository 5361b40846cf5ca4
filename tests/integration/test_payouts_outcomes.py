"""What a rail says of a payout, kept with it and entered in the journal once, in whatever order."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.ledger import moving
from chalicelib.ledger.model import Balances, EntryKind
from chalicelib.payouts import service, store
from chalicelib.payouts.model import (
    Accepted,
    Executed,
    Failed,
    NoSuchPayout,
    Outcome,
    PayoutState,
    Returned,
    Unknown,
)
from chalicelib.payouts.service import CannotBecome
from chalicelib.runtime import queues
from tests.makers.ledger import MEMBER, balances, book_of
from tests.makers.payouts import (
    LATER,
    PAID_ON,
    PAYING_AT,
    make_available_money,
    open_queues,
    sent_to,
    write_instruction,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

EXECUTED = Executed("r-1", LATER)
REFUSED = Failed("account_closed", is_final=True)
RETURNED = Returned("AC04", LATER)
WORDS: tuple[Outcome, ...] = (Unknown(), Accepted("r-1"), EXECUTED, REFUSED, RETURNED)


@pytest.fixture(autouse=True)
def _queues(embedded_aws: None) -> None:
    open_queues()


def _say(*outcomes: Outcome, minor: int = 500) -> str:
    make_available_money(minor)
    payout = write_instruction(minor)
    for outcome in outcomes:
        service.record_outcome(payout.payout_id, outcome, now=LATER)
    return payout.payout_id


def _kinds() -> list[EntryKind]:
    return [posting.entry.kind for posting in book_of(now=LATER)][1:]


@pytest.mark.requirement("LOY-02")
def test_money_is_in_payment_until_the_rail_says_that_it_left() -> None:
    payout_id = _say()

    assert balances() == Balances("GBP", in_payment=500)
    service.record_outcome(payout_id, Accepted("r-1"), now=LATER)
    assert balances() == Balances("GBP", in_payment=500)
    service.record_outcome(payout_id, EXECUTED, now=LATER)
    assert balances() == Balances("GBP", paid=500)
    assert _kinds() == [EntryKind.PAYOUT_WRITTEN, EntryKind.PAYOUT_SETTLED]


def test_what_fails_is_available_again() -> None:
    _say(Accepted("r-1"), REFUSED)

    assert balances() == Balances("GBP", available=500)
    assert book_of(now=LATER)[-1].entry.reason == "account_closed"


def test_what_comes_back_is_payable_again() -> None:
    _say(EXECUTED, RETURNED)

    assert balances() == Balances("GBP", available=500, paid=500, returned=500)


def test_the_member_is_told_of_money_that_left_and_of_money_that_came_back() -> None:
    payout_id = _say(Accepted("r-1"), EXECUTED)
    service.record_outcome(payout_id, RETURNED, now=LATER + timedelta(days=2))

    told = sent_to(queues.NOTICES)
    kinds = [(one["kind"], one["subject"], one.get("reason", "")) for one in told]
    assert kinds == [
        ("reward_paid", payout_id, ""),
        ("reward_returned", payout_id, "AC04"),
    ]


@pytest.mark.parametrize("before", [(), (Accepted("r-1"),), (REFUSED,)], ids=str)
def test_what_comes_back_before_it_was_said_to_have_left_is_told_as_both(
    before: tuple[Outcome, ...],
) -> None:
    payout_id = _say(*before, RETURNED)

    told = [(one["kind"], one["subject"]) for one in sent_to(queues.NOTICES)]
    assert told == [("reward_paid", payout_id), ("reward_returned", payout_id)]


def test_a_word_that_comes_again_tells_both_again_under_the_same_ids() -> None:
    payout_id = _say(RETURNED)
    first = sent_to(queues.NOTICES)

    service.record_outcome(payout_id, RETURNED, now=LATER + timedelta(days=3))

    again = sent_to(queues.NOTICES)
    assert [one["kind"] for one in again] == ["reward_paid", "reward_returned"]
    assert [one["notice_id"] for one in again] == [one["notice_id"] for one in first]


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        # A run that wrote down that it left may have died before it said so.
        (timedelta(hours=23), ["reward_paid", "reward_returned"]),
        (timedelta(hours=24), ["reward_returned"]),
    ],
)
def test_that_money_left_is_told_again_with_its_return_only_on_the_day_it_was_said(
    after: timedelta, kinds: list[str]
) -> None:
    payout_id = _say(EXECUTED)
    sent_to(queues.NOTICES)

    service.record_outcome(payout_id, RETURNED, now=LATER + after)

    assert [one["kind"] for one in sent_to(queues.NOTICES)] == kinds


def test_what_had_failed_and_is_executed_late_is_booked_and_disputed(counted) -> None:
    payout_id = _say(REFUSED, EXECUTED)

    assert balances() == Balances("GBP", paid=500)
    assert service.get(payout_id, now=LATER).is_disputed
    assert counted["payouts_disputed:sandbox"] == 1


def test_what_was_paid_again_meanwhile_is_set_off_and_not_lost() -> None:
    payout_id = _say(REFUSED)
    again = write_instruction(500, on=PAID_ON + timedelta(days=1))
    service.record_outcome(again.payout_id, EXECUTED, now=LATER)

    service.record_outcome(payout_id, EXECUTED, now=LATER)

    assert balances() == Balances("GBP", available=-500, paid=1_000)


def test_a_failure_of_what_was_executed_pays_nothing_back(counted) -> None:
    payout_id = _say(EXECUTED, REFUSED)

    assert balances() == Balances("GBP", paid=500)
    assert service.get(payout_id, now=LATER).state is PayoutState.EXECUTED
    assert counted["payouts_disputed:sandbox"] == 1


def test_a_word_that_comes_twice_changes_nothing() -> None:
    payout_id = _say(EXECUTED)
    before = service.get(payout_id, now=LATER)

    again = service.record_outcome(payout_id, EXECUTED, now=LATER + timedelta(days=90))

    assert (again, len(book_of(now=LATER))) == (before, 3)


@pytest.mark.parametrize("words", list(permutations(WORDS, 3)))
def test_whatever_is_said_in_whatever_order_nothing_is_lost(words: tuple[Outcome, ...]) -> None:
    payout_id = _say(*words)

    after = balances()
    kinds = _kinds()
    assert after.earned == 500
    assert len(set(kinds)) == len(kinds)
    assert (EXECUTED in words or RETURNED in words) == (after.paid == 500)
    assert (after.returned == 500) == (RETURNED in words)
    assert after.in_payment >= 0
    assert service.get(payout_id, now=LATER).path[0] is PayoutState.WRITTEN


def test_a_worker_that_died_before_the_journal_is_finished_by_the_same_word() -> None:
    payout_id = _say()
    before = service.get(payout_id, now=LATER)
    path = (*before.path, PayoutState.EXECUTED)
    store.record_change(replace(before, state=PayoutState.EXECUTED, path=path, version=2))

    service.record_outcome(payout_id, EXECUTED, now=LATER)

    assert balances() == Balances("GBP", paid=500)


ROADS: dict[PayoutState, tuple[Outcome, ...]] = {
    PayoutState.WRITTEN: (),
    PayoutState.SENT: (Accepted("r-1"),),
    PayoutState.UNKNOWN: (Unknown(),),
    PayoutState.EXECUTED: (EXECUTED,),
    PayoutState.FAILED: (REFUSED,),
    PayoutState.RETURNED: (EXECUTED, RETURNED),
}
ENDS: dict[PayoutState, Executed | Failed | Returned] = {
    PayoutState.EXECUTED: EXECUTED,
    PayoutState.FAILED: REFUSED,
    PayoutState.RETURNED: RETURNED,
}
IN_BALANCES = {
    PayoutState.EXECUTED: Balances("GBP", paid=500),
    PayoutState.FAILED: Balances("GBP", available=500),
    PayoutState.RETURNED: Balances("GBP", available=500, paid=500, returned=500),
}
CANNOT = {
    (PayoutState.EXECUTED, PayoutState.FAILED),
    (PayoutState.RETURNED, PayoutState.EXECUTED),
    (PayoutState.RETURNED, PayoutState.FAILED),
}


@pytest.mark.requirement("LOY-02")
@pytest.mark.parametrize("said", ENDS, ids=str)
@pytest.mark.parametrize("stands", ROADS, ids=str)
def test_a_person_ends_a_payout_as_the_table_says_or_is_refused_and_nothing_changes(
    stands: PayoutState, said: PayoutState
) -> None:
    payout_id = _say(*ROADS[stands])
    before, entries = service.get(payout_id, now=LATER), len(_kinds())

    if (stands, said) in CANNOT:
        with pytest.raises(CannotBecome, match=f"the payout (is|was) {stands.value}"):
            service.settle(payout_id, ENDS[said], now=LATER)
        assert (service.get(payout_id, now=LATER), len(_kinds())) == (before, entries)
        return
    after = service.settle(payout_id, ENDS[said], now=LATER)

    assert (after.state, after.is_disputed) == (said, False)
    assert balances() == IN_BALANCES[said]


def test_a_days_payouts_are_listed_in_stretches() -> None:
    payout_id = _say()

    assert [p.payout_id for p in store.list_of_day(PAID_ON, now=LATER)[0]] == [payout_id]
    assert store.list_of_day(PAID_ON, now=LATER, limit=1)[1] == payout_id
    assert store.list_of_day(PAID_ON, after=payout_id, now=LATER) == ([], None)


def test_nothing_is_said_of_a_payout_that_there_is_not() -> None:
    with pytest.raises(NoSuchPayout):
        service.record_outcome("20261202" + "a" * 18, EXECUTED, now=LATER)


def test_what_was_set_aside_stays_the_same_amount_when_more_comes() -> None:
    payout_id = _say()
    make_available_money(300, 2)

    again = moving.instruct(
        MEMBER, "GBP", payout_id, minor_min=1, originated_at=PAYING_AT, now=LATER
    )

    assert again is not None
    assert (again.is_new, again.entry.legs[1].minor) == (False, 500)
    assert balances() == Balances("GBP", available=300, in_payment=500)


def test_less_than_the_minimum_is_not_set_aside() -> None:
    make_available_money(499)

    set_aside = moving.instruct(
        MEMBER, "GBP", "x" * 26, minor_min=500, originated_at=PAYING_AT, now=PAYING_AT
    )

    assert (set_aside, balances()) == (None, Balances("GBP", available=499))


def test_a_debt_is_written_off_once_and_only_a_debt() -> None:
    payout_id = _say(REFUSED)
    again = write_instruction(500, on=PAID_ON + timedelta(days=1))
    for one in (again.payout_id, payout_id):
        service.record_outcome(one, EXECUTED, now=LATER)

    def write_off(key: str):
        return moving.write_off(MEMBER, "GBP", key=key, originated_at=LATER, now=LATER)

    first, repeated, other = write_off("off:1"), write_off("off:1"), write_off("off:2")

    assert first is not None
    assert repeated is not None
    assert (first.is_new, repeated.is_new, other) == (True, False, None)
    assert balances() == Balances("GBP", paid=1_000, written_off=500)
    assert balances().earned == 500


def test_money_that_the_member_is_owed_is_not_written_off() -> None:
    make_available_money(500)

    given_up = moving.write_off(MEMBER, "GBP", key="off:1", originated_at=LATER, now=LATER)

    assert given_up is None
    assert balances() == Balances("GBP", available=500)
