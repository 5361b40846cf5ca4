"""What one card gives on another: entered once, taken back from its own lot, under no limit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import MemberId
from chalicelib.loyalty.cards import archiving, extra, naming
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.awarding import Asked, Case, decide
from chalicelib.loyalty.cards.desk import Opened
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.extra import Stage
from chalicelib.loyalty.cards.filling import Filling, with_leases
from chalicelib.loyalty.cards.lots import Balance, balance_at, owed
from chalicelib.loyalty.cards.model import Card, Claim
from chalicelib.loyalty.cards.past import in_chain
from chalicelib.loyalty.cards.standing import standing_for, tier_at
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims.claiming import Price, redeem, reserve
from chalicelib.loyalty.rules import (
    Cap,
    Expiry,
    ExtraUnits,
    FixedCashback,
    FreeText,
    ItemPrice,
    Matching,
    Scheme,
    StampCard,
    Tier,
    Tiering,
)
from chalicelib.loyalty.terms import Measure, Per, RefundPolicy, Unit
from chalicelib.loyalty.watching import Hold, HoldReason
from chalicelib.runtime import vault
from tests.makers.cards import ACTIVE_AT, EMPTY, LONG_AFTER, SCHEME, SOLD_AT, worth
from tests.makers.extra import COFFEE, POINTS
from tests.makers.extra import extra as units_of
from tests.makers.loyalty import scheme, sold

OTHER = replace(SCHEME, scheme_id=POINTS, unit=Unit.POINTS, card=None)
HELD_FOR = HoldReason.CARD_OF_ANOTHER_MEMBER.value
GIVES = ExtraUnits(POINTS, 20)
GIVING = Filling(5, gives=GIVES)
STAGES = list(Stage)
LEFT = replace(EMPTY, membership=replace(EMPTY.membership, left_at=SOLD_AT))
A_REWARD = Price("mug", 1, 15, timedelta(hours=24))


def given_to(
    *stages: Stage, card: Card = EMPTY, scheme: Scheme = OTHER, at: datetime = LONG_AFTER
) -> Card:
    """`card` after twenty extra units at these stages, one after the other."""
    for stage in stages:
        card = extra.bring_to(card, units_of(stage=stage), scheme, at=at)
    return card


def by_policy(policy: RefundPolicy) -> Scheme:
    return replace(OTHER, refund_policy=policy)


def spent(card: Card) -> Card:
    """`card` with fifteen units spent for good."""
    reserved = reserve(card, "c-1", A_REWARD, at=LONG_AFTER)
    return redeem(reserved, "c-1", "till", at=LONG_AFTER)


def holds(card: Card, at: datetime = LONG_AFTER) -> tuple[int, int]:
    balance = balance_at(card, at)
    return (balance.pending, balance.active)


def test_extra_units_are_one_entry_with_a_lot_of_its_own() -> None:
    card = given_to(Stage.GIVEN)

    (entry,) = card.entries
    assert (entry.payment_id, entry.version, entry.lot.units) == ("p1~coffee~f1", 1, 20)
    assert (entry.lot.active_at, entry.lot.expires_at, entry.is_visit) == (ACTIVE_AT, None, False)
    assert (holds(card, SOLD_AT), holds(card, ACTIVE_AT)) == ((20, 0), (0, 20))


def test_the_name_says_what_gave_them() -> None:
    name = naming.name_of("p1", COFFEE, "f3")

    assert name == "p1~coffee~f3"
    assert (naming.payment_of(name), naming.giver_of(name)) == ("p1", ("coffee", "f3"))
    assert (naming.is_extra(name), naming.is_extra("p1")) == (True, False)
    assert naming.payment_of("p1") == "p1"


def test_they_expire_as_the_other_scheme_says_but_not_before_they_may_be_spent() -> None:
    scheme = replace(OTHER, expiry=Expiry(1))

    (entry,) = given_to(Stage.GIVEN, scheme=scheme).entries

    assert entry.lot.expires_at == datetime(2026, 5, 3, 23, 0, tzinfo=UTC)


def test_while_they_are_pending_they_follow_the_full_card_that_is_due_later() -> None:
    scheme = replace(OTHER, expiry=Expiry(1), card=StampCard(20, FixedCashback(150)))
    later = replace(units_of(), active_at=ACTIVE_AT + timedelta(days=7))
    card = with_leases(given_to(Stage.GIVEN, scheme=scheme, at=SOLD_AT), lambda _: 1)

    deferred = extra.bring_to(card, later, scheme, at=SOLD_AT)

    (entry,) = deferred.entries
    assert (entry.version, entry.lot.units, entry.lot.active_at) == (1, 20, later.active_at)
    assert entry.lot.expires_at == datetime(2026, 5, 10, 23, 0, tzinfo=UTC)
    assert [(f.due_at, f.deferred_by) for f in deferred.fills] == [(later.active_at, (later.name,))]
    assert extra.bring_to(deferred, later, scheme, at=SOLD_AT) is deferred
    assert given_to(Stage.GIVEN, card=deferred, scheme=scheme, at=SOLD_AT) is deferred
    assert extra.bring_to(card, later, scheme, at=ACTIVE_AT) is card


@given(st.lists(st.sampled_from(STAGES), min_size=1, max_size=6))
def test_in_whatever_order_they_are_told_the_last_stage_counts(told: Sequence[Stage]) -> None:
    card = given_to(*told, at=SOLD_AT)

    furthest = max(stage.value for stage in told)
    (entry,) = card.entries
    assert entry.version == furthest
    assert holds(card) == ((0, 20) if furthest == 1 else (0, 0))


def test_what_is_over_before_it_came_is_remembered_so_that_who_is_late_gives_nothing() -> None:
    over = given_to(Stage.BACK)

    assert given_to(Stage.GIVEN, card=over) is over
    assert (over.entries[0].version, over.entries[0].changed, holds(over)) == (2, 0, (0, 0))


@pytest.mark.parametrize(
    ("policy", "active", "kept", "debt"),
    [
        (RefundPolicy.NEGATIVE, -15, 0, 15),
        (RefundPolicy.WITHIN_BALANCE, 0, 15, 0),
        (RefundPolicy.ONLY_PENDING, 5, 20, 0),
    ],
)
def test_what_was_spent_of_them_is_taken_back_as_the_other_scheme_says(
    policy: RefundPolicy, active: int, kept: int, debt: int
) -> None:
    scheme = by_policy(policy)
    card = spent(given_to(Stage.GIVEN, scheme=scheme))

    back = given_to(Stage.BACK, card=card, scheme=scheme)

    assert (holds(back), back.entries[0].kept, owed(back)) == ((0, active), kept, debt)
    assert given_to(Stage.BACK, Stage.GIVEN, card=back, scheme=scheme) is back


@pytest.mark.parametrize("policy", list(RefundPolicy))
def test_of_what_was_never_the_members_no_policy_lets_them_keep_anything(
    policy: RefundPolicy,
) -> None:
    scheme = by_policy(policy)
    card = spent(given_to(Stage.GIVEN, scheme=scheme))

    gone = given_to(Stage.BACK, Stage.WITHDRAWN, card=card, scheme=scheme)

    assert (holds(gone), gone.entries[0].kept, owed(gone)) == ((0, -15), 0, 15)


def test_who_left_the_other_scheme_gets_nothing_for_good() -> None:
    withheld = given_to(Stage.GIVEN, card=LEFT)
    again = given_to(Stage.GIVEN, card=replace(withheld, membership=EMPTY.membership))

    (entry,) = again.entries
    assert (entry.held, entry.lot.units, entry.given[0].units) == ("left_scheme", 0, 20)
    assert extra.is_withheld(entry)
    assert holds(given_to(Stage.BACK, card=again)) == (0, 0)


def test_what_was_paid_for_by_a_claim_is_given_to_somebody_who_left_meanwhile() -> None:
    claim = Claim("c-1", "points", 1, 5, SOLD_AT, gives=GIVES)

    card = extra.bring_to(LEFT, extra.of_claim(claim, GIVES, COFFEE), OTHER, at=SOLD_AT)

    assert (card.entries[0].payment_id, holds(card, SOLD_AT)) == ("~coffee~c-1", (0, 20))


def test_they_fill_cards_of_the_other_scheme_which_are_emptied_with_them() -> None:
    stamps = replace(OTHER, unit=Unit.STAMPS, card=StampCard(8, FixedCashback(400)))

    full = given_to(Stage.GIVEN, scheme=stamps)
    back = given_to(Stage.BACK, card=full, scheme=stamps)

    assert [(f.number, f.cause, f.minor) for f in full.fills] == [
        (1, "p1~coffee~f1", 400),
        (2, "p1~coffee~f1", 400),
    ]
    assert [f.undone_by for f in back.fills] == ["p1~coffee~f1", "p1~coffee~f1"]
    assert (holds(full), holds(back), owed(back)) == ((0, 4), (0, 0), 0)


def test_a_card_that_they_fill_gives_no_extra_units_in_its_turn() -> None:
    """No such schemes can be written, but by two people at once."""
    in_turn = replace(OTHER, unit=Unit.STAMPS, card=StampCard(8, ExtraUnits(COFFEE, 50)))

    card = given_to(Stage.GIVEN, scheme=in_turn)

    assert [(f.gives, f.minor, f.claim_id) for f in card.fills] == 2 * [(None, 0, "")]


@pytest.mark.parametrize(
    ("card", "minor", "claims"),
    [
        (StampCard(20, FreeText("A mug")), 0, 1),
        (StampCard(20, ItemPrice(Matching(), 300)), 0, 0),
        (StampCard(20, FixedCashback(7)), 7, 0),
    ],
)
def test_a_card_that_they_fill_is_worth_what_is_fixed_of_it(
    card: StampCard, minor: int, claims: int
) -> None:
    full = given_to(Stage.GIVEN, scheme=replace(OTHER, unit=Unit.STAMPS, card=card))

    assert ([f.minor for f in full.fills], len(full.claims)) == ([minor], claims)


def test_they_count_towards_no_cap_and_no_tier() -> None:
    ladder = Tiering((Tier("base", "Base", 0), Tier("top", "Top", 10)), Measure.UNITS)
    scheme = replace(OTHER, caps=(Cap(30, Per.EVER),), tiering=ladder)
    card = given_to(Stage.GIVEN, scheme=scheme)
    many = card
    for number in range(13):
        one = worth(f"p{number}", 0, spend_minor=1, sold_at=LONG_AFTER + timedelta(days=number))
        many = bring_up(many, one, filling=None, policy=RefundPolicy.NEGATIVE, at=LONG_AFTER)
    moved, past = archiving.move_old(many, scheme, at=LONG_AFTER)

    assert past is not None
    assert "p1~coffee~f1" in [entry.payment_id for entry in past.entries]
    for one in (card, moved):
        standing = standing_for(one, scheme, "q", sold_at=LONG_AFTER)
        assert sum(standing.units_by_cap.values()) == 0
        assert standing.tier_id == "base"
        tier = tier_at(one, scheme, LONG_AFTER)
        assert tier is not None
        assert tier.tier_id == "base"


@pytest.mark.parametrize(("card", "held"), [(EMPTY, ""), (None, HELD_FOR)])
def test_who_was_only_given_units_is_looked_at_like_somebody_new(
    card: Card | None, held: str
) -> None:
    """An empty card is that of somebody who chose the scheme."""
    case = Case(
        holder=Holder(MemberId("m-1"), POINTS, vault.member_key(bytes(32))),
        newest=scheme(),
        scheme=scheme(),
        version=lambda _: scheme(),
        sale=sold(),
        taker=Taker(has_stamps=True, joined=EMPTY.membership),
        return_days=0,
        anchored_at=sold().sold_at,
        lease_for=lambda _: None,
        judge_new_card=lambda: Hold(HoldReason.CARD_OF_ANOTHER_MEMBER),
    )
    nobody_decided = Asked(None)

    opened = decide(Opened(card), case, nobody_decided, now=sold().sold_at)
    given_before = Opened(given_to(Stage.GIVEN))
    judged = decide(given_before, case, nobody_decided, now=sold().sold_at)

    assert opened is not None
    assert judged is not None
    assert [one.held for one in opened.entries] == [held]
    assert [one.held for one in judged.entries] == ["", HELD_FOR]


def test_they_come_back_from_the_history_to_be_taken_back() -> None:
    card = given_to(Stage.GIVEN)
    for number in range(13):
        later = worth(f"q{number}", 2, sold_at=SOLD_AT + timedelta(days=number + 1))
        card = bring_up(card, later, filling=None, policy=RefundPolicy.NEGATIVE, at=LONG_AFTER)
    moved, past = archiving.move_old(card, OTHER, at=LONG_AFTER)
    assert past is not None
    assert moved.find_entry("p1~coffee~f1") is None
    chain = in_chain([past], moved.last_past)

    back = archiving.bring_back(moved, chain, "p1~coffee~f1", OTHER, at=LONG_AFTER)
    taken = given_to(Stage.BACK, card=back)

    assert (holds(moved), holds(back), holds(taken)) == ((0, 46), (0, 46), (0, 26))


NAMES = [f"p{number}" for number in range(4)]


@st.composite
def purchases(draw: st.DrawFn) -> list[list[Worth]]:
    """Versions of purchases, each with more or less of what it earned demanded back."""
    told = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1)):
        units = draw(st.integers(1, 12))
        backs = draw(st.lists(st.integers(0, units), min_size=1, max_size=3))
        told.append([worth(name, units, version=at, back=b) for at, b in enumerate(backs, start=1)])
    return told


def followed(giving: Card, other: Card, scheme: Scheme) -> Card:
    """`other` after everybody who sees `giving` has done what follows."""
    for fill in giving.fills:
        assert fill.gives == GIVES
        told = extra.of_fill(fill, fill.gives, COFFEE, is_withdrawn=False)
        other = extra.bring_to(other, told, scheme, at=SOLD_AT)
    return other


STAMPS = replace(OTHER, unit=Unit.STAMPS, card=StampCard(7, FixedCashback(400)))


@given(purchases(), st.randoms(use_true_random=False), st.sampled_from((OTHER, STAMPS)))
def test_whatever_comes_and_goes_the_other_card_holds_twenty_for_each_full_card(
    told: list[list[Worth]], random: st.randoms, scheme: Scheme
) -> None:
    versions = [one for several in told for one in several] * 2
    random.shuffle(versions)
    newest = [several[-1] for several in told]
    giving, other, seen = EMPTY, EMPTY, [EMPTY]
    for version in (*versions, *newest):
        giving = bring_up(giving, version, filling=GIVING, policy=RefundPolicy.NEGATIVE, at=SOLD_AT)
        seen.append(giving)
        other = followed(random.choice(seen), other, scheme)  # Some are late, or repeated.
    other = followed(giving, other, scheme)

    full = sum(not fill.undone_by for fill in giving.fills)
    assert full == sum(one.units for one in newest) // 5
    assert sum(entry.lot.units for entry in other.entries) == 20 * full
    in_cards = sum(7 for fill in other.fills if not fill.undone_by)
    assert balance_at(other, LONG_AFTER).active + in_cards == 20 * full
    assert owed(other) == 0


@given(purchases(), st.randoms(use_true_random=False), st.sampled_from((OTHER, STAMPS)))
def test_refunding_everything_restores_both_cards(
    told: list[list[Worth]], random: st.randoms, scheme: Scheme
) -> None:
    firsts = [several[0] for several in told]
    lasts = [
        worth(one.payment_id, one.given[0].units, version=9, back=one.given[0].units)
        for one in firsts
    ]
    random.shuffle(lasts)
    giving, other = EMPTY, EMPTY
    for version in (*firsts, *lasts):
        giving = bring_up(giving, version, filling=GIVING, policy=RefundPolicy.NEGATIVE, at=SOLD_AT)
        if random.random() < 0.7:  # Some died before they followed.
            other = followed(giving, other, scheme)
    other = followed(giving, other, scheme)

    nothing = Balance(pending=0, active=0, reserved=0, expired=0)
    for card in (giving, other):
        assert balance_at(card, LONG_AFTER) == nothing
        assert [fill.number for fill in card.fills if not fill.undone_by] == []
    assert {entry.version for entry in other.entries} <= {2}
