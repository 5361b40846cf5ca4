"""Audiences: what members' own purchases say about them, and who an offer is for."""
