"""Budgets: money of a campaign, leased in blocks, spent to the last penny and never over."""
