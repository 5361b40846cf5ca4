"""Things that members are told of, invented, and banks that hear them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.money import Money
from chalicelib.members import service as members
from chalicelib.members.announcing import Announcement, NoticeKind, announce, notice_id_of
from chalicelib.members.choices import Topic, with_topic
from chalicelib.members.model import LinkKind, Member, Reference
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.network.programmes import Service
from chalicelib.runtime import clock, queues
from tests.makers.bank_server import BankServer
from tests.makers.journeys import NOON, PAID, open_town
from tests.makers.network import BAKERY
from tests.makers.outside import Ran, run_worker

CARD = "coffee-card"
IMAGE = "https://images.counterfoil.test/stamp.png"


def open_banks(bank: BankServer, *providers: Provider, **changes: object) -> None:
    """Banks of `providers` that hear notices at `bank`, each with a member."""
    open_town(bank.url, providers=providers)
    for provider in providers:
        name = ConnectionId(PAID[provider].connection_id)
        connection = network.with_keys(network.get_connection(name, now=NOON))
        told = {"notice_image_url": IMAGE} | changes
        network.record_connection(replace(connection, **told), now=NOON)  # type: ignore[arg-type]


def anchor_of(provider: Provider) -> Reference:
    """What the provider's bank calls its member."""
    paid = PAID[provider]
    return Reference(LinkKind.USER, ConnectionId(paid.connection_id), paid.user)


def member_of(provider: Provider) -> Member:
    """The provider's member."""
    return members.get_member(anchor_of(provider), now=NOON)


def with_marketing(provider: Provider) -> MemberId:
    """The member wants to hear of everything, and has offers on; returns their id."""
    anchor = anchor_of(provider)
    connection = network.get_connection(anchor.connection_id, now=NOON)
    members.change_services(anchor, {Service.OFFERS: True}, connection, now=NOON)
    for topic in Topic:
        members.change_choices(
            anchor,
            lambda choices, topic=topic: with_topic(choices, topic, is_wanted=True, now=NOON),
            now=NOON,
        )
    return member_of(provider).member_id


def make_announcement(
    member_id: MemberId,
    kind: NoticeKind = NoticeKind.STAMP_EARNED,
    cause: str = "payment-1",
    **more: object,
) -> Announcement:
    """Two stamps for a purchase at the bakery, unless said otherwise."""
    fields: dict[str, Any] = {
        "at": NOON,
        "subject": CARD,
        "retailer_id": BAKERY,
        "payment_id": cause,
        "units": 2,
    }
    subject = str(more.get("subject", CARD))
    notice_id = notice_id_of(kind, member_id=member_id, subject=subject, cause=cause)
    return Announcement(notice_id, kind, member_id, **(fields | more))


def say(*announcements: Announcement) -> Ran:
    """Announce, and let the worker tell."""
    announce(announcements)
    return run_worker(queues.NOTICES)


def told(bank: BankServer) -> list[tuple[str, int]]:
    """Type and units of what a bank heard by webhook."""
    bodies = [json.loads(one.body) for one in bank.heard if one.body]
    return [(body["type"], body["data"].get("units", 0)) for body in bodies]


def later(**by: int) -> datetime:
    """Let it be later than noon; returns when."""
    at = NOON + timedelta(**by)
    clock.use(lambda: at)
    return at


PAID_OUT = Money(1250, "GBP")
A_DAY = datetime(2027, 1, 31, tzinfo=UTC).date()
