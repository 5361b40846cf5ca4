"""What was to be told, by bank and time: for replay, and for a bank that asks."""
