"""How long a payment waits for its receipt, by when receipts arrive and when the matcher looks.

The clocks are learned from the days before; on the last day each payment is looked at after the
store's patience, after one hour, after three, and when the day's file has come. A look sees what
has arrived by then, and no receipt that another payment has already.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import quantiles

from chalicelib.matching.batches import Known, match_jointly
from chalicelib.matching.clocks import TillKey, VotedClocks
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.sides import Charge, Slip
from chalicelib.matching.till_votes import Vote
from infra.matchbench.block import Block
from infra.matchbench.generating import draw_block
from infra.matchbench.scenarios import Split
from infra.matchbench.street import DAY_SECONDS, Arrival, Street

TICK_SECONDS = 300.0  # Looks that fall into the same five minutes are made together.
HOUR = 3_600.0
FILE_LOOK_SECONDS = DAY_SECONDS + 1.5 * HOUR  # After midnight, when the file has surely come.
RECENT_SECONDS = 6 * HOUR  # Older payments of the day have had their looks.
PATIENCE_SECONDS = {
    Arrival.LIVE: 120.0,
    Arrival.QUARTER_HOURS: 1_200.0,
    Arrival.END_OF_DAY: DAY_SECONDS + HOUR,
}
RETAILERS = 6


@dataclass(slots=True)
class Waits:
    """How long payments of one way of arrival waited, in seconds, and what was wrong."""

    payments: int = 0
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)
    at_look: dict[str, int] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        """For the report: shares of payments by look, and the distribution of waits."""
        marks = quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [math.nan] * 99
        return {
            "payments": self.payments,
            "matched": len(self.seconds),
            "wrong": self.wrong,
            "matched_by_look": {k: v / max(1, self.payments) for k, v in self.at_look.items()},
            "seconds": {"half": marks[49], "nine_in_ten": marks[89], "99 in 100": marks[98]},
        }


def measure(
    street: Street,
    *,
    split: Split,
    seed: int,
    retailers: int = RETAILERS,
    arrivals: Sequence[Arrival] = tuple(Arrival),
) -> dict[str, dict[str, object]]:
    """The waits on `street` for each way of arrival."""
    found = {}
    for arrival in arrivals:
        waits = Waits()
        for number in range(retailers):
            random = Random(f"{split.value}-{seed}-waits-{arrival.value}-{number}")
            block = draw_block(replace(street, arrival=arrival), random, name=f"t{number}")
            _Day(block, waits).play()
        found[arrival.value] = waits.told()
    return found


class _Day:
    """The last day of a block, looked at as it goes on."""

    def __init__(self, block: Block, waits: Waits) -> None:
        self._block, self._waits = block, waits
        self._midnight = block.street.starts_at + (block.street.days - 1) * DAY_SECONDS
        self._known = _learned(block, until=self._midnight)
        self._today = [c for c in block.charges if c.at >= self._midnight]
        begins = self._midnight - DAY_SECONDS / 2
        arrived = zip(block.arrived_at, block.slips, strict=True)
        self._arriving = [(at, slip) for at, slip in arrived if slip.at >= begins]

    def play(self) -> None:
        """Make every look, and count."""
        self._waits.payments += len(self._today)
        open_charges = {charge.payment_id: charge for charge in self._today}
        taken: set[str] = set()
        for at, looked in self._ticks():
            due = {p: look for p, look in looked.items() if p in open_charges}
            if not due:
                continue
            near = [c for c in open_charges.values() if at - RECENT_SECONDS <= c.at <= at]
            charges = near if len(due) < len(near) else [open_charges[p] for p in due]
            for payment_id, receipt_id in self._decide(charges, at, taken):
                if payment_id in due:
                    taken.add(receipt_id)
                    charge = open_charges.pop(payment_id)
                    self._count(charge, receipt_id, at, due[payment_id])

    def _ticks(self) -> Iterator[tuple[float, dict[str, str]]]:
        """Moments with the payments to look at, each with the name of its look."""
        patience = PATIENCE_SECONDS[self._block.street.arrival]
        ticks: dict[float, dict[str, str]] = {}
        for charge in self._today:
            looks = {
                "after patience": charge.at + patience,
                "after an hour": charge.at + max(patience, HOUR),
                "after three hours": charge.at + max(patience, 3 * HOUR),
                "after the day's file": self._midnight + FILE_LOOK_SECONDS,
            }
            if self._block.street.arrival is Arrival.END_OF_DAY:
                looks = {"after the day's file": self._midnight + FILE_LOOK_SECONDS}
            for name, at in looks.items():
                tick = math.ceil(at / TICK_SECONDS) * TICK_SECONDS
                ticks.setdefault(tick, {}).setdefault(charge.payment_id, name)
        yield from sorted(ticks.items())

    def _decide(
        self, charges: list[Charge], at: float, taken: set[str]
    ) -> Iterator[tuple[str, str]]:
        earliest = min(charge.at for charge in charges) - RECENT_SECONDS
        here = [
            slip
            for arrived_at, slip in self._arriving
            if arrived_at <= at and slip.at >= earliest and slip.receipt_id not in taken
        ]
        for outcome in match_jointly(charges, here, known=self._known):
            if outcome.receipt_id is not None:
                yield outcome.payment_id, outcome.receipt_id

    def _count(self, charge: Charge, receipt_id: str, at: float, look: str) -> None:
        waits = self._waits
        waits.seconds.append(at - charge.at)
        waits.at_look[look] = waits.at_look.get(look, 0) + 1
        waits.wrong += not self._block.is_right(charge.payment_id, receipt_id)


def _learned(block: Block, *, until: float) -> Known:
    """The clocks as the matches of the days before say."""
    charges = [charge for charge in block.charges if charge.at < until]
    slips = [slip for slip in block.slips if slip.at < until]
    slip_of: dict[tuple[str, int], Slip] = {(s.receipt_id, s.part): s for s in slips}
    votes: dict[TillKey, list[Vote]] = {}
    for charge, outcome in zip(charges, match_jointly(charges, slips), strict=True):
        if outcome.receipt_id is not None:
            slip = slip_of[outcome.receipt_id, outcome.part]
            vote = Vote(charge.at, slip.at - charge.at, charge.payment_id)
            votes.setdefault((slip.store, slip.till), []).append(vote)
    return Known(BELIEVED, VotedClocks(votes))
