"""Histories in which points are spent, and in which a stamp is missing.

What apps and tills ask meets faults like any worker. Whoever gets no answer asks the same again;
whoever is refused is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chalicelib.ledger.model import Balances
from chalicelib.loyalty.cards.lots import Balance
from chalicelib.runtime import queues
from infra.simulation.asking import ASKS, DONE
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import CASES
from infra.simulation.reward_inputs import (
    DAY,
    HOUR,
    all_done,
    asked_for,
    bought,
    bought_late,
    brought_back,
    claimed,
    confirmed,
    history_of,
    scheduled,
)
from infra.simulation.reward_town import BUN, CASH, CASH_MINOR, with_card, with_points
from infra.simulation.town import ADA, Person, paid, payment_message

NOT_OPEN = "claim_not_open"
PAPER_DAYS = 14  # So long a member may look for the paper; then a missing stamp is refused.
POINTS_EARNED = 4  # Of £4.20, a point a pound.
_SPENDING = frozenset({ASKS, queues.REWARDS})
_open_points = with_points({})


def _spent(
    name: str, inputs: Sequence[Input], holding: Balance, heard: Mapping[str, str]
) -> History:
    """Something is bought, and then it is as `inputs` say, an hour after one another."""
    history = history_of(
        name, (*bought(ADA, 1), *inputs), {"t-1": Ending("R-1")}, {}, opens=_open_points
    )
    left = holding.active + holding.expired
    return replace(
        history, stamps={"ada": left}, holding={"ada": holding}, heard=heard, disturbed=_SPENDING
    )


def confirmed_twice() -> History:
    """A till redeems a bun, asks the same again, and another till asks for it, too."""
    return _spent(
        "confirmed_twice",
        (
            claimed(ADA, "reserve_reward", "c1", BUN, at_seconds=HOUR),
            confirmed(ADA, "c1", at_seconds=3 * HOUR, name="till", reference="T1-7"),
            confirmed(ADA, "c1", at_seconds=5 * HOUR, name="again", reference="T1-7"),
            confirmed(ADA, "c1", at_seconds=7 * HOUR, name="other", reference="T2-9"),
            confirmed(ADA, "c1", at_seconds=9 * HOUR, name="nameless"),
            claimed(ADA, "cancel_claim", "c1", at_seconds=11 * HOUR, name="regretted"),
        ),
        Balance(pending=0, active=POINTS_EARNED - 2, reserved=0, expired=0),
        {
            **all_done("c1", "till", "again"),
            **dict.fromkeys(("other", "nameless", "regretted"), NOT_OPEN),
        },
    )


def given_up() -> History:
    """A bun is reserved and given up, twice; a till comes too late; the points buy money."""
    history = _spent(
        "given_up",
        (
            claimed(ADA, "reserve_reward", "c1", BUN, at_seconds=HOUR),
            claimed(ADA, "reserve_reward", "c1", BUN, at_seconds=3 * HOUR, name="same"),
            claimed(ADA, "cancel_claim", "c1", at_seconds=5 * HOUR, name="gives_up"),
            claimed(ADA, "cancel_claim", "c1", at_seconds=7 * HOUR, name="gives_up_again"),
            confirmed(ADA, "c1", at_seconds=9 * HOUR, name="till", reference="T1-7"),
            claimed(ADA, "reserve_reward", "c2", CASH, at_seconds=11 * HOUR),
            claimed(ADA, "reserve_reward", "c3", CASH, at_seconds=13 * HOUR),
            claimed(ADA, "reserve_reward", "c4", CASH, at_seconds=15 * HOUR),
        ),
        Balance(pending=0, active=0, reserved=0, expired=0),
        {
            **all_done("c1", "same", "gives_up", "gives_up_again", "c2", "c3"),
            "till": NOT_OPEN,
            "c4": "INSUFFICIENT_POINTS",
        },
    )
    return replace(history, owned={"ada": Balances("GBP", available=2 * CASH_MINOR)})


def ran_out() -> History:
    """A code is shown a day later, when it is good no more; its points buy another."""
    return _spent(
        "ran_out",
        (
            claimed(ADA, "reserve_reward", "c1", BUN, at_seconds=HOUR),
            claimed(ADA, "reserve_reward", "c2", BUN, at_seconds=3 * HOUR),
            confirmed(ADA, "c2", at_seconds=5 * HOUR, name="till", reference="T1-7"),
            confirmed(ADA, "c1", at_seconds=2 * DAY, name="late", reference="T1-8"),
            claimed(ADA, "reserve_reward", "c3", BUN, at_seconds=2 * DAY + HOUR),
            confirmed(ADA, "c3", at_seconds=2 * DAY + 3 * HOUR, name="next", reference="T1-9"),
        ),
        Balance(pending=0, active=0, reserved=0, expired=0),
        {**all_done("c1", "c2", "till", "c3", "next"), "late": NOT_OPEN},
    )


def spent_and_returned() -> History:
    """What was spent is brought back: it is owed, and worked off by what is bought next."""
    history = history_of(
        "spent_and_returned",
        (
            *bought(ADA, 1),
            claimed(ADA, "reserve_reward", "c1", BUN, at_seconds=HOUR),
            confirmed(ADA, "c1", at_seconds=3 * HOUR, name="till", reference="T1-7"),
            brought_back(1, at_seconds=5 * HOUR),
            claimed(ADA, "reserve_reward", "c2", BUN, at_seconds=7 * HOUR, name="owing"),
            *bought(ADA, 2, at_seconds=9 * HOUR),
        ),
        {"t-1": Ending("R-1", returns=1), "t-2": Ending("R-2")},
        {},
        opens=_open_points,
    )
    return replace(
        history,
        stamps={"ada": 2},
        holding={"ada": Balance(pending=0, active=2, reserved=0, expired=0)},
        heard={**all_done("c1", "till"), "owing": "INSUFFICIENT_POINTS"},
        disturbed=_SPENDING,
    )


def _missing(person: Person, *, at_seconds: int, name: str) -> Input:
    return asked_for(
        person, "claim_reward", {"transaction": "t-1"}, {}, at_seconds=at_seconds, name=name
    )


def stamp_found() -> History:
    """A stamp is missing, and an hour later the till's receipt comes after all."""
    history = history_of(
        "stamp_found",
        (
            *bought_late(ADA, 1, at_seconds=21, late_by=4 * HOUR),
            _missing(ADA, at_seconds=2 * HOUR, name="missing"),
            *scheduled("look_at_cases", 3 * HOUR),
            *scheduled("look_at_cases", 8 * HOUR, queue=CASES),
            *scheduled("look_at_cases", DAY),
            _missing(ADA, at_seconds=2 * DAY, name="again"),
        ),
        {"t-1": Ending("R-1")},
        {"ada": Balances("GBP", pending=142)},
        opens=with_card,
    )
    return replace(
        history,
        stamps={"ada": 1},
        heard=all_done("missing", "again"),
        told={"claim_decided": 1, "claim_decided found_by_itself": 1, "stamp_earned": 1},
        disturbed=frozenset({ASKS, CASES, queues.NOTICES}),
    )


def stamp_never_found() -> History:
    """A stamp is missing, and no receipt ever comes: after two weeks that is said."""
    auth = payment_message(paid(ADA, "t-1"))
    days = range(1, PAPER_DAYS + 3)
    history = history_of(
        "stamp_never_found",
        (
            Input(21, "auth", queues.PAYMENTS, (auth,)),
            _missing(ADA, at_seconds=HOUR, name="missing"),
            *scheduled("end_waiting", *(day * DAY for day in days)),
            *scheduled("look_at_cases", *(d * DAY + HOUR for d in days if d != PAPER_DAYS)),
            *scheduled("look_at_cases", PAPER_DAYS * DAY + HOUR, queue=CASES),
        ),
        {"t-1": Ending(None)},
        {},
        opens=with_card,
    )
    return replace(
        history,
        heard={"missing": DONE},
        told={"claim_decided": 1, "claim_decided no_receipt": 1},
        disturbed=frozenset({ASKS, CASES, queues.NOTICES}),
    )


HISTORIES: Sequence[Callable[[], History]] = (
    confirmed_twice,
    given_up,
    ran_out,
    spent_and_returned,
    stamp_found,
    stamp_never_found,
)
