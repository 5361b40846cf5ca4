"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import (
    connect,
    coverage,
    description,
    hooks,
    matches,
    members,
    notices,
    oauth,
    payouts,
    receipts,
    returns,
    tills,
)
from chalicelib.workers import closing, deliveries, payments, schedules
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
    connect,
    coverage,
    oauth,
    payouts,
    description,
)
WORKERS = (
    payments,
    receipt_workers,
    deliveries,
    notice_workers,
    payout_workers,
    schedules,
    closing,
)

app = Chalice(app_name="counterfoil")
for area in (*ROUTES, *WORKERS):
    app.register_blueprint(area.bp)
