"""Launching: telling all who want to hear of it that a partner is new, or an offer."""
