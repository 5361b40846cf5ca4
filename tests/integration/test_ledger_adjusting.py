"""A member's money is corrected by two people, once, whatever breaks off, and told once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotFound, Rejected, TryAgain
from chalicelib.ledger.adjusting import service
from chalicelib.ledger.adjusting.model import (
    DECIDED_WITHIN,
    AdjustmentState,
    ConflictingAdjustment,
    NoSuchAdjustment,
    NotAPerson,
    OwnProposal,
    ProposalTooOld,
)
from chalicelib.ledger.model import Balances
from chalicelib.notices.sources import of_posting
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import queues
from tests.makers.adjusting import DECIDED_AT, ROOK, WREN, propose
from tests.makers.dying import Died, dying
from tests.makers.ledger import balances, book_of
from tests.makers.meanwhile import meanwhile
from tests.makers.paying import make_account, make_member, record_paying
from tests.makers.payouts import sent_to

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

APPROVED_WITH_WRITES = 4  # What was decided, the book, the daybook, the list.


@pytest.fixture
def ada(embedded_aws: None) -> MemberId:
    record_paying(make_account(Rail.BANK))
    return make_member().member_id


def approve(reference: str = "CASE-12", by: str = ROOK) -> object:
    return service.approve(reference, by=by, now=DECIDED_AT)


def has(member_id: MemberId) -> Balances:
    return balances(member_id, now=DECIDED_AT)


def told() -> list[tuple[object, ...]]:
    said = sent_to(queues.NOTICES)
    return [(one["kind"], one.get("minor"), one.get("reason"), one["notice_id"]) for one in said]


def test_nothing_is_moved_before_another_person_approves(ada: MemberId) -> None:
    propose(ada)

    waiting = [(one.reference, one.state) for one in service.list_open(now=DECIDED_AT)]

    assert waiting == [("CASE-12", AdjustmentState.PROPOSED)]
    assert (has(ada), told()) == (Balances("GBP"), [])


@pytest.mark.parametrize("minor", [500, -500])
def test_what_is_approved_is_entered_and_told_once(ada: MemberId, minor: int) -> None:
    propose(ada, minor)

    approve()
    approve()

    (posting,) = book_of(ada, now=DECIDED_AT)
    (shown,) = of_posting(posting)
    entry = posting.entry
    assert has(ada) == Balances("GBP", available=minor)
    assert (entry.cause, entry.reason, entry.at) == ("CASE-12", "goodwill", DECIDED_AT)
    assert told() == [("adjusted", minor, "goodwill", shown.notice_id)] * 2  # One notice by its id.
    assert shown.payment_id == ""
    assert service.list_open(now=DECIDED_AT) == []


def test_whoever_proposes_does_not_approve(ada: MemberId) -> None:
    propose(ada)

    with pytest.raises(OwnProposal):
        approve(by=WREN)

    assert (has(ada), told()) == (Balances("GBP"), [])


def test_who_proposes_it_again_is_not_another_person(ada: MemberId) -> None:
    propose(ada)
    propose(ada, by=ROOK)

    with pytest.raises(OwnProposal):
        approve(by=WREN)


def test_what_names_no_person_proposes_nothing(ada: MemberId) -> None:
    with pytest.raises(NotAPerson):
        propose(ada, by="arn:aws:iam::123456789012:root")

    assert service.list_open(now=DECIDED_AT) == []


def test_a_reference_stands_for_one_adjustment_for_ever(ada: MemberId) -> None:
    first = propose(ada)
    ben = make_member("ben", 2).member_id

    for member_id, minor in ((ada, 501), (ben, 500)):
        with pytest.raises(ConflictingAdjustment):
            propose(member_id, minor)

    assert propose(ada) == first


def test_what_is_refused_is_not_approved_and_the_other_way_about(ada: MemberId) -> None:
    propose(ada)
    propose(ada, reference="CASE-13")
    service.refuse("CASE-12", by=WREN, now=DECIDED_AT)
    approve("CASE-13")

    with pytest.raises(ConflictingAdjustment):
        approve()
    with pytest.raises(ConflictingAdjustment):
        service.refuse("CASE-13", by=WREN, now=DECIDED_AT)

    assert has(ada) == Balances("GBP", available=500)
    assert service.list_open(now=DECIDED_AT) == []


def test_a_proposal_of_which_nobody_decided_is_proposed_anew(ada: MemberId) -> None:
    propose(ada, now=DECIDED_AT - DECIDED_WITHIN - timedelta(seconds=1))
    propose(ada, reference="CASE-13", now=DECIDED_AT - DECIDED_WITHIN)

    with pytest.raises(ProposalTooOld):
        approve()
    approve("CASE-13")

    assert has(ada) == Balances("GBP", available=500)


@pytest.mark.parametrize(
    ("minor", "reference", "refusal"),
    [
        (0, "CASE-12", "amount_out_of_range"),
        (100_001, "CASE-12", "amount_out_of_range"),
        (-100_001, "CASE-12", "amount_out_of_range"),
        (1, "no words please", "malformed"),
        (1, "", "malformed"),
    ],
)
def test_refuses_what_moves_nothing_or_too_much_or_has_no_name(
    ada: MemberId, minor: int, reference: str, refusal: str
) -> None:
    with pytest.raises(Rejected) as refused:
        propose(ada, minor, reference=reference)

    assert refused.value.code == refusal
    assert service.list_open(now=DECIDED_AT) == []


def test_nobody_is_given_what_nobody_proposed_and_strangers_nothing(ada: MemberId) -> None:
    with pytest.raises(NoSuchAdjustment):
        approve("CASE-99")
    with pytest.raises(NotFound):
        propose(MemberId("nobodynobodynobodynobody22"))

    assert service.list_open(now=DECIDED_AT) == []


@pytest.mark.parametrize("is_heard", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("nth", range(1, APPROVED_WITH_WRITES + 1))
def test_whoever_dies_is_finished_by_another_approval(
    ada: MemberId, nth: int, is_heard: bool
) -> None:
    propose(ada)
    with pytest.raises(Died), dying(nth, is_heard=is_heard):
        approve()

    waiting = len(service.list_open(now=DECIDED_AT))
    approve()

    assert waiting == (0 if nth == APPROVED_WITH_WRITES and is_heard else 1)
    assert has(ada) == Balances("GBP", available=500)
    assert len(book_of(ada, now=DECIDED_AT)) == 1
    assert len({one[3] for one in told()}) == 1
    assert service.list_open(now=DECIDED_AT) == []


def test_who_decides_a_moment_later_has_to_look_again(ada: MemberId) -> None:
    propose(ada)

    def refuse() -> None:
        service.refuse("CASE-12", by=ROOK, now=DECIDED_AT)

    with meanwhile(2, refuse) as made, pytest.raises(TryAgain):
        service.approve("CASE-12", by=ROOK, now=DECIDED_AT)

    assert made[:2] == ["GetItem", "PutItem"]
    assert service.get("CASE-12", now=DECIDED_AT).state is AdjustmentState.REFUSED
    assert has(ada).available == 0


def test_of_many_at_once_one_decides(ada: MemberId) -> None:
    propose(ada)

    def attempt(decide: object) -> str:
        try:
            return decide("CASE-12", by=ROOK, now=DECIDED_AT).state.value  # type: ignore[operator]
        except (ConflictingAdjustment, TryAgain):
            return "late"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(attempt, [service.approve, service.refuse] * 4))

    decided = service.get("CASE-12", now=DECIDED_AT).state
    assert {one for one in said if one != "late"} == {decided.value}
    assert has(ada).available == (500 if decided is AdjustmentState.APPROVED else 0)
