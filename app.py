"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import (
    campaigns,
    card_history,
    cards,
    cashback,
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
    promotions,
    receipts,
    returns,
    schemes,
    statements,
    tills,
)
from chalicelib.workers import campaigns as campaign_workers
from chalicelib.workers import cases, closing, deliveries, payments, rewards, schedules
from chalicelib.workers import notices as notice_workers
from chalicelib.workers import payouts as payout_workers
from chalicelib.workers import receipts as receipt_workers

FOR_BANKS = (
    *(hooks, receipts, matches, members, connect, notices),
    *(cards, card_history, claims, offers, promotions, cashback, payouts),
)
FOR_RETAILERS = (tills, returns, campaigns, schemes, statements)
FOR_EVERYBODY = (coverage, oauth, description)
ON_QUEUES = (payments, receipt_workers, deliveries, rewards, notice_workers, payout_workers)
ON_SCHEDULES = (campaign_workers, cases, closing, schedules)

app = Chalice(app_name="counterfoil")
for area in (*FOR_BANKS, *FOR_RETAILERS, *FOR_EVERYBODY, *ON_QUEUES, *ON_SCHEDULES):
    app.register_blueprint(area.bp)
