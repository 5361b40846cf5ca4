"""Bringing cards, offers and the journal up to the newest version of a purchase."""
