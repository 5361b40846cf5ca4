"""Whether a purchase may earn in a scheme at all, before anybody looks at what was bought. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.loyalty.cards.model import Membership
from chalicelib.members.switching import Switch, was_off
from chalicelib.network.programmes import Service

AHEAD_MAX = timedelta(days=1)  # A bank's clock may be off, and a day begins earlier in the east.


class Barred(Enum):
    """Why a purchase earns nothing, whatever was bought. The words are part of the API."""

    STAMPS_OFF = "stamps_off"  # the member, or the bank, has the service switched off
    STAMPS_WERE_OFF = "stamps_were_off"  # the member had it switched off at the moment of buying
    NOT_JOINED = "not_joined"  # the scheme is one to be chosen, and it was not
    BEFORE_JOINING = "before_joining"
    LEFT_SCHEME = "left_scheme"
    IN_THE_FUTURE = "in_the_future"  # the bank's clock says that it was not made yet


@dataclass(frozen=True, slots=True)
class Taker:
    """What is asked of a member: whether stamps are on, and how they take part if not at all yet.

    `joined` is the membership of whoever has no card: None in a scheme that has to be chosen.
    `switches` say when stamps were off before.
    """

    has_stamps: bool
    joined: Membership | None
    switches: tuple[Switch, ...] = ()


def find_bar(
    membership: Membership | None, taker: Taker, *, sold_at: datetime, now: datetime
) -> Barred | None:
    """Why a purchase of `sold_at` earns nothing, or None where it may earn.

    Who left earns nothing from that moment on, nor for what was bought before and is told of later.
    What was bought while stamps were off earns nothing for good.
    """
    if not taker.has_stamps:
        return Barred.STAMPS_OFF
    if was_off(taker.switches, Service.STAMPS, at=sold_at):
        return Barred.STAMPS_WERE_OFF
    if membership is None:
        return Barred.NOT_JOINED
    if not membership.is_on:
        return Barred.LEFT_SCHEME
    if sold_at < membership.joined_at:
        return Barred.BEFORE_JOINING
    if sold_at > now + AHEAD_MAX:
        return Barred.IN_THE_FUTURE
    return None
