"""The journal of rewards in money: double entry, whole minor units, one entry for one key."""
