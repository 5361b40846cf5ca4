"""Histories about rewards: what is bought, what comes back, and the nights that pay for it.

Faults come to the workers of rewards, notices, payouts and nights alone; what precedes them has
histories of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.ledger.model import Balances
from chalicelib.runtime import queues
from infra.simulation import extra_histories, held_histories
from infra.simulation.history import Ending, History
from infra.simulation.nights import LOOKS, NIGHTS
from infra.simulation.reward_inputs import (
    DAY,
    bought,
    brought_back,
    history_of,
    nights,
    settled_again,
)
from infra.simulation.reward_town import FULL_CARD, with_card, with_offer
from infra.simulation.second_thoughts import not_mine
from infra.simulation.town import ADA, BELA

NIGHTS_COUNT = 7
PAID_IN = 4  # The night in which what was bought at the first noon is paid.
GIVEN = 142
_BUDGET = 10_000

_open_plenty = with_offer(GIVEN, budget_minor=_BUDGET)
_open_little = with_offer(GIVEN, budget_minor=2 * GIVEN - 1)


def offered() -> History:
    """A purchase wins the offer, and its message comes again a month later."""
    return history_of(
        "offered",
        (*bought(ADA, 1), settled_again(ADA, 1, at_seconds=40 * DAY)),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_plenty,
    )


def offer_returned() -> History:
    """What won the offer is brought back the next day."""
    return history_of(
        "offer_returned",
        (
            *bought(ADA, 1),
            brought_back(1, at_seconds=DAY),
            settled_again(ADA, 1, at_seconds=2 * DAY),
        ),
        {"t-1": Ending("R-1", returns=1)},
        {},
        opens=_open_plenty,
    )


def last_of_the_budget() -> History:
    """Two members buy at once, and the budget is enough for one of them."""
    history = history_of(
        "last_of_the_budget",
        (*bought(ADA, 1), *bought(BELA, 2, at_seconds=22)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_little,
    )
    return replace(history, owners_differ=True)


def two_at_once() -> History:
    """A member buys twice within a second, and brings the first back the next day."""
    return history_of(
        "two_at_once",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(1, at_seconds=DAY)),
        {"t-1": Ending("R-1", returns=1), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_plenty,
    )


def offer_disowned() -> History:
    """The receipt that won the offer was somebody else's, who says so."""
    return history_of(
        "offer_disowned",
        (*bought(ADA, 1), replace(not_mine(), at_seconds=60)),
        {"t-1": Ending(None)},
        {},
        opens=_open_plenty,
    )


def cashback(name: str, minor: int, owned: Balances, *disturbed: str) -> History:
    """A purchase wins `minor` pence, which become available and are paid; the rail does with the
    payment what its last two digits say. Faults come to the workers of the queues `disturbed`.
    """
    history = history_of(
        f"cashback_{name}",
        (*bought(ADA, 1), *nights(1, NIGHTS_COUNT, disturbed=PAID_IN)),
        {"t-1": Ending("R-1")},
        {"ada": owned},
        opens=_opens_by_minor[minor],
    )
    return replace(history, disturbed=frozenset(disturbed))


def card_filled() -> History:
    """Three stamps come to a card of two places: one card is full, and the next has a stamp."""
    history = history_of(
        "card_filled",
        (*bought(ADA, 1), settled_again(ADA, 1, at_seconds=40 * DAY)),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", pending=FULL_CARD)},
        opens=with_card,
    )
    return replace(history, stamps={"ada": 1})


def card_emptied() -> History:
    """Two purchases fill three cards; the second comes back, and with it what it filled."""
    history = history_of(
        "card_emptied",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(2, at_seconds=DAY)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {"ada": Balances("GBP", pending=FULL_CARD)},
        opens=with_card,
    )
    return replace(history, stamps={"ada": 1})


def card_disowned() -> History:
    """The receipt that filled a card was somebody else's."""
    return history_of(
        "card_disowned",
        (*bought(ADA, 1), replace(not_mine(), at_seconds=60)),
        {"t-1": Ending(None)},
        {},
        opens=with_card,
    )


# What is won, by what becomes of its payment (`infra/local/fates.py`, `rail.py`).
PAID, FAILED, RETURNED, LATE, AWAY = 142, 131, 132, 133, 136
_opens_by_minor = {
    minor: with_offer(minor, budget_minor=_BUDGET) for minor in (PAID, FAILED, RETURNED, LATE, AWAY)
}


def _paid(minor: int) -> Balances:
    return Balances("GBP", paid=minor)


def returned() -> History:
    """The payee's bank sends the payment back: it is payable again, to an account named anew."""
    owned = Balances("GBP", available=RETURNED, paid=RETURNED, returned=RETURNED)
    return cashback("returned", RETURNED, owned, queues.PAYOUTS, LOOKS)


HISTORIES: Sequence[Callable[[], History]] = (
    offered,
    offer_returned,
    last_of_the_budget,
    two_at_once,
    offer_disowned,
    card_filled,
    card_emptied,
    card_disowned,
    lambda: cashback("paid", PAID, _paid(PAID), queues.PAYOUTS, queues.NOTICES),
    lambda: cashback("closed", PAID, _paid(PAID), NIGHTS),
    lambda: cashback("failed", FAILED, Balances("GBP", available=FAILED), queues.PAYOUTS),
    returned,
    lambda: cashback("late", LATE, _paid(LATE), queues.PAYOUTS, LOOKS),
    lambda: cashback("away", AWAY, _paid(AWAY), queues.PAYOUTS, LOOKS),
    *extra_histories.HISTORIES,
    *held_histories.HISTORIES,
)
