"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import (
    campaigns,
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

ROUTES = (
    hooks,
    tills,
    receipts,
    matches,
    returns,
    members,
    notices,
    claims,
    connect,
    campaigns,
    coverage,
    oauth,
    offers,
    payouts,
    schemes,
    description,
)
WORKERS = (
    payments,
    receipt_workers,
    deliveries,
    notice_workers,
    payout_workers,
    campaign_workers,
    schedules,
    cases,
    closing,
)

app = Chalice(app_name="counterfoil")
for area in (*ROUTES, *WORKERS):
    app.register_blueprint(area.bp)
