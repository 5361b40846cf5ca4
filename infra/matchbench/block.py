"""A retailer's days, with the truth about them."""

from array import array
from dataclasses import dataclass, field

from chalicelib.matching.sides import Charge, Slip
from infra.matchbench.laws import Amounts, Arrivals
from infra.matchbench.street import Street
from infra.matchbench.true_clocks import TrueClock

TillName = tuple[str, str]  # store, till


@dataclass(frozen=True, slots=True)
class Block:
    """What banks and tills said of some stores' days, and what truly happened.

    Lists of the slips run side by side: `sold_at` is when each was truly printed by a clock that is
    right, as far as the till's whole seconds let one know, `arrived_at` when it reached us.
    """

    street: Street
    arrivals: Arrivals
    amounts: Amounts
    clocks: dict[TillName, TrueClock]
    counting: set[TillName] = field(default_factory=set)  # Tills with codes of their own.
    charges: list[Charge] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    sold_at: "array[float]" = field(default_factory=lambda: array("d"))
    arrived_at: "array[float]" = field(default_factory=lambda: array("d"))
    receipt_by_payment: dict[str, str | None] = field(default_factory=dict)
    first_id: dict[str, str] = field(default_factory=dict)  # Of a sale sent twice, by its second.
    disturbed: set[str] = field(default_factory=set)  # Payments at a till that was set wrong.

    def is_right(self, payment_id: str, receipt_id: str) -> bool:
        """Whether the receipt is the payment's own."""
        return self.receipt_by_payment[payment_id] == self.first_id.get(receipt_id, receipt_id)
