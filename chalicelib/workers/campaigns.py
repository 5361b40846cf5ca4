"""Campaigns and schemes: what has to be looked after while they run, and when they are over."""

from typing import Any

from chalice import Blueprint

from chalicelib.loyalty.schemes import ending
from chalicelib.offers.campaigns import service
from chalicelib.runtime import clock
from chalicelib.workers.rim import scheduled

bp = Blueprint(__name__)


@bp.schedule("rate(15 minutes)")
@scheduled
def tend_campaigns(_event: Any) -> None:
    """Hide offers whose budget is used up, and close the budgets of campaigns that are over; of
    schemes that are over, bring back what was leased.
    """
    service.tend(now=clock.now())
    ending.bring_back_leases(now=clock.now())
