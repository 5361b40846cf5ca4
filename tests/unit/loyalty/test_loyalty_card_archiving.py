"""What moves to the history of a card keeps counting as what it is: live, pending, or expired."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.filling import with_leases
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Claim, ClaimState, Fill
from chalicelib.loyalty.cards.past import Past, in_chain
from tests.makers.cards import (
    ACTIVE_AT,
    EMPTY,
    FIVE_PLACES,
    LONG_AFTER,
    SCHEME,
    SOLD_AT,
    after,
    worth,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def test_units_that_expired_before_they_moved_stay_expired_and_live_ones_live() -> None:
    early = [
        worth(f"p{number}", 2, sold_at=SOLD_AT + number * DAY, expires_at=ACTIVE_AT + DAY)
        for number in range(3)
    ]
    later = [worth(f"q{number}", 1, sold_at=SOLD_AT + (9 + number) * DAY) for number in range(10)]
    card = after(*early, *later)

    moved, past = archiving.move_old(card, SCHEME, at=LONG_AFTER)

    assert past is not None
    assert [entry.payment_id for entry in past.entries][:3] == ["p0", "p1", "p2"]
    assert (moved.expired, balance_at(moved, LONG_AFTER).expired) == (6, 6)
    assert balance_at(moved, LONG_AFTER) == balance_at(card, LONG_AFTER)


def test_the_oldest_nine_move_and_the_newest_stay_at_hand() -> None:
    told = [worth(f"p{number:02}", sold_at=SOLD_AT + number * DAY) for number in range(13)]

    moved, past = archiving.move_old(after(*reversed(told)), SCHEME, at=LONG_AFTER)

    assert past is not None
    assert sorted(entry.payment_id for entry in past.entries) == [f"p{n:02}" for n in range(9)]
    assert {entry.payment_id for entry in moved.entries} == {"p09", "p10", "p11", "p12"}
    assert moved.watermark == SOLD_AT + 8 * DAY


def test_what_a_run_wrote_that_lost_the_race_is_no_part_of_the_history() -> None:
    told = [worth(f"p{number:02}", sold_at=SOLD_AT + number * DAY) for number in range(13)]
    rival = [*told[1:], worth("rival", sold_at=SOLD_AT - DAY)]
    moved, past = archiving.move_old(after(*told), SCHEME, at=LONG_AFTER)
    _, lost = archiving.move_old(after(*rival), SCHEME, at=LONG_AFTER)

    assert past is not None
    assert lost is not None
    assert in_chain([lost, past], moved.last_past) == (past,)
    assert in_chain([lost], moved.last_past) == ()


def test_units_that_expired_in_the_history_expired_once_when_they_come_back() -> None:
    told = [
        worth(f"p{number:02}", 2, sold_at=SOLD_AT + number * DAY, expires_at=ACTIVE_AT + DAY)
        for number in range(13)
    ]
    card = after(*told)
    moved, past = archiving.move_old(card, SCHEME, at=LONG_AFTER)
    assert past is not None

    back = archiving.bring_back(moved, (past,), "p00", SCHEME, at=LONG_AFTER)

    assert (moved.expired, back.expired) == (18, 16)
    assert balance_at(back, LONG_AFTER) == balance_at(card, LONG_AFTER)
    assert balance_at(back, LONG_AFTER).expired == 26


def test_full_cards_whose_rewards_wait_stay_at_hand_until_they_are_given() -> None:
    told = [worth(f"p{number:02}", sold_at=SOLD_AT + number * DAY) for number in range(13)]
    waits = after(*told, filling=FIVE_PLACES)

    still, without = archiving.move_old(waits, SCHEME, at=LONG_AFTER)
    given, with_one = archiving.move_old(with_leases(waits, lambda _: 1), SCHEME, at=LONG_AFTER)

    assert without is not None
    assert with_one is not None
    assert ([fill.number for fill in still.fills], without.fills) == ([1, 2], ())
    assert [fill.number for fill in given.fills] == [2]
    assert [fill.number for fill in with_one.fills] == [1]


def test_a_claim_in_money_stays_at_hand_for_as_long_as_somebody_makes_up_for_who_paid_it() -> None:
    claims = tuple(
        Claim(f"c-{number}", "cash", 1, 0, SOLD_AT, state=ClaimState.REDEEMED, closed_at=SOLD_AT)
        for number in range(5)
    )
    paid = replace(EMPTY, claims=tuple(replace(claim, lease=1) for claim in claims))
    until = SOLD_AT + archiving.FOLLOWED_UP

    kept, none = archiving.move_old(paid, SCHEME, at=until)
    after_it, past = archiving.move_old(paid, SCHEME, at=until + SECOND)
    _, at_once = archiving.move_old(replace(EMPTY, claims=claims), SCHEME, at=SOLD_AT + SECOND)

    assert (kept, none) == (paid, None)
    assert past is not None
    assert at_once is not None
    assert (after_it.claims, past.claims, at_once.claims) == ((), paid.claims, claims)


def test_what_moves_has_a_name_by_the_leases_of_its_full_cards() -> None:
    fill = Fill(1, "p1", 1, SOLD_AT, SOLD_AT, 400, lease=1)
    names = {
        Past(1, "", (), fills=(one,)).name
        for one in (
            fill,
            replace(fill, lease=2),
            replace(fill, undone_by="p1"),
            replace(fill, deferred_by=("p1",)),
        )
    }

    assert len(names) == 4


def test_a_full_card_stays_at_hand_with_the_purchase_that_deferred_it() -> None:
    told = [worth(f"p{number:02}", sold_at=SOLD_AT + number * DAY) for number in range(13)]
    card = with_leases(after(*told, filling=FIVE_PLACES), lambda _: 1)
    deferred = tuple(replace(fill, deferred_by=("p12",)) for fill in card.fills)

    moved, past = archiving.move_old(replace(card, fills=deferred), SCHEME, at=LONG_AFTER)

    assert past is not None
    assert ([fill.number for fill in moved.fills], past.fills) == ([1, 2], ())
