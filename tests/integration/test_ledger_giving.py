"""Rewards in money: given once, taken back by what is returned and never more, then available."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import giving
from chalicelib.ledger.accounts import member_owner
from chalicelib.ledger.books.store import find_open_page
from chalicelib.ledger.giving import Gift, bring_to, give, make_available, take_back
from chalicelib.ledger.model import (
    Balances,
    ConflictingEntry,
    EntryKind,
    Leg,
    MoreThanGiven,
    NoSuchGift,
    NotAnEntry,
)
from chalicelib.loyalty.cards import eligibility
from tests.makers.ledger import (
    BOUGHT_AT,
    CAMPAIGN,
    DUE_AT,
    MEMBER,
    balances,
    book_of,
    fill_pages,
    make_gift,
    pounds,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

GIFT = make_gift()
NEXT_DAY = BOUGHT_AT + timedelta(days=1)


def _take(minor: int, part: str = "line-1", *, at: object = BOUGHT_AT, now: object = NEXT_DAY):
    return take_back(
        GIFT.key,
        part,
        member_id=MEMBER,
        amount=pounds(minor),
        originated_at=at,
        reason="returned",
        now=now,
    )


@pytest.mark.requirement("OFR-15")
def test_a_gift_is_pending_against_its_campaign() -> None:
    posted = give(GIFT, now=BOUGHT_AT)

    assert (posted.is_new, posted.balances) == (True, Balances("GBP", pending=500))
    assert posted.entry.legs == (
        Leg(f"campaign#{CAMPAIGN}#liability", -500),
        Leg(f"member#{MEMBER}#pending", 500),
    )
    assert (posted.entry.campaign_id, posted.entry.due_at) == (CAMPAIGN, DUE_AT)


def test_a_gift_without_a_pending_window_is_available_at_once() -> None:
    give(make_gift(available_at=BOUGHT_AT), now=BOUGHT_AT)

    assert balances() == Balances("GBP", available=500)


def test_the_same_gift_again_changes_nothing() -> None:
    give(GIFT, now=BOUGHT_AT)

    again = give(GIFT, now=NEXT_DAY)

    assert (again.is_new, balances()) == (False, Balances("GBP", pending=500))
    assert len(book_of()) == 1


def test_a_gift_of_the_same_key_and_another_amount_is_a_conflict(counted) -> None:
    give(GIFT, now=BOUGHT_AT)

    with pytest.raises(ConflictingEntry):
        give(replace(GIFT, amount=pounds(501)), now=NEXT_DAY)

    assert (len(book_of()), balances()) == (1, Balances("GBP", pending=500))
    assert counted["conflicts:conflicting_entry"] == 1


@pytest.mark.parametrize("minor", [0, -1])
def test_a_gift_of_nothing_is_a_bug(minor: int) -> None:
    with pytest.raises(NotAnEntry):
        give(make_gift(minor=minor), now=BOUGHT_AT)

    assert book_of() == ()


def test_what_is_returned_is_taken_back_from_pending() -> None:
    give(GIFT, now=BOUGHT_AT)

    posted = _take(200)

    assert (posted.is_new, posted.balances) == (True, Balances("GBP", pending=300))
    assert posted.entry.legs == (
        Leg(f"campaign#{CAMPAIGN}#liability", 200),
        Leg(f"member#{MEMBER}#pending", -200),
    )
    assert (posted.entry.reason, posted.entry.at) == ("returned", NEXT_DAY)


def test_a_part_is_taken_back_once() -> None:
    give(GIFT, now=BOUGHT_AT)
    _take(200)

    again = _take(200, now=DUE_AT)

    assert (again.is_new, balances()) == (False, Balances("GBP", pending=300))


def test_a_part_with_another_amount_is_a_conflict() -> None:
    give(GIFT, now=BOUGHT_AT)
    _take(200)

    with pytest.raises(ConflictingEntry):
        _take(201)

    assert balances() == Balances("GBP", pending=300)


def test_never_more_is_taken_back_than_was_given() -> None:
    give(GIFT, now=BOUGHT_AT)
    _take(300, "line-1")

    with pytest.raises(MoreThanGiven):
        _take(201, "line-2")

    assert balances() == Balances("GBP", pending=200)
    assert _take(200, "line-2").balances == Balances("GBP")


def test_nothing_is_taken_back_in_another_currency() -> None:
    give(GIFT, now=BOUGHT_AT)

    with pytest.raises(MoreThanGiven):
        take_back(
            GIFT.key,
            "line-1",
            member_id=MEMBER,
            amount=Money(100, "EUR"),
            originated_at=BOUGHT_AT,
            reason="returned",
            now=NEXT_DAY,
        )

    assert len(book_of()) == 1


def test_what_was_never_given_is_not_taken_back() -> None:
    with pytest.raises(NoSuchGift):
        _take(1)

    assert book_of() == ()


def test_a_gift_becomes_available_when_it_is_due_and_once() -> None:
    give(GIFT, now=BOUGHT_AT)
    _take(200)

    early = make_available(
        MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT - timedelta(seconds=1)
    )
    (posted,) = make_available(MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT)
    (again,) = make_available(MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT)

    assert (early, again.is_new) == ((), False)
    assert (posted.entry.kind, posted.balances) == (
        EntryKind.REWARD_AVAILABLE,
        Balances("GBP", available=300),
    )


def test_what_is_returned_later_is_taken_back_from_what_is_available() -> None:
    give(GIFT, now=BOUGHT_AT)
    make_available(MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT)

    posted = _take(500, now=DUE_AT)

    assert posted.balances == Balances("GBP")


def test_another_gift_stays_pending_when_one_is_taken_back_that_was_available() -> None:
    give(GIFT, now=BOUGHT_AT)
    make_available(MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT)
    give(make_gift(2), now=DUE_AT)

    _take(500, now=DUE_AT)

    assert balances() == Balances("GBP", pending=500)


def test_bringing_to_a_total_takes_back_the_difference() -> None:
    give(GIFT, now=BOUGHT_AT)

    totals = (0, 200, 200, 100, 500)
    brought = [bring_to(GIFT, total, reason="returned", now=NEXT_DAY) for total in totals]

    assert [one.balances.pending for one in brought] == [500, 300, 300, 300, 0]
    assert [one.is_new for one in brought] == [False, True, False, False, True]
    with pytest.raises(MoreThanGiven):
        bring_to(GIFT, 501, reason="returned", now=NEXT_DAY)


def give_pages() -> list[Gift]:
    """Forty gifts, the first of them GIFT, on more than one page; ids as they are do not pack."""
    others = (natural_id("payment", str(number)) for number in range(2, 41))
    gifts = [GIFT, *(make_gift(cause=one, key=f"offer:{CAMPAIGN}:{one}") for one in others)]
    for gift in gifts:
        give(gift, now=BOUGHT_AT)
    return gifts


def test_a_full_page_rolls_over_and_what_is_on_it_is_found_again() -> None:
    gifts = give_pages()

    again = [give(gift, now=NEXT_DAY) for gift in gifts]

    assert find_open_page(member_owner(MEMBER), now=NEXT_DAY).page.number > 1
    assert not any(posted.is_new for posted in again)
    assert [posting.seq for posting in book_of()] == list(range(1, 41))
    assert balances() == Balances("GBP", pending=40 * 500)


def test_a_gift_on_a_closed_page_is_taken_back_and_made_available() -> None:
    give_pages()

    _take(200)
    (posted,) = make_available(MEMBER, [GIFT.key], originated_at=BOUGHT_AT, now=DUE_AT)

    assert posted.balances == Balances("GBP", pending=39 * 500, available=300)


def test_a_gift_that_is_dated_ahead_is_given_once_and_becomes_available() -> None:
    gift = make_gift(at=BOUGHT_AT + timedelta(hours=20))
    give(gift, now=BOUGHT_AT)
    for _ in range(2):
        fill_pages(now=BOUGHT_AT + timedelta(minutes=5))

    again = give(gift, now=BOUGHT_AT + timedelta(hours=1))
    brought = bring_to(gift, 100, reason="returned", now=NEXT_DAY)
    (due,) = make_available(MEMBER, [gift.key], originated_at=gift.at, now=DUE_AT)

    keys = [posting.entry.key for posting in book_of(now=DUE_AT)]
    assert not again.is_new
    assert keys.count(gift.key) == 1
    assert (brought.is_new, due.is_new) == (True, True)
    assert due.entry.legs[1].minor == gift.amount.minor - 100


def test_no_sale_that_earns_is_dated_further_ahead_than_the_journal_looks_back() -> None:
    assert giving.AHEAD_MAX >= eligibility.AHEAD_MAX


def test_a_gift_older_than_its_giver_believes_is_found_all_the_same() -> None:
    give_pages()

    _take(200, at=DUE_AT, now=DUE_AT)

    assert balances() == Balances("GBP", pending=40 * 500 - 200)


def test_the_key_of_a_part_begins_with_that_of_the_gift_and_of_no_other() -> None:
    give(make_gift(1, key="card:a"), now=BOUGHT_AT)
    give(make_gift(2, key="card:ab"), now=BOUGHT_AT)

    taken = {"member_id": MEMBER, "originated_at": BOUGHT_AT, "reason": "returned", "now": NEXT_DAY}
    take_back("card:ab", "p", amount=pounds(400), **taken)
    take_back("card:a", "p", amount=pounds(500), **taken)

    assert balances() == Balances("GBP", pending=100)
    assert giving.back_key("card:a", "p") == "card:a back p"
