"""What a charge and a slip say of the card, as one ratio: how much likelier together than apart.

For each fact that both sides give, the share of belonging pairs that agree is set against the share
of strangers that would (Fellegi and Sunter, "A Theory for Record Linkage", 1969). How often
strangers agree is counted on the slips at hand, so a till that prints one auth code for all says
nothing by it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.rates import Digits, Rates, digits_of
from chalicelib.matching.sides import Charge, Slip

CHANCE_MIN = 1e-6  # Of two strangers agreeing by accident: auth codes have six characters.
_FEW_VALUES = frozenset({"scheme", "mid", "tid"})  # Words, of which a store has a handful.


class Fact(NamedTuple):
    """One thing both sides say: which, whether alike, and its ratio."""

    what: str
    agrees: bool
    ratio: float


class Said:
    """How often the slips at hand say what: what an agreement is worth."""

    def __init__(self, slips: Iterable[Slip]) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        for slip in slips:
            self.add(slip)

    def add(self, slip: Slip) -> None:
        """Count what `slip` says."""
        said = (
            ("auth_code", slip.auth_code),
            ("digits", slip.last_four.digits if slip.last_four else None),
            ("scheme", slip.scheme),
            ("mid", slip.mid),
            ("tid", slip.tid),
        )
        for what, value in said:
            if value is not None:
                place = (what, slip.store)
                counts = self._counts.get(place)
                if counts is None:
                    counts = self._counts[place] = Counter()
                counts[value] += 1
                self._totals[place] += 1

    def chance(self, what: str, value: str, store: str, *, apart: int) -> float:
        """How probably a stranger's slip at `store` says `value`.

        `apart`: how many of those counted are set apart, because they are the one that is weighed.
        """
        place = (what, store)
        total = self._totals[place]
        others = self._counts[place][value] - apart if place in self._counts else 0
        if what in _FEW_VALUES:
            return min((others + 1) / (total + 2), 0.999)
        floor = max(CHANCE_MIN, 10.0 ** -len(value))  # A short code says less.
        return min(max(others, 0) / max(total, 1) + floor, 0.999)


def facts_of(
    charge: Charge,
    slip: Slip,
    said: Said,
    rates: Rates,
    seen_with: Mapping[str, Counter[str]] | None = None,
) -> list[Fact]:
    """What both sides say of the card and the place, each with its ratio.

    `seen_with`: digits on slips that were matched to a member before, by member.
    """
    facts: list[Fact] = []
    if charge.auth_code and slip.auth_code:
        facts.append(
            _fact("auth_code", charge.auth_code, slip.auth_code, "auth_code", slip, said, rates)
        )
    if slip.last_four is not None:
        facts += _digits(charge, slip, slip.last_four, said, rates, seen_with)
    if charge.scheme and slip.scheme:
        facts.append(_fact("scheme", charge.scheme, slip.scheme, "scheme", slip, said, rates))
    for what, ours, theirs in (("mid", charge.mids, slip.mid), ("tid", charge.tids, slip.tid)):
        if ours and theirs:
            alike = theirs if theirs in ours else min(ours)
            facts.append(_fact(what, alike, theirs, what, slip, said, rates))
    if charge.par and slip.par:
        agrees = charge.par == slip.par
        share = rates.agrees["par"]
        facts.append(Fact("par", agrees, share / CHANCE_MIN if agrees else 1 - share))
    return facts


def ratio_of(facts: Iterable[Fact]) -> float:
    """All of `facts` together."""
    ratio = 1.0
    for fact in facts:
        ratio *= fact.ratio
    return ratio


def _fact(
    what: str, ours: str, theirs: str, rate: str, slip: Slip, said: Said, rates: Rates
) -> Fact:
    agrees = ours == theirs
    share = rates.agrees[rate]
    chance = said.chance(what, ours, slip.store, apart=int(agrees))
    return Fact(rate, agrees, share / chance if agrees else (1 - share) / (1 - chance))


def _digits(
    charge: Charge,
    slip: Slip,
    theirs: LastFour,
    said: Said,
    rates: Rates,
    seen_with: Mapping[str, Counter[str]] | None,
) -> list[Fact]:
    """Digits of one kind decide; of unsaid kinds they speak; of two kinds they are silent.

    Digits of a device are learned: those on slips that were this member's before.
    """
    ours = charge.last_four
    if ours is not None and ours.digits == theirs.digits:
        kinds = digits_of(ours, theirs)
        if kinds is not Digits.OTHER_KIND:
            rate = "digits_same_kind" if kinds is Digits.SAME_KIND else "digits_unsaid"
            return [_fact("digits", ours.digits, theirs.digits, rate, slip, said, rates)]
    before = seen_with.get(charge.member_id) if seen_with else None
    if before and before[theirs.digits]:
        chance = said.chance("digits", theirs.digits, slip.store, apart=1)
        return [
            Fact("digits_of_device", agrees=True, ratio=rates.agrees["digits_of_device"] / chance)
        ]
    if ours is not None:
        kinds = digits_of(ours, theirs)
        if kinds is Digits.OTHER_KIND:
            return []
        rate = "digits_same_kind" if kinds is Digits.SAME_KIND else "digits_unsaid"
        return [_fact("digits", ours.digits, theirs.digits, rate, slip, said, rates)]
    return _registered(charge, slip, theirs, said, rates)


def _registered(
    charge: Charge, slip: Slip, theirs: LastFour, said: Said, rates: Rates
) -> list[Fact]:
    """The member's registered cards stand in for digits that the bank does not send."""
    comparable = [
        known
        for known in charge.known_last_fours
        if digits_of(known, theirs) is not Digits.OTHER_KIND
    ]
    if any(known.digits == theirs.digits for known in comparable):
        rate = "digits_registered"
        return [_fact("digits", theirs.digits, theirs.digits, rate, slip, said, rates)]
    if any(k.kind is theirs.kind is LastFourKind.CARD for k in comparable):
        known = comparable[0].digits
        return [_fact("digits", known, theirs.digits, "digits_registered", slip, said, rates)]
    return []
