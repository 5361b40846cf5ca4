"""Chalice blueprints with routes, one module per audience."""
