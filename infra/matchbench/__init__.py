"""The matching benchmark: high-street days with ground truth, and who finds the right receipt."""
