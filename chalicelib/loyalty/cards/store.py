"""Cards, as rows of table `wallets` in their member's partition, sealed under the member's key.

    card#<scheme id>                       the card: one conditional write is entry and balance
    past#<scheme id>#<number>#<name>       nine old entries each, never changed once written

and outside that partition, holding no value of a person:

    due#<UTC date>#<shard>                 <member id>#<scheme id>: look at this card on that day
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.past import Past
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

CARDS_READ_MAX = 200  # Schemes of one member; a high street has fewer.
PAST_READ_MAX = 400  # 3,600 purchases at one retailer: ten years of one a day.
DUE_READ_MAX = 500
SHARDS = 8
LOOKED_BACK = timedelta(days=7)  # So long the schedule makes up for days on which it did not run.

CARDS = Retention(
    name="cards",
    reason="Your stamps and points are kept while you are a member, and thirty days after.",
    ended_by="leaving, and thirty days",
)
DUE = Retention(
    name="cards_due",
    reason="That a card is to be looked at on a day is remembered until a month after that day.",
    lasts=timedelta(days=30),
    since="the day",
)
_OPERATION = Kept(Category.OPERATION, Purpose.REWARDS, Erasure.DELETE)
_CARD = Kept(
    Category.TRANSACTION,
    Purpose.REWARDS,
    Erasure.SHRED,
    encrypted=True,
    holds={
        "membership": Category.CONSENT,
        "version": Category.OPERATION,
        "entries": Category.TRANSACTION,
        "base": Category.TRANSACTION,
        "debt": Category.TRANSACTION,
        "fills": Category.TRANSACTION,
        "claims": Category.TRANSACTION,
        "fills_made": Category.OPERATION,
        "archived": Category.OPERATION,
        "last_past": Category.OPERATION,
        "expired": Category.TRANSACTION,
        "watermark": Category.TRANSACTION,
        "counts": Category.TRANSACTION,
        "reset_at": Category.OPERATION,
        "reset_past": Category.OPERATION,
        "forfeited": Category.TRANSACTION,
        "due_at": Category.OPERATION,
        "told_until": Category.OPERATION,
        "told_days": Category.OPERATION,
        "favourites": Category.TRANSACTION,
    },
)
_PAST = Kept(
    Category.TRANSACTION,
    Purpose.REWARDS,
    Erasure.SHRED,
    encrypted=True,
    holds={
        "number": Category.OPERATION,
        "before": Category.OPERATION,
        "entries": Category.TRANSACTION,
        "fills": Category.TRANSACTION,
        "claims": Category.TRANSACTION,
        "drawn": Category.TRANSACTION,
    },
)


class CardRow(rows.Row):
    """`pk` = member id, `sk` = `card#<scheme id>`."""

    Meta = rows.table_meta("wallets")
    privacy = {"version": _OPERATION, "sealed": _CARD}
    retention = CARDS

    version = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class PastRow(rows.Row):
    """`pk` = member id, `sk` = `past#<scheme id>#<number>#<name>`."""

    Meta = rows.table_meta("wallets")
    privacy = {"sealed": _PAST}
    retention = CARDS

    sealed = BinaryAttribute(legacy_encoding=False)


class DueRow(rows.Row):
    """`pk` = `due#<UTC date>#<shard>`, `sk` = `<member id>#<scheme id>`; `version` is another one
    each time that somebody asks.
    """

    Meta = rows.table_meta("wallets")
    privacy = {"version": _OPERATION}
    retention = DUE

    version = NumberAttribute()


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose card it is, in which scheme, and what opens it."""

    member_id: MemberId
    scheme_id: str
    key: vault.SealingKey


@dataclass(frozen=True, slots=True)
class Due:
    """A card that somebody asked to look at on a day; `asked` tells one time from another."""

    day: date
    member_id: MemberId
    scheme_id: str
    asked: int


def find_card(holder: Holder, *, now: datetime, consistent: bool = True) -> Card | None:
    """The holder's card, or None where nothing was ever entered on one."""
    row = rows.find(
        CardRow, holder.member_id, f"card#{holder.scheme_id}", now=now, consistent=consistent
    )
    return None if row is None else _to_card(row, holder.key)


def list_cards(member_id: MemberId, *, key: vault.SealingKey, now: datetime) -> dict[str, Card]:
    """The member's cards by scheme id, at most 200."""
    found = rows.list_prefixed(CardRow, member_id, "card#", now=now, limit=CARDS_READ_MAX)
    return {row.sk.removeprefix("card#"): _to_card(row, key) for row in found}


def record_card(card: Card, holder: Holder) -> bool:
    """Write `card` over the version that it was made of; False where that changed underneath.

    Also false where this very write was done, and its answer lost: reading tells.
    """
    row = CardRow(holder.member_id, f"card#{holder.scheme_id}", version=card.version + 1)
    row.sealed = vault.seal(card, key=holder.key, place=_place(row), kept=_CARD)
    free = CardRow.version == card.version if card.version else CardRow.pk.does_not_exist()
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return False
    return True


def record_past(past: Past, holder: Holder) -> None:
    """Write what moves to the history, before the card that no longer has it."""
    row = PastRow(holder.member_id, f"past#{holder.scheme_id}#{past.number:05}#{past.name}")
    row.sealed = vault.seal(past, key=holder.key, place=_place(row), kept=_PAST)
    rows.put(row)


def list_past(holder: Holder, *, now: datetime) -> tuple[Past, ...]:
    """All that ever moved to the history of the card, and what lost a race; in order of number."""
    found = rows.list_prefixed(
        PastRow, holder.member_id, f"past#{holder.scheme_id}#", now=now, limit=PAST_READ_MAX
    )
    return tuple(
        vault.open_sealed(row.sealed, Past, key=holder.key, place=_place(row)) for row in found
    )


def record_due(holder: Holder, day: date, *, asked: int) -> None:
    """Ask that the card be looked at on `day`; `asked` is another number each time."""
    row = DueRow(_due_pk(day, _shard(holder.member_id)), f"{holder.member_id}#{holder.scheme_id}")
    row.version = asked
    rows.put(row.keep_from(datetime.combine(day, datetime.min.time(), UTC)))


def list_due(day: date, *, now: datetime) -> Iterator[Due]:
    """The cards to be looked at on `day`, of each shard at most 500 until these are forgotten."""
    for shard in range(SHARDS):
        pk = _due_pk(day, shard)
        for row in rows.list_prefixed(DueRow, pk, "", now=now, limit=DUE_READ_MAX):
            member_id, _, scheme_id = row.sk.partition("#")
            yield Due(day, MemberId(member_id), scheme_id, int(row.version))


def forget_due(due: Due) -> None:
    """It was looked at. Where somebody has asked again meanwhile, it is to be looked at again."""
    row = DueRow(_due_pk(due.day, _shard(due.member_id)), f"{due.member_id}#{due.scheme_id}")
    with suppress(rows.ConditionFailed):
        rows.delete(row, condition=DueRow.version == due.asked)


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put the cards of a member who left on their last clock; returns how many rows it changed."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    changed = 0
    for row_type, prefix in ((CardRow, "card#"), (PastRow, "past#")):
        after = prefix
        while found := rows.list_between(row_type, member_id, after, prefix + "~", now=now):
            for row in found:
                if row.expires_at is None:
                    rows.update(row, [row_type.expires_at.set(until)])
                    changed += 1
            after = found[-1].sk + "~"
    return changed


def _to_card(row: CardRow, key: vault.SealingKey) -> Card:
    opened = vault.open_sealed(row.sealed, Card, key=key, place=_place(row))
    return replace(opened, version=int(row.version))


def _shard(member_id: MemberId) -> int:
    return zlib.crc32(member_id.encode()) % SHARDS


def _due_pk(day: date, shard: int) -> str:
    return f"due#{day.isoformat()}#{shard}"


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
