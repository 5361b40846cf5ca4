"""Histories in which what an offer gives is held: somebody brought most of it back before."""

from collections.abc import Callable, Sequence

from chalicelib.kernel.ids import payment_id_of
from chalicelib.ledger.model import Balances
from chalicelib.loyalty.holding.model import HoldOutcome, hold_id_of
from infra.simulation.asking import ASKS, Asked
from infra.simulation.history import Ending, History, Input
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    bought,
    brought_back,
    history_of,
)
from infra.simulation.reward_town import CAMPAIGN_ID, with_offer
from infra.simulation.town import ADA

GIVEN = 142
LOOPS = 3  # As many as are needed to be held.
_HELD = LOOPS + 1
_HELD_AT = LOOPS * DAY + 21
_opens = with_offer(GIVEN, budget_minor=10_000)


def held_released() -> History:
    """A member buys and brings back three times; what the fourth gives is held, and released."""
    decided = _decided(HoldOutcome.RELEASED)
    return _held("released", decided, {"ada": Balances("GBP", pending=GIVEN)})


def held_refused() -> History:
    """The same, and it is refused."""
    return _held("refused", _decided(HoldOutcome.REFUSED), {})


def held_returned() -> History:
    """The same, and the fourth comes back, too, before anybody looked."""
    back = brought_back(_HELD, at_seconds=_HELD_AT + HOUR, bought_at_seconds=_HELD_AT)
    return _held("returned", back, {}, returns=1)


HISTORIES: Sequence[Callable[[], History]] = (held_released, held_refused, held_returned)


def _held(name: str, then: Input, owned: dict[str, Balances], *, returns: int = 0) -> History:
    loops: list[Input] = []
    for number in range(1, LOOPS + 1):
        at = (number - 1) * DAY + 21
        loops += bought(ADA, number, at_seconds=at)
        loops.append(brought_back(number, at_seconds=at + HOUR, bought_at_seconds=at))
    endings = {f"t-{number}": Ending(f"R-{number}", returns=1) for number in range(1, LOOPS + 1)}
    endings[f"t-{_HELD}"] = Ending(f"R-{_HELD}", returns=returns)
    inputs = (*loops, *bought(ADA, _HELD, at_seconds=_HELD_AT), then)
    return history_of(f"held_{name}", inputs, endings, owned, opens=_opens)


def _decided(outcome: HoldOutcome) -> Input:
    """Somebody decides what is held, two hours after it was bought."""
    hold_id = hold_id_of(CAMPAIGN_ID, payment_id_of(ADA.bank, f"t-{_HELD}"))
    asked = Asked(
        "decide_hold", "operator", {"hold": hold_id, "outcome": outcome.value}, patience=5
    )
    return Input(_HELD_AT + 2 * HOUR, "decided", ASKS, (asked.to_body(),))
