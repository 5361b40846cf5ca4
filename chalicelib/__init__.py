"""Counterfoil: the platform that joins a card payment with its till receipt."""
