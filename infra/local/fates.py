"""What becomes of a payment at a sandbox, by the last two digits of its amount: magic amounts.

Anything else is paid. A real rail decides this by itself; a test and a demo have to.
"""

from enum import Enum

REASON_FAILED = "account_closed"
REASON_RETURNED = "returned"


class Fate(Enum):
    """How a sandbox treats one payment; the value is what the amount ends with."""

    FAILS = 31  # it is taken and not paid
    RETURNS = 32  # it is paid, and the payee's bank sends it back
    LATE = 33  # it is paid, but only after it was asked for three times
    ANSWER_LOST = 34  # it is taken, and the connection breaks before the answer
    AWAY_ONCE = 35  # the first time the rail is away, and takes nothing
    PAID = -1


LATE_LOOKS = 3


def fate_of(minor: int) -> Fate:
    """The fate of a payment of `minor` minor units."""
    ending = minor % 100
    return next((fate for fate in Fate if fate.value == ending), Fate.PAID)
