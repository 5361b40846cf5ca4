"""Whether a scheme makes sense: rules that can be satisfied, an order that is clear, a budget.

All problems of a document are told at once, each with a stable code and its JSON path.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.kernel.gtins import bare_gtin
from chalicelib.kernel.money import EXPONENT_BY_CURRENCY
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.loyalty.choosing import rounded
from chalicelib.loyalty.rewarding import most_minor
from chalicelib.loyalty.rules import EarnRule, FreeText, Scheme
from chalicelib.loyalty.schemes.crossing import problems_between, rewards_of
from chalicelib.loyalty.schemes.limits import out_of_range
from chalicelib.loyalty.schemes.problems import SchemeProblem, SchemeRefused
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.reaching import never_met, never_spent
from chalicelib.loyalty.schemes.reading import Reader, Surroundings
from chalicelib.loyalty.terms import Basis, RuleKind, Stacking, Unit

LATE_BY_MAX = timedelta(minutes=5)  # A document that says "now" takes a moment to arrive.
AHEAD_MAX = timedelta(days=3 * 366)


def read_scheme(shape: SchemeShape, around: Surroundings, *, before: Scheme | None) -> Scheme:
    """The scheme that `shape` describes, checked as the version after `before`. Writes nothing.

    :raises SchemeRefused: with every problem of the document.
    """
    reader = Reader(around)
    scheme = reader.scheme(shape)
    problems = (
        *reader.problems,
        *problems_of(scheme, around, before=before),
        *problems_between(scheme, around.others, now=around.now),
    )
    if problems:
        raise SchemeRefused(problems)
    return scheme


def problems_of(
    scheme: Scheme, around: Surroundings, *, before: Scheme | None
) -> tuple[NotAllowed, ...]:
    """Everything that speaks against `scheme` as the version after `before`; nothing, if it may be.

    Ranges come first: where a number is none that it may be, nothing is concluded from it.
    """
    ranges = tuple(out_of_range(scheme))
    times = tuple(_of_times(scheme, before, around.now))
    if ranges:
        return (*ranges, *times)
    if scheme.ends_at is not None and scheme.ends_at <= scheme.starts_at:
        scheme = replace(scheme, ends_at=None)  # Nor from an end that cannot be.
    return (
        *times,
        *_of_texts(scheme),
        *_of_change(scheme, before),
        *_of_rules(scheme),
        *never_met(scheme, around, before=before),
        *_of_order(scheme),
        *_of_tiers(scheme),
        *_of_rewards(scheme),
        *never_spent(scheme, around),
    )


def _of_times(scheme: Scheme, before: Scheme | None, now: datetime) -> Iterator[SchemeProblem]:
    if scheme.currency not in EXPONENT_BY_CURRENCY:
        yield _problem("unknown_currency", "the currency is not in ISO 4217", "currency")
    if scheme.starts_at < now - LATE_BY_MAX:
        yield _problem("starts_in_past", "a version cannot start in the past", "starts_at")
    if scheme.starts_at > now + AHEAD_MAX:
        yield _problem("starts_too_late", "it starts more than three years ahead", "starts_at")
    if scheme.ends_at is not None and scheme.ends_at <= scheme.starts_at:
        yield _problem("ends_before_start", "it ends before it starts", "ends_at")
    if before is not None and scheme.starts_at < before.starts_at:
        detail = "a new version cannot start before the one that it replaces"
        yield _problem("starts_before_version", detail, "starts_at")


def _of_texts(scheme: Scheme) -> Iterator[SchemeProblem]:
    """What people read has to say something."""
    texts = [("name", scheme.name)]
    texts += [(f"rules[{at}].name", one.name) for at, one in enumerate(scheme.rules) if one.name]
    texts += [(f"catalogue[{at}].title", one.title) for at, one in enumerate(scheme.catalogue)]
    tiers = scheme.tiering.tiers if scheme.tiering else ()
    texts += [(f"tiers.steps[{at}].name", one.name) for at, one in enumerate(tiers)]
    rewards = rewards_of(scheme)
    texts += [(f"{at}.text", one.text) for at, one in rewards if isinstance(one, FreeText)]
    for place, text in texts:
        if not text.strip():
            yield _problem("blank", "nothing is written here", place)


def _of_change(scheme: Scheme, before: Scheme | None) -> Iterator[SchemeProblem]:
    """What members hold is counted in a unit, by a currency and a zone; they stay."""
    if before is None:
        return
    for name in ("unit", "currency", "zone"):
        if getattr(scheme, name) != getattr(before, name):
            yield _problem("changed", "members hold units that were earned under another", name)


def _of_rules(scheme: Scheme) -> Iterator[SchemeProblem]:
    for place in _twice([rule.rule_id for rule in scheme.rules]):
        yield _problem("id_twice", "two rules have the same id", f"rules[{place}].id")
    for place in _twice([one.reward_id for one in scheme.catalogue]):
        yield _problem("id_twice", "two rewards have the same id", f"catalogue[{place}].id")
    caps = [(scheme.caps, "caps")]
    caps += [(rule.caps, f"rules[{at}].caps") for at, rule in enumerate(scheme.rules)]
    for several, at in caps:
        for place in _twice([cap.per.value for cap in several]):
            yield _problem("cap_twice", "two caps are for the same period", f"{at}[{place}].per")
    for place, rule in enumerate(scheme.rules):
        least = _earned_at_minimum(rule, scheme)
        for number, cap in enumerate(rule.caps):
            if least > cap.units:
                detail = "at its minimum spend the rule would earn more than its cap"
                yield _problem("minimum_above_cap", detail, f"rules[{place}].caps[{number}].units")


def _of_order(scheme: Scheme) -> Iterator[SchemeProblem]:
    """Where priority decides, two rules that want the same lines may not have the same one."""
    if scheme.stacking is not Stacking.PRIORITY:
        return
    rivals = [(at, rule) for at, rule in enumerate(scheme.rules) if not rule.is_bonus]
    for number, (at, rule) in enumerate(rivals):
        for _, other in rivals[:number]:
            if rule.priority == other.priority and _may_overlap(rule, other):
                detail = "another rule for the same lines has the same priority"
                yield _problem("order_ambiguous", detail, f"rules[{at}].priority")
                break


def _of_tiers(scheme: Scheme) -> Iterator[SchemeProblem]:
    tiers = scheme.tiers
    if tiers and tiers[0].threshold != 0:
        detail = "everybody stands on the first step, so its threshold is 0"
        yield _problem("first_tier", detail, "tiers.steps[0].threshold")
    for place in _twice([tier.tier_id for tier in tiers]):
        yield _problem("id_twice", "two tiers have the same id", f"tiers.steps[{place}].id")
    for place in range(1, len(tiers)):
        at = f"tiers.steps[{place}]"
        if tiers[place].threshold <= tiers[place - 1].threshold:
            detail = "the threshold is not above the one before"
            yield _problem("tier_order", detail, f"{at}.threshold")
        if tiers[place].multiplier < tiers[place - 1].multiplier:
            detail = "a higher tier earns less than the one before"
            yield _problem("tier_order", detail, f"{at}.multiplier")


def _of_rewards(scheme: Scheme) -> Iterator[SchemeProblem]:
    if (scheme.unit is Unit.STAMPS) != (scheme.card is not None):
        detail = "stamps are collected on a card, and points on none"
        yield _problem("card_or_points", detail, "card")
    rewards = [(at, most_minor(reward)) for at, reward in rewards_of(scheme)]
    most = [(at, minor) for at, minor in rewards if minor is not None]
    if most and scheme.budget_minor is None:
        detail = "a reward pays money, so the scheme needs a budget"
        yield _problem("no_budget", detail, "budget_minor")
    for at, minor in most:
        if scheme.budget_minor is not None and minor > scheme.budget_minor:
            yield _problem("budget_too_small", "one such reward is more than the budget", at)


def _earned_at_minimum(rule: EarnRule, scheme: Scheme) -> int:
    """What a rule of money gives at the least that has to be spent, whatever the tier."""
    least = max(rule.when.min_spend_minor, scheme.min_spend_minor)
    if rule.kind is not RuleKind.SPEND or not least or rule.basis is Basis.NET:
        return 0
    whole = rounded(least, rule.per, rule.rounding) * rule.units * rule.multiplier
    return whole.numerator // whole.denominator


def _may_overlap(rule: EarnRule, other: EarnRule) -> bool:
    """Whether a line may be both rules'. Only codes and stores are known to be apart."""
    stores, others = set(rule.when.stores), set(other.when.stores)
    if stores and others and stores.isdisjoint(others):
        return False
    mine, theirs = rule.when.lines, other.when.lines
    if rule.kind is RuleKind.VISIT or other.kind is RuleKind.VISIT:
        return True
    if mine.skus and theirs.skus and not (mine.categories or theirs.categories):
        codes_apart = set(mine.skus).isdisjoint(theirs.skus)
        return not codes_apart or bool(mine.gtins or theirs.gtins)
    if mine.gtins and theirs.gtins and not (mine.categories or theirs.categories):
        codes_apart = {*map(bare_gtin, mine.gtins)}.isdisjoint(map(bare_gtin, theirs.gtins))
        return not codes_apart or bool(mine.skus or theirs.skus)
    return True


def _twice(names: Sequence[str]) -> list[int]:
    """The places of names that stood before."""
    seen: Counter[str] = Counter()
    found = []
    for place, name in enumerate(names):
        if seen[name]:
            found.append(place)
        seen[name] += 1
    return found


def _problem(code: str, detail: str, at: str) -> SchemeProblem:
    return SchemeProblem(detail, field=at, code=code)


def refuse_end(at: datetime, *, starts_at: datetime, now: datetime) -> None:
    """Let no scheme that starts at `starts_at` end at `at` where that is over, or before it starts.

    What was given meanwhile would have been given in no scheme, and nothing of it be taken back.

    :raises SchemeRefused: with the problem.
    """
    if at < now - LATE_BY_MAX:
        raise SchemeRefused([_problem("ends_in_past", "a scheme cannot end in the past", "at")])
    if at < starts_at:
        detail = "a scheme cannot end before it starts"
        raise SchemeRefused([_problem("ends_before_start", detail, "at")])
