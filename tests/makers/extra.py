"""A bakery whose full stamp cards give points of its other scheme, and whose points buy stamps."""

from datetime import datetime
from typing import Any

from chalicelib.loyalty.cards.extra import Extra, Stage
from chalicelib.loyalty.cards.lots import balance_at, owed
from chalicelib.loyalty.cards.model import Entry, Fill
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices.messages import decode_notices
from chalicelib.runtime import queues
from tests.makers.cards import ACTIVE_AT, SOLD_AT
from tests.makers.network import BAKERY
from tests.makers.purchases import PAID_AT, open_town, queued
from tests.makers.rewarding import DAY, card, write_scheme

POINTS = f"{BAKERY}.points"
COFFEE = f"{BAKERY}.coffee"
GIVES = {"kind": "extra_units", "scheme": "points", "units": 20}
TEA = {"kind": "item", "id": "tea", "when": {"lines": {"categories": ["Tea"]}}}
MUG = {"id": "mug", "title": "A mug", "cost": 3, "reward": {"kind": "free_text", "text": "A mug"}}
CASH = {
    "id": "cash",
    "title": "£1.50 back",
    "cost": 15,
    "reward": {"kind": "fixed_cashback", "amount_minor": 150},
}
LATE = PAID_AT + 60 * DAY


def open_giving(places: int = 5, *, other: Any = None, **more: Any) -> None:
    """The town, the bakery's points (for tea, of which nobody buys any, unless `other` says
    otherwise), and its stamp card, of which a full one gives twenty points.
    """
    open_town()
    schemes.forget()
    of_points = {"unit": "points", "card": None, "catalogue": [MUG, CASH], "rules": [TEA]}
    write_scheme("points", **(of_points | (other or {})))
    write_scheme("coffee", **({"card": {"places": places, "reward": GIVES}} | more))


def points(*, now: datetime = LATE) -> tuple[int, int, int]:
    """What Ada has of the other scheme: pending, active, and owed."""
    found = card(POINTS, now=now)
    if found is None:
        return (0, 0, 0)
    balance = balance_at(found, now)
    return (balance.pending, balance.active, owed(found))


def entries(*, now: datetime = LATE) -> tuple[Entry, ...]:
    """What stands on Ada's card of the other scheme."""
    found = card(POINTS, now=now)
    return found.entries if found else ()


def fills(*, now: datetime = LATE) -> tuple[Fill, ...]:
    """Ada's full cards."""
    found = card(COFFEE, now=now)
    return found.fills if found else ()


def told() -> list[tuple[str, str, int, str]]:
    """What was announced since it was asked last: kind, scheme, units and reason."""
    notices = [decode_notices(body) for body in queued(queues.NOTICES)]
    return [
        (one.kind, one.subject.removeprefix(f"{BAKERY}."), one.units, one.reason)
        for one in notices
        if isinstance(one, NoticeMessage)
    ]


def extra(name: str = "p1~coffee~f1", units: int = 20, stage: Stage = Stage.GIVEN) -> Extra:
    """Units that the first full card gives, filled by the purchase `p1`."""
    return Extra(name, POINTS, units, SOLD_AT, ACTIVE_AT, stage)
