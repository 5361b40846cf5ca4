"""Rows of a streak when one of their steps comes back, or counts again. Pure.

A row has a bonus for each whole streak in it, on one of its purchases: on the one that completed
it, as long as nothing came back. Once a step is none any more its row may fall apart. Of what the
parts have too many, the newest purchase loses its own; where a bonus came back with its own
purchase and its part is still long enough, it moves to the newest purchase that has none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty.cards.applying import Worth, as_worth, changed, explained, reason_of
from chalicelib.loyalty.cards.archiving import bring_back
from chalicelib.loyalty.cards.desk import HistoryNeeded
from chalicelib.loyalty.cards.filling import with_entry
from chalicelib.loyalty.cards.model import Card, Entry, Given
from chalicelib.loyalty.cards.past import Past, newest_entries
from chalicelib.loyalty.cards.standing import archived_steps, counting, to_past
from chalicelib.loyalty.earning import WHOLE_SALE
from chalicelib.loyalty.rules import EarnRule, Scheme
from chalicelib.loyalty.streaks import row_around, step_of
from chalicelib.loyalty.terms import RefundPolicy, RuleKind, Stacking

GivenBy = Callable[[str], tuple[Given, ...]]  # What the purchase earns by a streak, by its rule.


@dataclass(frozen=True, slots=True)
class Bonus:
    """What a purchase has, or had, by a streak."""

    rule_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a later version of a purchase is worth, and which bonuses others lose and get by it."""

    worth: Worth
    lost: tuple[Bonus, ...] = ()
    got: tuple[Bonus, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """The card's history, where it was read, and what may be taken back under a version."""

    newest: Scheme
    past: Sequence[Past]
    policy_of: Callable[[int], RefundPolicy]
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the purchases of a card, one of which was as `before` says."""

    card: Card
    past: Sequence[Past]
    zone: str
    before: Entry
    given_by: GivenBy

    @property
    def others(self) -> list[Entry]:
        """All other purchases that count, oldest first; those of the history, where it was read."""
        every = counting(replace(self.card, entries=newest_entries(self.card, self.past)))
        others = (one for one in every if one.payment_id != self.before.payment_id)
        return sorted(others, key=lambda one: (one.sold_at, one.payment_id))

    def moved(self, rule_id: str) -> frozenset[int]:
        """The steps of a streak of which nothing more is known: the history was not read."""
        return frozenset() if self.past else archived_steps(self.card, rule_id)


def plan_rows(
    card: Card, past: Sequence[Past], scheme: Scheme, before: Entry, worth: Worth, given_by: GivenBy
) -> Plan:
    """What becomes of the streaks that `before` was a visit for, or is, once it is as `worth` says.

    Nothing where rules exclude one another: what a purchase would have earned in the place of its
    bonus is not known any more, so nobody loses one.

    :raises HistoryNeeded: a row reaches into the history, and `past` is not there.
    """
    plan = Plan(worth)
    if scheme.stacking is not Stacking.ALL and len(scheme.rules) > 1:
        return plan
    kept = Kept(card, past, scheme.zone, before, given_by)
    is_anew = worth.sale_print != before.sale_print
    for rule in scheme.rules:
        was, counts = (rule.rule_id in _visits(one) for one in (before, worth))
        if rule.kind is RuleKind.STREAK and (was != counts or (counts and is_anew)):
            plan = _planned(plan, rule, kept)
    return plan


def follow_plan(card: Card, plan: Plan, before: Entry, around: Around) -> Card:
    """`card`, once the purchase of `plan` was brought up, with what follows for the others."""
    if not plan.lost and not plan.got:
        return card
    own = plan.worth.payment_id
    pool, units = list(_came_back(before, _entry(card, own))), 0
    for bonus in plan.lost:
        card, entry = _at_hand(card, bonus.payment_id, around)
        card = _revalued(card, entry, _without(as_worth(entry), bonus.rule_id), plan, around)
        left = _entry(card, bonus.payment_id)
        pool += _came_back(entry, left)
        units += left.lot.units - entry.lot.units
    for bonus in plan.got:
        moved = next((one for one in pool if one.rule_id == bonus.rule_id), None)
        pool = [one for one in pool if one is not moved]
        card, entry = _at_hand(card, bonus.payment_id, around)
        card = _revalued(card, entry, _with(as_worth(entry), bonus.rule_id, moved), plan, around)
        units += _entry(card, bonus.payment_id).lot.units - entry.lot.units
    entry, reason = _entry(card, own), reason_of(before, plan.worth)
    told = entry.changed + units
    card = with_entry(card, replace(entry, changed=told, reason=reason if told else ""))
    return replace(card, fills=explained(card.fills, own, reason))


def _planned(plan: Plan, rule: EarnRule, kept: Kept) -> Plan:
    """`plan` with what becomes of one streak: its rows beside the step are counted again."""

    def step(one: Entry | Worth) -> int:
        return step_of(rule.step, one.sold_at, zone=kept.zone)

    name, worth = rule.rule_id, plan.worth
    others = [one for one in kept.others if name in to_past(one).streaks]
    moved = kept.moved(name)
    own = {step(worth)} if name in _visits(worth) else set()
    all_lost: list[Bonus] = []
    all_got: list[Bonus] = []
    steps = own | moved | {step(one) for one in others}
    for row in dict.fromkeys(row_around(steps, step(worth) + by) for by in (-1, 0, 1)):
        if not moved.isdisjoint(row):
            raise HistoryNeeded
        members = [one for one in others if step(one) in row]
        has = [one for one in members if _has(one, name)]
        over = len(has) - len(row) // rule.per
        if not own.isdisjoint(row):
            worth = _own(worth, name, wants=over < 0, given_by=kept.given_by)
            over += _has(worth, name)
        free = [one for one in members if not _has(one, name)]
        lost = has[len(has) - max(over, 0) :]
        got = free[len(free) - min(max(-over, 0), len(free)) :]
        all_lost += [Bonus(name, one.payment_id) for one in lost]
        all_got += [Bonus(name, one.payment_id) for one in got]
    is_own_gone = _has_now(kept.before, name) and not _has_now(worth, name)
    most = max(len(all_got) + 1 - is_own_gone, 0)  # More is of versions with other streaks.
    return Plan(worth, (*plan.lost, *all_lost[:most]), (*plan.got, *all_got))


def _own(worth: Worth, name: str, *, wants: bool, given_by: GivenBy) -> Worth:
    """`worth` of the purchase itself, with a bonus where its row `wants` one, else without."""
    if wants == _has(worth, name):
        return worth
    if not wants:
        return _without(worth, name)
    given = given_by(name)
    return replace(worth, given=(*worth.given, *given)) if given else _with(worth, name, None)


def _visits(one: Entry | Worth) -> tuple[str, ...]:
    return one.visits if one.is_visit and not one.held else ()


def _has(one: Entry | Worth, name: str) -> bool:
    """Whether it completed a row, though a cap may have left nothing of the bonus."""
    return name in one.completed or any(given.rule_id == name for given in one.given)


def _has_now(one: Entry | Worth, name: str) -> bool:
    return name in _visits(one) and _has(one, name)


def _without(worth: Worth, name: str) -> Worth:
    given = tuple(one for one in worth.given if one.rule_id != name)
    return replace(worth, given=given, completed=tuple(n for n in worth.completed if n != name))


def _with(worth: Worth, name: str, moved: Given | None) -> Worth:
    if moved is None or not moved.units:
        return replace(worth, completed=(*worth.completed, name))
    return replace(worth, given=(*worth.given, moved))


def _came_back(before: Entry, after: Entry) -> tuple[Given, ...]:
    """What `after` has less by streaks than `before`; not what a policy let its member keep."""
    kept = max(after.kept - before.kept, 0)
    left = {one.rule_id: one.units - one.back for one in after.given if _is_of_streak(one)}
    gone = (
        (one, one.units - one.back - left.get(one.rule_id, 0))
        for one in before.given
        if _is_of_streak(one)
    )
    return tuple(
        replace(one, units=max(units - kept, 0), back=0) for one, units in gone if units > 0
    )


def _is_of_streak(given: Given) -> bool:
    return given.kind is RuleKind.STREAK and given.line_id == WHOLE_SALE


def _at_hand(card: Card, payment_id: str, around: Around) -> tuple[Card, Entry]:
    """The purchase's entry, on a card that has it out of the history where it was there."""
    card = bring_back(card, around.past, payment_id, around.newest, at=around.at)
    return card, _entry(card, payment_id)


def _revalued(card: Card, entry: Entry, worth: Worth, plan: Plan, around: Around) -> Card:
    policy = around.policy_of(entry.scheme)
    if plan.worth.is_withdrawn:  # The step was never theirs, so nobody keeps what it completed.
        policy = RefundPolicy.NEGATIVE
    cause = plan.worth.payment_id
    return changed(card, entry, worth, policy=policy, cause=cause, at=around.at)


def _entry(card: Card, payment_id: str) -> Entry:
    entry = card.find_entry(payment_id)
    assert entry is not None, "it was brought to the card before"
    return entry
