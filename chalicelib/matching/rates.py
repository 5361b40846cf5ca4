"""How often things happen: what the matcher believes of a trade, and how it learns it.

Each rate is a share in (0, 1). Beliefs are Beta distributions given as two counts, so a handful of
payments moves them little and a file of a year decides them alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.matching.amounts import TIPS_BELIEVED, TipLaw
from chalicelib.matching.nearby import Nearby
from chalicelib.matching.prices import Prices

MISSING_MIN, MISSING_MAX = 0.001, 0.999
KINDS_HOLD_FROM = 0.998  # Of digits of one kind, agreeing. Of fewer, tills call kinds wrongly.


class Digits(Enum):
    """How the kinds of two last four digits stand to each other."""

    SAME_KIND = "same_kind"  # they end the same number: differing digits are two cards
    UNSAID = "unsaid"  # one side does not say; with wallets they differ often
    OTHER_KIND = "other_kind"  # they end different numbers, and say nothing


def digits_of(ours: LastFour, theirs: LastFour) -> Digits:
    """How the digits' kinds stand to each other."""
    if LastFourKind.UNKNOWN in (ours.kind, theirs.kind):
        return Digits.UNSAID
    return Digits.SAME_KIND if ours.kind is theirs.kind else Digits.OTHER_KIND


def is_other_card(told: Collection[LastFour], theirs: LastFour) -> bool:
    """Whether `theirs` ends another number than those of its kind that were `told` of a payment.

    Digits of other kinds, and of kinds that nobody said, say nothing of that.
    """
    comparable = [ours for ours in told if digits_of(ours, theirs) is Digits.SAME_KIND]
    return bool(comparable) and all(ours.digits != theirs.digits for ours in comparable)


# What agrees, of payments and slips that belong together and both say it: (agreed, differed).
AGREEMENT_BELIEVED: Mapping[str, tuple[float, float]] = {
    "auth_code": (2000.0, 1.0),
    "digits_same_kind": (2000.0, 0.4),
    "digits_unsaid": (8.0, 2.0),
    "digits_registered": (200.0, 2.0),
    "digits_of_device": (8.0, 4.0),
    "scheme": (1000.0, 1.0),
    "mid": (400.0, 2.0),
    "tid": (400.0, 2.0),
    "par": (5000.0, 0.5),
    "place": (18.0, 2.0),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """What the matcher believes.

    - `missing`: of payments whose receipt is not among those at hand, all stores alike.
    - `missing_at`: the same where a store has enough payments to say it by itself.
    - `missing_near`: how it went about each moment, where missing receipts come in runs; the
      store's average counts as `missing_firmness` payments beside it.
    - `tipped`: of payments above what the till printed, by a tip that the till does not know.
    - `tips`: how guests tip.
    - `agrees`: of pairs that belong together and both say it, those that say the same.
    - `agrees_at`: the same of a till, for what some tills have wrong altogether and others never.
    - `prices_at`: how often each sum is paid at a store, beside what is at hand.
    - `differs_at`: of a till's other pairs, those that say different things. What a pair that
      differs weighs is not its own word.
    """

    missing: float = 0.02
    missing_at: Mapping[str, float] = field(default_factory=dict)
    missing_near: Mapping[str, Nearby] = field(default_factory=dict)
    missing_firmness: float = 1e6
    tipped: float = 0.002
    tipped_at: Mapping[str, float] = field(default_factory=dict)
    tips: TipLaw = TIPS_BELIEVED
    agrees: Mapping[str, float] = field(
        default_factory=lambda: {what: a / (a + d) for what, (a, d) in AGREEMENT_BELIEVED.items()}
    )
    agrees_at: Mapping[tuple[str, str, str | None], float] = field(default_factory=dict)
    differs_at: Mapping[tuple[str, str, str | None], float] = field(default_factory=dict)
    prices_at: Mapping[str, Prices] = field(default_factory=dict)

    @property
    def do_kinds_hold(self) -> bool:
        """Whether digits of one kind that differ are two cards, as far as is known."""
        return self.agrees["digits_same_kind"] >= KINDS_HOLD_FROM

    def agrees_for(self, what: str, store: str, till: str | None) -> float:
        """The share of pairs of a till that say the same of `what`."""
        return self.agrees_at.get((what, store, till), self.agrees[what])

    def differs_for(self, what: str, store: str, till: str | None) -> float:
        """The share of pairs of a till, without the one in question, that differ in `what`."""
        return self.differs_at.get((what, store, till), 1 - self.agrees[what])

    def missing_for(self, store: str, *, at: float | None = None) -> float:
        """The share of payments at `store` that find no receipt, about `at` where that is known."""
        average = self.missing_at.get(store, self.missing)
        nearby = self.missing_near.get(store) if at is not None else None
        if nearby is None or at is None:
            return average
        share = nearby.share(at, average=average, firmness=self.missing_firmness)
        return min(max(share, MISSING_MIN), MISSING_MAX)

    def prices_for(self, store: str) -> Prices | None:
        """How often each sum was paid at `store`; None where all that is known is at hand."""
        return self.prices_at.get(store)

    def tipped_for(self, store: str) -> float:
        """The share of payments at `store` above what the till printed."""
        return self.tipped_at.get(store, self.tipped)


BELIEVED = Rates()

# Where rates are to be learned, the first look lets a till whose codes never agree show itself.
AT_FIRST = replace(BELIEVED, agrees={**BELIEVED.agrees, "auth_code": 0.8})
