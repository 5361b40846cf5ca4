"""Night after night: what failed counts in a row, and a debt is as old as it is."""

from datetime import date, timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.giving import give, take_back
from chalicelib.ledger.model import Balances
from chalicelib.members.model import Member
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Executed, Failed, Outcome, payout_id_of
from chalicelib.payouts.netting import service as netting
from chalicelib.payouts.netting import store as unpaid
from chalicelib.payouts.netting.deciding import Why
from chalicelib.payouts.netting.store import Unpaid
from chalicelib.payouts.rails.model import Rail
from tests.makers.ledger import BOUGHT_AT, DUE_AT, make_gift, pounds
from tests.makers.nights import night_after
from tests.makers.paying import make_account, make_payee, record_paying

pytestmark = pytest.mark.stores

FIRST = DUE_AT.date() + timedelta(days=1)
CLOSED = Failed("closed", is_final=True)
WENT = Executed("r", night_after(FIRST))


@pytest.fixture(autouse=True)
def paying(embedded_aws: None) -> None:
    record_paying(make_account(Rail.SANDBOX, api_url="https://127.0.0.1:9"))


def given(member: Member, number: int) -> str:
    """Five pounds that may be paid at once; the key of the gift."""
    gift = make_gift(number, 500, member_id=member.member_id, available_at=BOUGHT_AT)
    give(gift, now=BOUGHT_AT)
    return gift.key


def net(member: Member, on: date, word: Outcome | None = None) -> int:
    """What a night orders for the member, and what the rail says of it before the next."""
    orders = netting.net_member(member.member_id, on=on, now=night_after(on))
    for order in orders if word else ():
        payouts.record_outcome(order.payout_id, word, now=night_after(on))
    return len(orders)


def test_only_failures_in_a_row_count_and_a_payment_that_went_ends_the_row() -> None:
    ada = make_payee()
    ordered = []
    for night, word in enumerate((CLOSED, CLOSED, WENT, CLOSED, CLOSED, CLOSED, WENT)):
        if night in (0, 3):
            given(ada, night + 1)
        ordered.append(net(ada, FIRST + timedelta(days=night), word))

    waits = unpaid.find(ada.member_id, "GBP", now=night_after(FIRST))
    assert ordered == [1, 1, 1, 1, 1, 1, 0]
    assert waits == Unpaid(
        ada.member_id, "GBP", 500, Why.DESTINATION_REFUSED, FIRST + timedelta(days=6)
    )


def test_a_debt_is_as_old_as_the_first_night_that_found_it() -> None:
    ada = make_payee()
    key = given(ada, 1)
    net(ada, FIRST, WENT)
    take_back(
        key,
        "line-1",
        member_id=ada.member_id,
        amount=pounds(300),
        originated_at=BOUGHT_AT,
        reason="returned",
        now=night_after(FIRST),
    )

    ordered = [net(ada, FIRST + timedelta(days=night)) for night in (1, 2, 3)]

    owes = unpaid.find(ada.member_id, "GBP", now=night_after(FIRST))
    assert ordered == [0, 0, 0]
    assert owes == Unpaid(ada.member_id, "GBP", -300, Why.OWES, FIRST + timedelta(days=1))


def test_what_was_set_aside_and_went_back_as_nobody_pays_there_is_not_ordered_later() -> None:
    """Else a night in which somebody pays there sends money that is available once more."""
    ada = make_payee()
    euros = {"amount": Money(500, "EUR"), "available_at": BOUGHT_AT}
    give(make_gift(1, member_id=ada.member_id, **euros), now=BOUGHT_AT)
    payout_id, now = payout_id_of(ada.member_id, "EUR", FIRST), night_after(FIRST)
    moving.instruct(ada.member_id, "EUR", payout_id, minor_min=1, originated_at=BOUGHT_AT, now=now)
    begun = netting.find_set_aside(ada.member_id, payout_id, now=now)
    assert begun is not None

    ordered = netting.order(begun, ada.member_id, payout_id, now=now)

    assert (ordered, netting.find_set_aside(ada.member_id, payout_id, now=now)) == (None, None)
    assert ledger.balances_of(ada.member_id, now=now) == (Balances("EUR", available=500),)
