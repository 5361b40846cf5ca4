"""Whatever happens to a card, in whatever order: its units add up, and nothing counts twice."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.lots import balance_at, free_units, live, owed
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.past import in_chain
from chalicelib.loyalty.terms import RefundPolicy
from tests.makers.cards import ACTIVE_AT, EMPTY, FIVE_PLACES, LONG_AFTER, SCHEME, SOLD_AT, worth

NAMES = [f"p{number}" for number in range(6)]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Worth]]:
    """Versions of some purchases, each with more or less of what it earned demanded back."""
    told = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1)):
        units = draw(st.integers(1, 12))
        backs = draw(st.lists(st.integers(0, units), min_size=1, max_size=4))
        told.append(
            [
                worth(name, units, version=version, back=back)
                for version, back in enumerate(backs, start=1)
            ]
        )
    return told


policies = st.sampled_from(list(RefundPolicy))


def holds_together(card: Card) -> None:
    """What the module docstring of the model promises."""
    at = LONG_AFTER
    assert all(lot.free >= 0 and lot.units >= 0 for lot in card.lots)
    assert not owed(card) or free_units(card, usable=live(at)) == 0
    assert free_units(card, usable=live(at)) < FIVE_PLACES.places
    for entry in card.entries:
        assert entry.lot.units == entry.wanted + entry.kept - entry.forfeited
        assert entry.kept >= 0


def settled(card: Card) -> int:
    """Units by balance: what is free, less debt, and what full cards hold."""
    at = LONG_AFTER
    full = sum(FIVE_PLACES.places for fill in card.fills if not fill.undone_by)
    return balance_at(card, at).active + full


@given(histories(), st.randoms(use_true_random=False), policies, st.booleans())
def test_a_card_holds_together_whatever_comes(
    told: list[list[Worth]], random: st.randoms, policy: RefundPolicy, is_late: bool
) -> None:
    versions = [one for versions in told for one in versions] * 2
    random.shuffle(versions)
    card = EMPTY
    for step, version in enumerate(versions):
        at = (LONG_AFTER if is_late else SOLD_AT) + timedelta(minutes=step)
        card = bring_up(card, version, filling=FIVE_PLACES, policy=policy, at=at)
        holds_together(card)

    assert settled(card) == sum(entry.lot.units for entry in card.entries)


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_versions_arrive_does_not_matter(
    told: list[list[Worth]], random: st.randoms
) -> None:
    versions = [one for versions in told for one in versions] * 2
    random.shuffle(versions)
    newest = [versions[-1] for versions in told]
    card = EMPTY
    for version in (*versions, *newest):  # Whoever has settled an old version reads once more.
        card = bring_up(
            card, version, filling=FIVE_PLACES, policy=RefundPolicy.NEGATIVE, at=LONG_AFTER
        )

    total = sum(one.units for one in newest)
    assert balance_at(card, LONG_AFTER).active + 5 * (total // 5) == total
    assert sum(not fill.undone_by for fill in card.fills) == total // 5


@given(histories(), st.randoms(use_true_random=False))
def test_refunding_everything_restores_everything(
    told: list[list[Worth]], random: st.randoms
) -> None:
    firsts = [versions[0] for versions in told]
    lasts = [
        worth(one.payment_id, one.given[0].units, version=9, back=one.given[0].units)
        for one in firsts
    ]
    random.shuffle(lasts)
    card = EMPTY
    for version in (*firsts, *lasts):
        card = bring_up(
            card, version, filling=FIVE_PLACES, policy=RefundPolicy.NEGATIVE, at=SOLD_AT
        )

    balance = balance_at(card, LONG_AFTER)
    assert (balance.active, balance.pending, owed(card)) == (0, 0, 0)
    assert [fill.number for fill in card.fills if not fill.undone_by] == []


@given(histories(), st.integers(1, 40))
def test_moving_entries_to_the_history_and_back_changes_no_balance(
    told: list[list[Worth]], more: int
) -> None:
    card = EMPTY
    for version in [one for versions in told for one in versions]:
        card = bring_up(card, version, filling=None, policy=RefundPolicy.NEGATIVE, at=SOLD_AT)
    for number in range(more):
        later = worth(f"q{number}", 2, sold_at=SOLD_AT + timedelta(days=number + 1))
        card = bring_up(card, later, filling=None, policy=RefundPolicy.NEGATIVE, at=SOLD_AT)

    moved, past = card, []
    while True:
        moved, one = archiving.move_old(moved, SCHEME, at=SOLD_AT)
        if one is None:
            break
        past.append(one)
    chain = in_chain(reversed(past), moved.last_past)
    assert list(chain) == past
    back = moved
    for name in NAMES:
        back = archiving.bring_back(back, chain, name, SCHEME, at=LONG_AFTER)

    for at in (SOLD_AT, ACTIVE_AT, LONG_AFTER):
        before = balance_at(card, at)
        assert balance_at(moved, at) == before
        assert balance_at(back, at) == before
    known = {entry.payment_id: entry for entry in back.entries}
    for entry in card.entries:
        if entry.payment_id in NAMES:
            assert known[entry.payment_id] == entry
    assert len(moved.entries) <= archiving.ENTRIES_MAX
    assert replace(moved, watermark=None) == replace(card, watermark=None) or past
