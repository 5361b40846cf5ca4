"""Leavers: what the bank calls somebody who left, as long as it is to pay them."""
