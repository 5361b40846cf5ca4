"""What comes in histories about rewards: purchases, what is brought back, nights, and questions."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.kernel.ids import payment_id_of
from chalicelib.ledger.model import Balances
from chalicelib.purchases.messages import RewardMessage, encode
from chalicelib.runtime import queues
from infra.simulation.asking import ASKS, DONE, Asked
from infra.simulation.history import Ending, History, Input
from infra.simulation.nights import LOOKS, NIGHTS, QUIET
from infra.simulation.reward_town import SCHEME_ID
from infra.simulation.town import (
    BAKERY,
    NOON,
    Person,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
)

HOUR = 3600
DAY = 24 * HOUR
PRICE = 420
REWARDED = frozenset({queues.REWARDS, queues.NOTICES})
LOOKS_AFTER_MINUTES = (15, 40, 120)
_NIGHT_SECONDS = -7 * HOUR - 1800  # Half past four in the morning, counted from noon.
_LONDON = ZoneInfo("Europe/London")
_PAID_AFTER = 21  # The first message of a history comes so long after noon.


def seconds_at(at: datetime) -> int:
    """How long after noon `at` is."""
    return int((at - NOON).total_seconds())


def in_london(day: date, clock: str, *, is_second: bool = False) -> datetime:
    """When clocks in London show `clock` on `day`; for the second time, where they do so twice."""
    shown = datetime.combine(day, time.fromisoformat(clock), _LONDON)
    return shown.replace(fold=int(is_second))


def code_of(number: int) -> str:
    """The auth code of the purchase of that number."""
    return f"4K7Q{number:02}"


def bought(
    person: Person, number: int, *, at_seconds: int = _PAID_AFTER, minor: int = PRICE
) -> tuple[Input, Input]:
    """`person` pays and the till sends the receipt, both within seconds."""
    return bought_late(person, number, at_seconds=at_seconds, late_by=2, minor=minor)


def bought_late(
    person: Person, number: int, *, at_seconds: int, late_by: int, minor: int = PRICE
) -> tuple[Input, Input]:
    """`person` pays, and the till sends the receipt `late_by` seconds after that."""
    at = NOON + timedelta(seconds=at_seconds - _PAID_AFTER)
    auth = paid(person, f"t-{number}", minor=minor, code=code_of(number), at=at)
    sold = sale(f"R-{number}", minor=minor, code=code_of(number), at=at)
    told = receipts_message(sold, at=NOON + timedelta(seconds=at_seconds + late_by))
    return (
        Input(at_seconds, f"auth{number}", queues.PAYMENTS, (payment_message(auth),)),
        Input(at_seconds + late_by, f"receipt{number}", queues.RECEIPTS, (told,)),
    )


def bought_at(
    person: Person, number: int, at: datetime, *, minor: int = PRICE
) -> tuple[Input, ...]:
    """`person` pays at that time."""
    return bought(person, number, at_seconds=seconds_at(at) + _PAID_AFTER, minor=minor)


def brought_back(
    number: int, *, at_seconds: int, bought_at_seconds: int = _PAID_AFTER, minor: int = PRICE
) -> Input:
    """Everything of the receipt `number` comes back."""
    at = NOON + timedelta(seconds=bought_at_seconds - _PAID_AFTER)
    sold = sale(f"R-{number}", minor=minor, code=code_of(number), at=at)
    now = NOON + timedelta(seconds=at_seconds)
    back = receipts_message(return_of(sold, f"B-{number}"), at=now)
    return Input(at_seconds, f"return{number}", queues.RECEIPTS, (back,))


def settled_again(person: Person, number: int, *, at_seconds: int) -> Input:
    """The message that a purchase may have earned comes once more, from wherever it was kept."""
    payment_id = payment_id_of(person.bank, f"t-{number}")
    body = encode(RewardMessage(payment_id, person.member_id, NOON, 1))
    return Input(at_seconds, "again", queues.REWARDS, (body,))


def nights(first: int, last: int, *, disturbed: int = 0) -> tuple[Input, ...]:
    """The nights of those numbers, each with the day's closing and looks after payouts. Only those
    of the night `disturbed` may meet faults.
    """
    found = []
    for number in range(first, last + 1):
        at = number * DAY + _NIGHT_SECONDS
        closing, looking = (NIGHTS, LOOKS) if number == disturbed else (QUIET, QUIET)
        found.append(Input(at, "night", closing, ("close_day",)))
        for minutes in LOOKS_AFTER_MINUTES:
            found.append(Input(at + minutes * 60, "look", looking, ("look_up_payouts",)))
    return tuple(found)


def scheduled(name: str, *at_seconds: int, queue: str = QUIET) -> tuple[Input, ...]:
    """The schedule of that name runs at these times."""
    return tuple(Input(at, name, queue, (name,)) for at in at_seconds)


def claimed(
    person: Person, handler: str, claim: str, reward: str = "", *, at_seconds: int, name: str = ""
) -> Input:
    """The member's app reserves `reward` under the name `claim`, or gives it up. What it hears is
    remembered by `name`.
    """
    asked = Asked(
        handler,
        person.bank,
        {"user": person.anchor.value, "scheme": SCHEME_ID, "claim": claim},
        json=json.dumps({"reward": reward} if reward else {}),
        user=person.anchor.value,
        name=name or claim,
        patience=1,
    )
    return Input(at_seconds, name or claim, ASKS, (asked.to_body(),))


def confirmed(
    person: Person, claim: str, *, at_seconds: int, name: str, reference: str = ""
) -> Input:
    """A till redeems what the member shows; `reference` is its own name of doing so."""
    asked = Asked(
        "confirm_claim",
        BAKERY,
        {"scheme": SCHEME_ID, "claim": claim},
        json=json.dumps({"reference": reference}),
        member=person.member_id,
        name=name,
        patience=1,
    )
    return Input(at_seconds, name, ASKS, (asked.to_body(),))


def asked_for(
    person: Person,
    handler: str,
    parameters: Mapping[str, str],
    body: Mapping[str, object],
    *,
    at_seconds: int,
    name: str,
) -> Input:
    """The member's app asks that."""
    asked = Asked(
        handler,
        person.bank,
        {"user": person.anchor.value} | dict(parameters),
        json=json.dumps(body),
        user=person.anchor.value,
        name=name,
        patience=1,
    )
    return Input(at_seconds, name, ASKS, (asked.to_body(),))


def history_of(
    name: str,
    inputs: Sequence[Input],
    endings: Mapping[str, Ending],
    owned: Mapping[str, Balances],
    *,
    opens: Callable[[datetime], None],
) -> History:
    """A history about rewards, whose faults come to the workers of rewards and notices."""
    return History(
        name,
        tuple(sorted(inputs, key=lambda one: one.at_seconds)),
        endings,
        opens=opens,
        owned=owned,
        disturbed=REWARDED,
        is_ordered=True,
    )


def all_done(*names: str) -> dict[str, str]:
    """Of everything asked under these names the last answer was that it is done."""
    return dict.fromkeys(names, DONE)
