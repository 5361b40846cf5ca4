"""Whether the rows of a budget say what they must (I6)."""

from datetime import datetime
from enum import Enum

from chalicelib.budgets import store
from chalicelib.kernel.refusals import NotFound


class Fault(Enum):
    """What must never be: the invariant I6, and what follows from it."""

    OVER_CAP = "spent and leased are over the cap"
    LEASE_OVERSPENT = "a lease is spent beyond its block"
    SPENDS_DIFFER = "the entries of a lease do not sum to what is spent of it"
    SPENT_DIFFERS = "the settled leases do not sum to what is spent of the budget"


def list_faults(campaign_id: str, *, now: datetime) -> list[Fault]:
    """What is wrong with the budget's rows as they stand: nothing, ever (I6).

    It reads every lease that is not forgotten yet, so it is for checks and not for the road.

    :raises NotFound: there is no such budget.
    """
    budget = store.find_budget(campaign_id, now=now)
    if budget is None:
        raise NotFound("there is no such budget")
    open_numbers = {lease.number for lease in budget.leases.values()}
    faults, settled_minor, after = [], 0, 0
    if budget.spent_minor + budget.leased_minor > budget.cap_minor:
        faults.append(Fault.OVER_CAP)
    while leases := store.list_leases(campaign_id, after=after, now=now):
        for lease in leases:
            if lease.room_minor < 0 or lease.spent_minor > lease.size_minor:
                faults.append(Fault.LEASE_OVERSPENT)
            if sum(lease.spends.values()) != lease.spent_minor - lease.returned_minor:
                faults.append(Fault.SPENDS_DIFFER)
            if lease.number not in open_numbers:
                settled_minor += lease.spent_minor - lease.returned_minor
        after = leases[-1].number
    if settled_minor != budget.spent_minor:
        faults.append(Fault.SPENT_DIFFERS)
    return faults
