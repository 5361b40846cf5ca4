"""Whether a member is paid tonight, waits, or is let off a debt."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.payouts.netting.deciding import (
    Decision,
    GiveUp,
    Nothing,
    Pay,
    Payee,
    Wait,
    Why,
    decide,
)

TONIGHT = datetime(2026, 12, 2, 4, 30, tzinfo=UTC)
LONG_AGO = TONIGHT - timedelta(days=90)
ADA = Payee(
    is_known=True,
    is_suspended=False,
    minor_min=100,
    rail="sandbox",
    needs_destination=True,
    destination_at=LONG_AGO,
    destination_from=LONG_AGO,
)
RECENTLY = TONIGHT - timedelta(days=3)


def _decide(minor: int, payee: Payee = ADA, owes_since: date | None = None) -> Decision:
    return decide(minor, payee, owes_since=owes_since, debts_kept=timedelta(days=180), now=TONIGHT)


def test_all_that_is_available_is_paid_from_the_minimum_on() -> None:
    assert _decide(100) == Pay("sandbox")
    assert _decide(99) == Wait(Why.BELOW_MINIMUM)
    assert _decide(0) == Nothing()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_known": False}, Why.MEMBER_GONE),
        ({"is_suspended": True}, Why.SUSPENDED),
        ({"rail": None}, Why.NO_PAYING_ACCOUNT),
        ({"destination_at": None, "destination_from": None}, Why.NO_DESTINATION),
        ({"takes_currency": False}, Why.DESTINATION_OTHER_CURRENCY),
        ({"destination_from": TONIGHT + timedelta(seconds=1)}, Why.DESTINATION_NEW),
        ({"refused_at": RECENTLY}, Why.DESTINATION_REFUSED),
        ({"refused_at": RECENTLY, "destination_at": RECENTLY}, Why.DESTINATION_REFUSED),
    ],
)
def test_whoever_cannot_be_paid_waits_and_why_is_known(changes: dict, why: Why) -> None:
    assert _decide(500, replace(ADA, **changes)) == Wait(why)


@pytest.mark.parametrize(
    "changes",
    [
        {"destination_from": TONIGHT},
        {"refused_at": RECENTLY, "destination_at": RECENTLY + timedelta(seconds=1)},
        {"refused_at": TONIGHT - timedelta(days=30)},
        {"needs_destination": False, "destination_at": None, "destination_from": None},
        {"needs_destination": False, "takes_currency": False},
    ],
)
def test_another_account_or_a_month_opens_the_way_again(changes: dict) -> None:
    assert _decide(500, replace(ADA, **changes)) == Pay("sandbox")


def test_a_debt_waits_to_be_set_off_and_is_given_up_after_its_time() -> None:
    assert _decide(-1) == Wait(Why.OWES)
    assert _decide(-1, owes_since=date(2026, 6, 6)) == Wait(Why.OWES)
    assert _decide(-1, owes_since=date(2026, 6, 5)) == GiveUp()
