"""What opens a member's purchases, and for how long a payment may find its receipt."""

from datetime import datetime, timedelta

from chalicelib.kernel.ids import MemberId
from chalicelib.matching import store as matching_store
from chalicelib.members import service as members
from chalicelib.members.model import MemberStatus
from chalicelib.runtime import vault

WAITS = timedelta(days=matching_store.WAITING_DAYS)


def active_key_of(member_id: MemberId, *, now: datetime) -> vault.SealingKey | None:
    """The key of a member for whom the programme is on; None for one who left or is forgotten."""
    member = members.find_member(member_id, now=now)
    if member is None or member.status is not MemberStatus.ACTIVE or member.salt is None:
        return None
    return vault.member_key(member.salt)
