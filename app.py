"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once.

Chalice's tools, which package and describe it, need everything at once. In AWS a worker's Lambda
enters at its own module and never comes here; the API's does, and imports the areas in the order of
this list until one has the route that is asked for. So a webhook that meets a cold start waits for
no catalogue of rewards.
"""

from chalicelib.api.assembly import Assembly
from chalicelib.runtime import settings

# What machines send at any moment comes first, what somebody looks up now and then last. The
# description tells of every other area, so it ends the list.
AREAS = (
    *("hooks", "tills", "oauth", "receipts", "returns", "coverage", "members", "connect"),
    *("notices", "matches", "cards", "card_history", "offers", "promotions", "claims"),
    *("cashback", "payouts", "schemes", "campaigns", "competitions", "statements", "description"),
)
ON_QUEUES = ("payments", "receipts", "deliveries", "rewards", "notices", "payouts")
ON_SCHEDULES = ("waiting", "retention", "campaigns", "cases", "closing")

app = Assembly("counterfoil", [f"chalicelib.api.{area}" for area in AREAS])
if not settings.in_lambda():
    app.import_everything([f"chalicelib.workers.{name}" for name in (*ON_QUEUES, *ON_SCHEDULES)])
