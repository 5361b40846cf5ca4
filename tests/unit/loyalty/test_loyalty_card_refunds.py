"""What comes back: from its own lot, part by part, never more than given, as the scheme says."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.filling import Filling, with_leases
from chalicelib.loyalty.cards.lots import Balance, balance_at, owed
from chalicelib.loyalty.cards.model import Card, ClaimState
from chalicelib.loyalty.claims.claiming import Price, cancel, redeem, reserve
from chalicelib.loyalty.terms import RefundPolicy
from tests.makers.cards import ACTIVE_AT, EMPTY, FIVE_PLACES, LONG_AFTER, SOLD_AT, after, worth

EVE = ACTIVE_AT - timedelta(days=1)
YOUNGEST_AT = EVE + timedelta(days=31)
A_REWARD = Price("mug", 1, 6, timedelta(hours=24))


def full_numbers(card: Card) -> list[int]:
    return [fill.number for fill in card.fills if not fill.undone_by]


def holds(card: Card, **more: int) -> Balance:
    return replace(Balance(pending=0, active=0, reserved=0, expired=0), **more)  # type: ignore[arg-type]


@pytest.mark.requirement("LOY-01")
def test_three_stamps_on_a_card_with_two_places_fill_it_and_begin_the_next() -> None:
    card = after(worth("p1", 3), worth("p2", 3), filling=FIVE_PLACES)

    assert [(f.number, f.cause, f.minor, f.due_at) for f in card.fills] == [
        (1, "p2", 400, ACTIVE_AT)
    ]
    assert balance_at(card, SOLD_AT) == holds(card, pending=1)
    assert balance_at(card, LONG_AFTER) == holds(card, active=1)


def test_a_scheme_may_forfeit_what_is_over() -> None:
    filling = replace(FIVE_PLACES, forfeits_rest=True)

    card = after(worth("p1", 3), worth("p2", 4), filling=filling)

    assert full_numbers(card) == [1]
    assert balance_at(card, LONG_AFTER) == holds(card)
    assert card.entries[1].forfeited == 2


def test_what_was_forfeited_is_taken_back_first() -> None:
    filling = replace(FIVE_PLACES, forfeits_rest=True)
    card = after(worth("p1", 3), worth("p2", 4), filling=filling)

    card = after(worth("p2", 4, version=2, back=2), card=card, filling=filling)

    assert full_numbers(card) == [1]
    assert card.entries[1].changed == 0


def test_a_returned_stamp_of_a_full_card_is_replaced_by_a_loose_one() -> None:
    card = after(worth("p1", 5), worth("p2", 1), filling=FIVE_PLACES)

    card = after(worth("p1", 5, version=2, back=1), card=card, filling=FIVE_PLACES)

    assert full_numbers(card) == [1]
    assert balance_at(card, LONG_AFTER) == holds(card)


def test_without_a_loose_stamp_the_card_is_full_no_more_and_the_next_has_a_new_number() -> None:
    card = after(worth("p1", 3), worth("p2", 2), filling=FIVE_PLACES)

    emptied = after(worth("p2", 2, version=2, back=1), card=card, filling=FIVE_PLACES)
    filled = after(worth("p3", 1), card=emptied, filling=FIVE_PLACES)

    assert [(f.number, f.undone_by) for f in emptied.fills] == [(1, "p2")]
    assert balance_at(emptied, LONG_AFTER) == holds(emptied, active=4)
    assert [(f.number, f.cause, f.undone_by) for f in filled.fills] == [
        (1, "p2", "p2"),
        (2, "p3", ""),
    ]


def exchanged(policy: RefundPolicy = RefundPolicy.NEGATIVE, *, at: datetime = EVE) -> Card:
    """A full card of five purchases; then four others, and four of the first five come back."""
    card = after(*(worth(f"p{n}") for n in range(5)), filling=FIVE_PLACES, policy=policy)
    card = with_leases(card, lambda _: 1)
    card = after(*(late(n) for n in range(4)), card=card, filling=FIVE_PLACES, policy=policy, at=at)
    gone = (worth(f"p{n}", version=2, back=1) for n in range(4))
    return after(*gone, card=card, filling=FIVE_PLACES, policy=policy, at=at)


def late(number: int, **more: object) -> Worth:
    return worth(f"q{number}", sold_at=EVE, active_at=YOUNGEST_AT, **more)


@pytest.mark.requirement("LOY-14")
@pytest.mark.parametrize("policy", list(RefundPolicy))
def test_a_full_card_is_due_with_the_youngest_of_the_stamps_that_took_a_place(
    policy: RefundPolicy,
) -> None:
    card = exchanged(policy)
    gone = (late(n, version=2, back=1) for n in range(4))

    none = after(
        *gone, card=card, filling=FIVE_PLACES, policy=policy, at=ACTIVE_AT + timedelta(days=1)
    )

    assert [(f.number, f.due_at, f.deferred_by) for f in card.fills] == [(1, YOUNGEST_AT, ("p0",))]
    assert [fill.undone_by for fill in none.fills] == ["q0"]
    assert balance_at(none, LONG_AFTER) == holds(none, active=1)


def test_what_was_due_stays_due_whatever_takes_a_place_then() -> None:
    card = exchanged(at=ACTIVE_AT)

    assert [(f.due_at, f.deferred_by) for f in card.fills] == [(ACTIVE_AT, ())]


def test_of_a_full_card_that_waits_no_reward_was_given_with_an_earlier_time() -> None:
    card = after(worth("p1", 5), late(1), filling=FIVE_PLACES)

    card = after(worth("p1", 5, version=2, back=1), card=card, filling=FIVE_PLACES)

    assert [(f.waits, f.due_at, f.deferred_by) for f in card.fills] == [(True, YOUNGEST_AT, ())]


def test_only_pending_leaves_what_is_active() -> None:
    card = after(worth("p1", 4), worth("p2", 4))
    policy = RefundPolicy.ONLY_PENDING

    pending = after(worth("p1", 4, version=2, back=1), card=card, policy=policy)
    late = after(worth("p2", 4, version=2, back=3), card=pending, policy=policy, at=ACTIVE_AT)

    assert [(e.payment_id, e.lot.units, e.kept, e.changed) for e in late.entries] == [
        ("p1", 3, 0, -1),
        ("p2", 4, 3, 0),
    ]


def test_within_the_balance_no_debt_is_made() -> None:
    card = after(worth("p1", 6), worth("p2", 2))
    card = reserve(card, "c1", A_REWARD, at=LONG_AFTER)

    card = after(
        worth("p1", 6, version=2, back=5),
        card=card,
        policy=RefundPolicy.WITHIN_BALANCE,
        at=LONG_AFTER,
    )

    assert owed(card) == 0
    assert balance_at(card, LONG_AFTER) == holds(card, reserved=6)
    assert (card.entries[0].lot.units, card.entries[0].kept) == (4, 3)


@pytest.mark.parametrize("policy", [RefundPolicy.WITHIN_BALANCE, RefundPolicy.ONLY_PENDING])
def test_a_full_card_whose_reward_is_due_stays_full_where_nothing_may_be_owed(
    policy: RefundPolicy,
) -> None:
    card = after(worth("p1", 5), filling=FIVE_PLACES)

    card = after(
        worth("p1", 5, version=2, back=5),
        card=card,
        filling=FIVE_PLACES,
        policy=policy,
        at=ACTIVE_AT,
    )

    assert full_numbers(card) == [1]
    assert (card.entries[0].lot.units, card.entries[0].kept) == (5, 5)


def test_a_negative_balance_is_worked_off_by_what_is_earned_later() -> None:
    card = after(worth("p1", 6))
    card = redeem(reserve(card, "c1", A_REWARD, at=LONG_AFTER), "c1", "", at=LONG_AFTER)

    owing = after(worth("p1", 6, version=2, back=6), card=card, at=LONG_AFTER)
    earning = after(worth("p2", 8), card=owing, at=LONG_AFTER)

    assert balance_at(owing, LONG_AFTER) == holds(owing, active=-6)
    assert balance_at(earning, LONG_AFTER) == holds(earning, active=2)
    assert owed(earning) == 0


def test_a_return_that_is_taken_back_itself_gives_again_what_it_took() -> None:
    card = after(worth("p1", 5), filling=FIVE_PLACES)
    returned = after(worth("p1", 5, version=2, back=5), card=card, filling=FIVE_PLACES)

    again = after(worth("p1", 5, version=3), card=returned, filling=FIVE_PLACES)

    assert full_numbers(again) == [2]
    assert again.entries[0].changed == 5


def test_a_withdrawn_receipt_takes_everything_back_whatever_the_policy() -> None:
    card = after(worth("p1", 5), filling=FIVE_PLACES, policy=RefundPolicy.ONLY_PENDING)

    card = bring_up(
        card,
        worth("p1", 5, version=2, back=5, is_withdrawn=True, is_visit=False),
        filling=FIVE_PLACES,
        policy=RefundPolicy.ONLY_PENDING,
        at=LONG_AFTER,
    )

    assert full_numbers(card) == []
    assert balance_at(card, LONG_AFTER) == holds(card)
    assert card.entries[0].changed == -5


def test_a_collected_free_item_cannot_be_undone_and_is_owed() -> None:
    free = Filling(places=5, claims=True)
    card = after(worth("p1", 5), filling=free)
    card = redeem(card, card.claims[0].claim_id, "till-7", at=LONG_AFTER)

    card = after(worth("p1", 5, version=2, back=2), card=card, filling=free, at=LONG_AFTER)

    assert full_numbers(card) == [1]
    assert balance_at(card, LONG_AFTER) == holds(card, active=-2)


def test_a_free_item_not_collected_yet_is_cancelled() -> None:
    free = Filling(places=5, claims=True)
    card = after(worth("p1", 5), filling=free)

    card = after(worth("p1", 5, version=2, back=2), card=card, filling=free, at=LONG_AFTER)

    assert [claim.state for claim in card.claims] == [ClaimState.CANCELLED]
    assert balance_at(card, LONG_AFTER) == holds(card, active=3)


def test_nothing_of_a_held_purchase_counts_until_it_is_released() -> None:
    held = worth("p1", 5, held="many_in_an_hour")
    card = after(held, filling=FIVE_PLACES)
    waiting = balance_at(card, LONG_AFTER)

    released = replace(held, held="", is_released=True)
    card = after(released, held, released, card=card, filling=FIVE_PLACES)

    assert waiting == holds(card)
    assert full_numbers(card) == [1]
    assert (card.entries[0].changed, card.entries[0].is_released) == (5, True)


def test_a_cancelled_claim_gives_back_to_the_lots_it_drew_from() -> None:
    early = worth("p1", 4, expires_at=LONG_AFTER + timedelta(days=1))
    card = after(early, worth("p2", 4))
    claimed = reserve(card, "c1", A_REWARD, at=LONG_AFTER)

    cancelled = cancel(claimed, "c1", at=LONG_AFTER + timedelta(days=2))

    assert balance_at(claimed, LONG_AFTER) == holds(card, active=2, reserved=6)
    assert balance_at(cancelled, LONG_AFTER + timedelta(days=2)) == holds(card, active=4, expired=4)


def test_a_claim_that_ran_out_holds_nothing_without_anything_being_written() -> None:
    card = reserve(after(worth("p1", 8)), "c1", A_REWARD, at=LONG_AFTER)

    assert balance_at(card, LONG_AFTER + timedelta(hours=23)) == holds(card, active=2, reserved=6)
    assert balance_at(card, LONG_AFTER + timedelta(hours=24)) == holds(card, active=8)


def test_a_card_that_nothing_was_ever_on_stays_as_it_is() -> None:
    assert after(worth("p1", 0), worth("p2", 3, back=3)) is EMPTY
