"""The arithmetic of a budget that is leased in blocks. Pure.

A budget has a few slots. In each slot stands at most one open lease: a block of the cap, from which
purchases are paid without a look at the budget itself. When a lease can serve no more it is closed,
which is final, and then settled: what was spent of it becomes spent money of the budget, the rest
is free again. So at every moment `spent + leased ≤ cap`, where a lease counts with its whole
block from before it can be spent of until after it cannot.

Amounts are whole minor units of the budget's one currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotAllowed

SLOTS = 4  # Leases open at once: enough that no row of a busy campaign is written too often.
BLOCKS = 64  # A block is a sixty-fourth of the cap, where one purchase does not need more.
SPENDS_MAX = 36  # Per lease: its row stays below a kilobyte, and so a spend costs one write unit.


class CapTooLow(NotAllowed):
    """The cap would be below what is spent and leased already."""

    code = "budget_cap_too_low"


@dataclass(frozen=True, slots=True)
class OpenLease:
    """The lease that stands in a slot: its number and its whole block."""

    number: int
    size_minor: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The head of a campaign's budget.

    `spent_minor` is of settled leases only, less what was given back; `leases` are by slot.
    `next_number` is that of the next lease, never used before. `spends` counts what was spent of
    settled leases, given back or not. Nothing is leased of one that `is_closed`. `version` counts
    the head's writes.
    """

    campaign_id: str
    currency: str
    cap_minor: int
    spent_minor: int = 0
    leases: Mapping[int, OpenLease] = field(default_factory=dict)
    next_number: int = 1
    spends: int = 0
    is_closed: bool = False
    version: int = 1

    @property
    def leased_minor(self) -> int:
        """The blocks of all open leases."""
        return sum(lease.size_minor for lease in self.leases.values())

    @property
    def free_minor(self) -> int:
        """What may still be leased."""
        return self.cap_minor - self.spent_minor - self.leased_minor


@dataclass(frozen=True, slots=True)
class Lease:
    """A block as it stands. `spends` has by entry what is spent for it now, given back or not.

    `room_minor` is what may still be spent, and counts only while the lease is open. What was given
    back after it was closed is `returned_minor`.
    """

    campaign_id: str
    number: int
    size_minor: int
    room_minor: int
    spends: Mapping[str, int]
    returned_minor: int = 0
    is_closed: bool = False

    @property
    def spent_minor(self) -> int:
        """What had been spent of it when it was closed; of an open one, what is spent now."""
        return self.size_minor - self.room_minor

    def can_take(self, minor: int) -> bool:
        """Whether one more purchase of `minor` finds room."""
        return not self.is_closed and self.room_minor >= minor and len(self.spends) < SPENDS_MAX


def slot_of(member_id: MemberId) -> int:
    """The slot from which a member's purchases are paid first: any, and always the same."""
    return sha256(member_id.encode()).digest()[0] % SLOTS


def settled(budget: Budget, slot: int, closed: Lease) -> Budget:
    """`budget` after the lease in `slot`, which is `closed`, was settled."""
    assert closed.is_closed
    assert budget.leases[slot].number == closed.number
    others = {at: lease for at, lease in budget.leases.items() if at != slot}
    spent = budget.spent_minor + closed.spent_minor - closed.returned_minor
    spends = budget.spends + len(closed.spends)
    return replace(budget, leases=others, spent_minor=spent, spends=spends)


def was_settled(budget: Budget, number: int) -> bool:
    """Whether a lease of this `number` was opened and settled: it stands in no slot any more."""
    return 0 < number < budget.next_number and all(
        lease.number != number for lease in budget.leases.values()
    )


def leased(budget: Budget, slot: int, wanted_minor: int) -> Budget | None:
    """`budget` with a new lease in the empty `slot`; None where less than wanted is free."""
    if budget.is_closed or budget.free_minor < wanted_minor:
        return None
    size = min(budget.free_minor, max(wanted_minor, budget.cap_minor // BLOCKS))
    lease = OpenLease(budget.next_number, size)
    return replace(
        budget, leases={**budget.leases, slot: lease}, next_number=budget.next_number + 1
    )


def given_back(budget: Budget, minor: int) -> Budget:
    """`budget` after `minor` that had been spent of a settled lease came back."""
    return replace(budget, spent_minor=budget.spent_minor - minor)


def with_cap(budget: Budget, cap_minor: int) -> Budget:
    """`budget` with another cap. :raises CapTooLow: more is spent and leased already."""
    if cap_minor < budget.spent_minor + budget.leased_minor:
        raise CapTooLow("more is spent and leased already", field="budget.cap_minor")
    return replace(budget, cap_minor=cap_minor)


@dataclass(frozen=True, slots=True)
class Use:
    """Spend of this lease, which has room."""

    number: int


@dataclass(frozen=True, slots=True)
class Reopen:
    """Close the leases of these slots, and open one with what they leave."""

    closing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AskAll:
    """The slot's own lease does not suffice: decide again knowing all of them."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The budget has not as much left, wherever it stands."""


def decide_lease(
    budget: Budget, slot: int, wanted_minor: int, known: Mapping[int, Lease]
) -> Use | Reopen | AskAll | Exhausted:
    """How `slot` comes to a lease with room for `wanted_minor`, by the leases that are `known`.

    The slot's own lease, else a new one there; at the budget's end, when nothing is free, another
    slot's; at last all are closed, so that what is left of each comes together.
    """
    own = known.get(slot)
    if own is not None and own.can_take(wanted_minor):
        return Use(own.number)
    if budget.free_minor + (own.room_minor if own else 0) >= wanted_minor:
        return Reopen((slot,) if own is not None else ())
    if known.keys() != budget.leases.keys():
        return AskAll()
    for lease in known.values():
        if lease.can_take(wanted_minor):
            return Use(lease.number)
    if unspent_minor(budget, known) < wanted_minor:
        return Exhausted()
    return Reopen(tuple(known))


def unspent_minor(budget: Budget, leases: Mapping[int, Lease]) -> int:
    """What is neither spent nor free of the open `leases`, by slot, together with what is free."""
    return budget.free_minor + sum(lease.room_minor for lease in leases.values())
