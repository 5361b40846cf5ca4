"""What a process remembers between two runs, and what a new one does not know."""

from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.payouts import remembered as payouts
from chalicelib.runtime import queues, vault


def forget_everything() -> None:
    """What a new process does not know."""
    queues.forget_urls()
    vault.forget_keys()
    network.forget()
    timekeeping.forget()
    keys.forget()
    payouts.forget()
