"""Telling members of what expires soon, and looking after rewards that wait.

A card that holds something which expires is looked at two weeks before it does. Which cards these
are is written down when a card's first lot with an end is entered, and again by whoever looked: not
with each purchase. So are cards whose rewards wait for a budget, every day, and those from which
money was claimed, once, should whoever claimed it have died before it was given. What expires
within two weeks of being earned is not told of.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.loyalty import following
from chalicelib.loyalty.cards import desk, store
from chalicelib.loyalty.cards.deadlines import last_day
from chalicelib.loyalty.cards.desk import EXPIRY_TOLD_BEFORE, Opened
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.store import Due, Holder
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
    """Announce, then write that it was, then forget that it was due: whoever dies repeats it."""
    member = members.find_member(due.member_id, now=now)
    scheme = _find_scheme(due.scheme_id, now=now)
    if scheme and member and member.salt and member.status is MemberStatus.ACTIVE:
        holder = Holder(due.member_id, due.scheme_id, vault.member_key(member.salt))
        card = store.find_card(holder, now=now)
        if card is not None:
            following.follow_up(card, holder, scheme, now=now)
            announcing.announce(_announcements(card, holder, scheme, now=now))
            desk.change_card(holder, scheme, lambda opened: _told(opened, now=now), now=now)
    store.forget_due(due)


def _told(opened: Opened, *, now: datetime) -> Card | None:
    """The card, of which all that expires within two weeks was told."""
    if opened.card is None:
        return None
    return replace(opened.card, told_until=now + EXPIRY_TOLD_BEFORE, due_at=None)


def _announcements(
    card: Card, holder: Holder, scheme: Scheme, *, now: datetime
) -> list[Announcement]:
    balance = balance_at(card, now)
    ends_at = balance.next_expiry
    if ends_at is None or ends_at > now + EXPIRY_TOLD_BEFORE:
        return []
    on = last_day(ends_at, zone=scheme.zone)
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
            units=balance.next_expiring,
            on=on,
        )
    ]


def _find_scheme(scheme_id: str, *, now: datetime) -> Scheme | None:
    try:
        return schemes.get_valid(scheme_id, at=now, now=now)
    except NotFound:
        return None
