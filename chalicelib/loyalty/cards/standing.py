"""What earning needs to know of a card: caps, tiers and streaks, counted from its entries.

Nothing is counted beside the entries, so what comes back makes room under a cap again, and takes
a visit out of a streak. Of entries in the history only their counts are left on the card: enough
for a sale that is newer than all of them. For a late one the history is read, and counted itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from chalicelib.kernel.times import local_day
from chalicelib.loyalty import standing as standings
from chalicelib.loyalty.cards.model import Card, Count, Entry
from chalicelib.loyalty.cards.naming import is_extra
from chalicelib.loyalty.cards.past import Past as Moved
from chalicelib.loyalty.cards.past import newest_entries
from chalicelib.loyalty.earning import ALL_RULES, Standing, cap_key
from chalicelib.loyalty.rules import Scheme, Tier
from chalicelib.loyalty.standing import NOTHING_ARCHIVED, Archived, Past
from chalicelib.loyalty.streaks import number_of, step_of
from chalicelib.loyalty.terms import Per
from chalicelib.loyalty.tiers import Score, period_at, score_of

TIER = "tier"
STREAK = "streak|"  # Before the rule's id.
PERIODS_KEPT = 3  # Of a cap: a sale newer than the history asks for no other than the last.
TIER_PERIODS_KEPT = 24
STEPS_KEPT = 40  # Of a streak, beside the one that is being walked.

_Counts = Counter[tuple[str, int]]


def standing_for(
    card: Card,
    scheme: Scheme,
    payment_id: str,
    *,
    sold_at: datetime,
    past: Sequence[Moved] = (),
) -> Standing:
    """How the member stands for a purchase, which itself does not count.

    `past` is the card's history; without it, the purchase is newer than anything in there.
    """
    every = _counting(card, newest_entries(card, past))
    others = [to_past(entry) for entry in every if entry.payment_id != payment_id]
    archived = NOTHING_ARCHIVED if past else _archived(card, scheme, sold_at)
    return standings.standing_of(scheme, others, sold_at=sold_at, archived=archived)


def tier_at(card: Card, scheme: Scheme, at: datetime) -> Tier | None:
    """The tier that all the card holds gives at a moment; None without tiers."""
    score = score_at(card, scheme, at)
    return None if score is None else score.tier


def score_at(card: Card, scheme: Scheme, at: datetime) -> Score | None:
    """Where all that the card holds puts its member at a moment; None without tiers."""
    if scheme.tiering is None:
        return None
    counts = tier_counts_of(card, scheme)
    period = period_at(scheme.tiering, at, zone=scheme.zone)
    return score_of(scheme.tiering, counts, period=period)


def tier_counts_of(card: Card, scheme: Scheme) -> Counter[int]:
    """What the tiers measure of all the card holds, by number of period."""
    counts = standings.counts_of(scheme, [to_past(entry) for entry in counting(card)])
    counts.update(_tier_counts(_kept(card)))
    return counts


def counting(card: Card) -> tuple[Entry, ...]:
    """The entries that count: all purchases since the card began, or began anew."""
    return _counting(card, card.entries)


def to_past(entry: Entry) -> Past:
    """What is left of what `entry` earned; nothing while it is held."""
    left: Counter[str] = Counter()
    for one in entry.given:
        left[one.rule_id] += one.units - one.back
    counts = entry.is_visit and not entry.held
    return Past(
        sold_at=entry.sold_at,
        units_by_rule={rule: units for rule, units in left.items() if units and not entry.held},
        streaks=entry.visits if counts else (),
        spend_minor=entry.spend_minor if counts else 0,
        is_visit=counts,
    )


def archived_steps(card: Card, rule_id: str) -> frozenset[int]:
    """The steps of a streak that had a visit, by what is in the history."""
    return frozenset(one.period for one in card.counts if one.name == STREAK + rule_id)


def moved(card: Card, gone: Iterable[Entry], scheme: Scheme) -> tuple[Count, ...]:
    """The counts of `card` when the entries `gone` are in the history too."""
    counts = _kept(card) + _tally(_counting(card, gone), scheme)
    _fold_tiers(counts)
    names = dict.fromkeys(name for name, _ in counts)
    return tuple(
        Count(name, period, counts[name, period])
        for name in names
        for period in _asked_for(name, sorted(p for n, p in counts if n == name), scheme)
    )


def returned(card: Card, entry: Entry, scheme: Scheme) -> tuple[Count, ...]:
    """The counts of `card` when `entry` came out of the history."""
    counts = _kept(card)
    counts.subtract(_tally(_counting(card, [entry]), scheme))
    return tuple(
        Count(name, period, units) for (name, period), units in counts.items() if units > 0
    )


def _counting(card: Card, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    since = card.reset_at
    purchases = (one for one in entries if not is_extra(one.payment_id))
    return tuple(one for one in purchases if since is None or one.sold_at >= since)


def _archived(card: Card, scheme: Scheme, sold_at: datetime) -> Archived:
    counts = _kept(card)
    day = local_day(sold_at, scheme.zone)
    steps: dict[str, set[int]] = {}
    for (name, period), _ in counts.items():
        if name.startswith(STREAK):
            steps.setdefault(name.removeprefix(STREAK), set()).add(period)
    return Archived(
        units_by_cap={
            cap_key(rule_id, per): counts[cap_key(rule_id, per), number_of(per, day)]
            for rule_id, per in _caps(scheme)
        },
        count_by_period=_tier_counts(counts),
        streaks={rule_id: frozenset(found) for rule_id, found in steps.items()},
    )


def _tally(entries: Iterable[Entry], scheme: Scheme) -> _Counts:
    """What `entries` count towards, by name and number of period."""
    counts: _Counts = Counter()
    for entry in entries:
        for name, period, units in _counted(to_past(entry), scheme):
            counts[name, period] += units
    return counts


def _counted(past: Past, scheme: Scheme) -> Iterator[tuple[str, int, int]]:
    day = local_day(past.sold_at, scheme.zone)
    for rule_id, per in _caps(scheme):
        units = sum(
            units for rule, units in past.units_by_rule.items() if rule_id in (ALL_RULES, rule)
        )
        yield cap_key(rule_id, per), number_of(per, day), units
    for rule in scheme.rules:
        if rule.rule_id in past.streaks:
            yield STREAK + rule.rule_id, step_of(rule.step, past.sold_at, zone=scheme.zone), 1
    for period, units in standings.counts_of(scheme, [past]).items():
        yield TIER, period, units


def _caps(scheme: Scheme) -> tuple[tuple[str, Per], ...]:
    """Each cap that looks beyond one purchase: whose it is, and over which period."""
    named = [(ALL_RULES, cap.per) for cap in scheme.caps]
    named += [(rule.rule_id, cap.per) for rule in scheme.rules for cap in rule.caps]
    return tuple(dict.fromkeys((name, per) for name, per in named if per is not Per.PURCHASE))


def _kept(card: Card) -> _Counts:
    counts: _Counts = Counter()
    for one in card.counts:
        counts[one.name, one.period] += one.units
    return counts


def _tier_counts(counts: _Counts) -> dict[int, int]:
    return {period: units for (name, period), units in counts.items() if name == TIER}


def _asked_for(name: str, periods: list[int], scheme: Scheme) -> list[int]:
    """The periods of `name` that a sale may still ask for."""
    if name == TIER:
        return periods[-TIER_PERIODS_KEPT:]
    rules = [rule for rule in scheme.rules if STREAK + rule.rule_id == name]
    if not rules:
        return periods[-PERIODS_KEPT:]
    length = rules[0].per
    while len(periods) > STEPS_KEPT + length:
        row = _first_row(periods)
        # Whole streaks go, so that what the rest of the row completes stays the same.
        periods = periods[length:] if len(row) > length else periods[len(row) :]
    return periods


def _fold_tiers(counts: _Counts) -> None:
    """Let the oldest period that is kept stand for the best of those before: once reached is
    reached, where a scheme never takes a tier away.
    """
    periods = sorted(_tier_counts(counts))
    dropped, kept = periods[:-TIER_PERIODS_KEPT], periods[-TIER_PERIODS_KEPT:]
    if dropped:
        counts[TIER, kept[0]] = max(counts[TIER, one] for one in (*dropped, kept[0]))


def _first_row(periods: list[int]) -> list[int]:
    row = periods[:1]
    for period in periods[1:]:
        if period != row[-1] + 1:
            break
        row.append(period)
    return row
