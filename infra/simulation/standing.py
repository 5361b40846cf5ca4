"""What stands in the tables at one moment, by kind, as invariants look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.simulation.stored import Stored, rows_in
from infra.simulation.world import World


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the tables, by kind."""

    everything: tuple[Stored, ...]
    by_kind: Mapping[str, tuple[Stored, ...]]

    def of(self, kind: str) -> tuple[Stored, ...]:
        """The rows of one type."""
        return self.by_kind.get(kind, ())


def standing_in(world: World) -> Standing:
    """What stands in the world's tables now."""
    everything = tuple(rows_in(world.aws.tables))
    by_kind: dict[str, list[Stored]] = {}
    for row in everything:
        by_kind.setdefault(row.kind, []).append(row)
    return Standing(everything, {kind: tuple(found) for kind, found in by_kind.items()})


def payment_id_of(row: Stored) -> str:
    """Whose purchase it is."""
    return str(row.content["payment"]["payment_id"])


def transaction_of(row: Stored) -> str:
    """What the bank calls the payment of a purchase."""
    events = row.content["payment"]["events"]
    return str(events[0]["refers_to"] or events[0]["transaction_id"])


def worth_minor(fill: Mapping[str, Any]) -> int:
    """What is left of a full card's reward."""
    return int(fill["minor"] - sum(back["minor"] for back in fill["backs"]))
