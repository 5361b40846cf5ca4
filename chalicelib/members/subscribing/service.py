"""Mending the rows by which those who consented to a topic are found."""

from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members import store
from chalicelib.members.choices import NOTHING_CHOSEN
from chalicelib.members.model import MemberStatus

ATTEMPTS_MAX = 5


def mend(member_id: MemberId, *, now: datetime) -> bool:
    """Write the rows by which the member is found; False where there are none to write.

    For consents that were given before there were such rows; again is the same.

    :raises TryAgain: others kept changing the member.
    """
    for _ in range(ATTEMPTS_MAX):
        before = store.find_member(member_id, now=now)
        if before is None or before.status is MemberStatus.LEFT or not before.choices.consents:
            return False
        # As if all were chosen just now: on condition that nothing of it is taken back meanwhile.
        silent = replace(before, choices=NOTHING_CHOSEN)
        try:
            store.record_change(replace(before, version=before.version + 1), before=silent)
        except TryAgain:
            continue
        return True
    raise TryAgain("others kept changing the member")
