"""What moved to a card's history, and which of it counts: always what moved last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.kernel.ids import natural_id
from chalicelib.loyalty.cards.model import Card, Claim, Entry, Fill, Lot


@dataclass(frozen=True, slots=True)
class Past:
    """What moved to the history together, as it stood when it moved.

    `before` is the name of what moved just before it, so that what a run wrote which then lost the
    race for the card hangs on nothing. `drawn` are the parts of lots that the `fills` had drawn,
    the only ones there are, so that a full card can come back with all its stamps.
    """

    number: int
    before: str
    entries: tuple[Entry, ...]
    fills: tuple[Fill, ...] = ()
    claims: tuple[Claim, ...] = ()
    drawn: tuple[Lot, ...] = ()

    @property
    def name(self) -> str:
        """By its content: eight letters are plenty, as it only has to differ from what lost."""
        said = "|".join(
            f"{e.payment_id} {e.version} {e.lot.units} {e.lot.drawn}" for e in self.entries
        )
        claims = "|".join(f"{c.claim_id} {c.state.value}" for c in self.claims)
        parts = [str(self.number), self.before, said, claims]
        leases = [f"{f.number} {f.lease} {f.undone_by}" for f in self.fills if f.lease is not None]
        if leases:
            parts.append("|".join(leases))
        deferred = [f"{f.number} {' '.join(f.deferred_by)}" for f in self.fills if f.deferred_by]
        if deferred:
            parts.append("|".join(deferred))
        valued = (f for f in self.fills if f.backs or f.whole_minor)
        lowered = [f"{f.number} {f.minor} {f.worth_minor}" for f in valued]
        if lowered:
            parts.append("|".join(lowered))
        return natural_id("past", *parts)[:8]


def in_chain(found: Iterable[Past], last: str) -> tuple[Past, ...]:
    """Of what was `found`, what a card leads to whose last is called `last`; oldest first."""
    by_name = {one.name: one for one in found}
    chain: list[Past] = []
    while last in by_name and len(chain) < len(by_name):
        chain.append(by_name[last])
        last = chain[-1].before
    return tuple(reversed(chain))


def newest_fills(card: Card, past: Sequence[Past]) -> dict[int, Fill]:
    """Every full card by its number: as the card has it, else as it moved to the history last."""
    fills = {fill.number: fill for one in past for fill in one.fills}
    return fills | {fill.number: fill for fill in card.fills}


def find_fills(card: Card, past: Sequence[Past], payment_id: str) -> tuple[Fill, ...]:
    """The full cards that the purchase filled, emptied or deferred; of the history, too."""
    fills = newest_fills(card, past).values()
    return tuple(
        fill for fill in fills if payment_id in (fill.cause, fill.undone_by, *fill.deferred_by)
    )


def newest_entries(card: Card, past: Sequence[Past]) -> tuple[Entry, ...]:
    """Every purchase once: as the card has it, else as it moved to the history last."""
    moved = {entry.payment_id: entry for one in past for entry in one.entries}
    return tuple((moved | {entry.payment_id: entry for entry in card.entries}).values())


def find_entry(card: Card, past: Sequence[Past], payment_id: str) -> Entry | None:
    """What the purchase earned: as the card has it, else as it moved to the history last."""
    moved = (entry for one in reversed(past) for entry in one.entries)
    entries = (*card.entries, *moved)
    return next((one for one in entries if one.payment_id == payment_id), None)
