"""Held awards as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import MemberId, PaymentId, natural_id
from chalicelib.kernel.money import Money
from chalicelib.loyalty.watching import HoldReason


class HoldOutcome(Enum):
    """How a hold ends. One that nobody decides in time is released: nothing was shown."""

    RELEASED = "released"
    REFUSED = "refused"


REFUSED = HoldOutcome.REFUSED.value  # Why an award stays held, once a person has said so.


@dataclass(frozen=True, slots=True)
class Held:
    """An award that waits for a person.

    `subject` is the scheme or campaign it is of, `units` what it would give: stamps or points, or
    minor units of `currency`. `anchored_at` and `version` say where its purchase lies, so that the
    decision can be brought to it. `since` is when it was sold: whoever holds the same again names
    it the same. `held_at` is when it was held first.
    """

    subject: str
    purchase_id: PaymentId
    member_id: MemberId
    reason: HoldReason
    units: int
    since: datetime
    anchored_at: datetime
    version: int
    held_at: datetime
    currency: str = ""

    @property
    def hold_id(self) -> str:
        """Its name: one per award."""
        return hold_id_of(self.subject, self.purchase_id)

    @property
    def worth(self) -> str:
        """What it would give, for staff to read."""
        if not self.currency:
            return f"{self.units} units"
        return f"{Money(self.units, self.currency).to_text()} {self.currency}"


@dataclass(frozen=True, slots=True)
class HoldDecision:
    """What was decided of a hold, when, and where the purchase lies that it is to be brought to."""

    outcome: HoldOutcome
    decided_at: datetime
    purchase_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    version: int


def decide(held: Held, outcome: HoldOutcome, *, now: datetime) -> HoldDecision:
    """The decision of `held`."""
    return HoldDecision(
        outcome=outcome,
        decided_at=now,
        purchase_id=held.purchase_id,
        member_id=held.member_id,
        anchored_at=held.anchored_at,
        version=held.version,
    )


def hold_id_of(subject: str, purchase_id: PaymentId) -> str:
    """The name of the hold on what `subject` gives for the purchase."""
    return natural_id("hold", subject, purchase_id)
