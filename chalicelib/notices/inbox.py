"""The list of notices that a member sees: newest first, in pages, with what is new in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.refusals import Misshapen
from chalicelib.members.announcing import Announcement
from chalicelib.members.choices import Channel
from chalicelib.members.model import Member
from chalicelib.notices import sources
from chalicelib.notices.log import store
from chalicelib.notices.rendering import words_for
from chalicelib.notices.wording import Words
from chalicelib.runtime import vault

LISTED_DAYS = 90
PAGE_MAX = 50


@dataclass(frozen=True, slots=True)
class Item:
    """A notice as the member sees it."""

    announcement: Announcement
    words: Words
    is_read: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of the list. `cursor` leads to the next one; None: that was the last. `unread` counts
    all that is new, on whatever page.
    """

    items: tuple[Item, ...]
    cursor: str | None
    unread: int


def list_inbox(member: Member, *, cursor: str | None, limit: int, now: datetime) -> Inbox:
    """The page after `cursor`, or the first, of at most `limit` notices (and never over fifty).

    :raises Misshapen: the cursor is none that was given out.
    """
    if member.salt is None:
        return Inbox((), None, 0)
    since = max(now - timedelta(days=LISTED_DAYS), member.activated_at)
    key = vault.member_key(member.salt)
    told = sources.list_told(member.member_id, key=key, since=since, now=now)
    wanted = [one for one in told if member.choices.is_told(one.kind, Channel.INBOX)]
    read_until = store.find_read(member.member_id, now=now)
    page, after = page_of(wanted, cursor=cursor, limit=min(limit, PAGE_MAX))
    return Inbox(
        items=tuple(_item(one, member, read_until, now=now) for one in page),
        cursor=after,
        unread=sum(not _is_read(one, read_until) for one in wanted),
    )


def mark_read(member: Member, through: datetime, *, now: datetime) -> None:
    """Everything up to `through` has been read. What was read stays read; nobody reads ahead."""
    store.record_read(member.member_id, min(through, now), now=now)


def page_of(
    told: Sequence[Announcement], *, cursor: str | None, limit: int
) -> tuple[list[Announcement], str | None]:
    """Up to `limit` of `told`, newest first, from behind `cursor` on, and the next cursor. Pure.

    :raises Misshapen: the cursor is none that was given out.
    """
    in_order = sorted({_place(one): one for one in told}.items(), reverse=True)
    if cursor is not None:
        before = _check(cursor)
        in_order = [(place, one) for place, one in in_order if place < before]
    page = in_order[:limit]
    return [one for _, one in page], page[-1][0] if len(in_order) > limit else None


def _place(announcement: Announcement) -> str:
    return f"{store.instant_text(announcement.at)}_{announcement.notice_id}"


def _check(cursor: str) -> str:
    try:
        return store.name_from_text(cursor).to_text()
    except ValueError as error:
        raise Misshapen("the cursor is none that was given out", field="cursor") from error


def _item(
    announcement: Announcement, member: Member, read_until: datetime | None, *, now: datetime
) -> Item:
    words = words_for(announcement, member, now=now)
    return Item(announcement, words, _is_read(announcement, read_until))


def _is_read(announcement: Announcement, read_until: datetime | None) -> bool:
    """Banks see times to the millisecond, so that is how finely they can say what was read."""
    at = announcement.at
    shown = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    return read_until is not None and shown <= read_until
