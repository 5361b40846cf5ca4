"""Every mutant there is."""

from pathlib import Path

from infra.mutants import (
    budgets,
    cards,
    earning,
    extra,
    hands,
    history,
    journal,
    payouts,
    properties,
    reversing,
    spending,
    telling,
)
from infra.mutants.model import Mutant

ROOT = Path(__file__).parents[2]
ALL: tuple[Mutant, ...] = (
    *earning.MUTANTS,
    *reversing.MUTANTS,
    *budgets.MUTANTS,
    *journal.MUTANTS,
    *payouts.MUTANTS,
    *cards.MUTANTS,
    *extra.MUTANTS,
    *spending.MUTANTS,
    *telling.MUTANTS,
    *history.MUTANTS,
    *hands.MUTANTS,
    *properties.MUTANTS,
)


def stale() -> tuple[Mutant, ...]:
    """Those that were written for code which is not there any more."""
    return tuple(mutant for mutant in ALL if mutant.is_stale(ROOT))
