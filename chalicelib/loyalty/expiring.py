"""Telling members of what expires soon, and looking after rewards that wait.

A card that holds something which expires is looked at two weeks before it does. Which cards these
are is written down when a card's first lot with an end is entered, and again by whoever looked: not
with each purchase. So are cards whose rewards wait for a budget, every day, and those from which
money was claimed, once, should whoever claimed it have died before it was given. What expires
within two weeks of being earned is told of within hours. Of each day it is told once.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from chalicelib.kernel.refusals import TryAgain
from chalicelib.kernel.times import local_day
from chalicelib.loyalty import following
from chalicelib.loyalty.cards import desk, store
from chalicelib.loyalty.cards.desk import Opened
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.store import Due, Holder
from chalicelib.loyalty.cards.upcoming import list_expiring
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members import announcing
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement, NoticeKind, notice_id_of
from chalicelib.members.model import MemberStatus
from chalicelib.runtime import observability, vault


def tell_of_expiring(*, now: datetime, has_time: Callable[[], bool]) -> int:
    """Look at the cards that are due, of the last week too; returns how many were looked at.

    One that meets a passing obstacle is left to the next run, and so is the rest when there is no
    more time.
    """
    looked = 0
    first = (now - store.LOOKED_BACK).astimezone(UTC).date()
    for days in range(store.LOOKED_BACK.days + 1):
        for due in store.list_due(first + timedelta(days=days), now=now):
            if not has_time():
                return looked
            try:
                _look(due, now=now)
            except TryAgain:
                observability.count("looks_put_off")
                continue
            looked += 1
    return looked


def _look(due: Due, *, now: datetime) -> None:
    """Announce, then write that it was, then forget that it was due: whoever dies repeats it.

    What came to the card meanwhile was not told. Whoever wrote it, or writes here that it was told,
    asks for another look, and that is not forgotten with this one.
    """
    member = members.find_member(due.member_id, now=now)
    scheme = schemes.find_valid(due.scheme_id, at=now, now=now)
    if scheme and member and member.salt and member.status is MemberStatus.ACTIVE:
        holder = Holder(due.member_id, due.scheme_id, vault.member_key(member.salt))
        card = store.find_card(holder, now=now)
        if card is not None and _is_due_later(card, due, now=now):
            return
        if card is not None:
            following.follow_up(card, holder, scheme, now=now)
            units_by_day = _expiring(card, scheme, now=now)
            announcing.announce(_announcements(units_by_day, holder, scheme, now=now))
            told = partial(_told, units_by_day, scheme, now)
            desk.change_card(holder, scheme, told, now=now)
    store.forget_due(due)


def _is_due_later(card: Card, due: Due, *, now: datetime) -> bool:
    """Whether the card is due on that day, and not yet: local days do not begin when UTC's do."""
    due_at = card.due_at
    return due_at is not None and now < due_at and due_at.astimezone(UTC).date() == due.day


def _expiring(card: Card, scheme: Scheme, *, now: datetime) -> dict[date, int]:
    """What expires within two weeks and was not told of: units by the last day they are good."""
    told = card.told_until
    return {
        one.on: one.units
        for one in list_expiring(card, (), zone=scheme.zone, now=now)
        if one.on.toordinal() not in card.told_days and (told is None or one.ends_at > told)
    }


def _told(
    units_by_day: Mapping[date, int], scheme: Scheme, now: datetime, opened: Opened
) -> Card | None:
    """The card, of which these days were told."""
    if opened.card is None:
        return None
    today = local_day(now, scheme.zone).toordinal()
    days = {*opened.card.told_days, *(day.toordinal() for day in units_by_day)}
    to_come = tuple(sorted(day for day in days if day >= today))
    until = opened.card.told_until
    kept = until if until is not None and until > now else None
    return replace(opened.card, told_days=to_come, told_until=kept, due_at=None)


def _announcements(
    units_by_day: Mapping[date, int], holder: Holder, scheme: Scheme, *, now: datetime
) -> list[Announcement]:
    kind, member_id, subject = NoticeKind.EXPIRING, holder.member_id, scheme.scheme_id
    return [
        Announcement(
            notice_id=notice_id_of(
                kind, member_id=member_id, subject=subject, cause=on.isoformat()
            ),
            kind=kind,
            member_id=member_id,
            at=now,
            subject=subject,
            retailer_id=scheme.retailer_id,
            units=units,
            on=on,
        )
        for on, units in units_by_day.items()
    ]
