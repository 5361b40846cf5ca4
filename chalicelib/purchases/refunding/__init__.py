"""Refund payments whose bank does not say what they give back: found, waiting, or reviewed."""
