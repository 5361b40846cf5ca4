"""What is said of members over queues: versioned JSON, unknown fields ignored."""

from datetime import date, datetime

import msgspec

from chalicelib.kernel.ids import MemberId


class NoticeMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="notice", tag_field="message"
):
    """On `notices`: something happened that the member is told of, once, under `notice_id`.

    `kind` is one of `announcing.NoticeKind`; a kind that is not known yet is refused, not lost.
    `minor` and `currency` are an amount of money, both or neither.
    """

    notice_id: str
    kind: str
    member_id: MemberId
    at: datetime
    subject: str
    retailer_id: str = ""
    payment_id: str = ""
    units: int = 0
    minor: int = 0
    currency: str = ""
    reason: str = ""
    on: date | None = None
    v: int = 1


def encode(message: msgspec.Struct) -> str:
    """`message` as the body of a queue message."""
    return msgspec.json.encode(message).decode()
