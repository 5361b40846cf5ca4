"""Schemes: what a purchase earns, the cards that keep it, and what a returned line takes back."""
