"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import description, hooks, oauth, tills
from chalicelib.workers import payments, schedules
from chalicelib.workers import receipts as receipt_workers

AREAS = (
    hooks,
    tills,
    oauth,
    description,
    payments,
    receipt_workers,
    schedules,
)

app = Chalice(app_name="counterfoil")
for area in AREAS:
    app.register_blueprint(area.bp)
