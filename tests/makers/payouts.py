"""Payouts of invented members: money that became available, and orders to pay it."""

from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import moving
from chalicelib.ledger.giving import give
from chalicelib.payouts import store
from chalicelib.payouts.model import Instruction, new_instruction, payout_id_of
from tests.makers.ledger import BOUGHT_AT, MEMBER, make_gift

BANK = ConnectionId("bank")
PAID_ON = date(2026, 12, 2)
PAYING_AT = datetime(2026, 12, 2, 4, 30, tzinfo=UTC)
LATER = PAYING_AT + timedelta(hours=5)


def make_available_money(minor: int, number: int = 1, member_id: MemberId = MEMBER) -> None:
    """Give a member an amount that is available at once."""
    gift = make_gift(number, minor, member_id=member_id, available_at=BOUGHT_AT)
    give(gift, now=BOUGHT_AT)


def write_instruction(
    minor: int, member_id: MemberId = MEMBER, *, on: date = PAID_ON
) -> Instruction:
    """Set `minor` aside and write the order to pay it, as the night's job does."""
    payout_id = payout_id_of(member_id, "GBP", on)
    at = datetime.combine(on, time(4, 30), UTC)
    posted = moving.instruct(
        member_id,
        "GBP",
        payout_id,
        minor_min=minor,
        originated_at=datetime.combine(on, time(), UTC),
        now=at,
    )
    assert posted is not None
    instruction = new_instruction(
        payout_id,
        member_id=member_id,
        connection_id=BANK,
        amount=Money(minor, "GBP"),
        rail="sandbox",
        now=at,
    )
    return store.record_new(instruction, now=at)
