"""The targets, and how a cell or a group stands to each."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.matchbench.contestants import ORACLE, OURS
from infra.matchbench.judging import Tally, wilson
from infra.matchbench.oracle import THRESHOLD

WRONG_WITH_FACTS_MAX = 0.1  # per thousand payments, where most sales carry codes or digits
WRONG_WITHOUT_MAX = 1.0
ORACLE_SHARE_MIN = 0.95
CALIBRATION_MAX = 0.002
PAIRS_PER_SECOND_MIN = 50_000.0
CALIBRATED = ((0.9, 0.99), (0.99, 0.999), (0.999, 0.9999), (0.9999, 1.0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, what was measured, and whether it is met, missed, or missed within chance.

    `by_chance` says that the bound lies within the 95 % interval of what was measured.
    """

    what: str
    measured: float
    bound: float
    is_met: bool
    by_chance: bool = False

    @property
    def word(self) -> str:
        """How a reader is told."""
        return "met" if self.is_met else ("within chance" if self.by_chance else "missed")


def share_of_oracle(tallies: dict[str, Tally], *, of: str = OURS) -> float:
    """The recall of `of` as a share of the oracle's at the same wrong rate.

    The oracle may risk as many wrong matches as we made or, where chance made fewer, as many as our
    probabilities say we risked; and never fewer than its own threshold risks, so that a matcher
    that learned more than the oracle knows (the numbers in phones) does not shrink it.
    """
    ours, oracle = tallies[of], tallies[ORACLE]
    risked = max(
        float(ours.wrong), ours.expected_wrong(THRESHOLD), oracle.expected_wrong(THRESHOLD)
    )
    best = oracle.recall_at_risk(risked)
    return ours.recall / best if best else 1.0


def verdicts(tallies: dict[str, Tally], *, has_card_facts: bool) -> list[Verdict]:
    """How one cell stands to every target."""
    ours = tallies[OURS]
    share = share_of_oracle(tallies)
    return [
        _rarely_wrong(ours, has_card_facts=has_card_facts),
        _found_enough(tallies, share),
        *(_calibrated(ours, *edges) for edges in CALIBRATED if edges[0] >= 0.99),
    ]


def live_verdicts(live: Tally, *, has_card_facts: bool) -> list[Verdict]:
    """How the platform's own decision stands to the targets that it has, which are of trust.

    It names no receipt that it does not accept, so nothing is known below its threshold.
    """
    return [
        _rarely_wrong(live, has_card_facts=has_card_facts),
        *(_calibrated(live, *edges) for edges in CALIBRATED if edges[0] >= THRESHOLD),
    ]


def _rarely_wrong(ours: Tally, *, has_card_facts: bool) -> Verdict:
    bound = WRONG_WITH_FACTS_MAX if has_card_facts else WRONG_WITHOUT_MAX
    low, _ = ours.wrong_interval()
    measured = ours.wrong_per_thousand
    return Verdict("wrong per 1,000", measured, bound, measured <= bound, low <= bound)


def _found_enough(tallies: dict[str, Tally], share: float) -> Verdict:
    ours = tallies[OURS]
    _, high = wilson(ours.right, ours.with_receipt)
    highest = share * high / ours.recall if ours.recall else 0.0
    what = "share of the oracle's recall"
    is_chance = highest >= ORACLE_SHARE_MIN
    return Verdict(what, share, ORACLE_SHARE_MIN, share >= ORACLE_SHARE_MIN, is_chance)


def _calibrated(ours: Tally, low: float, high: float) -> Verdict:
    what = f"stated less observed, {low} to {high}"
    found = ours.calibration(low, high)
    if found is None:
        return Verdict(what, 0.0, CALIBRATION_MAX, is_met=True)
    off = found["stated"] - found["observed"]
    nearest = min(max(found["stated"], found["observed_low"]), found["observed_high"])
    is_chance = abs(found["stated"] - nearest) <= CALIBRATION_MAX
    return Verdict(what, off, CALIBRATION_MAX, abs(off) <= CALIBRATION_MAX, is_chance)


def as_told(found: Iterable[Verdict]) -> list[dict[str, Any]]:
    """For the report."""
    return [{**asdict(one), "verdict": one.word} for one in found]


def summed(all_tallies: Iterable[dict[str, Tally]]) -> dict[str, Tally]:
    """Several cells counted as one."""
    whole: dict[str, Tally] = {}
    for tallies in all_tallies:
        for name, tally in tallies.items():
            whole.setdefault(name, Tally()).add(tally)
    return whole


def told(tally: Tally) -> dict[str, Any]:
    """Everything that a report says of one contestant."""
    low, high = wilson(tally.right, tally.with_receipt)
    return {
        "payments": tally.payments,
        "with_receipt": tally.with_receipt,
        "right": tally.right,
        "wrong": tally.wrong,
        "recall": tally.recall,
        "recall_interval": (low, high),
        "wrong_per_thousand": tally.wrong_per_thousand,
        "wrong_interval": tally.wrong_interval(),
        "abstained": dict(tally.reasons.most_common()),
        "wrong_by_reason": dict(tally.wrong_reasons.most_common()),
        "at_disturbed_tills": {
            "payments": tally.disturbed,
            "right": tally.disturbed_right,
            "wrong": tally.disturbed_wrong,
        },
        "seconds": tally.seconds,
        "curve": _thinned(tally.curve()),
        "calibration": [
            found for edges in CALIBRATED if (found := tally.calibration(*edges)) is not None
        ],
    }


def _thinned(curve: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """The curve where it moves: recall by a thousandth, or wrong at all. Above a half."""
    kept: list[tuple[float, float, float]] = []
    for point in curve:
        moved = not kept or point[1] - kept[-1][1] >= 0.001 or point[2] > kept[-1][2]
        if point[0] >= 0.5 and moved:
            kept.append(point)
    return kept


def verdicts_table(report: Mapping[str, Any], shown: Collection[str]) -> str:
    """The targets of a report's streets whose verdict is one of `shown`; empty if there is none."""
    lines = ["| group | street | target | measured | bound | |", "|---|---|---|---:|---:|---|"]
    for group in report["groups"].values():
        for name, one in group["cells"].items():
            lines += [
                f"| {group['title']} | {name} | {verdict['what']} | {verdict['measured']:.4f} "
                f"| {verdict['bound']} | {verdict['verdict']} |"
                for verdict in one["verdicts"]
                if verdict["verdict"] in shown
            ]
    return "\n".join(lines) if len(lines) > 2 else ""
