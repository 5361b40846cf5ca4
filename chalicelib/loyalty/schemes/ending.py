"""Budgets of schemes that are over: what their open leases have left comes back.

Such a budget is not closed, as a campaign's is: points may still be claimed after the end, and a
later version may begin the scheme anew. Whatever is paid from it then has a new lease.
"""

from datetime import datetime, timedelta

from chalicelib.budgets import service as budgets
from chalicelib.loyalty import funding
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.network import service as network
from chalicelib.runtime import observability

LATE_DAYS = 45  # As for campaigns: a receipt may be a month late, and queues a fortnight.


def bring_back_leases(*, now: datetime) -> int:
    """Bring back the leases of schemes that are over for so long; returns how many they were.

    :raises TryAgain: others kept changing a budget.
    """
    ended_by = now - timedelta(days=LATE_DAYS)
    found = 0
    for retailer in network.list_retailers(now=now):
        if not retailer.rewards:
            continue
        for kept in schemes.list_schemes(retailer.retailer_id, now=now):
            ends_at = kept.scheme.ends_at
            if ends_at is not None and ends_at <= ended_by:
                found += budgets.bring_back(funding.purse_of(kept.scheme.scheme_id), now=now)
    if found:
        observability.count("scheme_leases_returned", by=found)
    return found
