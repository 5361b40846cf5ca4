"""Closing a day: folding the daybook, making what is due available, adding up what is owed."""
