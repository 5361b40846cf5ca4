"""Histories on the days that calendars are wrong about: the two nights in which clocks change, a
29 February, a 31 January.

Whatever comes at the end of a day comes twice, a second before and a second after it, and asks what
may be spent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from chalicelib.loyalty.cards.lots import Balance
from infra.simulation.asking import DONE
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import CASES
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    REWARDED,
    bought_at,
    claimed,
    history_of,
    in_london,
    scheduled,
    seconds_at,
)
from infra.simulation.reward_town import BUN, with_points
from infra.simulation.town import ADA

REFUSED = "INSUFFICIENT_POINTS"
TOLD_BEFORE_DAYS = 14
# One a day, whatever is bought; what a day gave is good until the end of the next.
_open_daily = with_points(
    {
        "rules": [{"kind": "visit", "id": "day", "caps": [{"units": 1, "per": "day"}]}],
        "expiry": {"after": 1, "unit": "days"},
    }
)
_A_VISIT = [{"kind": "visit", "id": "visit", "units": 2}]
_open_monthly = with_points(
    {"rules": _A_VISIT, "expiry": {"after": 1, "unit": "months", "end_of": "day"}}
)
_open_yearly = with_points(
    {"rules": _A_VISIT, "expiry": {"after": 12, "unit": "months", "end_of": "day"}}
)


def clocks_change(name: str, day: date) -> History:
    """A day of 23 or of 25 hours. What is bought three times on it counts once; what was earned on
    the day before is good until its last second, and what was earned on it for another day.
    """
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    buys = (
        in_london(before, "10:00"),
        in_london(day, "00:10"),
        in_london(day, "01:30", is_second=True),
        in_london(day, "23:30"),
        in_london(after, "00:10"),
    )
    next_day = seconds_at(in_london(after, "06:00"))
    bought = (one for at, when in enumerate(buys, start=1) for one in bought_at(ADA, at, when))
    history = history_of(
        name,
        (
            *bought,
            *_around(seconds_at(in_london(after, "00:00"))),
            claimed(ADA, "reserve_reward", "next_day", BUN, at_seconds=next_day),
        ),
        {f"t-{at}": Ending(f"R-{at}") for at in range(1, len(buys) + 1)},
        {},
        opens=_open_daily,
    )
    return replace(
        history,
        # Three days earned a point each; the bun takes the last two, and the first is lost.
        stamps={"ada": 1},
        holding={"ada": Balance(pending=0, active=0, reserved=2, expired=1)},
        heard={"in_time": DONE, "given_up": DONE, "too_late": REFUSED, "next_day": DONE},
    )


def _around(midnight: int) -> Iterator[Input]:
    """Two points are asked for in the last second and given up at once, and asked for again in the
    first second after it, when one of them is lost.
    """
    last = midnight - 1
    yield claimed(ADA, "reserve_reward", "in_time", BUN, at_seconds=last)
    yield claimed(ADA, "cancel_claim", "in_time", at_seconds=last, name="given_up")
    yield claimed(ADA, "reserve_reward", "too_late", BUN, at_seconds=midnight)


def expires(
    name: str, bought_on: date, ends_on: date, *, opens: Callable[[datetime], None]
) -> History:
    """What is bought on `bought_on` is good to the end of `ends_on`, and two weeks before that its
    member is told of it once, with the day.
    """
    end = seconds_at(in_london(ends_on + timedelta(days=1), "00:00").astimezone(UTC))
    due = end - TOLD_BEFORE_DAYS * DAY
    looks = (
        *scheduled("tell_expiring", due - DAY, due - 9 * HOUR, due + DAY, due + 2 * DAY),
        *scheduled("tell_expiring", due + 6 * HOUR, queue=CASES),
    )
    history = history_of(
        name,
        (*bought_at(ADA, 1, in_london(bought_on, "12:00")), *looks, *_around(end)),
        {"t-1": Ending("R-1")},
        {},
        opens=opens,
    )
    return replace(
        history,
        disturbed=REWARDED | {CASES},
        stamps={"ada": 2},
        holding={"ada": Balance(pending=0, active=0, reserved=0, expired=2)},
        heard={"in_time": DONE, "given_up": DONE, "too_late": REFUSED},
        told={"expiring": 1, f"expiring on {ends_on}": 1},
    )


HISTORIES: Sequence[Callable[[], History]] = (
    lambda: clocks_change("clocks_forward", date(2027, 3, 28)),
    lambda: clocks_change("clocks_back", date(2027, 10, 31)),
    lambda: expires("month_of_28", date(2027, 1, 31), date(2027, 2, 28), opens=_open_monthly),
    lambda: expires("month_of_29", date(2028, 1, 31), date(2028, 2, 29), opens=_open_monthly),
    lambda: expires("leap_day", date(2028, 2, 29), date(2029, 2, 28), opens=_open_yearly),
)
