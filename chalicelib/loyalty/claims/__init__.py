"""Claims: what somebody spends points on, and the code by which it is collected at a till."""
