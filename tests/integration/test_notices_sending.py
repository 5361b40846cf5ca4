"""Banks hear of what was announced: once, signed, as the member chose, and late if need be."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from standardwebhooks.webhooks import Webhook

from chalicelib.banks import jws
from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.members import service as members
from chalicelib.members.announcing import NoticeKind
from chalicelib.members.choices import Channel, with_mute
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.network.model import Provider
from chalicelib.notices import sending
from chalicelib.notices.log import store
from chalicelib.notices.messages import TellPageMessage, decode_notices
from chalicelib.notices.sending import Run
from chalicelib.privacy import leaving
from chalicelib.runtime import clock, queues
from infra.local import queue_time
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.banks import whsec
from tests.makers.events import event
from tests.makers.journeys import NOON, PAID
from tests.makers.notices import (
    A_DAY,
    PAID_OUT,
    anchor_of,
    later,
    make_announcement,
    member_of,
    open_banks,
    say,
    told,
    with_marketing,
)
from tests.makers.outside import Counted, dead_on, put_on, run_worker, waiting_on
from tests.makers.purchases import queued

pytestmark = pytest.mark.stores
OK = (200, {}, b"{}")
AWAY = (503, {}, b"")
STANDARD = ConnectionId("standard")


def pages(connection_id: str = STANDARD) -> list[int]:
    """How many notices stand on each page of the bank's log."""
    found = store.list_pages(ConnectionId(connection_id), NOON.date(), after="", limit=9, now=NOON)
    return [len(page.notices) for page in found]


@pytest.mark.requirement("LOY-17")
def test_a_bank_hears_a_signed_event_that_the_standards_own_library_verifies(
    bank: BankServer,
) -> None:
    open_banks(bank, Provider.STANDARD)
    member = member_of(Provider.STANDARD)
    paid = make_announcement(
        member.member_id, NoticeKind.REWARD_PAID, units=0, amount=PAID_OUT, on=A_DAY
    )

    present = datetime.now(UTC)  # the library reads the clock itself
    clock.use(lambda: present)

    assert say(paid).failed == ()

    (heard,) = bank.heard
    Webhook(whsec(2)).verify(heard.body, heard.headers)
    assert (heard.target, heard.headers["webhook-id"]) == ("/receipts", paid.notice_id)
    documented = json.loads(event("standard_reward_paid"))
    documented["data"]["id"] = paid.notice_id
    assert json.loads(heard.body) == documented


@pytest.mark.requirement("LOY-17")
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_is_told_once_in_words_with_nothing_left_to_fill_in(
    bank: BankServer, kind: NoticeKind
) -> None:
    open_banks(bank, Provider.STANDARD)
    member = with_marketing(Provider.STANDARD)
    announcement = make_announcement(member, kind, amount=Money(120, "GBP"), on=A_DAY)

    say(announcement, announcement)
    say(announcement)

    ids = {one.headers["webhook-id"] for one in bank.heard}
    assert ids == {announcement.notice_id}
    data = json.loads(bank.heard[0].body)["data"]
    assert data["title"]
    assert "{" not in data["title"] + data["text"]


def test_many_notices_of_one_run_are_one_page_of_the_banks_log(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD, Provider.FIDEL)
    first, second = (member_of(p).member_id for p in (Provider.STANDARD, Provider.FIDEL))

    say(*(make_announcement(first, cause=f"p-{n}") for n in range(6)), make_announcement(second))

    assert (pages(), pages("fidel")) == ([6], [1])
    assert len(bank.heard) == 7


def test_what_is_announced_twice_is_told_once_and_everything_as_it_was_said(
    bank: BankServer, counted: Counted
) -> None:
    """Also what was given and taken back in one batch: whoever settles the purchase again later
    announces both anew, and a bank knows a repeat by its id.
    """
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    given = make_announcement(member_id)
    part = make_announcement(member_id, NoticeKind.ADJUSTED, units=-1)

    say(given, part, given, part)
    say(given, part, make_announcement(member_id, NoticeKind.ADJUSTED, "payment-1#3", units=-1))

    first = [("reward.stamp_earned", 2), ("reward.adjusted", -1)]
    assert told(bank) == [*first, *first, ("reward.adjusted", -1)]
    assert [one.headers["webhook-id"] for one in bank.heard[:4]] == [
        given.notice_id,
        part.notice_id,
    ] * 2
    assert counted["notices_dropped:said_twice"] == 2


@pytest.mark.requirement("LOY-17")
def test_a_member_who_does_not_want_a_kind_in_the_bank_is_not_told_there(
    bank: BankServer, counted: Counted
) -> None:
    open_banks(bank, Provider.STANDARD)
    members.change_choices(
        anchor_of(Provider.STANDARD),
        lambda c: with_mute(c, NoticeKind.STAMP_EARNED, Channel.BANK, is_told=False),
        now=NOON,
    )
    member_id = member_of(Provider.STANDARD).member_id

    say(make_announcement(member_id), make_announcement(member_id, NoticeKind.CARD_COMPLETE))

    assert told(bank) == [("reward.card_complete", 2)]
    assert counted["notices_dropped:not_wanted"] == 1


@pytest.mark.requirement("OFR-14")
@pytest.mark.parametrize("kind", [NoticeKind.OFFER_ANNOUNCED, NoticeKind.PARTNER_JOINED])
def test_marketing_is_told_with_a_consent_to_its_topic_alone(
    bank: BankServer, kind: NoticeKind
) -> None:
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    say(make_announcement(member_id, kind))
    unasked = list(bank.heard)
    with_marketing(Provider.STANDARD)

    say(make_announcement(member_id, kind, cause="p-2"))

    assert unasked == []
    assert len(bank.heard) == 1


def test_a_bank_that_is_away_is_told_later_from_the_page_and_the_rest_at_once(
    embedded_aws: None,
) -> None:
    restore = queue_time.rule()
    try:
        with bank_server(OK, AWAY, AWAY, OK) as bank:
            open_banks(bank, Provider.STANDARD)
            member_id = member_of(Provider.STANDARD).member_id
            first = say(*(make_announcement(member_id, cause=f"p-{n}") for n in range(4)))
            queue_time.skip(31)
            second = run_worker(queues.NOTICES)
            queue_time.skip(31)
            third = run_worker(queues.NOTICES)
    finally:
        restore()

    assert (first.failed, len(second.failed), third.failed) == ((), 1, ())
    assert pages() == [4]
    heard = [one.headers["webhook-id"] for one in bank.heard]
    assert len(heard) == 6
    assert heard[1] == heard[2] == heard[3]
    assert len(set(heard)) == 4
    assert (waiting_on(queues.NOTICES), dead_on(queues.NOTICES)) == (0, 0)


def test_a_bank_that_is_gone_is_told_no_more_and_its_log_goes_on(
    embedded_aws: None, counted: Counted
) -> None:
    with bank_server((410, {}, b"")) as bank:
        open_banks(bank, Provider.STANDARD)
        member_id = member_of(Provider.STANDARD).member_id
        say(make_announcement(member_id), make_announcement(member_id, cause="p-2"))
        say(make_announcement(member_id, cause="p-3"))

    assert len(bank.heard) == 1
    assert network.get_connection(STANDARD, now=NOON).told_until == NOON
    assert sorted(pages()) == [1, 2]
    assert counted["notices_refused:endpoint_gone:standard"] == 2


def test_a_410_for_notices_alone_does_not_stop_receipts(embedded_aws: None) -> None:
    with bank_server((410, {}, b"")) as bank:
        open_banks(bank, Provider.STANDARD, notices_at_url=f"{bank.url}/notices")
        say(make_announcement(member_of(Provider.STANDARD).member_id))

    assert [one.target for one in bank.heard] == ["/notices"]
    assert network.get_connection(STANDARD, now=NOON).told_until is None


def test_what_a_bank_refuses_is_counted_and_the_next_is_told(
    embedded_aws: None, counted: Counted
) -> None:
    with bank_server((400, {}, b""), OK) as bank:
        open_banks(bank, Provider.STANDARD)
        member_id = member_of(Provider.STANDARD).member_id
        ran = say(*(make_announcement(member_id, cause=f"p-{n}") for n in range(2)))

    assert ran.failed == ()
    assert counted["notices_refused:bank_refused:standard"] == 1
    assert counted["notices_told:stamp_earned:standard"] == 1


def test_a_flux_bank_hears_the_same_body_under_its_own_signature_at_its_own_url(
    bank: BankServer,
) -> None:
    open_banks(bank, Provider.FLUX_V2, notices_at_url=f"{bank.url}/notices")
    announcement = make_announcement(member_of(Provider.FLUX_V2).member_id)

    say(announcement)

    (heard,) = bank.heard
    public = jws.public_jwk(keys.get_signing_key(now=NOON).private_pem.reveal())
    jws.verify_detached(heard.headers[jws.HEADER], heard.body, public)
    assert (heard.target, heard.headers["webhook-id"]) == ("/notices", announcement.notice_id)
    assert json.loads(heard.body)["type"] == "reward.stamp_earned"


@pytest.mark.parametrize("provider", [Provider.FLUX_V1, Provider.FLUX_V2, Provider.STARLING])
def test_a_bank_without_a_url_for_notices_is_not_told_and_may_read_its_log(
    bank: BankServer, provider: Provider, counted: Counted
) -> None:
    open_banks(bank, provider)

    say(make_announcement(member_of(provider).member_id))

    assert bank.heard == []
    assert pages(PAID[provider].connection_id) == [1]
    assert counted["notices_dropped:connection_not_told"] == 1


def test_nobody_who_left_is_told(bank: BankServer, counted: Counted) -> None:
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    leaving.switch_off(anchor_of(Provider.STANDARD), now=NOON)

    say(make_announcement(member_id))

    assert (bank.heard, pages()) == ([], [])
    assert counted["notices_dropped:member_left"] == 1


def test_what_is_no_notice_is_set_aside_and_the_others_are_told(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    put_on(queues.NOTICES, '{"message":"crown"}')

    assert say(make_announcement(member_of(Provider.STANDARD).member_id)).failed == ()

    assert len(bank.heard) == 1


def test_a_feed_item_is_put_with_the_members_token_and_not_again(
    bank: BankServer, counted: Counted
) -> None:
    open_banks(bank, Provider.MONZO)
    member_id = member_of(Provider.MONZO).member_id
    announcement = make_announcement(member_id, NoticeKind.CARD_COMPLETE, units=0)

    say(announcement)
    say(announcement)

    (heard,) = bank.heard
    assert (heard.method, heard.target) == ("POST", "/feed")
    assert heard.headers["authorization"] == "Bearer access-1"
    assert parse_qs(heard.body.decode()) == {
        "account_id": [PAID[Provider.MONZO].account],
        "type": ["basic"],
        "params[title]": ["Your card at Crumb & Kettle is full"],
        "params[body]": ["Your reward at Crumb & Kettle is on its way."],
        "params[image_url]": ["https://images.counterfoil.test/stamp.png"],
    }
    assert counted["notices_dropped:told_before"] == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_feed_item_that_may_be_there_is_not_put_again(
    embedded_aws: None, status: int, counted: Counted
) -> None:
    with bank_server((status, {}, b""), OK) as bank:
        open_banks(bank, Provider.MONZO)
        announcement = make_announcement(member_of(Provider.MONZO).member_id)
        say(announcement)
        say(announcement)

    assert len(bank.heard) == 1
    assert counted["notices_unsure:monzo"] == 1
    assert waiting_on(queues.NOTICES) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_feed_item_that_is_certainly_not_there_is_put_later(
    embedded_aws: None, status: int
) -> None:
    restore = queue_time.rule()
    try:
        with bank_server((status, {}, b""), OK) as bank:
            open_banks(bank, Provider.MONZO)
            say(make_announcement(member_of(Provider.MONZO).member_id))
            queue_time.skip(31)
            again = run_worker(queues.NOTICES)
    finally:
        restore()

    assert (len(bank.heard), again.failed) == (2, ())
    assert waiting_on(queues.NOTICES) == 0


def test_what_there_is_no_time_for_is_told_from_the_page_at_once(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    waiting = [make_announcement(member_id, cause=f"p-{n}") for n in range(5)]
    left = iter([True, True, False])
    sending.send(waiting, Run(NOON, lambda: next(left)), new_page_id=lambda: "page-1")

    (message,) = [decode_notices(body) for body in queued(queues.NOTICES)]
    sending.tell_on(message, Run(NOON, lambda: True))  # type: ignore[arg-type]

    assert isinstance(message, TellPageMessage)
    assert message.left == (2, 3, 4)
    ids = [one.headers["webhook-id"] for one in bank.heard]
    assert ids == [one.notice_id for one in waiting]
    assert queued(queues.NOTICES) == []


@pytest.mark.parametrize(("status", "seconds"), [(429, 77), (503, 600)])
def test_a_page_waits_as_long_as_the_bank_says(
    embedded_aws: None, status: int, seconds: int
) -> None:
    restore = queue_time.rule()
    try:
        with bank_server((status, {"Retry-After": str(seconds)}, b""), OK) as bank:
            open_banks(bank, Provider.STANDARD)
            say(make_announcement(member_of(Provider.STANDARD).member_id))
            queue_time.skip(seconds - 1)
            early = run_worker(queues.NOTICES)
            queue_time.skip(2)
            late = run_worker(queues.NOTICES)
    finally:
        restore()

    assert (len(early.bodies), len(late.bodies), late.failed) == (0, 1, ())
    assert len(bank.heard) == 2


def test_what_stands_of_a_member_who_left_ends_with_everything_else(bank: BankServer) -> None:
    open_banks(bank, Provider.MONZO)
    member_id = member_of(Provider.MONZO).member_id
    say(make_announcement(member_id))
    store.record_read(member_id, NOON, now=NOON)

    changed = store.end_retention(member_id, left_at=NOON, now=NOON)

    after = NOON + timedelta(days=30)
    assert changed == 2
    assert store.end_retention(member_id, left_at=NOON, now=NOON) == 0
    assert store.find_read(member_id, now=after) is None
    assert store.find_read(member_id, now=after - timedelta(seconds=1)) == NOON


def test_one_page_is_forgotten_after_thirty_days(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    say(make_announcement(member_of(Provider.STANDARD).member_id))
    (page,) = store.list_pages(STANDARD, NOON.date(), after="", limit=9, now=NOON)
    after = later(days=30)

    assert store.find_page(STANDARD, page.name, now=NOON + timedelta(days=29)) == page
    assert store.find_page(STANDARD, page.name, now=after) is None
    assert replace(page) == page
