"""Notices and what members choose of them, as JSON."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.banks.standard_notices import NoticeAmount, NoticeEvent
from chalicelib.kernel.refusals import Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.members.choices import (
    Channel,
    NoticeChoices,
    Topic,
    kind_named,
    with_mute,
    with_topic,
)
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.notices.inbox import Item
from chalicelib.notices.wording import LANGUAGES
from chalicelib.runtime.allowed_words import listed

Cursor = Annotated[str, Meta(min_length=1, max_length=100)]


class NoticesAnswer(msgspec.Struct):
    """A stretch of the bank's log. Go on from `cursor`; `is_all`: there is no more for now."""

    notices: tuple[NoticeEvent, ...]
    cursor: str
    is_all: bool


class ReplayBody(msgspec.Struct):
    """From where to tell again: a time (RFC 3339) or a cursor."""

    since: Cursor


class ReplayAnswer(msgspec.Struct):
    """From where it is told again."""

    since: str


class ChannelsBody(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a kind of notice is shown; what is left out stays."""

    bank: bool | None = None
    inbox: bool | None = None


class NoticePreferencesBody(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What to change: `kinds` by kind of notice; `topics` of marketing, where true is a consent."""

    kinds: dict[str, ChannelsBody] = {}
    topics: dict[str, bool] = {}
    language: Annotated[str, Meta(pattern="^[a-z]{2}$")] | None = None


class NoticePreferences(msgspec.Struct):
    """What a member is told and where; marketing kinds are told with a consent to their topic."""

    kinds: dict[str, dict[str, bool]]
    topics: dict[str, bool]
    language: str


class InboxItem(msgspec.Struct, omit_defaults=True):
    """A notice as the member sees it; the fields are those of the event that the bank hears."""

    id: str
    kind: str
    at: str
    title: str
    text: str
    is_read: bool
    subject: str
    transaction: str | None = None
    retailer: str = ""
    units: int = 0
    amount: NoticeAmount | None = None
    reason: str = ""
    on: str | None = None


class InboxAnswer(msgspec.Struct, omit_defaults=True):
    """A page of a member's notices, newest first. Without `cursor` it was the last."""

    notices: tuple[InboxItem, ...]
    unread: int
    cursor: str | None = None


class ReadBody(msgspec.Struct):
    """Up to when everything has been read (RFC 3339): the `at` of the newest that was shown."""

    through: Cursor


def to_item(item: Item, transaction: str | None) -> InboxItem:
    """`item` about the bank's `transaction`, if it is about one."""
    told = item.announcement
    amount = told.amount
    return InboxItem(
        id=told.notice_id,
        kind=told.kind.value,
        at=to_text(told.at),
        title=item.words.title,
        text=item.words.text,
        is_read=item.is_read,
        subject=told.subject,
        transaction=transaction,
        retailer=told.retailer_id,
        units=told.units,
        amount=NoticeAmount(amount.minor, amount.currency) if amount else None,
        reason=told.reason,
        on=told.on.isoformat() if told.on else None,
    )


def to_preferences(choices: NoticeChoices) -> NoticePreferences:
    """`choices` as they are answered: every kind and topic, with what holds now."""
    return NoticePreferences(
        kinds={
            kind.value: {channel.value: choices.is_told(kind, channel) for channel in Channel}
            for kind in NoticeKind
        },
        topics={topic.value: choices.has_consented(topic) for topic in Topic},
        language=choices.language,
    )


def changed_choices(
    choices: NoticeChoices, body: NoticePreferencesBody, *, now: datetime
) -> NoticeChoices:
    """`choices` with what `body` changes.

    :raises Misshapen: a kind, topic or language that there is not.
    """
    for name, channels in body.kinds.items():
        kind = kind_named(name, field=f"kinds.{name}")
        for channel in Channel:
            is_told = getattr(channels, channel.value)
            if is_told is not None:
                choices = with_mute(choices, kind, channel, is_told=is_told)
    for name, is_wanted in body.topics.items():
        choices = with_topic(choices, _topic(name), is_wanted=is_wanted, now=now)
    if body.language is not None and body.language not in LANGUAGES:
        detail = f"there are no words in that language; it is one of {listed(LANGUAGES)}"
        raise Misshapen(detail, field="language", code="language")
    return replace(choices, language=body.language or choices.language)


def _topic(name: str) -> Topic:
    topics = [topic.value for topic in Topic]
    if name not in topics:
        detail = f"there is no such topic; it is one of {listed(topics)}"
        raise Misshapen(detail, field=f"topics.{name}", code="topic")
    return Topic(name)
