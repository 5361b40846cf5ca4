"""Banks read their log of notices, have it told again, and keep what members choose."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.members.announcing import Announcement, NoticeKind
from chalicelib.members.choices import Topic
from chalicelib.network.access.clients import MEMBERS_READ
from chalicelib.network.model import Provider
from chalicelib.privacy import leaving
from chalicelib.runtime import queues
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.journeys import NOON, PAID
from tests.makers.notices import (
    anchor_of,
    later,
    make_announcement,
    member_of,
    open_banks,
    say,
)
from tests.makers.outside import run_worker, waiting_on

pytestmark = pytest.mark.stores
SINCE_NOON = "2026-11-20T11:59:59Z"
CLIENT = "client-standard"
USER = PAID[Provider.STANDARD].user
PREFERENCES = f"/v1/members/{USER}/notice-preferences"


def announced(count: int, *, of: Provider = Provider.STANDARD) -> list[Announcement]:
    """That many stamps, each told in a run of its own, a second apart."""
    member_id = member_of(of).member_id
    made = [make_announcement(member_id, cause=f"{of.value}-{n}") for n in range(count)]
    for number, one in enumerate(made):
        later(seconds=number)
        say(one)
    return made


def read(since: str, client: str = CLIENT) -> Said:
    return call("GET", f"/v1/notices?since={since}", token=token_of(client))


def ids(said: Said) -> list[str]:
    return [one["data"]["id"] for one in said.body["notices"]]


def drain() -> None:
    while waiting_on(queues.NOTICES):
        run_worker(queues.NOTICES)


def test_a_bank_reads_its_log_from_a_time_and_goes_on_from_the_cursor(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD, Provider.FIDEL)
    made = announced(3)
    announced(1, of=Provider.FIDEL)
    later(seconds=95)

    first = read(SINCE_NOON)
    later(seconds=200)
    again = read(first.body["cursor"])

    assert (first.status, ids(first), first.body["is_all"]) == (
        200,
        [one.notice_id for one in made],
        True,
    )
    assert first.body["notices"][0] == json.loads(bank.heard[0].body)
    assert (ids(again), again.body["cursor"]) == ([], first.body["cursor"])


def test_what_was_written_in_the_last_ninety_seconds_is_not_read_yet(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    made = announced(2)
    later(seconds=90)

    early = read(SINCE_NOON)
    later(seconds=91)
    late = read(early.body["cursor"])

    assert (ids(early), ids(late)) == ([made[0].notice_id], [made[1].notice_id])


def test_the_log_is_read_across_midnight_and_a_long_one_in_stretches(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    member_id = member_of(Provider.STANDARD).member_id
    made = []
    for run in range(50):
        later(hours=11, minutes=59, seconds=run * 2)
        made.append([make_announcement(member_id, cause=f"p-{run}-{n}") for n in range(5)])
        say(*made[-1])
    later(days=1)

    first = read(SINCE_NOON)
    second = read(first.body["cursor"])

    assert (len(ids(first)), first.body["is_all"]) == (200, False)
    assert (len(ids(second)), second.body["is_all"]) == (50, True)
    assert {*ids(first), *ids(second)} == {one.notice_id for run in made for one in run}


def test_a_bank_is_told_again_of_everything_since_under_the_same_ids(embedded_aws: None) -> None:
    with bank_server((400, {}, b""), (200, {}, b"")) as bank:
        open_banks(bank, Provider.STANDARD)
        made = announced(25)
        later(minutes=5)
        told = len(bank.heard)

        asked = call(
            "POST",
            "/v1/notices/replay",
            token=token_of(CLIENT),
            body={"since": "2026-11-20T12:00:01.5Z"},
        )
        drain()

    again = [one.headers["webhook-id"] for one in bank.heard[told:]]
    assert (asked.status, asked.body) == (202, {"since": "2026-11-20T12:00:01.500000Z"})
    assert sorted(again) == sorted(one.notice_id for one in made[2:])


def test_a_replay_to_a_feed_puts_only_what_was_certainly_not_put(embedded_aws: None) -> None:
    with bank_server((400, {}, b""), (200, {}, b"{}")) as bank:
        open_banks(bank, Provider.MONZO)
        announced(3, of=Provider.MONZO)
        later(minutes=5)
        make_client("client-again", "monzo")
        call(
            "POST",
            "/v1/notices/replay",
            token=token_of("client-again"),
            body={"since": SINCE_NOON},
        )
        drain()

    assert len(bank.heard) == 4


def test_members_who_left_are_in_no_log(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    announced(1)
    leaving.switch_off(anchor_of(Provider.STANDARD), now=NOON)
    later(minutes=5)

    assert ids(read(SINCE_NOON)) == []


@pytest.mark.parametrize(
    "since", ["yesterday", "2026-11-20", "2026-11-20T12:00:00.000000Z_", "x_y", "_"]
)
def test_what_is_neither_time_nor_cursor_is_refused(bank: BankServer, since: str) -> None:
    open_banks(bank, Provider.STANDARD)

    said = read(since)
    replayed = call("POST", "/v1/notices/replay", token=token_of(CLIENT), body={"since": since})

    assert (said.status, said.body["field"]) == (422, "since")
    assert replayed.status == 422
    assert waiting_on(queues.NOTICES) == 0


def test_a_time_before_the_log_is_its_start(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    (made,) = announced(1)
    later(minutes=5)

    assert ids(read("2001-01-01T00:00:00Z")) == [made.notice_id]


def test_neither_another_scope_nor_a_token_for_one_user_reaches_the_log(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    narrow = token_of(CLIENT, MEMBERS_READ)
    of_user = token_of(CLIENT, f"user:{USER} notices:read")

    answers = [call("GET", f"/v1/notices?since={SINCE_NOON}", token=t) for t in (narrow, of_user)]

    assert [one.status for one in answers] == [403, 403]


def choose(**changes: Any) -> Said:
    return call("PATCH", PREFERENCES, token=token_of(CLIENT), body=changes)


def test_a_new_member_is_told_everything_of_service_and_no_marketing(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)

    said = call("GET", PREFERENCES, token=token_of(CLIENT))

    assert said.status == 200
    marketing = {NoticeKind.OFFER_ANNOUNCED.value, NoticeKind.PARTNER_JOINED.value}
    for kind, shown in said.body["kinds"].items():
        assert shown == {"bank": kind not in marketing, "inbox": kind not in marketing}
    assert said.body["topics"] == {"offers": False, "partners": False}
    assert (len(said.body["kinds"]), said.body["language"]) == (len(NoticeKind), "en")


@pytest.mark.requirement("OFR-16")
def test_a_topic_is_consented_to_and_taken_back_with_its_time(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    given = choose(topics={"partners": True}, kinds={"expiring": {"bank": False}})
    later(hours=1)
    choose(topics={"partners": True})
    kept = member_of(Provider.STANDARD).choices
    taken = choose(topics={"partners": False})

    assert given.body["topics"] == {"offers": False, "partners": True}
    assert given.body["kinds"]["expiring"] == {"bank": False, "inbox": True}
    assert given.body["kinds"]["partner_joined"] == {"bank": True, "inbox": True}
    assert [(one.topic, one.given_at) for one in kept.consents] == [(Topic.PARTNERS, NOON)]
    assert taken.body["topics"]["partners"] is False
    assert taken.body["kinds"]["expiring"] == {"bank": False, "inbox": True}


@pytest.mark.parametrize(
    ("changes", "field", "named"),
    [
        ({"kinds": {"crowned": {"bank": True}}}, "kinds.crowned", "of `stamp_earned`, `card_com"),
        ({"topics": {"weather": True}}, "topics.weather", "it is one of `offers`, `partners`"),
        ({"language": "xx"}, "language", "it is one of `en`"),
        ({"language": "english"}, "language", "regex"),
        ({"kinds": {"expiring": {"bank": "no"}}}, None, ""),
        ({"kinds": {"expiring": {"banks": False}}}, "kinds[...]", "field `banks`"),
        ({"topic": {"partners": True}}, None, "field `topic`"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_nothing_is_changed(
    bank: BankServer, changes: dict[str, Any], field: str | None, named: str
) -> None:
    open_banks(bank, Provider.STANDARD)
    before = member_of(Provider.STANDARD)

    said = choose(**{"topics": {"partners": True}} | changes)

    assert said.status == 422
    assert field is None or said.body["field"] == field
    assert named in said.body["detail"]
    assert member_of(Provider.STANDARD) == before


def test_choices_are_nobodys_elses_and_end_with_the_membership(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    choose(topics={"partners": True})
    other = call("GET", PREFERENCES, token=token_of(CLIENT, "user:somebody-else members:read"))
    leaving.switch_off(anchor_of(Provider.STANDARD), now=NOON + timedelta(minutes=1))

    assert other.status == 404
    assert call("GET", PREFERENCES, token=token_of(CLIENT)).status == 404
