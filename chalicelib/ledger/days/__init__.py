"""Days: the daybook, and what is folded from it every night."""
