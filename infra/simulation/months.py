"""Four months and a half: two members buy, bring back, let stamps expire and are paid, night after
night, by a rail that fails, sends back and is late, over two changes of the year's and one of the
clocks' time.

Every sum depends on what comes together in a night, so of money only what was earned in all is
told here; the rest is what must hold after every step.
"""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.loyalty.cards.lots import Balance
from chalicelib.runtime import queues
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import LOOKS, NIGHTS
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    REWARDED,
    asked_for,
    bought,
    brought_back,
    history_of,
    scheduled,
)
from infra.simulation.reward_town import MONTHS_CARD, MONTHS_OFFER, TIMES_MAX, with_offer_and_card
from infra.simulation.town import ADA, BELA, Person

DAYS = 135
PAUSE_DAYS = 45  # So long Bela buys nothing, and her stamps expire.
_NIGHT = -7 * HOUR - 1800
_LOOKED_AFTER = 7 * HOUR
# The day on which each number was bought. Ada's come fast enough to keep every stamp alive.
ADAS = {number: 9 * at + 1 for at, number in enumerate(range(1, 14))}
BELAS = {21: 3, 22: 16, 23: 16 + PAUSE_DAYS, 24: 80, 25: 93}
RETURNED_ON = {3: ADAS[3] + 1, 7: ADAS[7] + 20, 22: 18}


_BELAS_OFFERS = 3 * MONTHS_OFFER  # One came back, and one was bought when the campaign was over.


def _expired(units: int) -> Balance:
    return Balance(pending=0, active=0, reserved=0, expired=units)


def _bought(person: Person, days: dict[int, int]) -> Iterator[Input]:
    for number, day in days.items():
        yield from bought(person, number, at_seconds=day * DAY)


def _nights() -> Iterator[Input]:
    for day in range(1, DAYS):
        at = day * DAY + _NIGHT
        yield from scheduled("close_day", at, queue=NIGHTS)
        yield from scheduled("look_up_payouts", at + _LOOKED_AFTER, queue=LOOKS)
        yield from scheduled("tell_expiring", at + 5 * HOUR)


def _named(number: int, day: int) -> Input:
    """Ada names one more account, because money came back."""
    account = {"holder": "Ada Wren", "sort_code": "10-20-30", "account_number": f"8765432{number}"}
    return asked_for(
        ADA, "set_destination", {}, account, at_seconds=day * DAY, name=f"named{number}"
    )


def months() -> History:
    """See the module."""
    days = ADAS | BELAS
    returned = (
        brought_back(number, at_seconds=day * DAY, bought_at_seconds=days[number] * DAY)
        for number, day in RETURNED_ON.items()
    )
    named = (_named(number, day) for number, day in enumerate((20, 60, 110), start=1))
    history = history_of(
        "months",
        (*_bought(ADA, ADAS), *_bought(BELA, BELAS), *returned, *named, *_nights()),
        {
            f"t-{number}": Ending(f"R-{number}", returns=int(number in RETURNED_ON))
            for number in sorted(days)
        },
        {},
        opens=with_offer_and_card,
    )
    return replace(
        history,
        # Thirteen purchases, less two that came back, are 33 stamps: sixteen cards, and one stamp
        # that a return left loose expired. Of the offer Ada had all she may have.
        earned={
            "ada": TIMES_MAX * MONTHS_OFFER + 16 * MONTHS_CARD,
            "bela": _BELAS_OFFERS + 5 * MONTHS_CARD,
        },
        # Bela's last two loose stamps expired; Ada's stands in the history of her card.
        stamps={"bela": 2},
        holding={"ada": _expired(1), "bela": _expired(2)},
        disturbed=REWARDED | {queues.PAYOUTS, NIGHTS, LOOKS},
    )


HISTORIES = (months,)
