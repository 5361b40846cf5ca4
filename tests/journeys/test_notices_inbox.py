"""The list that a member sees: made from the book, offers and claims, newest first."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import giving, moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.giving import Gift
from chalicelib.ledger.model import EntryKind
from chalicelib.ledger.moving import Payout
from chalicelib.members.announcing import NoticeKind, notice_id_of
from chalicelib.network.model import Provider
from chalicelib.notices.sources import list_told
from chalicelib.offers.participation import store as participations
from chalicelib.offers.participation.model import Participation
from chalicelib.runtime import vault
from tests.makers.api import Said, call, token_of
from tests.makers.bank_server import BankServer
from tests.makers.journeys import NOON, PAID
from tests.makers.network import BAKERY
from tests.makers.notices import later, member_of, open_banks
from tests.makers.outside import stored_rows

pytestmark = pytest.mark.stores
CLIENT = "client-standard"
USER = PAID[Provider.STANDARD].user
PATH = f"/v1/members/{USER}/notices"


def ask(method: str, path: str = PATH, *, scope: str = "", body: object = None) -> Said:
    return call(method, path, token=token_of(CLIENT, scope), body=body)


def gift(number: int, *, at: datetime, minor: int = 300, key: str = "") -> Gift:
    """Cashback for purchase `number`, payable after a month."""
    return Gift(
        key=key or f"offer:cake-week:{number}",
        member_id=member_of(Provider.STANDARD).member_id,
        amount=Money(minor, "GBP"),
        campaign_id="cake-week",
        retailer_id=BAKERY,
        cause=f"payment-{number}",
        at=at,
        available_at=at + timedelta(days=30),
    )


def take(campaign_id: str, *, at: datetime) -> None:
    """The member switches an offer on."""
    member = member_of(Provider.STANDARD)
    taken = Participation(campaign_id, BAKERY, "GBP", NOON + timedelta(days=60), activated_at=at)
    assert member.salt is not None
    key = vault.member_key(member.salt)
    assert participations.record_participation(member.member_id, taken, key=key)


def a_month_of_rewards() -> None:
    """An offer switched on and used; a part taken back; the rest paid, and it came back."""
    member = member_of(Provider.STANDARD)
    take("cake-week", at=NOON)
    used = gift(1, at=later(hours=1))
    giving.give(used, now=later(hours=1))
    giving.take_back(
        used.key,
        "back-1",
        member_id=member.member_id,
        amount=Money(100, "GBP"),
        originated_at=used.at,
        reason="returned",
        now=later(hours=2),
    )
    at = later(days=31)
    giving.make_available(member.member_id, [used.key], originated_at=used.at, now=at)
    posted = moving.instruct(
        member.member_id, "GBP", "payout-7", minor_min=1, originated_at=NOON, now=at
    )
    assert posted is not None
    payout = Payout("payout-7", member.member_id, Money(200, "GBP"), at)
    for day, kind in ((32, EntryKind.PAYOUT_SETTLED), (33, EntryKind.PAYOUT_RETURNED)):
        when = later(days=day)
        entry = moving.payout_entry(payout, kind, at=when, reason="account_closed")
        ledger.record(entry, originated_at=at, now=when)


def titles(said: Said) -> list[str]:
    return [one["title"] for one in said.body["notices"]]


@pytest.mark.requirement("LOY-17")
def test_everything_that_became_of_a_reward_is_listed_newest_first(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    a_month_of_rewards()

    said = ask("GET")

    assert said.status == 200
    assert [(one["kind"], one.get("amount", {}).get("minor")) for one in said.body["notices"]] == [
        ("reward_returned", 200),
        ("reward_paid", 200),
        ("reward_available", 200),
        ("adjusted", -100),
        ("offer_redeemed", 300),
        ("offer_activated", None),
    ]
    assert said.body["notices"][0] == {
        "id": said.body["notices"][0]["id"],
        "kind": "reward_returned",
        "at": "2026-12-23T12:00:00Z",
        "title": "£2.00 came back",
        "text": "Your bank account did not take £2.00. Please check the account we pay to. "
        "The account is closed.",
        "is_read": False,
        "subject": "payout-7",
        "amount": {"minor": 200, "currency": "GBP"},
        "reason": "account_closed",
    }
    assert (said.body["unread"], "cursor" in said.body) == (6, False)


def test_a_page_leads_to_the_next_and_listing_writes_nothing(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    a_month_of_rewards()
    whole = titles(ask("GET"))
    stored = stored_rows("wallets", "money", "cases")

    first = ask("GET", f"{PATH}?limit=4")
    second = ask("GET", f"{PATH}?limit=4&cursor={first.body['cursor']}")

    assert (len(titles(first)), titles(first) + titles(second)) == (4, whole)
    assert "cursor" not in second.body
    assert first.body["unread"] == second.body["unread"] == 6
    assert stored_rows("wallets", "money", "cases") == stored


def test_what_was_read_stays_read_and_nobody_reads_ahead(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    take("cake-week", at=NOON.replace(microsecond=123_456))
    later(hours=1)
    shown = ask("GET").body["notices"][0]["at"]

    done = ask("POST", f"{PATH}/read", body={"through": shown})
    read = ask("GET").body
    ask("POST", f"{PATH}/read", body={"through": "2026-11-01T00:00:00Z"})
    still = ask("GET").body
    ask("POST", f"{PATH}/read", body={"through": "2999-01-01T00:00:00Z"})
    giving.give(gift(2, at=later(hours=2)), now=later(hours=2))
    ahead = ask("GET").body

    assert (done.status, shown) == (204, "2026-11-20T12:00:00.123Z")
    assert (read["unread"], read["notices"][0]["is_read"]) == (0, True)
    assert still["unread"] == 0
    assert [one["is_read"] for one in ahead["notices"]] == [False, True]


def test_a_full_card_in_money_is_told_as_one(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    later(hours=1)
    giving.give(gift(1, at=NOON, key="card:coffee:1"), now=NOON)

    assert titles(ask("GET")) == ["Your card at Crumb & Kettle is full"]


def test_what_a_member_does_not_want_listed_is_neither_shown_nor_counted(
    bank: BankServer,
) -> None:
    open_banks(bank, Provider.STANDARD)
    a_month_of_rewards()
    ask(
        "PATCH",
        f"/v1/members/{USER}/notice-preferences",
        body={"kinds": {"adjusted": {"inbox": False}, "reward_paid": {"bank": False}}},
    )

    said = ask("GET")

    assert "adjusted" not in {one["kind"] for one in said.body["notices"]}
    assert "reward_paid" in {one["kind"] for one in said.body["notices"]}
    assert said.body["unread"] == 5


def test_what_is_older_than_ninety_days_is_not_listed(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    a_month_of_rewards()
    later(days=90, hours=1, seconds=1)

    said = ask("GET")

    kinds = [one["kind"] for one in said.body["notices"]]
    assert kinds == ["reward_returned", "reward_paid", "reward_available", "adjusted"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=51", "limit"),
        ("limit=many", "limit"),
        ("limit=%EF%BC%95", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=2026-11-20T12:00:00.000000Z_", "cursor"),
    ],
)
def test_what_asks_for_no_page_is_refused(bank: BankServer, query: str, field: str) -> None:
    open_banks(bank, Provider.STANDARD)

    said = ask("GET", f"{PATH}?{query}")

    assert (said.status, said.body["field"]) == (422, field)


def test_nobody_elses_list_is_reached(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    a_month_of_rewards()
    as_other = "user:somebody-else notices:read notices:write"

    listed = ask("GET", scope=as_other)
    read = ask("POST", f"{PATH}/read", scope=as_other, body={"through": "2026-11-20T12:00:00Z"})
    narrow = ask("GET", scope="members:read")

    assert (listed.status, read.status, narrow.status) == (404, 404, 403)
    assert ask("GET").body["unread"] == 6
    assert json.dumps(listed.body) == json.dumps(read.body)


def test_two_facts_of_one_moment_are_told_in_the_same_order_every_time(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    later(hours=1)
    for number in range(5):
        giving.give(gift(number, at=NOON), now=NOON)
    pages: list[Any] = []
    cursor = ""
    while len(pages) < 5:
        said = ask("GET", f"{PATH}?limit=1{cursor}")
        pages += said.body["notices"]
        cursor = f"&cursor={said.body.get('cursor', '')}"

    assert pages == ask("GET").body["notices"]
    assert len({one["id"] for one in pages}) == 5


def test_announced_and_listed_are_one_notice(bank: BankServer) -> None:
    open_banks(bank, Provider.STANDARD)
    member = member_of(Provider.STANDARD)
    given = gift(1, at=NOON)
    giving.give(given, now=NOON)
    assert member.salt is not None

    (told,) = list_told(member.member_id, key=vault.member_key(member.salt), since=NOON, now=NOON)

    assert told.notice_id == notice_id_of(
        NoticeKind.OFFER_REDEEMED,
        member_id=member.member_id,
        subject="cake-week",
        cause=given.key,
    )
