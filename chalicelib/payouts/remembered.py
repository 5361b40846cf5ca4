"""What a process remembers of payouts: accounts, keys, tokens. A new process knows none of it."""

from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails import tl_hooks, tl_tokens


def forget() -> None:
    """Remember nothing, so that the next question reads. For tests and local stacks."""
    destinations.forget()
    paying.forget()
    tl_hooks.forget()
    tl_tokens.forget()
