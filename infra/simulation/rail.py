"""A rail in memory: the sandbox bank's paying side, which pays each idempotency key once.

What becomes of a payment follows from the last two digits of its amount, as at the sandbox that
listens (`infra/local/fates.py`); and at `AWAY` the whole rail is away for days.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from infra.local.fates import LATE_LOOKS, REASON_FAILED, REASON_RETURNED, Fate, fate_of

PATH = "/payments"
AWAY = 36  # An amount that ends so is asked of a rail that does not answer for days.
AWAY_FOR = timedelta(days=2)  # A look that comes late in a history still finds it back.
_OK, _UNPROCESSABLE, _NOT_FOUND, _UNAVAILABLE = 200, 422, 404, 503


@dataclass(frozen=True, slots=True)
class Payment:
    """What was asked for under one key, and how it stands. `looks` counts how often it was asked
    about; `orders` how often it was ordered.
    """

    payment_id: str
    asked: str
    status: str
    at: str
    reason: str = ""
    looks: int = 0
    orders: int = 1

    @property
    def reference(self) -> str:
        """What the payee reads: it names one payout."""
        return str(json.loads(self.asked)["reference"])

    @property
    def minor(self) -> int:
        """The amount."""
        return int(json.loads(self.asked)["amount"]["minor"])


RailState = tuple[Mapping[str, Payment], tuple[str, ...], datetime | None]


class SimRail:
    """The rail. `payments` are by key; `contradictions` are keys that came with another order."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self.payments: dict[str, Payment] = {}
        self.contradictions: list[str] = []
        self.key_sent: Callable[[str, int], str] | None = None  # What a planted bug does.
        self._away_until: datetime | None = None
        self._now = now

    def state(self) -> RailState:
        """What it knows now, to come back to."""
        return dict(self.payments), tuple(self.contradictions), self._away_until

    def restore(self, state: RailState) -> None:
        """Know what it knew at `state`."""
        payments, contradictions, self._away_until = state
        self.payments, self.contradictions = dict(payments), list(contradictions)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        """Order or show a payment: the status, and the body's JSON."""
        if method == "POST":
            key = headers["idempotency-key"]
            if self.key_sent is not None:
                key = self.key_sent(key, sum(one.orders for one in self.payments.values()))
            return self._order(key, body.decode())
        return self._show(path.rpartition("/")[2])

    def _order(self, key: str, asked: str) -> tuple[int, Any]:
        minor = int(json.loads(asked)["amount"]["minor"])
        if minor % 100 == AWAY and self._away_until is None:
            self._away_until = self._now() + AWAY_FOR
        if self._is_away:
            return _UNAVAILABLE, None
        known = self.payments.get(key)
        if known is not None and known.asked != asked:
            self.contradictions.append(f"the key {key} came again with another order")
            return _UNPROCESSABLE, None
        if known is not None:
            self.payments[key] = replace(known, orders=known.orders + 1)
            return _OK, _shown(known)
        status, reason = "paid", ""
        match fate_of(minor):
            case Fate.FAILS:
                status, reason = "failed", REASON_FAILED
            case Fate.LATE:
                status = "accepted"
        name = f"sim-{len(self.payments) + 1:06}"
        made = Payment(name, asked, status, self._now().isoformat(), reason)
        self.payments[key] = made
        return _OK, _shown(made)

    def _show(self, key: str) -> tuple[int, Any]:
        if self._is_away:
            return _UNAVAILABLE, None
        known = self.payments.get(key)
        if known is None:
            return _NOT_FOUND, None
        looked = replace(known, looks=known.looks + 1)
        match fate_of(known.minor):
            case Fate.LATE if looked.looks >= LATE_LOOKS and looked.status == "accepted":
                looked = replace(looked, status="paid", at=self._now().isoformat())
            case Fate.RETURNS if looked.status == "paid":
                looked = replace(looked, status="returned", reason=REASON_RETURNED)
        self.payments[key] = looked
        return _OK, _shown(looked)

    @property
    def _is_away(self) -> bool:
        return self._away_until is not None and self._now() < self._away_until


def _shown(payment: Payment) -> dict[str, str]:
    return {
        "id": payment.payment_id,
        "status": payment.status,
        "at": payment.at,
        "reason": payment.reason,
    }
