"""A rule in the shape of the best public matcher, as a published description of it says.

A receipt is a candidate where store and amount are exactly the payment's and no payment has it
yet. With an auth code on the payment, the candidates of that code and calendar day; where there are
none, those within a fixed window. One is accepted, whatever its card digits; several are narrowed,
by time and then by digits; still several: no match. Refunds never take part. Payments come in
their order. As a favour, any amount that the bank named may agree, not its newest word alone.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter

from chalicelib.matching.sides import Charge, ChargeKind, Slip
from infra.matchbench.judging import Answer
from infra.matchbench.street import DAY_SECONDS

_AT = attrgetter("at")


class PeerRule:
    """The rule with one window to both sides, over the slips of one retailer."""

    def __init__(self, slips: Iterable[Slip], *, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._taken: set[tuple[str, int]] = set()
        self._same_amount: dict[tuple[str, int, str], list[Slip]] = defaultdict(list)
        for slip in slips:
            if not slip.is_return:
                self._same_amount[slip.store, slip.amount_minor, slip.currency].append(slip)
        for same in self._same_amount.values():
            same.sort(key=_AT)

    def answers(self, charges: Iterable[Charge]) -> Iterator[Answer]:
        """One answer for each charge, in their order."""
        for charge in charges:
            slip, why = self._decide(charge)
            if slip is None:
                yield Answer(None, 0.0, why)
            else:
                self._taken.add((slip.receipt_id, slip.part))
                yield Answer(slip.receipt_id, 1.0, why)

    def _decide(self, charge: Charge) -> tuple[Slip | None, str]:
        if charge.kind is ChargeKind.REFUND:
            return None, "refund"
        candidates = self._same_code(charge) or list(self._within(charge))
        for narrowed in (self._near(charge, candidates), self._same_digits(charge, candidates)):
            if len(candidates) > 1 and narrowed:
                candidates = narrowed
        if len(candidates) == 1:
            return candidates[0], "only_candidate"
        return None, "several_receipts" if candidates else "no_receipt"

    def _free(self, charge: Charge, *, before: float, after: float) -> Iterator[Slip]:
        for store in charge.stores:
            for amount, currency in charge.amounts:
                same = self._same_amount.get((store, amount, currency), [])
                begin = bisect_left(same, charge.at - before, key=_AT)
                end = bisect_right(same, charge.at + after, key=_AT)
                for slip in same[begin:end]:
                    if (slip.receipt_id, slip.part) not in self._taken:
                        yield slip

    def _same_code(self, charge: Charge) -> list[Slip]:
        if not charge.auth_code:
            return []
        day = charge.at // DAY_SECONDS
        same_day = self._free(
            charge,
            before=charge.at - day * DAY_SECONDS,
            after=(day + 1) * DAY_SECONDS - charge.at - 1,
        )
        return [slip for slip in same_day if slip.auth_code == charge.auth_code]

    def _within(self, charge: Charge) -> Iterator[Slip]:
        return self._free(charge, before=self._window_seconds, after=self._window_seconds)

    def _near(self, charge: Charge, candidates: list[Slip]) -> list[Slip]:
        return [s for s in candidates if abs(s.at - charge.at) <= self._window_seconds]

    def _same_digits(self, charge: Charge, candidates: list[Slip]) -> list[Slip]:
        known = (charge.last_four,) if charge.last_four else charge.known_last_fours
        digits = {four.digits for four in known}
        return [s for s in candidates if s.last_four and s.last_four.digits in digits]
