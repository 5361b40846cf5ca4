"""A card that began anew: what was forfeited of its history is not taken back once more."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty.cards import archiving
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.filling import Filling, with_leases
from chalicelib.loyalty.cards.lots import Balance, balance_at, owed
from chalicelib.loyalty.cards.model import Card, Lot
from chalicelib.loyalty.cards.past import Past, in_chain, newest_fills
from chalicelib.loyalty.claims.claiming import Price, cancel, redeem, reserve
from chalicelib.loyalty.memberships.joining import join, leave
from chalicelib.loyalty.rules import Cap
from chalicelib.loyalty.terms import Per, RefundPolicy, Rejoin
from tests.makers.cards import EMPTY, FIVE_PLACES, SCHEME, SOLD_AT, worth

DAY = timedelta(days=1)
LAST = SOLD_AT + 400 * DAY
OF_ALL = replace(SCHEME, caps=(Cap(100, Per.EVER),))
MUG = Price("mug", scheme=1, units=4, good_for=30 * DAY)


@dataclass
class Drawer:
    """A card, and its history where it `has_history`; else all of it stays at hand."""

    has_history: bool = True
    filling: Filling | None = None
    card: Card = EMPTY
    past: tuple[Past, ...] = ()

    def enter(self, told: Worth, *, at: datetime) -> None:
        chain = in_chain(self.past, self.card.last_past)
        card = archiving.bring_back(self.card, chain, told.payment_id, OF_ALL, at=at)
        changed = bring_up(card, told, filling=self.filling, policy=RefundPolicy.NEGATIVE, at=at)
        self.keep(with_leases(changed, lambda _minor: 1), at=at)

    def keep(self, card: Card, *, at: datetime) -> None:
        self.card, moved = (
            archiving.move_old(card, OF_ALL, at=at) if self.has_history else (card, None)
        )
        self.past += (moved,) if moved is not None else ()

    def begin_anew(self, *, at: datetime) -> None:
        left = leave(self.card, None, at=at)
        self.keep(join(left, None, Rejoin.RESET, at=at), at=at)

    @property
    def full_cards(self) -> int:
        fills = newest_fills(self.card, in_chain(self.past, self.card.last_past)).values()
        return sum(not fill.undone_by for fill in fills)


def day(number: int) -> datetime:
    return SOLD_AT + number * DAY


def bought(number: int, units: int = 1, **more: object) -> Worth:
    at = day(number)
    return worth(f"p{number:03}", units, sold_at=at, active_at=at, **more)


def drawer_of(count: int, **more: object) -> Drawer:
    made = Drawer(**more)  # type: ignore[arg-type]
    for number in range(count):
        made.enter(bought(number), at=day(number))
    return made


def test_the_return_of_what_was_forfeited_takes_nothing_of_what_was_earned_since() -> None:
    drawer = drawer_of(14)
    drawer.begin_anew(at=day(14))
    assert (drawer.card.archived, drawer.card.reset_past) == (1, 1)
    assert drawer.card.forfeited == (Lot(9, day(8)),)
    drawer.enter(bought(15, 2), at=day(15))

    drawer.enter(bought(0, version=2, back=1), at=day(16))

    assert balance_at(drawer.card, LAST) == Balance(0, 2, 0, 0)
    assert drawer.card.forfeited == (Lot(8, day(8)),)
    entry = drawer.card.find_entry("p000")
    assert entry is not None
    assert (entry.lot.units, entry.forfeited, entry.changed) == (0, 0, 0)


def test_what_was_spent_before_is_owed_all_the_same() -> None:
    drawer = drawer_of(14)
    drawer.keep(reserve(drawer.card, "c-1", MUG, at=day(14)), at=day(14))
    drawer.keep(redeem(drawer.card, "c-1", "till-1", at=day(14)), at=day(14))
    drawer.begin_anew(at=day(15))

    for number in range(14):
        drawer.enter(bought(number, version=2, back=1), at=day(16))

    assert owed(drawer.card) == MUG.units


def test_what_an_open_claim_gives_back_is_forfeited_in_the_history_as_well() -> None:
    drawer = drawer_of(14)
    drawer.keep(reserve(drawer.card, "c-1", MUG, at=day(14)), at=day(14))
    drawer.begin_anew(at=day(15))
    drawer.keep(cancel(drawer.card, "c-1", at=day(16)), at=day(16))
    assert sum(lot.units for lot in drawer.card.forfeited) == 9

    for number in range(14):
        drawer.enter(bought(number, version=2, back=1), at=day(17))

    assert balance_at(drawer.card, LAST) == Balance(0, 0, 0, 0)
    assert drawer.card.forfeited == ()


def test_what_was_forfeited_leaves_no_room_under_a_cap_of_what_was_earned_since() -> None:
    drawer = drawer_of(14)
    drawer.begin_anew(at=day(14))
    for number in range(15, 35):
        drawer.enter(bought(number), at=day(number))
    before = {(one.name, one.period): one.units for one in drawer.card.counts}

    drawer.enter(bought(0, version=2, back=1), at=day(36))

    after = {(one.name, one.period): one.units for one in drawer.card.counts}
    assert after == before
    assert sum(before.values()) > 0


Act = tuple[str, int, int]
acts = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "back", "anew"]), st.integers(0, 60), st.integers(1, 3)
    ),
    max_size=40,
)


def play(drawer: Drawer, many: int, told: list[Act]) -> None:
    """Buy on `many` days, then what is `told`; at last all of it comes back."""
    units = dict.fromkeys(range(many), 1)
    back = dict.fromkeys(range(many), 0)
    for number in range(many):
        drawer.enter(bought(number), at=day(number))
    for step, (kind, which, some) in enumerate(told):
        at = day(many + step)
        if kind == "anew":
            drawer.begin_anew(at=at)
        elif kind == "buy":
            units[many + step], back[many + step] = some, 0
            drawer.enter(bought(many + step, some), at=at)
        elif which in units:
            back[which] = min(back[which] + some, units[which])
            drawer.enter(bought(which, units[which], version=step + 2, back=back[which]), at=at)


def sold_in(many: int, told: list[Act]) -> list[tuple[int, int]]:
    """The numbers of all purchases, and what they earned."""
    later = [(many + at, some) for at, (kind, _, some) in enumerate(told) if kind == "buy"]
    return [*((number, 1) for number in range(many)), *later]


@given(st.integers(12, 30), acts)
def test_beginning_anew_comes_to_the_same_whatever_is_in_the_history(
    many: int, told: list[Act]
) -> None:
    drawer, whole = Drawer(), Drawer(has_history=False)

    for one in (drawer, whole):
        play(one, many, told)

    assert balance_at(drawer.card, LAST) == balance_at(whole.card, LAST)
    assert owed(drawer.card) == owed(whole.card)


@given(st.integers(12, 30), acts, st.randoms(use_true_random=False))
def test_refunding_everything_restores_everything_of_a_card_that_began_anew(
    many: int, told: list[Act], random: st.randoms
) -> None:
    drawer = Drawer()
    play(drawer, many, told)
    sold = sold_in(many, told)
    random.shuffle(sold)

    for number, units in sold:
        drawer.enter(bought(number, units, version=99, back=units), at=LAST)

    assert (balance_at(drawer.card, LAST), owed(drawer.card)) == (Balance(0, 0, 0, 0), 0)


@given(st.integers(12, 30), acts)
def test_and_full_cards_where_the_newest_comes_back_first(many: int, told: list[Act]) -> None:
    drawer = Drawer(filling=FIVE_PLACES)
    told = [act for act in told if act[0] != "back"]
    play(drawer, many, told)

    for number, units in reversed(sold_in(many, told)):
        drawer.enter(bought(number, units, version=99, back=units), at=LAST)

    assert (balance_at(drawer.card, LAST), owed(drawer.card)) == (Balance(0, 0, 0, 0), 0)
    assert drawer.full_cards == 0
