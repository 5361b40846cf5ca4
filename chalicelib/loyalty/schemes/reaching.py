"""Whether what a scheme promises can be reached: that each rule is ever met, and units ever spent.

Refused is only what nobody could ever reach, whatever they buy and when.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from chalicelib.kernel.times import local_day, zone_named
from chalicelib.loyalty.cards.deadlines import active_at, expires_at
from chalicelib.loyalty.conditions import hides
from chalicelib.loyalty.rules import EarnRule, Matching, Scheme
from chalicelib.loyalty.schemes.problems import SchemeProblem
from chalicelib.loyalty.schemes.reading import Surroundings
from chalicelib.loyalty.streaks import step_of
from chalicelib.loyalty.terms import RuleKind, Unit
from chalicelib.loyalty.windows import opens_between

LOOKED_AHEAD = timedelta(days=9 * 366)  # Leap days may be eight years apart, around 2100.
_INSTANT = timedelta(microseconds=1)


def never_met(
    scheme: Scheme, around: Surroundings, *, before: Scheme | None
) -> Iterator[SchemeProblem]:
    """Rules that no sale can meet while the scheme runs, as the version after `before`."""
    tier_ids = {tier.tier_id for tier in scheme.tiers}
    zones = around.zones or (scheme.zone,)
    for place, rule in enumerate(scheme.rules):
        at = f"rules[{place}]"
        yield from _excluded(rule, scheme, f"{at}.when")
        for number, tier_id in enumerate(rule.when.tiers):
            if tier_id not in tier_ids:
                field = f"{at}.when.tiers[{number}]"
                yield _problem("unknown_tier", "there is no such tier", field)
        for number, window in enumerate(rule.when.windows):
            if not opens_between(window, scheme.starts_at, _ends_at(scheme), zones=zones):
                detail = "the window is never open while the scheme runs"
                yield _problem("window_empty", detail, f"{at}.when.windows[{number}].days")
        if _is_too_long(rule, scheme) and not _goes_on(rule, before):
            detail = "the scheme ends before so many steps in a row have been"
            yield _problem("streak_too_long", detail, f"{at}.steps")


def never_spent(scheme: Scheme, around: Surroundings) -> Iterator[SchemeProblem]:
    """Units that expire before they may be spent, and rewards that no card has the stamps for."""
    is_spent = scheme.unit is Unit.POINTS or scheme.catalogue  # Pending stamps fill a card, too.
    if is_spent and not _is_ever_active(scheme, around.return_days):
        detail = "what is earned would expire before its pending window is over"
        yield _problem("expires_before_active", detail, "expiry.after")
    if scheme.card is None:
        return
    for place, one in enumerate(scheme.catalogue):
        if one.cost >= scheme.card.places:
            detail = "so many stamps fill a card before they can be spent"
            yield _problem("cost_above_card", detail, f"catalogue[{place}].cost")


def _excluded(rule: EarnRule, scheme: Scheme, at: str) -> Iterator[SchemeProblem]:
    """Where every line that is asked for is left out, by the rule or by the whole scheme."""
    wanted, by_rule, by_all = rule.when.lines, rule.when.without, scheme.exclusions.lines
    is_rules_own = hides(by_rule, wanted)
    if not is_rules_own and not hides(_either(by_rule, by_all), wanted):
        return
    for name in ("categories", "gtins", "skus"):
        if getattr(wanted, name):
            detail = "all lines that are asked for are left out"
            part = "without" if is_rules_own else "lines"
            yield _problem("required_and_excluded", detail, f"{at}.{part}.{name}")


def _either(one: Matching, other: Matching) -> Matching:
    return Matching(
        one.categories + other.categories, one.gtins + other.gtins, one.skus + other.skus
    )


def _is_too_long(rule: EarnRule, scheme: Scheme) -> bool:
    """Whether the scheme runs through fewer days, weeks or months than a streak is long."""
    if rule.kind is not RuleKind.STREAK or scheme.ends_at is None:
        return False
    first = step_of(rule.step, scheme.starts_at, zone=scheme.zone)
    last = step_of(rule.step, scheme.ends_at - _INSTANT, zone=scheme.zone)
    return last - first + 1 < rule.per


def _goes_on(rule: EarnRule, before: Scheme | None) -> bool:
    """Whether visits under the version before may have begun the streak."""
    known = before.find_rule(rule.rule_id) if before is not None else None
    return known is not None and known.kind is RuleKind.STREAK and known.step is rule.step


def _is_ever_active(scheme: Scheme, return_days: int) -> bool:
    """Whether what is earned on any day of the scheme is active before it expires."""
    pending = return_days if scheme.pending_days is None else scheme.pending_days
    if scheme.expiry is None or pending <= 0:
        return True
    day = local_day(scheme.starts_at, scheme.zone)
    last = local_day(_ends_at(scheme) - _INSTANT, scheme.zone)
    while day <= last:
        noon = datetime.combine(day, time(12), zone_named(scheme.zone))
        ends_at = expires_at(noon, expiry=scheme.expiry, zone=scheme.zone)
        if ends_at is None or active_at(noon, pending_days=pending, zone=scheme.zone) < ends_at:
            return True
        day += timedelta(days=1)
    return False


def _ends_at(scheme: Scheme) -> datetime:
    """When the scheme ends, or as far ahead as anybody looks."""
    latest = scheme.starts_at + LOOKED_AHEAD
    return latest if scheme.ends_at is None else min(scheme.ends_at, latest)


def _problem(code: str, detail: str, at: str) -> SchemeProblem:
    return SchemeProblem(detail, field=at, code=code)
