"""Launches, as values: what is announced to all members of a bank that want to hear of it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, MemberId, RetailerId
from chalicelib.kernel.refusals import Conflicting, NotAllowed, NotFound
from chalicelib.members.announcing import Announcement, notice_id_of
from chalicelib.members.notice_kinds import NoticeKind


class NoSuchLaunch(NotFound):
    """Nothing of this name was announced to all."""

    code = "no_such_launch"


class LaunchStopped(Conflicting):
    """Somebody stopped it; what is stopped does not go on."""

    code = "launch_stopped"


class NotForEverybody(NotAllowed):
    """Only what everybody may have is announced to all: partners that are live, offers that run
    for all. Whom another offer is for would have to be computed for members who did not ask.
    """

    code = "not_for_everybody"


class LaunchState(Enum):
    """How far a launch is."""

    WALKING = "walking"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Launch:
    """That the members of one bank are told of `subject`, once for ever.

    `kind` is `partner_joined`, `subject` then the retailer, or `offer_announced`, the campaign.
    Members are gone through in order of their ids; `after` is the last one, `announced` how many.
    `version` counts writes, 0 before the first.
    """

    kind: NoticeKind
    subject: str
    retailer_id: RetailerId
    connection_id: ConnectionId
    started_at: datetime
    state: LaunchState = LaunchState.WALKING
    after: str = ""
    announced: int = 0
    version: int = 0

    @property
    def name(self) -> str:
        """What names it for ever."""
        return f"{self.kind.value}#{self.subject}#{self.connection_id}"

    def announcement_to(self, member_id: MemberId) -> Announcement:
        """What one member is told: the same notice, however often it is announced."""
        return Announcement(
            notice_id=notice_id_of(
                self.kind, member_id=member_id, subject=self.subject, cause="launch"
            ),
            kind=self.kind,
            member_id=member_id,
            at=self.started_at,
            subject=self.subject,
            retailer_id=self.retailer_id,
        )


def went_on(before: Launch, told: list[MemberId], *, is_last: bool) -> Launch:
    """`before` once `told` were announced to."""
    return replace(
        before,
        after=told[-1] if told else before.after,
        announced=before.announced + len(told),
        state=LaunchState.DONE if is_last else LaunchState.WALKING,
    )
