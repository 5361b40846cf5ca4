"""What of a batch is worth telling: each notice once, and nothing that was undone at once. Pure.

Stamps that were earned and taken back before anybody was told are no news. A part that was taken
back leaves the rest. Only what was never tried to be told is weighed so: of anything else the bank
may have heard already, and then it must hear what came after, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.members.announcing import Announcement
from chalicelib.members.notice_kinds import NoticeKind

_GIVEN = frozenset({NoticeKind.STAMP_EARNED, NoticeKind.POINTS_EARNED, NoticeKind.OFFER_REDEEMED})


@dataclass(frozen=True, slots=True)
class Waiting:
    """An announcement on its way. `is_first` says that it was not tried to be told before."""

    announcement: Announcement
    is_first: bool


def coalesce(waiting: Sequence[Waiting]) -> list[Announcement]:
    """What is to be told of `waiting`, in order."""
    once = {one.announcement.notice_id: one for one in reversed(waiting)}
    left = {
        notice_id: once[notice_id].announcement
        for notice_id in dict.fromkeys(one.announcement.notice_id for one in waiting)
    }
    fresh = [one.announcement for one in once.values() if one.is_first]
    for given in [one for one in fresh if one.kind in _GIVEN and one.payment_id]:
        for later in _adjustments(given, fresh):
            less = _less(left[given.notice_id], later)
            if later.notice_id in left and less is not None:
                left[given.notice_id] = less
                del left[later.notice_id]
    return [
        one
        for notice_id, one in left.items()
        if one is once[notice_id].announcement or one.units or (one.amount and one.amount.minor)
    ]


def _adjustments(given: Announcement, fresh: Sequence[Announcement]) -> list[Announcement]:
    """What of the same batch changes what was given."""
    return [
        one
        for one in fresh
        if one.kind is NoticeKind.ADJUSTED
        and one.member_id == given.member_id
        and one.subject == given.subject
        and one.payment_id == given.payment_id
    ]


def _less(given: Announcement, later: Announcement) -> Announcement | None:
    """`given` without what `later` takes back; None where `later` is another matter, or takes more
    than was given just now.
    """
    if later.units > 0 or given.units + later.units < 0:
        return None
    if later.amount is None and not later.units:
        return None  # A card is full no more whose reward was no money: no stamps are less by that.
    if later.amount is None:
        return replace(given, units=given.units + later.units)
    if given.amount is None or given.amount.currency != later.amount.currency:
        return None
    amount = given.amount + later.amount
    if later.amount.minor > 0 or amount.minor < 0:
        return None
    return replace(given, units=given.units + later.units, amount=amount)
