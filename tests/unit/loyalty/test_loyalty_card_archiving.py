"""What moves to the history of a card keeps counting as what it is: live, pending, or expired."""

from datetime import timedelta

from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.past import in_chain
from tests.makers.cards import ACTIVE_AT, LONG_AFTER, SCHEME, SOLD_AT, after, worth

DAY = timedelta(days=1)


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
