"""Which module speaks for which rail."""

from datetime import datetime

from chalicelib.payouts.model import Failed, Outcome, Returned
from chalicelib.payouts.rails import bank_ledger, iso_orders, sandbox, truelayer
from chalicelib.payouts.rails.model import Rail, RailPort

_PORTS = {
    Rail.SANDBOX: sandbox.PORT,
    Rail.TRUELAYER: truelayer.PORT,
    Rail.ISO20022: iso_orders.PORT,
    Rail.BANK: bank_ledger.PORT,
}
# Rails that say themselves what became of an order when they are asked. Of the others somebody
# tells: a bank acknowledges, a report is read.
ASKED = frozenset({Rail.SANDBOX, Rail.TRUELAYER})


def port_of(rail: Rail) -> RailPort:
    """What `rail` can do."""
    return _PORTS[rail]


def said_after_executed(rail: Rail, outcome: Outcome, *, now: datetime) -> Outcome:
    """What `outcome` means for a payment that the rail had called executed before.

    TrueLayer has no state of its own for money that came back: what was executed and then failed
    was returned by the payee's bank (docs.truelayer.com, "Payout and refund statuses").
    """
    if rail is Rail.TRUELAYER and isinstance(outcome, Failed):
        return Returned(outcome.reason, now)
    return outcome
