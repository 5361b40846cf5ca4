"""Announcing to all who want to hear of it: a hundred members at a time, never faster than that.

Somebody starts it, once for ever. Messages then go through those of a bank's members who consented
to the topic (`members.subscribing`), a step each: it announces to a hundred of them as to anybody
else, queues the next step for a while later, and writes down how far it came. Whether each still
wants to hear of it is asked again when the bank is told.

A step is done only by a message of its own number, so that of two messages one goes on: whoever
finds it done has nothing to do, for the next was queued before. Who dies before it is written down
announces to the same hundred again, under the same ids.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.ids import ConnectionId, RetailerId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members import announcing
from chalicelib.members.choices import TOPIC_BY_KIND
from chalicelib.members.messages import encode
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.members.subscribing import store as subscribing
from chalicelib.network import service as network
from chalicelib.network.model import RetailerStatus
from chalicelib.notices.launching import store
from chalicelib.notices.launching.model import (
    Launch,
    LaunchState,
    LaunchStopped,
    NoSuchLaunch,
    NotForEverybody,
    went_on,
)
from chalicelib.notices.messages import LaunchMessage
from chalicelib.offers.campaigns import service as campaigns
from chalicelib.offers.campaigns.model import Stage
from chalicelib.runtime import observability, queues

MEMBERS_AT_ONCE = 100  # Ten calls of the queue; one page of the bank's log holds them.
EVERY_SECONDS = 6  # A thousand a minute: no bank's app or contact centre is flooded.


def announce_partner(
    retailer_id: RetailerId, connection_ids: Sequence[ConnectionId], *, now: datetime
) -> tuple[Launch, ...]:
    """Tell the banks' members who want to hear of partners that the retailer takes part.

    What was announced before goes on from where it is, or is done.

    :raises NotFound: there is no such retailer or connection. :raises NotForEverybody: the retailer
        is not live. :raises LaunchStopped: it was stopped. :raises TryAgain: ask again.
    """
    retailer = network.get_retailer(retailer_id, now=now)
    if retailer.status is not RetailerStatus.LIVE:
        raise NotForEverybody("the retailer is not live", field="retailer")
    kind = NoticeKind.PARTNER_JOINED
    return _start(kind, retailer_id, retailer_id, connection_ids, now=now)


def announce_offer(
    retailer_id: RetailerId,
    reference: str,
    connection_ids: Sequence[ConnectionId],
    *,
    now: datetime,
) -> tuple[Launch, ...]:
    """Tell the banks' members who want to hear of offers that the retailer's campaign runs.

    As `announce_partner`. Of the members those are told who have offers switched on.

    :raises NotForEverybody: it does not run now, or is for an audience only.
    """
    campaign = campaigns.get_campaign(retailer_id, reference, now=now)
    if campaign.stage_at(now) is not Stage.LIVE:
        raise NotForEverybody("the campaign does not run now", field="campaign")
    if not campaign.audience.is_everybody:
        raise NotForEverybody("the campaign is not for everybody", field="campaign")
    kind = NoticeKind.OFFER_ANNOUNCED
    return _start(kind, campaign.campaign_id, retailer_id, connection_ids, now=now)


def go_on(message: LaunchMessage, *, now: datetime, members_at_once: int = MEMBERS_AT_ONCE) -> int:
    """Announce to the next hundred, and queue what is left; returns to how many.

    :raises TryAgain: the step before is not written down, or DynamoDB or the queue did not answer;
        the same hundred are announced to again.
    """
    launch = store.find(message.launch, now=now)
    if launch is None or launch.version > message.step or launch.state is not LaunchState.WALKING:
        return 0
    if launch.version < message.step:
        raise TryAgain("the step before is not written down yet", after_seconds=EVERY_SECONDS)
    told = subscribing.list_subscribers(
        TOPIC_BY_KIND[launch.kind],
        launch.connection_id,
        after=launch.after,
        limit=members_at_once,
        now=now,
    )
    announcing.announce([launch.announcement_to(member_id) for member_id in told])
    after = went_on(launch, told, is_last=len(told) < members_at_once)
    if after.state is LaunchState.WALKING:
        following = LaunchMessage(launch.name, message.step + 1)
        queues.send(queues.NOTICES, [encode(following)], delay_seconds=EVERY_SECONDS)
    if store.record(after):  # Else another message did this step, or somebody stopped it.
        observability.count("launch_announced", by=len(told), kind=launch.kind.value)
    return len(told)


def stop(name: str, *, now: datetime) -> Launch:
    """Announce it to nobody more, for good. What was announced is told.

    :raises NoSuchLaunch: there is none. :raises TryAgain: it went on at this moment.
    """
    launch = store.find(name, now=now)
    if launch is None:
        raise NoSuchLaunch("nothing of this name was announced to all", field="name")
    if launch.state is not LaunchState.WALKING:
        return launch
    stopped = replace(launch, state=LaunchState.STOPPED)
    if not store.record(stopped):
        raise TryAgain("it went on at this moment")
    return stopped


def _start(
    kind: NoticeKind,
    subject: str,
    retailer_id: RetailerId,
    connection_ids: Sequence[ConnectionId],
    *,
    now: datetime,
) -> tuple[Launch, ...]:
    for connection_id in connection_ids:
        network.get_connection(connection_id, now=now)
    new = [Launch(kind, subject, retailer_id, one, started_at=now) for one in connection_ids]
    return tuple(_begin(launch, now=now) for launch in new)


def _begin(new: Launch, *, now: datetime) -> Launch:
    """Write it down, then queue it; whoever died in between begins it by asking again."""
    store.record(new)
    launch = store.find(new.name, now=now)
    if launch is None:
        raise TryAgain("it is not written yet")
    if launch.state is LaunchState.STOPPED:
        raise LaunchStopped("it was stopped; what is stopped does not go on")
    if launch.state is LaunchState.WALKING:
        queues.send(queues.NOTICES, [encode(LaunchMessage(launch.name, launch.version))])
    return launch
