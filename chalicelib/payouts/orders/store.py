"""Orders as rows of the table `money`, when each is looked up, and the files they stand in.

    order#<payout id>                        order                          what is asked of a rail
    look_ups#<shard>                         <due instant>#<payout id>      ask again what became
    payment_file#<connection>#<currency>     <day>#<payout id>              the order is in the file
    order#<payout id>                        file                           in which file it is

An order is written once and never changed but for the events that were heard of it. It is sealed
under its member's key and forgotten when a payment can no longer come back.
"""

import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.payouts.destinations.envelope import Envelope
from chalicelib.payouts.rails.model import Order
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

SHARDS = 8  # A night's payouts are sent within minutes: one partition takes a thousand a second.
DUE_READ_MAX = 50  # Of each shard and run: some minutes of calls. What is left comes next.
FILE_ENTRIES_MAX = 100_000

_SENT = Retention(
    name="payment_orders",
    reason="An order to pay you is kept for ninety days, as long as a payment may come back.",
    lasts=timedelta(days=90),
    since="sent",
)
_PSEUDONYM = Kept(Category.PSEUDONYM, Purpose.DELIVERY, Erasure.EXPIRE)
_OPERATION = Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.EXPIRE)
_SEALED = Kept(
    Category.REFERENCE,
    Purpose.DELIVERY,
    Erasure.SHRED,
    encrypted=True,
    holds={"connection_id": Category.CONFIGURATION, "amount": Category.TRANSACTION}
    | {"idempotency_key": Category.KEY, "reference": Category.TRANSACTION}
    | {"paid_from": Category.CONFIGURATION, "frozen_at": Category.OPERATION}
    | {"envelope": Category.REFERENCE, "user": Category.REFERENCE, "account": Category.REFERENCE},
)


class OrderRow(rows.Row):
    """`pk` = `order#<payout id>`, `sk` = `order`. `events` are the rail's names of what was heard.

    It is read by whoever knows the payout; `member_id` says whose key opens it.
    """

    Meta = rows.table_meta("money")
    privacy = {"member_id": _PSEUDONYM, "events": _OPERATION, "sealed": _SEALED}
    retention = _SENT

    member_id = UnicodeAttribute()
    events = UnicodeSetAttribute(null=True)
    sealed = BinaryAttribute(legacy_encoding=False)


class LookUpRow(rows.Row):
    """`pk` = `look_ups#<shard>`, `sk` = `<due instant>#<payout id>`. `since` is the first send."""

    Meta = rows.table_meta("money")
    privacy = {"since": _OPERATION}
    retention = _SENT

    since = UnicodeAttribute()


class FileEntryRow(rows.Row):
    """`pk` = `payment_file#<connection>#<currency>`, `sk` = `<day>#<payout id>`; and the same under
    `order#<payout id>`, `file`, so that no order is in two files.
    """

    Meta = rows.table_meta("money")
    privacy = {"member_id": _PSEUDONYM, "day": _OPERATION}
    retention = _SENT

    member_id = UnicodeAttribute()
    day = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class LookUp:
    """That what became of a payout is to be asked at `due_at`; it was first sent at `since`."""

    payout_id: str
    due_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class _Inside:
    connection_id: ConnectionId
    amount: Money
    idempotency_key: str
    reference: str
    paid_from: str
    frozen_at: datetime
    envelope: Envelope | None = None
    user: str | None = None
    account: str | None = None


def find_order(
    payout_id: str, member_id: MemberId, *, key: vault.SealingKey, now: datetime
) -> Order | None:
    """The order of a payout, opened with the member's `key`; its envelope stays closed."""
    row = rows.find(OrderRow, f"order#{payout_id}", "order", now=now)
    if row is None:
        return None
    inside = vault.open_sealed(row.sealed, _Inside, key=key, place=_place(row))
    return Order(
        payout_id=payout_id,
        member_id=member_id,
        connection_id=inside.connection_id,
        amount=inside.amount,
        idempotency_key=inside.idempotency_key,
        reference=inside.reference,
        paid_from=inside.paid_from,
        frozen_at=inside.frozen_at,
        envelope=inside.envelope,
        user_ref=Personal(inside.user) if inside.user else None,
        account_ref=Personal(inside.account) if inside.account else None,
    )


def freeze(order: Order, *, key: vault.SealingKey, now: datetime) -> Order:
    """Write `order` unless there is one already; returns the one that counts."""
    row = OrderRow(f"order#{order.payout_id}", "order", member_id=order.member_id)
    inside = _Inside(
        connection_id=order.connection_id,
        amount=order.amount,
        idempotency_key=order.idempotency_key,
        reference=order.reference,
        paid_from=order.paid_from,
        frozen_at=order.frozen_at,
        envelope=order.envelope,
        user=order.user_ref.reveal() if order.user_ref else None,
        account=order.account_ref.reveal() if order.account_ref else None,
    )
    row.sealed = vault.seal(inside, key=key, place=_place(row), kept=_SEALED)
    try:
        rows.put_new(row.keep_from(order.frozen_at))
    except rows.ConditionFailed:
        first = find_order(order.payout_id, order.member_id, key=key, now=now)
        return order if first is None else first
    return order


def list_events(payout_id: str, *, now: datetime) -> frozenset[str]:
    """The rail's names of everything that was heard of a payout."""
    row = rows.find(OrderRow, f"order#{payout_id}", "order", now=now)
    return frozenset() if row is None or row.events is None else frozenset(row.events)


def note_event(payout_id: str, event_id: str) -> None:
    """Note that `event_id` was heard of a payout and acted on; where there is no order, nothing."""
    row = OrderRow(f"order#{payout_id}", "order")
    try:
        rows.update(row, [OrderRow.events.add({event_id})], condition=OrderRow.pk.exists())
    except rows.ConditionFailed:
        return


def list_due(shard: int, *, now: datetime) -> tuple[LookUp, ...]:
    """The look-ups of a shard that are due at `now`, the oldest first, at most 50."""
    found = rows.list_between(
        LookUpRow,
        f"look_ups#{shard}",
        "\x00",
        f"{_sortable(now)}#\uffff",
        now=now,
        limit=DUE_READ_MAX,
    )
    return tuple(_to_look_up(row) for row in found)


def put_look_up(look_up: LookUp) -> None:
    """Ask what became of a payout when it is due; the same again changes nothing."""
    rows.put(_look_up_row(look_up).keep_from(look_up.since))


def drop_look_up(look_up: LookUp) -> None:
    """This look was taken."""
    rows.delete(_look_up_row(look_up))


def put_in_file(order: Order, day: date, *, now: datetime) -> date:
    """Put an order in the file of `day` unless it is in one; returns the day of the one it is in.

    That it is in a file, and in which, are written together or not at all.
    """
    pk = f"payment_file#{order.connection_id}#{order.amount.currency}"
    entry = FileEntryRow(pk, f"{day.isoformat()}#{order.payout_id}", day=day.isoformat())
    claim = FileEntryRow(f"order#{order.payout_id}", "file", day=day.isoformat())
    for row in (entry, claim):
        row.member_id = order.member_id
        row.keep_from(order.frozen_at)
    try:
        rows.put_together([(claim, FileEntryRow.pk.does_not_exist()), (entry, None)])
    except rows.ConditionFailed:
        found = rows.find(FileEntryRow, claim.pk, claim.sk, now=now)
        return day if found is None else date.fromisoformat(found.day)
    return day


def list_in_file(
    connection_id: ConnectionId, currency: str, day: date, *, now: datetime
) -> tuple[tuple[str, MemberId], ...]:
    """The payouts in the file of `day` with their members, in order of id."""
    pk = f"payment_file#{connection_id}#{currency}"
    found = rows.list_prefixed(
        FileEntryRow, pk, f"{day.isoformat()}#", now=now, limit=FILE_ENTRIES_MAX
    )
    return tuple((row.sk.partition("#")[2], MemberId(row.member_id)) for row in found)


def _look_up_row(look_up: LookUp) -> LookUpRow:
    shard = zlib.crc32(look_up.payout_id.encode()) % SHARDS
    row = LookUpRow(f"look_ups#{shard}", f"{_sortable(look_up.due_at)}#{look_up.payout_id}")
    row.since = look_up.since.isoformat()
    return row


def _to_look_up(row: LookUpRow) -> LookUp:
    due, _, payout_id = row.sk.partition("#")
    return LookUp(payout_id, datetime.fromisoformat(due), datetime.fromisoformat(row.since))


def _sortable(instant: datetime) -> str:
    """As text of one length, so that texts sort as times do."""
    return instant.isoformat(timespec="seconds")


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
