"""Counterfoil, assembled: every blueprint with routes, queues or schedules is named here, once."""

from chalice import Chalice

from chalicelib.api import description, hooks, oauth, tills

AREAS = (
    hooks,
    tills,
    oauth,
    description,
)

app = Chalice(app_name="counterfoil")
for area in AREAS:
    app.register_blueprint(area.bp)
