"""What became of a purchase on a card, change by change, as its member is told of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.loyalty.cards.model import Change, Entry

# Why a later version of a purchase is worth something else.
RETURNED = "returned"
WITHDRAWN = "withdrawn"
CORRECTED = "corrected"
OFFER_INSTEAD = "offer_instead"


@dataclass(frozen=True, slots=True)
class Told:
    """A `change` of what counts of a purchase, and when it was entered.

    `cause` names it in the id of its notice. `is_first`: nothing of the purchase counted before.
    """

    change: Change
    cause: str
    at: datetime
    is_first: bool


def told_of(entry: Entry) -> Iterator[Told]:
    """The changes that moved units, the oldest first: the last ones, and the first of all.

    Each is told as it was the first time: a bank knows a repeat by its id.
    """
    for place, change in enumerate((*entry.earlier, newest_of(entry))):
        if change.units:
            yield Told(
                change=change,
                cause=cause_of(entry, change),
                at=entered_at(entry, change),
                is_first=place == 0 and _is_first(change, entry),
            )


def newest_of(entry: Entry) -> Change:
    """What the last version of its purchase changed."""
    return Change(entry.version, entry.changed, entry.reason, entry.lag_seconds)


def first_entered_at(entry: Entry) -> datetime:
    """When its purchase first counted for something; where it never did, when it last changed."""
    first = next(told_of(entry), None)
    return first.at if first is not None else entered_at(entry, newest_of(entry))


def cause_of(entry: Entry, change: Change) -> str:
    """What happens once: that version of the purchase."""
    return f"{entry.payment_id}#{change.version}"


def entered_at(entry: Entry, change: Change) -> datetime:
    """When `change` was entered on the card; of one that says nothing of it, when that was sold."""
    return entry.sold_at + timedelta(seconds=change.lag_seconds)


def _is_first(change: Change, entry: Entry) -> bool:
    """Whether nothing of the purchase counted before `change`, the first that is known of it."""
    if entry.earlier:
        return change.units > 0
    return change.units > 0 and change.units in (entry.lot.units, entry.lot.units + entry.forfeited)
