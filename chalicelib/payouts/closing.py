"""Closing days: what the journal, payouts and reconciliation do every night, step by step.

Days are closed in order, one after the other, and each in steps that go from place to place. After
each place it is written down how far it came, so that a run ends when it has done its share and the
next one goes on; a step that is done twice changes nothing.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.ledger.closing import invoicing, service, store
from chalicelib.ledger.closing.store import Progress
from chalicelib.payouts.netting import service as netting
from chalicelib.payouts.netting import store as unpaid_store
from chalicelib.payouts.netting.deciding import Why
from chalicelib.payouts.reconciling import service as reconciling
from chalicelib.runtime import observability
from chalicelib.runtime.emf import Unit

PLACES_PER_RUN_MAX = 2_000  # Most are queries of nothing, on a quiet day.
_MOVED, _DUE, _UNPAID = "moved", "due", "unpaid"
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Went:
    """What one place of a step took, and the next place; None: the step is done."""

    work: int
    place: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """What a run did: the work, and the day and step that come next."""

    work: int
    next_day: date
    next_step: str


def close_days(*, now: datetime, has_time: Callable[[], bool]) -> Closed:
    """Go on closing days until yesterday is closed, or this run has done its share.

    `has_time` is asked before each place; a place is at most a thousand gifts or members, or a
    sixteenth of a day's entries.

    :raises TryAgain: DynamoDB or a queue did not answer; the next run goes on.
    """
    progress = store.find_progress(now=now) or Progress(now.date() - timedelta(days=1), STEPS[0][0])
    work, places, is_over = 0, 0, not has_time()
    while service.may_be_closed(progress.day, now=now) and not is_over:
        went = _step_of(progress.step)(progress.day, progress.place, now)
        work, places = work + went.work, places + 1
        following = _after(progress, went)
        is_over = places >= PLACES_PER_RUN_MAX or not has_time()
        # Where nothing was done nothing is lost by doing it again, so that is not written down; but
        # a run that ends among places of nothing must not leave them all to the next.
        if went.work or following.step != progress.step or is_over:
            following = replace(following, version=progress.version + 1)
            if not store.record_progress(following):
                break  # Another run goes on from here.
        progress = following
    behind = (now.date() - progress.day).days
    observability.observe("days_not_closed", max(behind, 0), Unit.COUNT)
    return Closed(work, progress.day, progress.step)


def _after(before: Progress, went: Went) -> Progress:
    if went.place is not None:
        return replace(before, place=went.place)
    names = [name for name, _ in STEPS]
    following = names.index(before.step) + 1
    if following < len(names):
        return Progress(before.day, names[following], version=before.version)
    observability.count("days_closed")
    return Progress(before.day + timedelta(days=1), names[0], version=before.version)


def _fold(on: date, place: str, now: datetime) -> Went:
    number = int(place or 0)
    entries = service.fold_part(on, service.PARTS[number], now=now)
    return Went(entries, str(number + 1) if number + 1 < len(service.PARTS) else None)


def _mature(on: date, place: str, now: datetime) -> Went:
    found = store.find_due(on, after=place, now=now)
    if found is None:
        return Went(0, None)
    place, due = found
    service.mature(due, now=now)
    return Went(len(due), place)


def _net(on: date, place: str, now: datetime) -> Went:
    """First whoever's money moved, then whose gifts became available, then who was not paid yet."""
    which, _, after = (place or _MOVED).partition(" ")
    if which == _UNPAID:
        return _net_unpaid(on, after, now)
    if which == _MOVED:
        moved = store.find_moved(on, after=after, now=now)
        found = (moved[0], moved[1]) if moved else None
    else:
        due = store.find_due(on, after=after, now=now)
        found = (due[0], tuple({one.member_id for one in due[1]})) if due else None
    if found is None:
        return Went(0, _DUE if which == _MOVED else f"{_UNPAID} 0")
    netting.net_members(sorted(found[1]), on=night_of(on), now=now)
    return Went(len(found[1]), f"{which} {found[0]}")


def _net_unpaid(on: date, place: str, now: datetime) -> Went:
    shard, _, after = place.partition(" ")
    listed, goes_on = unpaid_store.list_unpaid(int(shard), after=after, now=now)
    looked = [one.member_id for one in listed if _is_looked_at(one, on)]
    netting.net_members(dict.fromkeys(looked), on=night_of(on), now=now)
    if goes_on is not None:
        return Went(len(looked), f"{_UNPAID} {shard} {goes_on}")
    following = int(shard) + 1
    is_last = following == unpaid_store.SHARDS
    return Went(len(looked), None if is_last else f"{_UNPAID} {following}")


def _is_looked_at(unpaid: unpaid_store.Unpaid, on: date) -> bool:
    """Nothing but leaving pays out a small sum. Once a week it is looked at all the same: minimums
    change.
    """
    if unpaid.has_left or unpaid.why is not Why.BELOW_MINIMUM:
        return True
    return zlib.crc32(unpaid.member_id.encode()) % _WEEK == on.weekday()


def night_of(on: date) -> date:
    """The day that payouts belong to which are made when the day `on` is closed."""
    return on + timedelta(days=1)


def _add_up(on: date, _place: str, now: datetime) -> Went:
    return Went(len(service.add_up_day(on, now=now)), None)


def _invoice(on: date, _place: str, now: datetime) -> Went:
    """On the last day of a month."""
    if night_of(on).day != 1:
        return Went(0, None)
    return Went(len(invoicing.invoice_month(on.year, on.month, now=now)), None)


def _reconcile(on: date, place: str, now: datetime) -> Went:
    went = reconciling.reconcile(on, place, now=now)
    return Went(went.work, went.place)


_Step = Callable[[date, str, datetime], Went]
STEPS: tuple[tuple[str, _Step], ...] = (
    ("fold", _fold),
    ("mature", _mature),
    ("net", _net),
    ("add_up", _add_up),
    ("invoice", _invoice),
    ("reconcile", _reconcile),
)


def _step_of(name: str) -> _Step:
    return dict(STEPS)[name]
