"""Every mutant there is."""

from pathlib import Path

from infra.mutants import (
    budgets,
    cards,
    changing,
    competitions,
    earning,
    extra,
    hands,
    hearing,
    history,
    journal,
    matching,
    offers,
    payouts,
    promises,
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
    *offers.MUTANTS,
    *competitions.MUTANTS,
    *hearing.MUTANTS,
    *changing.MUTANTS,
    *matching.MUTANTS,
    *promises.MUTANTS,
    *properties.MUTANTS,
)


def stale() -> tuple[Mutant, ...]:
    """Those that were written for code which is not there any more."""
    return tuple(mutant for mutant in ALL if mutant.is_stale(ROOT))
