"""Which receipt belongs to which payment: evidence, decision, claims."""
