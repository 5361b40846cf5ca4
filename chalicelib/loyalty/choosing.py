"""Which rule earns on which lines, where several could.

Rules compete for lines: a rule of items or of money takes some, a rule of visits takes the whole
sale. What is best for the member is found by trying every way of giving each class of lines (those
that the same rules want) to one of its rules, so that it is never less than what any one rule
alone would give, and never less for having spent more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm, prod
from operator import itemgetter

from chalicelib.loyalty.allocation import Weight
from chalicelib.loyalty.conditions import CountedLine, amount_of
from chalicelib.loyalty.rules import ONE, EarnRule
from chalicelib.loyalty.terms import Basis, Rounding, RuleKind, Stacking

WAYS_MAX = 64  # Six rules that overlap two by two; beyond that each class goes by itself.


@dataclass(frozen=True, slots=True)
class Contender:
    """A rule whose condition the sale meets, and its lines.

    `share` is the share of the lines' amounts that counts, `multiplier` the rule's times the
    tier's. `times` is how many streaks the visit completed (1 for every other kind). `room` is what
    its caps leave, None without caps.
    """

    rule: EarnRule
    lines: tuple[CountedLine, ...]
    share: Fraction
    multiplier: Fraction
    times: int = 1
    room: int | None = None

    @property
    def takes_all(self) -> bool:
        """Whether it is of the sale as a whole, and not of lines."""
        return self.rule.kind in (RuleKind.VISIT, RuleKind.STREAK)

    def amount(self, line: CountedLine) -> int:
        """What of `line` it counts: items, or minor units."""
        if self.rule.kind is RuleKind.ITEM:
            return line.items
        return line.gross_minor if self.rule.basis is Basis.GROSS else line.net_minor

    def weights(self, lines: Iterable[CountedLine]) -> list[Weight]:
        """`lines` by name, with what of each it counts."""
        if self.rule.kind is RuleKind.ITEM:
            return [(line.line_id, line.items) for line in lines]
        if self.rule.basis is Basis.GROSS:
            return [(line.line_id, line.gross_minor) for line in lines]
        return [(line.line_id, line.net_minor) for line in lines]

    def total(self, lines: Iterable[CountedLine]) -> int:
        """What of `lines` it counts in all."""
        if self.rule.kind is RuleKind.ITEM:
            return sum([line.items for line in lines])
        return amount_of(lines, self.rule.basis)

    def units(self, amount: int) -> int:
        """What it gives for `amount`, before its caps."""
        rule, of = self.rule, self.multiplier
        if self.takes_all:
            whole = self.times
        elif rule.kind is RuleKind.ITEM:
            whole = rounded(amount, rule.per, rule.rounding)
        else:
            share = self.share
            whole = rounded(amount * share.numerator, rule.per * share.denominator, rule.rounding)
        return rounded(whole * rule.units * of.numerator, of.denominator, rule.rounding)

    def capped(self, amount: int) -> int:
        """What it gives for `amount`, within its caps."""
        units = self.units(amount)
        return units if self.room is None else min(units, self.room)


@dataclass(frozen=True, slots=True)
class Earned:
    """What a contender gets: these lines, and `units` for them within its caps."""

    contender: Contender
    lines: tuple[CountedLine, ...]
    units: int

    @property
    def uncapped(self) -> int:
        """What it would give without caps."""
        return self.contender.units(self.contender.total(self.lines))


_Ways = Mapping[str, tuple[CountedLine, ...]]


def rounded(dividend: int, divisor: int, rounding: Rounding) -> int:
    """`dividend` (nought or more) by `divisor`, as a whole number."""
    whole, rest = divmod(dividend, divisor)
    match rounding:
        case Rounding.DOWN:
            return whole
        case Rounding.UP:
            return whole + (rest > 0)
        case Rounding.HALF_UP:
            return whole + (2 * rest >= divisor)
        case Rounding.HALF_EVEN:
            return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))


def choose(contenders: Sequence[Contender], stacking: Stacking) -> tuple[Earned, ...]:
    """Who earns on what, in order of priority and id; those that get nothing are left out.

    A rule that `is_bonus` competes with none. Where two ways are worth as much, the one stands that
    follows priority and then the rules' ids.
    """
    if len(contenders) == 1:  # As most often: nobody to choose between.
        return tuple(_earned(contenders, {one.rule.rule_id: one.lines for one in contenders}))
    ordered = sorted(contenders, key=lambda one: (-one.rule.priority, one.rule.rule_id))
    bonuses = [one for one in ordered if one.rule.is_bonus]
    rivals = [one for one in ordered if not one.rule.is_bonus]
    match stacking:
        case Stacking.ALL:
            won = _earned(rivals, {one.rule.rule_id: one.lines for one in rivals})
        case Stacking.PRIORITY:
            won = _earned(rivals, _by_priority(rivals))
        case Stacking.BEST:
            won = _best(rivals)
    won += _earned(bonuses, {one.rule.rule_id: one.lines for one in bonuses})
    places = {one.rule.rule_id: place for place, one in enumerate(ordered)}
    return tuple(sorted(won, key=lambda one: places[one.contender.rule.rule_id]))


def _earned(contenders: Iterable[Contender], lines_by_rule: _Ways) -> list[Earned]:
    found = []
    for one in contenders:
        lines = lines_by_rule.get(one.rule.rule_id, ())
        if lines:
            found.append(Earned(one, lines, one.capped(one.total(lines))))
    return found


def _by_priority(rivals: Sequence[Contender]) -> _Ways:
    taken: set[str] = set()
    given: dict[str, tuple[CountedLine, ...]] = {}
    for one in rivals:
        free = tuple(line for line in one.lines if line.line_id not in taken)
        if not free or (one.takes_all and taken):
            continue
        given[one.rule.rule_id] = free
        taken.update(line.line_id for line in free)
        if one.takes_all:
            break
    return given


_Class = tuple[tuple[Contender, ...], tuple[CountedLine, ...]]


def _best(rivals: Sequence[Contender]) -> list[Earned]:
    best: list[Earned] = []
    most = 0
    for way in _ways(rivals):
        earned = _earned(rivals, way)
        units = sum(one.units for one in earned)
        if units > most or not best:
            best, most = earned, units
    return best


def _ways(rivals: Sequence[Contender]) -> Iterator[_Ways]:
    """The ways of giving the sale to `rivals` of which one is the best."""
    for one in rivals:
        if one.takes_all:
            yield {one.rule.rule_id: one.lines}
    of_lines = [one for one in rivals if not one.takes_all]
    if not of_lines:
        return
    classes = _classes(of_lines)
    if prod(len(rules) for rules, _ in classes) <= WAYS_MAX:
        chosen = _best_of_all(classes)
    else:
        chosen = tuple(_most_for(rules, lines) for rules, lines in classes)
    yield _together(zip(chosen, (lines for _, lines in classes), strict=True))
    if _may_go_line_by_line(of_lines):
        rates = _rates(of_lines)
        yield _together(
            (_best_for(rules, line, rates), (line,))
            for rules, lines in ((_best_rated(rules, rates), lines) for rules, lines in classes)
            for line in lines
        )


def _best_of_all(classes: Sequence[_Class]) -> tuple[Contender, ...]:
    """To whom each of `classes` goes, so that all together give most; the first of equal ways."""
    amounts = [
        [(one.rule.rule_id, one, one.total(lines)) for one in rules] for rules, lines in classes
    ]
    known: dict[tuple[str, int], int] = {}
    best: tuple[tuple[str, Contender, int], ...] = ()
    most = -1
    for way in product(*amounts):
        totals: dict[str, int] = {}
        for rule_id, _, amount in way:
            totals[rule_id] = totals.get(rule_id, 0) + amount
        units = 0
        for rule_id, one, _ in way:
            total = totals.pop(rule_id, None)
            if total is None:
                continue
            if (rule_id, total) not in known:
                known[rule_id, total] = one.capped(total)
            units += known[rule_id, total]
        if units > most:
            best, most = way, units
    return tuple(one for _, one, _ in best)


def _classes(rivals: Sequence[Contender]) -> list[_Class]:
    """The lines, by which of `rivals` want them."""
    wanting: dict[str, list[int]] = {}
    line_by_id: dict[str, CountedLine] = {}
    for place, one in enumerate(rivals):
        for line in one.lines:
            wanting.setdefault(line.line_id, []).append(place)
            line_by_id[line.line_id] = line
    classes: dict[tuple[int, ...], list[CountedLine]] = {}
    for line_id, places in wanting.items():
        classes.setdefault(tuple(places), []).append(line_by_id[line_id])
    return [
        (tuple(rivals[place] for place in places), tuple(lines))
        for places, lines in sorted(classes.items(), key=itemgetter(0))
    ]


def _together(given: Iterable[tuple[Contender, tuple[CountedLine, ...]]]) -> _Ways:
    way: dict[str, tuple[CountedLine, ...]] = {}
    for one, lines in given:
        way[one.rule.rule_id] = (*way.get(one.rule.rule_id, ()), *lines)
    return way


def _most_for(rules: Sequence[Contender], lines: Sequence[CountedLine]) -> Contender:
    return max(rules, key=lambda one: one.capped(one.total(lines)))


def _best_rated(rules: Sequence[Contender], rates: Mapping[str, int]) -> tuple[Contender, ...]:
    """Those of `rules` that may be the best for some line: of those that count alike, the first
    with the highest rate. The first of all stays, too: it has the lines that are worth nothing.
    """
    best: dict[tuple[bool, Basis | None], Contender] = {}
    for one in rules:
        is_item = one.rule.kind is RuleKind.ITEM
        counts = (is_item, None if is_item else one.rule.basis)
        known = best.get(counts)
        if known is None or rates[one.rule.rule_id] > rates[known.rule.rule_id]:
            best[counts] = one
    kept = {id(one) for one in (rules[0], *best.values())}
    return tuple(one for one in rules if id(one) in kept)


def _best_for(rules: Sequence[Contender], line: CountedLine, rates: Mapping[str, int]) -> Contender:
    if len(rules) == 1:
        return rules[0]
    return max(rules, key=lambda one: one.amount(line) * rates[one.rule.rule_id])


def _rates(rivals: Sequence[Contender]) -> dict[str, int]:
    """What each gives for one item or minor unit before anything is rounded, all by one divisor."""
    exact: dict[str, tuple[int, int]] = {}
    for one in rivals:
        share = ONE if one.rule.kind is RuleKind.ITEM else one.share
        units, divisor = one.rule.units * share.numerator, one.rule.per * share.denominator
        of = one.multiplier
        exact[one.rule.rule_id] = units * of.numerator, divisor * of.denominator
    common = lcm(*(divisor for _, divisor in exact.values()))
    return {rule_id: units * (common // divisor) for rule_id, (units, divisor) in exact.items()}


def _may_go_line_by_line(rivals: Sequence[Contender]) -> bool:
    """Whether lines of one class may go to different rules without more spent ever earning less.

    So it is where items give whole units each and no rule has a cap: then a dear bottle may earn by
    its price and a cheap one as a bottle. Where all rules count alike it makes no difference.
    """
    kinds = {one.rule.kind for one in rivals}
    return len(kinds) > 1 and all(
        one.room is None
        and (
            one.rule.kind is not RuleKind.ITEM
            or (one.rule.per == 1 and (one.rule.units * one.multiplier).denominator == 1)
        )
        for one in rivals
    )
