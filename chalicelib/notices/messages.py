"""What stands on the queue `notices`: versioned JSON, unknown fields ignored."""

from datetime import datetime
from typing import Any, cast

import msgspec

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import Malformed
from chalicelib.members.messages import NoticeMessage


class TellPageMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="tell_page", tag_field="message"
):
    """Tell the bank of what stands on a page of its log: what was left, or all of it again.

    `page` is the page's name. `left` are the places on it of the notices to tell; None for all.
    """

    connection_id: ConnectionId
    page: str
    left: tuple[int, ...] | None = None
    v: int = 1


class ReplayMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="replay", tag_field="message"
):
    """Tell the bank again of every page after the cursor `after` that was written by `until`."""

    connection_id: ConnectionId
    after: str
    until: datetime
    v: int = 1


class LaunchMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="launch", tag_field="message"
):
    """Announce the launch of this name to the next members who want to hear of it.

    `step` is the version of the launch that it goes on from.
    """

    launch: str
    step: int
    v: int = 1


NoticesMessage = NoticeMessage | TellPageMessage | ReplayMessage | LaunchMessage
_decoder = msgspec.json.Decoder(cast(Any, NoticesMessage))


def decode_notices(body: str) -> NoticesMessage:
    """The body of a message on `notices`. :raises Malformed: it is none."""
    try:
        return cast(NoticesMessage, _decoder.decode(body))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Malformed("the message has not the documented shape") from error
