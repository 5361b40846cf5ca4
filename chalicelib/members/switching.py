"""When a member switched a service on or off: what was bought while it was off earns nothing. Pure.

Only the last switchings are kept. Before the first of them that is known the service stood the
other way; of who never switched it, it always stood as it does now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.network.programmes import Service

SWITCHES_MAX = 16  # Of a service. Off and on again eight times within a receipt's delay is nobody.


@dataclass(frozen=True, slots=True)
class Switch:
    """That a service was switched on, or off, at a moment."""

    service: Service
    at: datetime
    is_on: bool


def was_off(switches: Iterable[Switch], service: Service, *, at: datetime) -> bool:
    """Whether a service that is on now was off at `at`."""
    later = (one for one in switches if one.service is service and at < one.at)
    first = next(later, None)
    return first is not None and first.is_on


def with_switch(switches: tuple[Switch, ...], new: Switch) -> tuple[Switch, ...]:
    """`switches` and `new`; of its service the oldest one goes where there are too many."""
    own = [one for one in switches if one.service is new.service]
    kept = (one for one in switches if len(own) < SWITCHES_MAX or one is not own[0])
    return (*kept, new)
