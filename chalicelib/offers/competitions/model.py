"""A competition, an entry and a draw as values, and where in its life a competition is. Pure.

What a competition offers may change until it begins, and not after that: whoever entered agreed to
the terms that they saw.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import RetailerId

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Stage(Enum):
    """Where in its life a competition is. The values are part of the API."""

    DRAFT = "draft"
    LIVE = "live"
    ENDED = "ended"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn, and all that it takes to draw it again.

    `entries` is how many took part and `digest` which; `winners` are numbers of entries, the first
    drawn first. `drawn_by` is the member of staff who gave the seed, as AWS knows them.
    """

    seed: str
    entries: int
    digest: str
    winners: tuple[str, ...]
    drawn_at: datetime
    drawn_by: str


@dataclass(frozen=True, slots=True)
class Competition:
    """A prize of a retailer, drawn among the members who entered in [`starts_at`, `ends_at`).

    `seed_source` says beforehand which public fact the draw will use, and `seed_known_at` from when
    on it is known: never before the end, so that nobody who may still enter knows it. `version`
    counts changes.
    """

    competition_id: str
    retailer_id: RetailerId
    reference: str
    title: str
    prize: str
    terms: str
    terms_version: str
    starts_at: datetime
    ends_at: datetime
    seed_source: str
    seed_known_at: datetime
    winners: int = 1
    draw: Draw | None = None
    version: int = 1

    def stage_at(self, now: datetime) -> Stage:
        """Where in its life it is at `now`."""
        if self.draw is not None:
            return Stage.DRAWN
        if now < self.starts_at:
            return Stage.DRAFT
        return Stage.LIVE if now < self.ends_at else Stage.ENDED


@dataclass(frozen=True, slots=True)
class Entry:
    """That a member entered, under a random number that says nothing about them."""

    competition_id: str
    entry_id: str
    terms_version: str
    entered_at: datetime


def is_reference(text: str) -> bool:
    """Whether a retailer may call a competition so: lower-case letters, digits, dashes; 40."""
    return _REFERENCE.fullmatch(text) is not None


def competition_id_of(retailer_id: RetailerId, reference: str) -> str:
    """The id of the competition that `retailer_id` calls `reference`: `bean-and-leaf.hamper`."""
    return f"{retailer_id}.{reference}"


def as_offered(competition: Competition) -> Competition:
    """`competition` without what became of it, to see whether two offer the same."""
    return replace(competition, draw=None, version=1)
