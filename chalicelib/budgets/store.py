"""Budgets: table `money`.

    campaign#<id>  budget       the head: cap, spent, and the block of each open lease
    campaign#<id>  lease#<n>    a lease: its room, and what was spent by entry

A spend is one conditional update of a lease, which knows by itself whether there is room: it
neither reads nor touches the head, and two of them at once do not disturb each other. The entry is
a hash of the purchase, so that the row says nothing about a person.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pynamodb.attributes import BooleanAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path

from chalicelib.budgets import leasing
from chalicelib.budgets.leasing import SPENDS_MAX, Budget, Lease, OpenLease
from chalicelib.runtime import rows
from chalicelib.runtime.register import CONFIGURED, Category, Erasure, Kept, Purpose, Retention

LEASES_READ_MAX = 500  # Per page of `list_leases`: below half a megabyte.
OPEN_MAX = timedelta(days=3_650)  # Of a block of a budget without end: it is closed long before.
KEPT_AFTER_THE_END = timedelta(days=400)  # As long as a receipt can be matched or returned.
_NUMBER_DIGITS = 8  # So that leases sort by number.
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP)

LEASES = Retention(
    name="budget_leases",
    reason="Which rewards were paid from which block of a budget is forgotten 400 days after the "
    "campaign's end, or the end of the block where the budget has no end.",
    lasts=KEPT_AFTER_THE_END,
    since="the end of the campaign, or of the block",
)


class BudgetRow(rows.Row):
    """The head. `leases` maps a slot to `[number, block]`."""

    Meta = rows.table_meta("money")
    privacy = dict.fromkeys(
        "currency cap_minor spent_minor leases next_number spends is_closed version".split(),
        Kept(Category.CONFIGURATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
    )
    retention = CONFIGURED

    currency = UnicodeAttribute()
    cap_minor = NumberAttribute()
    spent_minor = NumberAttribute()
    leases = UnicodeAttribute()
    next_number = NumberAttribute()
    spends = NumberAttribute(default=0)
    is_closed = BooleanAttribute()
    version = NumberAttribute()


class LeaseRow(rows.Row):
    """A block. `spends` maps the entry of a purchase to minor units; `closed` once it is."""

    Meta = rows.table_meta("money")
    privacy = {
        "size_minor": _OPERATION,
        "room_minor": _OPERATION,
        "returned_minor": _OPERATION,
        "closed": _OPERATION,
        "spends": Kept(Category.TRANSACTION, Purpose.SERVICE_OPERATION, Erasure.EXPIRE),
    }
    retention = LEASES

    size_minor = NumberAttribute()
    room_minor = NumberAttribute()
    returned_minor = NumberAttribute(default=0)
    closed = BooleanAttribute(null=True)
    spends: MapAttribute[str, int] = MapAttribute(default=dict)  # type: ignore[no-untyped-call]


def find_budget(campaign_id: str, *, now: datetime) -> Budget | None:
    """The head of the campaign's budget, or None."""
    row = rows.find(BudgetRow, _pk(campaign_id), "budget", now=now)
    return None if row is None else _to_budget(row)


def record_new_budget(budget: Budget) -> bool:
    """Write the head where there is none; False where there is one."""
    try:
        rows.put_new(_budget_row(budget))
    except rows.ConditionFailed:
        return False
    return True


def record_budget(budget: Budget, *, after_version: int) -> bool:
    """Write the head over `after_version`; False where it changed meanwhile."""
    row = _budget_row(budget, version=after_version + 1)
    try:
        rows.put(row, condition=BudgetRow.version == after_version)
    except rows.ConditionFailed:
        return False
    return True


def find_lease(campaign_id: str, number: int, *, now: datetime) -> Lease | None:
    """The lease of this number, or None: not written yet, or long forgotten."""
    row = rows.find(LeaseRow, _pk(campaign_id), _sk(number), now=now)
    return None if row is None else _to_lease(row)


def was_settled(campaign_id: str, number: int, *, now: datetime) -> bool:
    """Whether a lease of this number was settled, however long ago."""
    budget = find_budget(campaign_id, now=now)
    return budget is not None and leasing.was_settled(budget, number)


def list_leases(campaign_id: str, *, after: int = 0, now: datetime) -> list[Lease]:
    """The leases with numbers above `after`, in order, at most `LEASES_READ_MAX`."""
    found = rows.list_between(
        LeaseRow,
        _pk(campaign_id),
        _sk(after + 1),
        "lease#~",
        now=now,
        limit=LEASES_READ_MAX,
    )
    return [_to_lease(row) for row in found]


def record_new_lease(campaign_id: str, lease: OpenLease, *, kept_from: datetime) -> None:
    """Write the row of a lease that stands in its budget; where it is written already, nothing."""
    row = LeaseRow(
        _pk(campaign_id),
        _sk(lease.number),
        size_minor=lease.size_minor,
        room_minor=lease.size_minor,
        returned_minor=0,
        spends={},
    ).keep_from(kept_from)
    try:
        rows.put_new(row)
    except rows.ConditionFailed:
        return


def spend(campaign_id: str, number: int, entry: str, minor: int) -> bool:
    """Spend `minor` for `entry`; False where the lease is closed, has no room, or knows `entry`."""
    row = LeaseRow(_pk(campaign_id), _sk(number))
    entries = size(LeaseRow.spends)  # type: ignore[no-untyped-call]
    has_room = (LeaseRow.room_minor >= minor) & (entries < SPENDS_MAX)
    condition = LeaseRow.closed.does_not_exist() & _spent(entry).does_not_exist()
    actions = [_spent(entry).set(minor), LeaseRow.room_minor.add(-minor)]
    try:
        rows.update(row, actions, condition=condition & has_room)
    except rows.ConditionFailed:
        return False
    return True


def close_lease(
    campaign_id: str, number: int, *, kept_from: datetime | None = None, now: datetime
) -> Lease | None:
    """Close a lease for good; what is spent of it stands from now on. None where it is no more.

    `kept_from` is since when its row is kept; None leaves it as it was written.
    """
    row = LeaseRow(_pk(campaign_id), _sk(number))
    actions = [LeaseRow.closed.set(True)]
    if kept_from is not None:
        actions.append(LeaseRow.expires_at.set(rows.epoch(kept_from + KEPT_AFTER_THE_END)))
    try:
        rows.update(row, actions, condition=LeaseRow.pk.exists())
    except rows.ConditionFailed:
        return None
    return find_lease(campaign_id, number, now=now)


def lessen(lease: Lease, entry: str, kept_minor: int) -> bool:
    """Have only `kept_minor` spent for `entry` of an open lease; False where it changed."""
    before = lease.spends[entry]
    spent = _spent(entry)
    actions = [spent.set(kept_minor), LeaseRow.room_minor.add(before - kept_minor)]
    condition = LeaseRow.closed.does_not_exist() & (spent == before)
    row = LeaseRow(_pk(lease.campaign_id), _sk(lease.number))
    try:
        rows.update(row, actions, condition=condition)
    except rows.ConditionFailed:
        return False
    return True


def lessen_settled(
    lease: Lease, entry: str, kept_minor: int, budget: Budget, *, kept_from: datetime
) -> bool:
    """Have only `kept_minor` spent for `entry` of a settled lease; `budget` is the head after that.

    Both or neither; False where one of them changed.
    """
    given = lease.spends[entry] - kept_minor
    row = LeaseRow(
        _pk(lease.campaign_id),
        _sk(lease.number),
        size_minor=lease.size_minor,
        room_minor=lease.room_minor,
        returned_minor=lease.returned_minor + given,
        closed=True,
        spends={**lease.spends, entry: kept_minor},
    ).keep_from(kept_from)
    head = _budget_row(budget, version=budget.version + 1)
    written = [
        (row, LeaseRow.returned_minor == lease.returned_minor),
        (head, BudgetRow.version == budget.version),
    ]
    try:
        rows.put_together(written)
    except rows.ConditionFailed:
        return False
    return True


def _budget_row(budget: Budget, *, version: int | None = None) -> BudgetRow:
    texts = (
        f"{slot}:{lease.number}:{lease.size_minor}" for slot, lease in sorted(budget.leases.items())
    )
    return BudgetRow(
        _pk(budget.campaign_id),
        "budget",
        currency=budget.currency,
        cap_minor=budget.cap_minor,
        spent_minor=budget.spent_minor,
        leases=" ".join(texts),
        next_number=budget.next_number,
        spends=budget.spends,
        is_closed=budget.is_closed,
        version=version or budget.version,
    )


def _to_budget(row: BudgetRow) -> Budget:
    leases: dict[int, OpenLease] = {}
    for text in row.leases.split():
        slot, number, block = (int(part) for part in text.split(":"))
        leases[slot] = OpenLease(number, block)
    return Budget(
        campaign_id=row.pk.removeprefix("campaign#"),
        currency=row.currency,
        cap_minor=int(row.cap_minor),
        spent_minor=int(row.spent_minor),
        leases=leases,
        next_number=int(row.next_number),
        spends=int(row.spends),
        is_closed=row.is_closed,
        version=int(row.version),
    )


def _to_lease(row: LeaseRow) -> Lease:
    spends: Mapping[str, int] = row.spends.as_dict()  # type: ignore[no-untyped-call]
    return Lease(
        campaign_id=row.pk.removeprefix("campaign#"),
        number=int(row.sk.removeprefix("lease#")),
        size_minor=int(row.size_minor),
        room_minor=int(row.room_minor),
        spends={entry: int(minor) for entry, minor in spends.items()},
        returned_minor=int(row.returned_minor),
        is_closed=bool(row.closed),
    )


def _spent(entry: str) -> Path:
    return Path(["spends", entry])


def _pk(campaign_id: str) -> str:
    return f"campaign#{campaign_id}"


def _sk(number: int) -> str:
    return f"lease#{number:0{_NUMBER_DIGITS}d}"
