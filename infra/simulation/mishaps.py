"""Histories in which something is broken for days, comes back in parts, or leaves.

A worker whose every call fails gives its messages up; days later it is mended, and a person sends
what it gave up once more.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import Balance
from chalicelib.runtime import queues
from chalicelib.tills.native_shapes import NativeLine
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import LOOKS, NIGHTS
from infra.simulation.reward_histories import GIVEN, NIGHTS_COUNT, PAID_IN, RETURNED
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    asked_for,
    bought,
    brought_back,
    code_of,
    history_of,
    nights,
    settled_again,
)
from infra.simulation.reward_town import with_everything, with_offer
from infra.simulation.town import (
    ADA,
    LOAF,
    NOON,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
)

MENDED_AFTER, REDRIVEN_AFTER = 3 * DAY, 5 * DAY
_BUDGET = 10_000
_open_plenty = with_offer(GIVEN, budget_minor=_BUDGET)
_open_returning = with_offer(RETURNED, budget_minor=_BUDGET)
LOAVES, CAKE = 600, 450  # Two loaves, and a cake.


def _outage(queue: str, *, at_seconds: int) -> tuple[Input, ...]:
    return (
        Input(at_seconds, "breaks", breaks=queue),
        Input(at_seconds + MENDED_AFTER, "mended", mends=queue),
        Input(at_seconds + REDRIVEN_AFTER, "redriven", redrives=queue),
    )


def rewards_redriven() -> History:
    """Nothing is settled for days, and meanwhile what was bought is brought back in part."""
    return history_of(
        "rewards_redriven",
        (
            *_outage(queues.REWARDS, at_seconds=10),
            *bought(ADA, 1),
            *bought(ADA, 2, at_seconds=HOUR),
            brought_back(2, at_seconds=DAY, bought_at_seconds=HOUR),
        ),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2", returns=1)},
        {"ada": Balances("GBP", pending=GIVEN)},
        opens=_open_plenty,
    )


def notices_redriven() -> History:
    """The bank hears of nothing for days, and then of all of it, once."""
    history = history_of(
        "notices_redriven",
        (
            *_outage(queues.NOTICES, at_seconds=10),
            *bought(ADA, 1),
            *bought(ADA, 2, at_seconds=2 * DAY),
        ),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", pending=2 * GIVEN)},
        opens=_open_plenty,
    )
    return replace(history, told={"offer_redeemed": 2})


def payouts_redriven() -> History:
    """What the night ordered is given up, and sent days later: it is paid once."""
    begins = PAID_IN * DAY - 8 * HOUR
    history = history_of(
        "payouts_redriven",
        (
            *bought(ADA, 1),
            *nights(1, NIGHTS_COUNT + 4),
            *_outage(queues.PAYOUTS, at_seconds=begins),
        ),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", paid=GIVEN)},
        opens=_open_plenty,
    )
    return replace(history, disturbed=frozenset({queues.PAYOUTS}), told={"reward_paid": 1})


def named_anew() -> History:
    """A payment comes back; the member names another account, buys again, and is paid both."""
    named = asked_for(
        ADA,
        "set_destination",
        {},
        {"holder": "Ada Wren", "sort_code": "10-20-30", "account_number": "87654321"},
        at_seconds=11 * DAY,
        name="named",
    )
    later = 8 * DAY
    history = history_of(
        "named_anew",
        (
            *bought(ADA, 1),
            *nights(1, NIGHTS_COUNT),
            named,
            *bought(ADA, 2, at_seconds=later),
            *nights(NIGHTS_COUNT + 1, 15, disturbed=13),
        ),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2")},
        {"ada": Balances("GBP", paid=3 * RETURNED, returned=RETURNED)},
        opens=_open_returning,
    )
    return replace(
        history,
        heard={"named": "done"},
        told={"reward_paid": 2, "reward_returned": 1},
        disturbed=frozenset({queues.PAYOUTS, NIGHTS, LOOKS}),
    )


def left_with_money() -> History:
    """Who leaves is paid what is pending then. A month and a half later they are forgotten, and
    nothing that comes after that brings them back.
    """
    auth = payment_message(paid(ADA, "t-9", code=code_of(9), at=NOON + timedelta(days=45)))
    history = history_of(
        "left_with_money",
        (
            *bought(ADA, 1),
            Input(DAY, "leaves", leaves=ADA.anchor),
            *nights(1, NIGHTS_COUNT, disturbed=PAID_IN),
            settled_again(ADA, 1, at_seconds=10 * DAY),
            Input(40 * DAY, "forgets", forgets=True),
            settled_again(ADA, 1, at_seconds=41 * DAY),
            brought_back(1, at_seconds=42 * DAY),
            Input(45 * DAY + 30, "auth", queues.PAYMENTS, (auth,)),
            *nights(46, 47),
        ),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", paid=GIVEN)},
        opens=_open_plenty,
    )
    return replace(
        history,
        may_differ=True,
        disturbed=frozenset({queues.PAYOUTS, queues.REWARDS, NIGHTS}),
    )


def _parts(*parts: NativeLine) -> tuple[Input, ...]:
    """A sale of two loaves and a cake, of which `parts` come back one by one."""
    lines = (
        NativeLine(LOAF, LOAVES, line_id="1", quantity=Decimal(2)),
        NativeLine("Cake", CAKE, line_id="2"),
    )
    total = LOAVES + CAKE
    auth = paid(ADA, "t-1", minor=total, code=code_of(1))
    sold = sale("R-1", minor=total, code=code_of(1), lines=lines)
    said = [("auth", queues.PAYMENTS, payment_message(auth))]
    said.append(("receipt", queues.RECEIPTS, receipts_message(sold)))
    for number, part in enumerate(parts, start=1):
        back = receipts_message(return_of(sold, f"B-{number}", part=part))
        said.append((f"part{number}", queues.RECEIPTS, back))
    return tuple(
        Input(21 + 2 * at, what, queue, (body,)) for at, (what, queue, body) in enumerate(said)
    )


def parts_returned(name: str, *parts: NativeLine, points: int, minor: int) -> History:
    """Parts of what was bought come back, in whatever order, before or after the sale is known."""
    owned = {"ada": Balances("GBP", pending=minor)} if minor else {}
    history = history_of(
        name,
        _parts(*parts),
        {"t-1": Ending("R-1", returns=len(parts))},
        owned,
        opens=with_everything,
    )
    return replace(
        history,
        is_ordered=False,
        stamps={"ada": points},
        holding={"ada": Balance(pending=0, active=points, reserved=0, expired=0)},
    )


ONE_LOAF = NativeLine(LOAF, LOAVES // 2, line_id="1")
THE_CAKE = NativeLine("Cake", CAKE, line_id="2")

HISTORIES: Sequence[Callable[[], History]] = (
    rewards_redriven,
    notices_redriven,
    payouts_redriven,
    named_anew,
    left_with_money,
    # £10.50 earn ten points, £6 of them of the loaves, and £1.05.
    lambda: parts_returned("loaf_returned", ONE_LOAF, THE_CAKE, points=3, minor=30),
    lambda: parts_returned(
        "all_returned_in_parts", THE_CAKE, ONE_LOAF, ONE_LOAF, points=0, minor=0
    ),
)
