"""Saying what happened to a member, so that they are told: the one way in to notices.

Whoever gives, takes back or pays says so here and goes on; `workers.notices` tells the bank and the
member. A notice has an id that follows from what it is about (`notice_id_of`), so that whoever
announces the same again, after a crash or a redelivery, announces nothing new. Several stamps of
one purchase are one announcement with `units`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel.ids import MemberId, natural_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Misshapen
from chalicelib.members.messages import NoticeMessage, encode
from chalicelib.members.notice_kinds import NoticeKind as NoticeKind
from chalicelib.runtime import queues

UNITS_MAX = 10**9  # Far above any card; beyond it something multiplied what it should not.
WORD_LENGTH_MAX = 100  # Ids and reason codes.


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that a member is told of.

    - `notice_id`: see `notice_id_of`.
    - `subject`: the scheme, campaign, payout or claim it is about.
    - `units`: stamps or points; negative where they were taken back.
    - `amount`: money, in minor units; negative where it was taken back.
    - `reason`: a stable code, where there is one (`returned`, `released`, …).
    - `on`: the day that counts: of expiry, or of payment.

    :raises Misshapen: a word is empty or too long, or `units` is out of range.
    """

    notice_id: str
    kind: NoticeKind
    member_id: MemberId
    at: datetime
    subject: str
    retailer_id: str = ""
    payment_id: str = ""
    units: int = 0
    amount: Money | None = None
    reason: str = ""
    on: date | None = None

    def __post_init__(self) -> None:
        if not (self.notice_id and self.member_id and self.subject):
            raise Misshapen("a notice needs its id, its member and its subject")
        words = (self.notice_id, self.subject, self.retailer_id, self.payment_id, self.reason)
        if max(map(len, words)) > WORD_LENGTH_MAX:
            raise Misshapen("an id or reason of a notice is too long")
        if abs(self.units) > UNITS_MAX:
            raise Misshapen("the units of a notice are out of range")
        if self.at.tzinfo is None:
            raise Misshapen("the time of a notice has no zone")


def notice_id_of(kind: NoticeKind, *, member_id: MemberId, subject: str, cause: str) -> str:
    """The id of the notice that tells `member_id` of `kind` about `subject`, because of `cause`.

    `cause` is what happens once: a payment id, an entry's key, the day of expiry, or two of these
    joined by `#` (a purchase that was returned in two parts is adjusted twice).
    """
    return natural_id("notice", kind.value, member_id, subject, cause)


def announce(announcements: Iterable[Announcement]) -> None:
    """Queue `announcements`, in one call for ten of them.

    :raises TryAgain: the queue did not take all; announcing all of them again is safe.
    """
    bodies = [encode(to_message(one)) for one in announcements]
    if bodies:
        queues.send(queues.NOTICES, bodies)


def to_message(announcement: Announcement) -> NoticeMessage:
    """`announcement` as it travels."""
    amount = announcement.amount
    return NoticeMessage(
        notice_id=announcement.notice_id,
        kind=announcement.kind.value,
        member_id=announcement.member_id,
        at=announcement.at,
        subject=announcement.subject,
        retailer_id=announcement.retailer_id,
        payment_id=announcement.payment_id,
        units=announcement.units,
        minor=amount.minor if amount else 0,
        currency=amount.currency if amount else "",
        reason=announcement.reason,
        on=announcement.on,
    )


def from_message(message: NoticeMessage) -> Announcement:
    """What `message` announces.

    :raises Misshapen: the kind is not known, or a value is out of range.
    :raises NotAllowed: the amount is no money.
    """
    try:
        kind = NoticeKind(message.kind)
    except ValueError as error:
        raise Misshapen("the kind of notice is not known", field="kind") from error
    return Announcement(
        notice_id=message.notice_id,
        kind=kind,
        member_id=message.member_id,
        at=message.at,
        subject=message.subject,
        retailer_id=message.retailer_id,
        payment_id=message.payment_id,
        units=message.units,
        amount=Money(message.minor, message.currency) if message.currency else None,
        reason=message.reason,
        on=message.on,
    )
