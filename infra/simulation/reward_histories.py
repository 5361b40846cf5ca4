"""Histories about rewards: what is bought, what comes back, and the nights that pay for it.

Faults come to the workers of rewards, notices, payouts and nights alone; what precedes them has
histories of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.ids import payment_id_of
from chalicelib.ledger.model import Balances
from chalicelib.purchases.messages import RewardMessage, encode
from chalicelib.runtime import queues
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import LOOKS, NIGHTS, QUIET
from infra.simulation.reward_town import FULL_CARD, with_card, with_offer
from infra.simulation.second_thoughts import not_mine
from infra.simulation.town import (
    ADA,
    BELA,
    NOON,
    Person,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
)

DAY = 24 * 3600
NIGHT_SECONDS = -7 * 3600 - 1800  # Half past four in the morning, counted from noon.
NIGHTS_COUNT = 7
LOOKS_AFTER_MINUTES = (15, 40, 120)
PAID_IN = 4  # The night in which what was bought at the first noon is paid.
GIVEN = 142
_BUDGET = 10_000
_REWARDED = frozenset({queues.REWARDS, queues.NOTICES})
CODE = "4K7Q2X"


def bought(person: Person, number: int, *, at_seconds: int = 21) -> tuple[Input, Input]:
    """`person` pays and the till sends the receipt, both within seconds."""
    at = NOON + timedelta(seconds=at_seconds - 21)
    code = f"{CODE[:-1]}{number}"
    auth = paid(person, f"t-{number}", minor=420, code=code, at=at)
    sold = sale(f"R-{number}", minor=420, code=code, at=at)
    return (
        Input(at_seconds, f"auth{number}", queues.PAYMENTS, (payment_message(auth),)),
        Input(at_seconds + 2, f"receipt{number}", queues.RECEIPTS, (receipts_message(sold),)),
    )


def brought_back(number: int, *, at_seconds: int) -> Input:
    """Everything of the receipt `number` comes back."""
    sold = sale(f"R-{number}", minor=420, code=f"{CODE[:-1]}{number}")
    back = receipts_message(return_of(sold, f"B-{number}"))
    return Input(at_seconds, f"return{number}", queues.RECEIPTS, (back,))


def settled_again(person: Person, number: int, *, at_seconds: int) -> Input:
    """The message that a purchase may have earned comes once more, from wherever it was kept."""
    payment_id = payment_id_of(person.bank, f"t-{number}")
    body = encode(RewardMessage(payment_id, person.member_id, NOON, 1))
    return Input(at_seconds, "again", queues.REWARDS, (body,))


def _history(
    name: str,
    inputs: Sequence[Input],
    endings: Mapping[str, Ending],
    owned: Mapping[str, Balances],
    *,
    opens: Callable[[datetime], None],
) -> History:
    return History(
        name,
        tuple(sorted(inputs, key=lambda one: one.at_seconds)),
        endings,
        opens=opens,
        owned=owned,
        disturbed=_REWARDED,
        is_ordered=True,
    )


_open_plenty = with_offer(GIVEN, budget_minor=_BUDGET)
_open_little = with_offer(GIVEN, budget_minor=2 * GIVEN - 1)


def offered() -> History:
    """A purchase wins the offer, and its message comes again a month later."""
    return _history(
        "offered",
        (*bought(ADA, 1), settled_again(ADA, 1, at_seconds=40 * DAY)),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_plenty,
    )


def offer_returned() -> History:
    """What won the offer is brought back the next day."""
    return _history(
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
    history = _history(
        "last_of_the_budget",
        (*bought(ADA, 1), *bought(BELA, 2, at_seconds=22)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_little,
    )
    return replace(history, owners_differ=True)


def two_at_once() -> History:
    """A member buys twice within a second, and brings the first back the next day."""
    return _history(
        "two_at_once",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(1, at_seconds=DAY)),
        {"t-1": Ending("R-1", returns=1), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_plenty,
    )


def offer_disowned() -> History:
    """The receipt that won the offer was somebody else's, who says so."""
    return _history(
        "offer_disowned",
        (*bought(ADA, 1), replace(not_mine(), at_seconds=60)),
        {"t-1": Ending(None)},
        {},
        opens=_open_plenty,
    )


def _nights() -> tuple[Input, ...]:
    """A week of nights, each with the day's closing and looks after payouts. Those of the night in
    which the first noon's purchase is paid may meet faults.
    """
    found = []
    for number in range(1, NIGHTS_COUNT + 1):
        at = number * DAY + NIGHT_SECONDS
        closing, looking = (NIGHTS, LOOKS) if number == PAID_IN else (QUIET, QUIET)
        found.append(Input(at, "night", closing, ("close_day",)))
        for minutes in LOOKS_AFTER_MINUTES:
            found.append(Input(at + minutes * 60, "look", looking, ("look_up_payouts",)))
    return tuple(found)


def cashback(name: str, minor: int, owned: Balances, *disturbed: str) -> History:
    """A purchase wins `minor` pence, which become available and are paid; the rail does with the
    payment what its last two digits say. Faults come to the workers of the queues `disturbed`.
    """
    history = _history(
        f"cashback_{name}",
        (*bought(ADA, 1), *_nights()),
        {"t-1": Ending("R-1")},
        {"ada": owned},
        opens=_opens_by_minor[minor],
    )
    return replace(history, disturbed=frozenset(disturbed))


def card_filled() -> History:
    """Three stamps come to a card of two places: one card is full, and the next has a stamp."""
    history = _history(
        "card_filled",
        (*bought(ADA, 1), settled_again(ADA, 1, at_seconds=40 * DAY)),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", pending=FULL_CARD)},
        opens=with_card,
    )
    return replace(history, stamps={"ada": 1})


def card_emptied() -> History:
    """Two purchases fill three cards; the second comes back, and with it what it filled."""
    history = _history(
        "card_emptied",
        (*bought(ADA, 1), *bought(ADA, 2, at_seconds=22), brought_back(2, at_seconds=DAY)),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {"ada": Balances("GBP", pending=FULL_CARD)},
        opens=with_card,
    )
    return replace(history, stamps={"ada": 1})


def card_disowned() -> History:
    """The receipt that filled a card was somebody else's."""
    return _history(
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
)
