"""Memberships: joining a scheme, leaving it, and that somebody did."""
