"""Campaigns: cashback for a purchase that qualifies, for an audience, within a budget."""
