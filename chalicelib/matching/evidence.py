"""What a charge and a slip say of the card, as one ratio: how much likelier together than apart.

For each fact that both sides give, the share of belonging pairs that agree is set against the share
of strangers that would (Fellegi and Sunter, "A Theory for Record Linkage", 1969). How often
strangers agree is counted on the slips at hand, so a till that prints one auth code for all says
nothing by it.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.clocks import TillKey
from chalicelib.matching.rates import Digits, Rates, digits_of
from chalicelib.matching.sides import Charge, Slip

REPEATS_FROM = 0.002  # Of slips; fewer are accidents.
CHANCE_MIN = 1e-6  # Of two strangers agreeing by accident: auth codes have six characters.
_FEW_VALUES = frozenset({"scheme", "mid", "tid"})  # Words, of which a store has a handful.


class Fact(NamedTuple):
    """One thing both sides say: which, whether alike, and its ratio."""

    what: str
    agrees: bool
    ratio: float


class Said:
    """How often the slips at hand say what: what an agreement is worth.

    `slips` come in order of time, so that a till is seen that prints the code of the sale before.
    """

    def __init__(self, slips: Iterable[Slip]) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._totals: Counter[tuple[str, str]] = Counter()
        self._last_codes: dict[TillKey, str] = {}
        self._repeating: set[tuple[str, int]] = set()
        self._repeats: Counter[TillKey] = Counter()
        self._coded: Counter[TillKey] = Counter()
        for slip in slips:
            self._add(slip)

    def _add(self, slip: Slip) -> None:
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
        if slip.auth_code:
            till = (slip.store, slip.till)
            if self._last_codes.get(till) == slip.auth_code:
                self._repeating.add((slip.receipt_id, slip.part))
                self._repeats[till] += 1
            self._coded[till] += 1
            self._last_codes[till] = slip.auth_code

    def chance(self, what: str, value: str, stores: Iterable[str], *, apart: int) -> float:
        """How probably a stranger's slip at one of `stores` says `value`.

        `apart`: how many of those counted are set apart, because they are the one that is weighed.
        """
        total, alike = 0, -apart
        for store in stores:
            counts = self._counts.get((what, store))
            if counts is not None:
                total += self._totals[what, store]
                alike += counts[value]
        if what in _FEW_VALUES:
            return min((alike + 1) / (total + 2), 0.999)
        floor = max(CHANCE_MIN, 10.0 ** -len(value))  # A short code says less.
        return min(max(alike, 0) / max(total, 1) + floor, 0.999)

    def chance_of_code(self, slip: Slip, code: str, *, agrees: bool) -> float:
        """How probably a stranger's slip at the store of `slip` has the auth code `code`.

        A till that prints the code of the sale before does it unseen, too: after a slip that did
        the same, or one that never came.
        """
        chance = self.chance("auth_code", code, (slip.store,), apart=int(agrees))
        till = (slip.store, slip.till)
        repeats = self._repeats[till] / max(self._coded[till], 1)
        if not agrees or repeats < REPEATS_FROM:
            return chance
        if (slip.receipt_id, slip.part) in self._repeating:
            return max(chance, 0.5)
        return max(chance, 0.5 * repeats * repeats)


class SeenWith:
    """The digits on slips that surely were a member's: of wallets and cards no bank tells of."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._by_payment: dict[str, str] = {}

    def add(self, charge: Charge, digits: str) -> None:
        """`charge` was surely paid with a card or device whose number ends in `digits`."""
        self._counts.setdefault(charge.member_id, Counter())[digits] += 1
        self._by_payment[charge.payment_id] = digits

    def knows(self, charge: Charge, theirs: LastFour) -> bool:
        """Whether the member was seen with these digits before; its own word does not count.

        What is known beforehand yields to the bank, where that says digits of the same kind.
        """
        digits, ours = theirs.digits, charge.last_four
        if digits in charge.device_digits:
            return ours is None or digits_of(ours, theirs) is not Digits.SAME_KIND
        seen = self._counts.get(charge.member_id)
        own = self._by_payment.get(charge.payment_id) == digits
        return seen is not None and seen[digits] > int(own)


NOTHING_SEEN = SeenWith()


def facts_of(
    charge: Charge,
    slip: Slip,
    said: Said,
    rates: Rates,
    seen_with: SeenWith = NOTHING_SEEN,
) -> list[Fact]:
    """What both sides say of the card and the place, each with its ratio.

    `seen_with`: digits on slips that were a member's before, beside those the charge knows of.
    """
    facts: list[Fact] = []
    if charge.auth_code and slip.auth_code:
        codes = (charge.auth_code, slip.auth_code)
        facts.append(_fact("auth_code", codes, charge, slip, said, rates))
    if slip.last_four is not None:
        facts += _digits(charge, slip, slip.last_four, said, rates, seen_with)
    if charge.scheme and slip.scheme:
        schemes = (charge.scheme, slip.scheme)
        facts.append(_fact("scheme", schemes, charge, slip, said, rates))
    for what, ours, theirs in (("mid", charge.mids, slip.mid), ("tid", charge.tids, slip.tid)):
        if ours and theirs:
            alike = theirs if theirs in ours else min(ours)
            facts.append(_fact(what, (alike, theirs), charge, slip, said, rates))
    if charge.par and slip.par:
        agrees = charge.par == slip.par
        share = rates.agrees["par"]
        facts.append(Fact("par", agrees, share / CHANCE_MIN if agrees else 1 - share))
    if charge.near:
        facts.append(_of_place(charge, slip, rates.agrees["place"]))
    return facts


def _of_place(charge: Charge, slip: Slip, right: float) -> Fact:
    """What it says that the slip's store stands where the bank says, which is `right` as often."""
    chance = len(charge.near) / len(charge.stores)
    agrees = slip.store in charge.near
    return Fact("place", agrees, right / chance if agrees else (1 - right) / (1 - chance))


def ratio_of(facts: Iterable[Fact]) -> float:
    """All of `facts` together."""
    ratio = 1.0
    for fact in facts:
        ratio *= fact.ratio
    return ratio


def _fact(
    rate: str, pair: tuple[str, str], charge: Charge, slip: Slip, said: Said, rates: Rates
) -> Fact:
    """What `pair` says, ours and theirs, where pairs that belong together agree at `rate`."""
    ours, theirs = pair
    agrees = ours == theirs
    what = "digits" if rate.startswith("digits") else rate
    if what == "auth_code":
        chance = said.chance_of_code(slip, ours, agrees=agrees)
    else:
        # A store's own number says nothing against its own slips, but much against its neighbours'.
        stores = charge.stores if what in _FEW_VALUES else (slip.store,)
        chance = said.chance(what, ours, stores, apart=int(agrees))
    if agrees:
        return Fact(rate, agrees, rates.agrees_for(rate, slip.store, slip.till) / chance)
    differs = rates.differs_for(rate, slip.store, slip.till)
    return Fact(rate, agrees, min(differs / (1 - chance), 1.0))


def _digits(
    charge: Charge,
    slip: Slip,
    theirs: LastFour,
    said: Said,
    rates: Rates,
    seen_with: SeenWith,
) -> list[Fact]:
    """Digits of one kind decide; of unsaid kinds they speak; of two kinds they are silent.

    Digits of a device are learned: those on slips that were this member's before.
    """
    ours = charge.last_four
    if ours is not None and ours.digits == theirs.digits:
        kinds = digits_of(ours, theirs)
        if kinds is not Digits.OTHER_KIND:
            rate = "digits_same_kind" if kinds is Digits.SAME_KIND else "digits_unsaid"
            return [_fact(rate, (ours.digits, theirs.digits), charge, slip, said, rates)]
    if seen_with.knows(charge, theirs):
        chance = said.chance("digits", theirs.digits, (slip.store,), apart=1)
        return [
            Fact("digits_of_device", agrees=True, ratio=rates.agrees["digits_of_device"] / chance)
        ]
    if ours is not None:
        kinds = digits_of(ours, theirs)
        if kinds is Digits.OTHER_KIND:
            return []
        rate = "digits_same_kind" if kinds is Digits.SAME_KIND else "digits_unsaid"
        return [_fact(rate, (ours.digits, theirs.digits), charge, slip, said, rates)]
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
        return [_fact(rate, (theirs.digits, theirs.digits), charge, slip, said, rates)]
    if any(k.kind is theirs.kind is LastFourKind.CARD for k in comparable):
        known = comparable[0].digits
        return [_fact("digits_registered", (known, theirs.digits), charge, slip, said, rates)]
    return []
