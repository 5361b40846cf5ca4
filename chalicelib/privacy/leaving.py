"""Leaving: the gate closes at once, and what is kept runs out on its last clock."""

from datetime import datetime

from chalicelib.banks import monzo_oauth
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.loyalty.cards import store as cards_store
from chalicelib.members import service as members
from chalicelib.members.connecting import store as connecting
from chalicelib.members.connecting.model import Departure
from chalicelib.members.model import Reference
from chalicelib.network import service as network
from chalicelib.notices.log import store as notices_store
from chalicelib.offers.competitions import service as competitions
from chalicelib.offers.participation import store as offers
from chalicelib.payouts import parting
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.leavers import service as leavers
from chalicelib.payouts.netting import service as netting
from chalicelib.purchases import store as purchases_store
from chalicelib.purchases.messages import MemberLeftMessage, encode
from chalicelib.rewards.inquiries import store as inquiries_store
from chalicelib.runtime import observability, queues


def switch_off(anchor: Reference, *, now: datetime) -> None:
    """Switch the programme off at once; what a bank or queue is too busy for is finished later.

    :raises NotFound: it is not on.
    """
    leavers.keep_name(members.get_member(anchor, now=now), now=now)
    departure = members.leave(anchor, now=now)
    if departure is None:
        raise NotFound("there is no such member")
    _finish_or_wait(departure, now=now)


def finish_departures(*, now: datetime) -> int:
    """Finish what `switch_off` could not, at most 100 departures; returns how many still wait."""
    departures = connecting.list_departures(now=now)
    return sum(not _finish_or_wait(departure, now=now) for departure in departures)


def _finish_or_wait(departure: Departure, *, now: datetime) -> bool:
    try:
        _finish(departure, now=now)
    except TryAgain:
        observability.warn("a departure waits to be finished", member=departure.member_id)
        return False
    return True


def _finish(departure: Departure, *, now: datetime) -> None:
    """Each step may be repeated; the note of the departure goes last."""
    message = encode(MemberLeftMessage(departure.member_id, departure.left_at))
    queues.send(queues.PAYMENTS, [message])
    # Once more when every worker that had begun before the leaving has long ended.
    queues.send(queues.PAYMENTS, [message], delay_seconds=queues.DELAY_SECONDS_MAX)
    if departure.token is not None:
        connection = network.get_connection(departure.connection_id, now=now)
        monzo_oauth.revoke(departure.token, departure.webhooks, connection, now=now)
    connecting.forget_departure(departure)


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> None:
    """Put everything that was kept while the member was one on its last clock."""
    changed = purchases_store.end_retention(member_id, left_at=left_at, now=now)
    observability.count("purchases_on_last_clock", by=changed)
    cards_store.end_retention(member_id, left_at=left_at, now=now)
    offers.end_retention(member_id, left_at=left_at, now=now)
    competitions.end_retention(member_id, left_at=left_at, now=now)
    destinations.end_retention(member_id, left_at=left_at)
    if not parting.forget_account_when_paid(member_id, now=now):
        netting.expect_leaver(member_id, now=now)
    inquiries_store.end_retention(member_id, left_at=left_at, now=now)
    notices_store.end_retention(member_id, left_at=left_at, now=now)
