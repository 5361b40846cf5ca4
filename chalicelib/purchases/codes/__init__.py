"""The codes printed on receipts, and how a receipt is found by one."""
