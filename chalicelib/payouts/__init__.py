"""Money on its way to members: instructions, rails, destinations, reconciliation."""
