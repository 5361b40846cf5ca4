"""Adjusting: a member's money corrected by hand, by two people."""
