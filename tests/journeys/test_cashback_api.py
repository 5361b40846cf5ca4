"""A bank shows its user the cashback: what there is, when it is paid, and how it came to be."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import giving, moving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import EntryKind
from chalicelib.ledger.moving import Payout
from chalicelib.network import service as network
from chalicelib.network.model import ClientKind
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import clock
from tests.makers.api import Said, call, make_client, token_of
from tests.makers.events import event
from tests.makers.network import OTHER_BANK, make_connection
from tests.makers.paying import make_account, make_key, set_destination
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import (
    ADA,
    DAY,
    SETTLED_AT,
    bring_back,
    buy,
    member,
    open_bakery,
    settle,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("bakery")]

CASHBACK = "/v1/members/ada/cashback"
ENTRIES = f"{CASHBACK}/entries"
ENTRIES_OF_BELA = "/v1/members/bela/cashback/entries"
PAYOUT_ID = "20261201adaadaadaadaadaadaadaad2"


@pytest.fixture
def bakery(embedded_aws: None) -> None:
    """Three pounds for five coffees, pending for ten days; Ada bought six and brought two back."""
    clock.use(lambda: PAID_AT + 2 * DAY)
    open_bakery(pending_days=10)
    make_client("bank", BANK)
    buy("t-1", 6)
    settle()
    buy("t-2", 5, at=PAID_AT + DAY)
    settle(now=SETTLED_AT + DAY)
    bring_back("t-2", 3, reference="B-1", at=PAID_AT + 2 * DAY)
    settle(now=SETTLED_AT + 2 * DAY)


def ask(path: str = CASHBACK, scope: str = "") -> Said:
    return call("GET", path, token=token_of("bank", scope))


def leaf_through(limit: int) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    met: list[dict[str, Any]] = []
    path = f"{ENTRIES}?limit={limit}"
    while True:
        page = ask(path).body
        met += page["entries"]
        if "cursor" not in page:
            return met
        path = f"{ENTRIES}?limit={limit}&cursor={page['cursor']}"


def pay_out(*, at: datetime) -> None:
    """The night pays Ada what is available, and the money comes back two days later."""
    moving.instruct(ADA, "GBP", PAYOUT_ID, minor_min=1, originated_at=at - DAY, now=at)
    payout = Payout(PAYOUT_ID, ADA, Money(300, "GBP"), at)
    for kind, reason in ((EntryKind.PAYOUT_SETTLED, ""), (EntryKind.PAYOUT_RETURNED, "closed")):
        told = moving.payout_entry(payout, kind, at=at, reason=reason)
        ledger.record(told, originated_at=at, now=at)


def test_shows_balances_and_what_is_missing_to_the_next_payout() -> None:
    said = ask()

    assert (said.status, said.body) == (200, json.loads(event("cashback_balances")))


def test_tells_every_entry_newest_first_with_its_reason_and_the_banks_own_transaction() -> None:
    said = ask(ENTRIES)

    assert (said.status, said.body) == (200, json.loads(event("cashback_entries")))


def test_the_changes_of_all_entries_add_up_to_the_balances_however_they_are_leafed_through() -> (
    None
):
    mature(PAID_AT + 20 * DAY)
    pay_out(at=PAID_AT + 21 * DAY)
    (balance,) = ask().body["balances"]

    books = [leaf_through(limit) for limit in (1, 2, 50)]

    assert books[0] == books[1] == books[2]
    assert [one["number"] for one in books[0]] == list(range(len(books[0]), 0, -1))
    sums: Counter[str] = Counter()
    for one in books[0]:
        sums.update(one["changes"])
    shown = {name.removesuffix("_minor"): minor for name, minor in balance.items() if minor}
    assert {name: minor for name, minor in sums.items() if minor} == {
        name: minor
        for name, minor in shown.items()
        if name not in ("currency", "earned", "next_payout")
    }
    assert (shown["paid"], shown["returned"], shown["earned"]) == (300, 300, 300)


def mature(at: datetime, member_id: MemberId = ADA) -> None:
    """What is due by `at` becomes available."""
    keys = [f"card:{one['scheme']}:1" for one in leaf_through(50) if one["kind"] == "reward_given"]
    giving.make_available(member_id, sorted(set(keys)), originated_at=PAID_AT - DAY, now=at)
    clock.use(lambda: at + timedelta(hours=1))


def test_says_why_the_next_payout_waits_until_nothing_holds_it_up() -> None:
    mature(PAID_AT + 20 * DAY)

    def waits() -> Any:
        return ask().body["balances"][0]["next_payout"].get("waits_for")

    reasons = [waits()]
    paying.record_account(make_account(Rail.ISO20022, account="1", holder="C"), None, now=PAID_AT)
    reasons.append(waits())
    make_key()
    set_destination(member(now=PAID_AT + 20 * DAY), now=PAID_AT + 20 * DAY)
    reasons.append(waits())

    assert reasons == ["no_paying_account", "no_destination", None]
    assert ask().body["balances"][0]["next_payout"] == {"minimum_minor": 100, "missing_minor": 0}


def test_who_has_earned_nothing_has_no_balances_and_an_empty_statement() -> None:
    bela = [ask(path).body for path in ("/v1/members/bela/cashback", ENTRIES_OF_BELA)]

    assert bela == [{"balances": []}, {"entries": []}]


def test_a_token_for_one_user_and_another_bank_reach_nobody_else() -> None:
    network.record_connection(make_connection(OTHER_BANK), now=PAID_AT)
    make_client("other", OTHER_BANK)
    make_client("narrow", BANK, ClientKind.BANK, "members:read")

    for path in (CASHBACK, ENTRIES):
        foreign = call("GET", path, token=token_of("other"))
        of_bela = ask(path, "user:bela")
        own = ask(path, "user:ada")
        without = call("GET", path, token=token_of("narrow"))
        assert [one.status for one in (foreign, of_bela, own, without)] == [404, 404, 200, 403]
        assert without.body["code"] == "not_permitted"


def test_refuses_a_cursor_that_was_not_given_out_and_a_limit_out_of_range() -> None:
    cursors = ("x", "0.1", "1.1.1", "", "9" * 10 + ".1")
    limits = ("0", "51", "00051", "-1", "\u0663")

    said = [ask(f"{ENTRIES}?cursor={one}") for one in cursors]
    said += [ask(f"{ENTRIES}?limit={one}") for one in limits]

    assert {one.status for one in said} == {422}
    assert [one.body["field"] for one in said] == ["cursor"] * 5 + ["limit"] * 5
