"""What a scheme's rewards in money are paid from: its budget, which holds exactly.

A scheme has one budget for all its versions, as large as the newest one says. It is leased in
blocks as a campaign's is (docs/decisions/0068, 0085).
"""

from datetime import datetime

from chalicelib.budgets import leasing
from chalicelib.budgets import service as budgets
from chalicelib.budgets.service import Purse
from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.rules import Scheme

RELEASES_MAX = 20  # A lease closes between choosing and spending it; that often is a bug.


def purse_of(scheme_id: str) -> Purse:
    """The budget of a scheme. It has no end: a later version may always begin the scheme anew."""
    return Purse(scheme_id)


def open_budget(scheme: Scheme, *, now: datetime) -> None:
    """Have the scheme's budget be as large as this version says; without one, as it was.

    :raises leasing.CapTooLow: more is spent and leased already.
    """
    if scheme.budget_minor is not None:
        budgets.open_budget(
            scheme.scheme_id, cap_minor=scheme.budget_minor, currency=scheme.currency, now=now
        )


def lease_for(scheme: Scheme, member_id: MemberId, minor: int, *, now: datetime) -> int | None:
    """The lease that may pay the member `minor`; None: the budget has not as much left.

    A scheme that was written before budgets were drawn on gets its budget here.

    :raises TryAgain: others kept changing the budget.
    """
    slot, purse = leasing.slot_of(member_id), purse_of(scheme.scheme_id)
    number = budgets.lease_for(purse, slot=slot, wanted_minor=minor, now=now)
    if number is not None or scheme.budget_minor is None:
        return number
    is_new = budgets.open_where_none(
        scheme.scheme_id, cap_minor=scheme.budget_minor, currency=scheme.currency
    )
    if not is_new:
        return None
    return budgets.lease_for(purse, slot=slot, wanted_minor=minor, now=now)


def spend(
    scheme_id: str, member_id: MemberId, lease: int, name: str, minor: int, *, now: datetime
) -> bool:
    """Spend `minor` for the reward of this `name`: once, however often it is asked.

    False: the lease is closed without it, and never will have it.
    """
    entry = _entry(scheme_id, member_id, name)
    slot = leasing.slot_of(member_id)
    return budgets.spend(purse_of(scheme_id), lease, entry, minor, slot=slot, now=now)


def give_back(
    scheme_id: str, member_id: MemberId, lease: int, name: str, kept_minor: int, *, now: datetime
) -> None:
    """Let what was spent for the reward of this `name` be spent again, but for `kept_minor`; again
    is the same.
    """
    entry = _entry(scheme_id, member_id, name)
    budgets.give_back(purse_of(scheme_id), lease, entry, kept_minor, now=now)


def _entry(scheme_id: str, member_id: MemberId, name: str) -> str:
    return budgets.entry_of(scheme_id, member_id, name)
