"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import (
    campaigns,
    cards,
    claims,
    connect,
    coverage,
    description,
    hooks,
    matches,
    members,
    notices,
    oauth,
    offers,
    payouts,
    receipts,
    returns,
    schemes,
    tills,
)
from chalicelib.workers import campaigns as campaign_workers
from chalicelib.workers import cases, closing, deliveries, payments, schedules
from chalicelib.workers import notices as notice_workers
from chalicelib.workers import payouts as payout_workers
from chalicelib.workers import receipts as receipt_workers
from chalicelib.workers import rewards as reward_workers

FROM_OUTSIDE = (hooks, tills, receipts, matches, returns, oauth, description)
OF_MEMBERS = (members, notices, cards, claims, connect, offers, payouts)
OF_RETAILERS = (campaigns, coverage, schemes)
FROM_QUEUES = (payments, receipt_workers, deliveries, reward_workers, notice_workers)
FROM_SCHEDULES = (payout_workers, campaign_workers, schedules, cases, closing)
ROUTES = (*FROM_OUTSIDE, *OF_MEMBERS, *OF_RETAILERS)
WORKERS = (*FROM_QUEUES, *FROM_SCHEDULES)

app = Chalice(app_name="counterfoil")
for area in (*ROUTES, *WORKERS):
    app.register_blueprint(area.bp)
