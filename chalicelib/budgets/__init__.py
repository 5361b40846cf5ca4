"""Budgets: money of a campaign or scheme, leased in blocks, spent to the last penny, never over."""
