"""Chalice blueprints with queues and schedules, one module per area."""
