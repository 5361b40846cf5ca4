"""Stamps in the list that a member sees: given, held, taken back, and a full card."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.archiving import move_old
from chalicelib.loyalty.cards.model import Card, Fill
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import NoticeKind, notice_id_of
from chalicelib.network.model import Provider
from chalicelib.notices.cards import of_card_entry, of_fill
from chalicelib.runtime import clock, vault
from tests.makers.api import call, token_of
from tests.makers.bank_server import BankServer
from tests.makers.cards import EMPTY, SCHEME, SOLD_AT, after, worth
from tests.makers.journeys import NOON, OPENED_AT, PAID
from tests.makers.network import BAKERY
from tests.makers.notices import member_of, open_banks
from tests.makers.schemes import shape_of, stamps

pytestmark = pytest.mark.stores
COFFEE = f"{BAKERY}.coffee"
PATH = f"/v1/members/{PAID[Provider.STANDARD].user}/notices"
ADA = MemberId("ada")


@pytest.fixture
def holder(bank: BankServer) -> Holder:
    open_banks(bank, Provider.STANDARD)
    schemes.record_scheme(BAKERY, "coffee", shape_of(stamps()), now=OPENED_AT)
    member = member_of(Provider.STANDARD)
    assert member.salt is not None
    return Holder(member.member_id, COFFEE, vault.member_key(member.salt))


def keep(card: Card, holder: Holder) -> None:
    assert cards.record_card(card, holder)


def listed() -> list[tuple[str, str, int]]:
    said = call("GET", PATH, token=token_of("client-standard"))
    return [
        (one["title"], one.get("reason", ""), one.get("units", 0)) for one in said.body["notices"]
    ]


def test_stamps_are_listed_as_given_as_held_and_as_taken_back(holder: Holder) -> None:
    sold = NOON - timedelta(hours=1)
    card = after(
        worth("p1", 2, sold_at=sold),
        worth("p2", 3, sold_at=sold + timedelta(minutes=1), held="many_in_an_hour"),
        worth("p3", 2, sold_at=sold + timedelta(minutes=2)),
        at=NOON,
    )
    returned = worth("p3", 2, back=1, version=2, sold_at=sold + timedelta(minutes=2))
    keep(after(returned, card=card, at=NOON + timedelta(minutes=1)), holder)
    clock.use(lambda: NOON + timedelta(minutes=2))

    told = listed()

    assert told[0] == ("Your rewards at Crumb & Kettle changed", "returned", -1)
    said = call("GET", PATH, token=token_of("client-standard")).body["notices"][0]["text"]
    assert said == "1 stamp taken back. Something you bought was returned."
    assert sorted(told[1:]) == [
        ("2 stamps earned at Crumb & Kettle", "", 2),
        ("2 stamps earned at Crumb & Kettle", "", 2),
        ("3 stamps earned at Crumb & Kettle", "held", 3),
    ]


def test_stamps_that_moved_to_the_history_are_listed_once(holder: Holder) -> None:
    many = [worth(f"p-{n}", sold_at=NOON + timedelta(days=n)) for n in range(13)]
    moved, past = move_old(after(*many, at=NOON), SCHEME, at=NOON)
    assert past is not None
    cards.record_past(past, holder)
    keep(moved, holder)
    clock.use(lambda: NOON + timedelta(days=14))

    assert listed() == [("1 stamp earned at Crumb & Kettle", "", 1)] * 13


def test_a_full_card_is_told_by_the_card_where_its_reward_is_no_money() -> None:
    fill = Fill(1, "p1", 1, NOON, NOON)

    (told,) = of_fill(fill, ADA, COFFEE)

    assert (told.kind.value, told.at, told.retailer_id) == ("card_complete", NOON, BAKERY)
    assert list(of_fill(replace(fill, minor=400), ADA, COFFEE)) == []
    assert list(of_fill(replace(fill, undone_by="p2"), ADA, COFFEE)) == []


def test_what_a_person_released_is_told_then_and_as_the_bank_hears_it() -> None:
    held = after(worth("p1", 2, held="many_in_an_hour"), card=EMPTY)
    released_at = SOLD_AT + timedelta(days=2)
    (entry,) = after(worth("p1", 2, is_released=True), card=held, at=released_at).entries

    (told,) = of_card_entry(entry, ADA, COFFEE, Unit.STAMPS)

    kind, cause = NoticeKind.STAMP_EARNED, "p1#1"
    named = notice_id_of(kind, member_id=ADA, subject=COFFEE, cause=cause)
    assert (told.notice_id, told.units, told.reason) == (named, 2, "")
    assert told.at == released_at


@pytest.mark.parametrize(
    ("unit", "kind"), [(Unit.STAMPS, "stamp_earned"), (Unit.POINTS, "points_earned")]
)
def test_a_refused_award_says_so_in_its_own_unit(unit: Unit, kind: str) -> None:
    (entry,) = after(worth("p1", 2, held="refused"), card=EMPTY).entries

    (told,) = of_card_entry(entry, ADA, COFFEE, unit)

    assert told.at == entry.sold_at + timedelta(minutes=1)
    assert (told.kind.value, told.units, told.reason) == (kind, 2, "refused")
