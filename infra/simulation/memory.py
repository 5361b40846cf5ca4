"""What a process remembers between two runs, and what a new one does not know."""

from chalicelib.budgets import service as budgets
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.competitions import service as competitions
from chalicelib.payouts import remembered as payouts
from chalicelib.runtime import queues, vault


def forget_everything() -> None:
    """What a new process does not know."""
    queues.forget_urls()
    vault.forget_keys()
    network.forget()
    timekeeping.forget()
    keys.forget()
    forget_rewards()


def forget_rewards() -> None:
    """What a process remembers of schemes, campaigns and paying. Whether it does depends on the
    runs before it, so each run reads it anew, which is the harder case.
    """
    schemes.forget()
    budgets.forget()
    campaigns.forget()
    competitions.forget()
    payouts.forget()
