"""What is said of a payment and the parts near it: whose it is, how sure that is, and why.

Apart from what decides it, because purchases keep it and whoever reads them needs no matcher.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, PaymentId
from chalicelib.matching.amounts import Relation
from chalicelib.matching.scatter import TailCounts
from chalicelib.matching.signals import Part
from chalicelib.matching.why import Why

MODEL = "posterior-1"


class Agreement(Enum):
    """What both sides say alike."""

    AMOUNT = "amount"
    TIME = "time"
    AUTH_CODE = "auth_code"
    LAST_FOUR = "last_four"
    REGISTERED_CARD = "registered_card"
    DEVICE = "digits_of_device"
    SCHEME = "scheme"
    MID = "mid"
    TID = "tid"
    PAR = "par"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a payment and a part relate.

    - `seconds_apart` is positive where the till is later;
    - `off_clock_seconds` is the same after taking away where the till's clock stands.
    """

    agreements: frozenset[Agreement]
    contradictions: frozenset[Agreement]
    seconds_apart: int
    off_clock_seconds: int = 0
    relation: Relation = Relation.EQUAL


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a part already, and when they paid, where that is known."""

    payment_id: PaymentId
    member_id: str
    connection_id: ConnectionId
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """The part belongs to the payment, as probably as said.

    `same_as` is another source's name of the same purchase.
    """

    part: Part
    evidence: Evidence
    why: Why
    same_as: PaymentId | None = None
    probability: float = 1.0
    runner_up: float = 0.0


ONE_AT_HAND = TailCounts(pairs=1.0)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one explanation fits. `rivals` counts them; `near` is what the receipts at hand say
    of how far from its till's habit the payment's own is, if it is one of them.
    """

    why: Why
    rivals: int
    probability: float = 0.0
    runner_up: float = 0.0
    near: TailCounts = ONE_AT_HAND


@dataclass(frozen=True, slots=True)
class NotYet:
    """One part fits and more may still come: look again at `look_again_at`."""

    why: Why
    look_again_at: datetime
    probability: float = 0.0
    runner_up: float = 0.0


@dataclass(frozen=True, slots=True)
class NothingNear:
    """No part fits: the payment's receipt is not at hand."""

    why: Why

    @property
    def near(self) -> TailCounts:
        """As of `Ambiguous`."""
        return TailCounts()


MatchDecision = Matched | Ambiguous | NotYet | NothingNear
