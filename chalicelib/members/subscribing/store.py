"""Who consented to which topic, in table `people`.

    topic#<topic>#<connection id>    <member id>    since when

The consent itself stands in the member's head, and is what counts when anybody is told. These rows
follow from it, are written in its transaction, and let whoever has something to announce go through
those that want to hear it, and nobody else.
"""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.members.choices import Topic
from chalicelib.members.model import Member, MemberStatus
from chalicelib.runtime import rows
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention


class SubscriberRow(rows.Row):
    """That a member wants to hear of a topic."""

    Meta = rows.table_meta("people")
    privacy = {"since": Kept(Category.CONSENT, Purpose.MEMBERSHIP, Erasure.DELETE)}
    retention = Retention(
        name="marketing_consent",
        reason="That you want to hear of offers or partners is kept until you take it back.",
        ended_by="the consent is taken back, or the member leaves",
    )

    since = UnicodeAttribute()


def changes(before: Member, after: Member) -> tuple[list[rows.Row], list[rows.Row]]:
    """The rows to write, and those to delete, where `before` becomes `after`."""
    old, new = _rows_of(before), _rows_of(after)
    begun: list[rows.Row] = [row for pk, row in new.items() if pk not in old]
    ended: list[rows.Row] = [row for pk, row in old.items() if pk not in new]
    return begun, ended


def _rows_of(member: Member) -> dict[str, SubscriberRow]:
    """The rows that follow from what `member` consented to, by partition."""
    if member.status is MemberStatus.LEFT:
        return {}
    rows_of_topics = {
        _pk(consent.topic, member.connection_id): consent.given_at.isoformat()
        for consent in member.choices.consents
    }
    return {pk: SubscriberRow(pk, member.member_id, since=at) for pk, at in rows_of_topics.items()}


def list_subscribers(
    topic: Topic, connection_id: ConnectionId, *, after: str, limit: int, now: datetime
) -> list[MemberId]:
    """Those of a bank's members that want to hear of `topic`, in order, after the id `after`."""
    found = rows.list_between(
        SubscriberRow, _pk(topic, connection_id), after + "\x00", "~", now=now, limit=limit
    )
    return [MemberId(row.sk) for row in found]


def _pk(topic: Topic, connection_id: ConnectionId) -> str:
    return f"topic#{topic.value}#{connection_id}"
