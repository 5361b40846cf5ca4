"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import description, hooks, receipts, tills
from chalicelib.workers import deliveries, payments, schedules
from chalicelib.workers import receipts as received

app = Chalice(app_name="counterfoil")

ROUTES = (description, hooks, receipts, tills)
WORKERS = (deliveries, payments, received, schedules)

for area in (*ROUTES, *WORKERS):
    app.register_blueprint(area.bp)
