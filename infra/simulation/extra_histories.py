"""Histories in which a full card gives units of another scheme."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.ledger.model import Balances
from chalicelib.runtime import queues
from infra.simulation.asking import ASKS
from infra.simulation.history import Ending, History
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    all_done,
    bought,
    brought_back,
    claimed,
    history_of,
    settled_again,
)
from infra.simulation.reward_town import (
    EXTRA,
    OTHER_FULL,
    OTHER_PLACES,
    SIX,
    SIX_UNITS,
    with_giving_card,
    with_units_to_buy,
)
from infra.simulation.second_thoughts import not_mine
from infra.simulation.town import ADA

_opens_points = with_giving_card(is_stamps=False)
_opens_stamps = with_giving_card(is_stamps=True)


def card_gives() -> History:
    """Three stamps fill a card of two places, which gives points; the message comes again."""
    history = history_of(
        "card_gives",
        (*bought(ADA, 1), settled_again(ADA, 1, at_seconds=40 * DAY)),
        {"t-1": Ending("R-1")},
        {},
        opens=_opens_points,
    )
    told = {"points_earned": 1, "stamp_earned": 1, "card_complete": 1}
    return replace(history, stamps={"ada": 1}, extra={"ada": EXTRA}, told=told)


def card_gave() -> History:
    """Two purchases fill three cards; the second comes back, and what two of them gave."""
    history = history_of(
        "card_gave",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(2, at_seconds=DAY)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {},
        opens=_opens_points,
    )
    return replace(history, stamps={"ada": 1}, extra={"ada": EXTRA})


def card_gave_at_once() -> History:
    """Two purchases and the return of the second are settled within seconds of one another."""
    history = history_of(
        "card_gave_at_once",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(2, at_seconds=26)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {},
        opens=_opens_points,
    )
    return replace(history, stamps={"ada": 1}, extra={"ada": EXTRA})


def card_gave_disowned() -> History:
    """The receipt that filled a card was somebody else's: nothing of what it gave stays."""
    return history_of(
        "card_gave_disowned",
        (*bought(ADA, 1), replace(not_mine(), at_seconds=60)),
        {"t-1": Ending(None)},
        {},
        opens=_opens_points,
    )


def card_fills_card() -> History:
    """What full cards give fills a card of the other scheme, which pays; then it comes back."""
    history = history_of(
        "card_fills_card",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(2, at_seconds=DAY)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {"ada": Balances("GBP", pending=OTHER_FULL)},
        opens=_opens_stamps,
    )
    return replace(history, stamps={"ada": 1}, extra={"ada": EXTRA - OTHER_PLACES})


def units_bought() -> History:
    """Points buy stamps, asked for twice under one name, and once more than there are points."""
    history = history_of(
        "units_bought",
        (
            *bought(ADA, 1),
            claimed(ADA, "reserve_reward", "c1", SIX, at_seconds=HOUR),
            claimed(ADA, "reserve_reward", "c1", SIX, at_seconds=3 * HOUR, name="same"),
            claimed(ADA, "reserve_reward", "c2", SIX, at_seconds=5 * HOUR),
            claimed(ADA, "reserve_reward", "c3", SIX, at_seconds=7 * HOUR),
        ),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", available=OTHER_FULL)},
        opens=with_units_to_buy,
    )
    heard = {**all_done("c1", "same", "c2"), "c3": "INSUFFICIENT_POINTS"}
    return replace(
        history,
        extra={"ada": 2 * SIX_UNITS - OTHER_PLACES},
        heard=heard,
        disturbed=frozenset({ASKS, queues.REWARDS}),
    )


HISTORIES: Sequence[Callable[[], History]] = (
    card_gives,
    card_gave,
    card_gave_at_once,
    card_gave_disowned,
    card_fills_card,
    units_bought,
)
