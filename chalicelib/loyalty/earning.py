"""What a sale earns under one version of a scheme. No clock and no storage.

The award is of the sale as it was made. What came back of it since is another question, with its
own answer (`taking_back.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from chalicelib.loyalty.allocation import share_out
from chalicelib.loyalty.choosing import Contender, Earned, choose
from chalicelib.loyalty.conditions import Counted, NotMet, check, counted
from chalicelib.loyalty.nearing import missing_minor
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import Cap, EarnRule, Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.streaks import completed_by, step_of
from chalicelib.loyalty.terms import Per, RuleKind, Stacking

WHOLE_SALE = ""  # The line of a share that is of the sale and of no line.
ALL_RULES = ""  # The rule of a cap that is the whole scheme's.
NO_ROW = (EarnWhy.STREAK_GOES_ON, EarnWhy.VISITED_ALREADY)  # A visit that completed no streak.


@dataclass(frozen=True, slots=True)
class Standing:
    """What earning needs to know of a member's card, before the sale.

    - `tier_id`: empty where the scheme has no tiers.
    - `units_by_cap`: what was given already, by `cap_key`, in the period that the sale falls in.
    - `streaks`: by rule, the steps (`streaks.step_of`) that had a visit.
    """

    tier_id: str = ""
    units_by_cap: Mapping[str, int] = field(default_factory=dict)
    streaks: Mapping[str, frozenset[int]] = field(default_factory=dict)


NOTHING_YET = Standing()


class Share(NamedTuple):
    """`units` that one line earned under one rule; of a visit or a streak, the whole sale.

    `kind` says by what it is taken back. The units of a whole sale stay as long as at least
    `needs_minor` of what was paid stays, and anything at all.
    """

    rule_id: str
    line_id: str
    units: int
    kind: RuleKind = RuleKind.SPEND
    needs_minor: int = 0


@dataclass(frozen=True, slots=True)
class NotEarned:
    """A rule that gave nothing, and why. `by` names the rule or the cap that stood before it.

    What was missing is in minor units, or in items (of a streak: steps).
    """

    rule_id: str
    why: EarnWhy
    missing_minor: int = 0
    missing_items: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Award:
    """What a sale earned: `units` in all, which `shares` come to exactly.

    - `why` is `EARNED`, or what of the sale as a whole was in the way.
    - `lost` are the rules that gave nothing.
    - `streak_visits`: the streaks' rules for which it was a visit, whether it completed one or not.
    - `spend_minor`: what was paid of it that counts, rounded down.
    """

    units: int
    shares: tuple[Share, ...] = ()
    lost: tuple[NotEarned, ...] = ()
    why: EarnWhy = EarnWhy.EARNED
    version: int = 0
    tier_id: str = ""
    streak_visits: tuple[str, ...] = ()
    spend_minor: int = 0
    missing_minor: int = 0

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The rules that gave something, in order."""
        return tuple(dict.fromkeys(share.rule_id for share in self.shares))


def cap_key(rule_id: str, per: Per) -> str:
    """How `Standing.units_by_cap` names what a rule gave (`ALL_RULES`: all of them) in a period."""
    return f"{rule_id}|{per.value}"


def decide_award(
    sale: Sale, scheme: Scheme, standing: Standing = NOTHING_YET, *, of: Counted | None = None
) -> Award:
    """What `sale` earns under `scheme` for a member who stands so, with every rule's reason.

    `of` is what counts of the sale, where somebody counted it already. The same for any order of
    the sale's lines. Nothing is said of joining: the caller knows since when the member takes part.
    """
    of = counted(sale, scheme.exclusions) if of is None else of
    refused = refusal_of(sale, scheme, of)
    if refused is not None:
        missing = refused.missing_minor
        return Award(0, why=refused.why, version=scheme.version, missing_minor=missing)
    contenders, lost = _contenders(of, scheme, standing)
    won = choose(contenders, scheme.stacking)
    given = _within(scheme.earning_caps, [one.units for one in won], standing)
    shares: list[Share] = []
    for one, units in zip(won, given, strict=True):
        shares += _shares(one, units, least_minor=scheme.min_spend_minor)
    lost += _losers(contenders, won, given, scheme.stacking)
    if len(lost) > 1:
        order = {rule.rule_id: place for place, rule in enumerate(scheme.rules)}
        lost.sort(key=lambda one: order[one.rule_id])
    units = sum(given)
    return Award(
        units,
        shares=tuple(shares),
        lost=tuple(lost),
        why=EarnWhy.EARNED if units else _why_nothing(lost),
        version=scheme.version,
        tier_id=standing.tier_id,
        streak_visits=_streak_visits(contenders, lost),
        spend_minor=of.spent_minor(of.lines),
    )


def earned_units(sale: Sale, scheme: Scheme, standing: Standing = NOTHING_YET) -> int:
    """How many units `decide_award` gives in all, where nobody asks for what and why."""
    of = counted(sale, scheme.exclusions)
    if refusal_of(sale, scheme, of) is not None:
        return 0
    contenders, _ = _contenders(of, scheme, standing)
    won = choose(contenders, scheme.stacking)
    return sum(_within(scheme.earning_caps, [one.units for one in won], standing))


def _contenders(
    of: Counted, scheme: Scheme, standing: Standing
) -> tuple[list[Contender], list[NotEarned]]:
    """The rules that may earn, and those that may not."""
    contenders: list[Contender] = []
    lost: list[NotEarned] = []
    for rule in scheme.rules:
        found = _contender(rule, of, scheme, standing)
        if isinstance(found, Contender):
            contenders.append(found)
        else:
            lost.append(found)
    return contenders, lost


def refusal_of(sale: Sale, scheme: Scheme, of: Counted) -> NotMet | None:
    """What of the sale as a whole is in the way of earning anything."""
    if sale.is_withdrawn:
        return NotMet(EarnWhy.WITHDRAWN)
    if sale.is_told_twice:
        return NotMet(EarnWhy.TOLD_TWICE)
    if sale.retailer_id != scheme.retailer_id:
        return NotMet(EarnWhy.OTHER_RETAILER)
    if sale.currency != scheme.currency:
        return NotMet(EarnWhy.OTHER_CURRENCY)
    if sale.sold_at < scheme.starts_at:
        return NotMet(EarnWhy.NOT_STARTED)
    if scheme.ends_at is not None and sale.sold_at >= scheme.ends_at:
        return NotMet(EarnWhy.ENDED)
    if not of.share:  # It is never less than nought, and comparing fractions is slow.
        return NotMet(EarnWhy.NOTHING_PAID)
    if not of.lines:
        return NotMet(EarnWhy.EXCLUDED)
    if scheme.min_spend_minor > 0:
        missing = of.missing_minor(of.lines, scheme.min_spend_minor)
        if missing > 0:
            return NotMet(EarnWhy.BELOW_MINIMUM, missing_minor=missing)
    return None


def _contender(
    rule: EarnRule, of: Counted, scheme: Scheme, standing: Standing
) -> Contender | NotEarned:
    met = check(rule.when, of, tier_id=standing.tier_id)
    if isinstance(met, NotMet):
        return NotEarned(rule.rule_id, met.why, met.missing_minor, met.missing_items)
    if rule.kind is not RuleKind.SPEND and not of.sale.is_largest_part:
        return NotEarned(rule.rule_id, EarnWhy.SMALLER_PART)
    room = _room(rule.rule_id, rule.caps, standing)
    times = 1
    if rule.kind is RuleKind.STREAK:
        visited = standing.streaks.get(rule.rule_id, frozenset())
        step = step_of(rule.step, of.sale.sold_at, zone=scheme.zone)
        times = completed_by(visited, step, length=rule.per)
        if times == 0:
            return _no_streak(rule, visited, step)
    return Contender(rule, met.lines, of.share, multiplier_of(rule, scheme, standing), times, room)


def _no_streak(rule: EarnRule, visited: frozenset[int], step: int) -> NotEarned:
    if step in visited:
        return NotEarned(rule.rule_id, EarnWhy.VISITED_ALREADY)
    row = 0
    while step - row - 1 in visited:
        row += 1
    missing = rule.per - (row + 1) % rule.per
    return NotEarned(rule.rule_id, EarnWhy.STREAK_GOES_ON, missing_items=missing)


def multiplier_of(rule: EarnRule, scheme: Scheme, standing: Standing) -> Fraction:
    """The rule's own multiplier times that of the member's tier."""
    for tier in scheme.tiers:
        if rule.is_tiered and tier.tier_id == standing.tier_id:
            return rule.multiplier * tier.multiplier
    return rule.multiplier


def _room(rule_id: str, caps: Sequence[Cap], standing: Standing) -> int | None:
    """What `caps` leave, never below nought; None where there is no cap."""
    if not caps:
        return None
    return min(
        max(cap.units - standing.units_by_cap.get(cap_key(rule_id, cap.per), 0), 0) for cap in caps
    )


def _within(caps: Sequence[Cap], units: Sequence[int], standing: Standing) -> tuple[int, ...]:
    """`units` within the scheme's own caps: what goes over is taken from all rules alike."""
    room = _room(ALL_RULES, caps, standing)
    if room is None or sum(units) <= room:
        return tuple(units)
    return share_out(room, [(f"{place:04}", one) for place, one in enumerate(units)])


def _shares(one: Earned, units: int, *, least_minor: int) -> list[Share]:
    rule_id, kind = one.contender.rule.rule_id, one.contender.rule.kind
    if units == 0:
        return []
    if one.contender.takes_all:
        needs = max(one.contender.rule.when.min_spend_minor, least_minor)
        return [Share(rule_id, WHOLE_SALE, units, kind, needs)]
    weights = one.contender.weights(one.lines)
    return [
        Share(rule_id, line_id, share, kind)
        for (line_id, _), share in zip(weights, share_out(units, weights), strict=True)
        if share
    ]


def _losers(
    contenders: Sequence[Contender],
    won: Sequence[Earned],
    given: Sequence[int],
    stacking: Stacking,
) -> Iterable[NotEarned]:
    if len(won) == len(contenders) and all(given):
        return
    given_by_rule = {
        one.contender.rule.rule_id: (one, units) for one, units in zip(won, given, strict=True)
    }
    winners = [rule_id for rule_id, (_, units) in given_by_rule.items() if units]
    rival = EarnWhy.OTHER_RULE_FIRST if stacking is Stacking.PRIORITY else EarnWhy.OTHER_RULE_BETTER
    for contender in contenders:
        rule_id = contender.rule.rule_id
        one, units = given_by_rule.get(rule_id, (None, 0))
        if units:
            continue
        if one is None:
            yield NotEarned(rule_id, rival, by=winners[0] if winners else "")
        elif one.units or one.uncapped:
            yield NotEarned(rule_id, EarnWhy.CAP_REACHED, by=ALL_RULES if one.units else rule_id)
        else:
            yield NotEarned(rule_id, EarnWhy.ROUNDED_TO_NOTHING, missing_minor=_missing(one))


def _missing(one: Earned) -> int:
    """How much more had to be spent for the first unit; nought where money does not decide."""
    if one.contender.rule.kind is not RuleKind.SPEND:
        return 0
    return missing_minor(one.contender, one.contender.total(one.lines), 1)


def _why_nothing(lost: Sequence[NotEarned]) -> EarnWhy:
    """The one reason of all rules where they have one; else that none of them gave anything."""
    reasons = {one.why for one in lost}
    return reasons.pop() if len(reasons) == 1 else EarnWhy.NO_RULE


def _streak_visits(contenders: Iterable[Contender], lost: Iterable[NotEarned]) -> tuple[str, ...]:
    """The streaks that the sale was a visit for, though its step had one: that may come back."""
    visits = {one.rule.rule_id for one in contenders if one.rule.kind is RuleKind.STREAK}
    return tuple(sorted(visits.union(one.rule_id for one in lost if one.why in NO_ROW)))
