"""What retailers owe, day by day: each day's lines carry the hash of the day before. Pure.

The hash of a day is SHA-256 over the 32 bytes of the hash of the retailer's day before it that had
lines (nought for the first) and the day's canonical bytes: a JSON object in ASCII without blanks,
its names in alphabetical order: `day`, `lines` (each `[campaign, currency, given, given_minor,
taken_back, taken_back_minor]`, in order) and `retailer`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.kernel.ids import RetailerId
from chalicelib.ledger.days.folding import Line

FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class RetailerDay:
    """What a retailer's campaigns gave and took back on one day, chained to the day before."""

    retailer_id: RetailerId
    on: date
    lines: tuple[Line, ...]
    before: bytes
    hash: bytes


def make_day(
    retailer_id: RetailerId, on: date, lines: Sequence[Line], *, before: bytes
) -> RetailerDay:
    """The day with its hash; `before` is that of the day before."""
    ordered = tuple(sorted(lines, key=lambda line: line.name))
    return RetailerDay(
        retailer_id, on, ordered, before, hash_of(retailer_id, on, ordered, before=before)
    )


def hash_of(retailer_id: RetailerId, on: date, lines: Sequence[Line], *, before: bytes) -> bytes:
    """The hash of a day; see the module."""
    said = {
        "day": on.isoformat(),
        "lines": [
            [
                line.campaign_id,
                line.currency,
                line.given,
                line.given_minor,
                line.taken_back,
                line.taken_back_minor,
            ]
            for line in lines
        ],
        "retailer": retailer_id,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(before + canonical).digest()


def breaks(days: Sequence[RetailerDay], *, before: bytes | None = None) -> tuple[date, ...]:
    """The days of one retailer, in order, whose hash is not what follows from them.

    `before` is the hash that the first of them has to carry, None where it is not known.
    """
    broken = []
    for day in days:
        expected = hash_of(day.retailer_id, day.on, day.lines, before=day.before)
        if day.hash != expected or (before is not None and day.before != before):
            broken.append(day.on)
        before = day.hash
    return tuple(broken)
