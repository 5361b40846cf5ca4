"""What answers are worth, counted so that parts add up: right, wrong, unsure, and how sure."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infra.matchbench.block import Block

# Probabilities are kept by how many nines they have: bin 100 begins at 0.99, bin 150 at 0.999.
BINS_PER_NINE = 50
NINES_MAX = 12
BINS = BINS_PER_NINE * NINES_MAX
_NORMAL_95 = 1.959964


class Answer(NamedTuple):
    """The best receipt for one payment, how sure that is, and why it was taken or not."""

    receipt_id: str | None
    probability: float
    why: str
    is_accepted: bool = True


def bin_of(probability: float) -> int:
    """The bin of a probability; everything above twelve nines is in the last."""
    doubt = 1.0 - probability
    if doubt <= 10.0**-NINES_MAX:
        return BINS - 1
    return min(BINS - 1, int(-math.log10(doubt) * BINS_PER_NINE + 1e-9))


def bin_begins(index: int) -> float:
    """The least probability of a bin."""
    return float(1.0 - 10.0 ** (-index / BINS_PER_NINE))


@dataclass(slots=True)
class Tally:
    """Answers of one matcher, counted. `right` and `wrong` are those that were accepted.

    `known_right` and `known_wrong` count the best receipts by probability, accepted or not, and
    `stated` sums the probabilities: what a threshold would do, and what a probability is worth.
    `waited` counts the accepted by whole seconds from purchase to match, where there is a time.
    """

    payments: int = 0
    with_receipt: int = 0
    right: int = 0
    wrong: int = 0
    disturbed: int = 0
    disturbed_right: int = 0
    disturbed_wrong: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    wrong_reasons: Counter[str] = field(default_factory=Counter)
    waited: Counter[int] = field(default_factory=Counter)
    known_right: list[int] = field(default_factory=lambda: [0] * BINS)
    known_wrong: list[int] = field(default_factory=lambda: [0] * BINS)
    stated: list[float] = field(default_factory=lambda: [0.0] * BINS)

    def count(self, block: Block, payment_id: str, answer: Answer) -> None:
        """Count the answer for one payment."""
        self.payments += 1
        self.with_receipt += block.receipt_by_payment[payment_id] is not None
        is_disturbed = payment_id in block.disturbed
        self.disturbed += is_disturbed
        is_right = False
        if answer.receipt_id is not None:
            is_right = block.is_right(payment_id, answer.receipt_id)
            place = bin_of(answer.probability)
            (self.known_right if is_right else self.known_wrong)[place] += 1
            self.stated[place] += answer.probability
        if answer.receipt_id is None or not answer.is_accepted:
            self.reasons[answer.why] += 1
            return
        self.right += is_right
        self.wrong += not is_right
        self.disturbed_right += is_disturbed and is_right
        self.disturbed_wrong += is_disturbed and not is_right
        if not is_right:
            self.wrong_reasons[answer.why] += 1

    def add(self, other: "Tally") -> None:
        """Count what another counted, too."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.wrong_reasons += other.wrong_reasons
        self.waited += other.waited
        for name in _BINNED:
            ours, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, [a + b for a, b in zip(ours, theirs, strict=True)])

    @property
    def recall(self) -> float:
        """The share of payments with a receipt that got theirs."""
        return self.right / self.with_receipt if self.with_receipt else 0.0

    @property
    def wrong_per_thousand(self) -> float:
        """Strangers' receipts shown, for a thousand payments."""
        return 1_000 * self.wrong / self.payments if self.payments else 0.0

    def waited_at_most(self, share: float) -> int:
        """Within how many seconds `share` of the accepted were; 0 where nothing was."""
        wanted, found = share * self.waited.total(), 0
        for seconds in sorted(self.waited):
            found += self.waited[seconds]
            if found >= wanted:
                return seconds
        return 0

    def wrong_interval(self) -> tuple[float, float]:
        """Between what wrong matches in a thousand lie, at 95 % (Wilson's score interval)."""
        low, high = wilson(self.wrong, self.payments)
        return 1_000 * low, 1_000 * high

    def curve(self) -> list[tuple[float, float, float]]:
        """Threshold, recall and wrong per thousand, from the strictest threshold down."""
        found, right, wrong = [], 0, 0
        for index in reversed(range(BINS)):
            if self.known_right[index] or self.known_wrong[index]:
                right += self.known_right[index]
                wrong += self.known_wrong[index]
                recall = right / max(1, self.with_receipt)
                found.append((bin_begins(index), recall, 1_000 * wrong / max(1, self.payments)))
        return found

    def recall_at(self, wrong: int) -> float:
        """The greatest recall of any threshold with at most so many wrong matches."""
        return max(
            (
                recall
                for _, recall, at in self.curve()
                if at <= 1_000 * (wrong + 1e-6) / self.payments
            ),
            default=0.0,
        )

    def expected_wrong(self, threshold: float) -> float:
        """How many of those above `threshold` are wrong by the probabilities themselves."""
        return sum(self._doubt(index) for index in range(bin_of(threshold), BINS))

    def recall_at_risk(self, wrong: float) -> float:
        """The recall of the lowest threshold by which at most `wrong` matches should be wrong.

        For a contestant whose probabilities are true. It does not depend on which of a few wrong
        matches chance put on top, as `recall_at` does.
        """
        risked, right = 0.0, 0
        for index in reversed(range(BINS)):
            risked += self._doubt(index)
            if risked > wrong:
                break
            right += self.known_right[index]
        return right / max(1, self.with_receipt)

    def _doubt(self, index: int) -> float:
        return self.known_right[index] + self.known_wrong[index] - self.stated[index]

    def calibration(self, low: float, high: float) -> dict[str, Any] | None:
        """Stated against observed for probabilities from `low` to below `high`, if there are."""
        begin = bin_of(low)
        end = BINS if high >= 1.0 else bin_of(high)
        right, wrong = sum(self.known_right[begin:end]), sum(self.known_wrong[begin:end])
        if not right + wrong:
            return None
        observed_low, observed_high = wilson(right, right + wrong)
        return {
            "from": low,
            "to": high,
            "payments": right + wrong,
            "stated": sum(self.stated[begin:end]) / (right + wrong),
            "observed": right / (right + wrong),
            "observed_low": observed_low,
            "observed_high": observed_high,
        }


_NUMBERS = (
    "payments",
    "with_receipt",
    "right",
    "wrong",
    "disturbed",
    "disturbed_right",
    "disturbed_wrong",
    "seconds",
)
_BINNED = ("known_right", "known_wrong", "stated")


def wilson(happened: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (E. B. Wilson, 1927)."""
    if not of:
        return 0.0, 1.0
    share, z2 = happened / of, _NORMAL_95**2
    middle = share + z2 / (2 * of)
    spread = _NORMAL_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + z2 / of)), min(1.0, (middle + spread) / (1 + z2 / of))
