"""What members did with offers, and how often it was done.

    wallets  <member id>    offerevent#<campaign id>#<id>  that it happened, so that it counts once
    money    campaign#<id>  counts#<UTC date>#<slot>       how often it happened to anybody

The first row is the member's; the second says nothing about anybody. Both are written together or
not at all, so that an event that comes again was counted, and one that was not counted is new.
"""

from datetime import date, datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.budgets.leasing import slot_of
from chalicelib.kernel.ids import MemberId, natural_id
from chalicelib.kernel.refusals import TryAgain
from chalicelib.offers.events.model import Counts, EventKind, OfferEvent
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

DAYS_READ_MAX = 366 * 4  # A year of days, in four slots each.
EVENT_ID_CHARACTERS = 16
ATTEMPTS_MAX = 5  # Each is lost only to somebody who counted meanwhile.

EVENTS = Retention(
    name="offer_events",
    reason="What you opened and clicked among your offers is forgotten after ninety days.",
    lasts=timedelta(days=90),
    since="it happened",
)
COUNTS = Retention(
    name="offer_counts",
    reason="How often an offer was seen by anybody is forgotten after two years.",
    lasts=timedelta(days=731),
    since="the day it counts",
)
_COUNT = Kept(Category.OPERATION, Purpose.OFFERS, Erasure.KEEP)


class OfferEventRow(rows.Row):
    """That a member saw, opened or clicked an offer."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "kind": Kept(Category.TRANSACTION, Purpose.OFFERS, Erasure.DELETE),
        "at": Kept(Category.TRANSACTION, Purpose.OFFERS, Erasure.DELETE),
    }
    retention = EVENTS

    kind = UnicodeAttribute()
    at = UnicodeAttribute()


class CountsRow(rows.Row):
    """How often something was done with an offer on one day."""

    Meta = rows.table_meta("money")
    privacy = dict.fromkeys("impression view click activation".split(), _COUNT)
    retention = COUNTS

    impression = NumberAttribute(default=0)
    view = NumberAttribute(default=0)
    click = NumberAttribute(default=0)
    activation = NumberAttribute(default=0)


def record_event(member_id: MemberId, event: OfferEvent) -> bool:
    """Write and count `event`, once under its id; False where it was written before.

    :raises TryAgain: others kept counting in the same place; nothing was written.
    """
    name = natural_id("offer event", event.event_id)[:EVENT_ID_CHARACTERS]
    row = OfferEventRow(
        member_id,
        f"offerevent#{event.campaign_id}#{name}",
        kind=event.kind.value,
        at=event.at.isoformat(),
    ).keep_from(event.at)
    counted = (*counting(event.campaign_id, member_id, event.kind, at=event.at), None)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            rows.put_together([(row, OfferEventRow.pk.does_not_exist())], updated=[counted])
        except rows.ConditionFailed:
            return False
        except TryAgain:
            if attempt == ATTEMPTS_MAX:
                raise
            continue
        return True
    return False


def counting(
    campaign_id: str, member_id: MemberId, kind: EventKind | None, *, at: datetime
) -> tuple[CountsRow, list[Action]]:
    """The row that counts one event of `kind`, or with None an activation, and how it changes."""
    sk = f"counts#{at:%Y-%m-%d}#{slot_of(member_id)}"
    row = CountsRow(_pk(campaign_id), sk)
    counted = {
        EventKind.IMPRESSION: CountsRow.impression,
        EventKind.VIEW: CountsRow.view,
        EventKind.CLICK: CountsRow.click,
        None: CountsRow.activation,
    }[kind]
    until = rows.epoch(at + (COUNTS.lasts or timedelta(0)))
    return row, [counted.add(1), CountsRow.expires_at.set(until)]


def list_counts(campaign_id: str, *, now: datetime) -> list[Counts]:
    """The counts of the campaign by day, oldest first."""
    found = rows.list_prefixed(
        CountsRow, _pk(campaign_id), "counts#", now=now, limit=DAYS_READ_MAX, consistent=False
    )
    by_day: dict[date, Counts] = {}
    for row in found:
        day = date.fromisoformat(row.sk.split("#")[1])
        one = Counts(
            int(row.impression or 0),
            int(row.view or 0),
            int(row.click or 0),
            int(row.activation or 0),
        )
        by_day[day] = by_day.get(day, Counts()) + one
    return [
        Counts(one.impressions, one.views, one.clicks, one.activations, day)
        for day, one in sorted(by_day.items())
    ]


def _pk(campaign_id: str) -> str:
    return f"campaign#{campaign_id}"
