"""Reconciliation: the journal against the orders against what rails and banks report."""
