"""The sandbox bank pays: payments by idempotency key, and the feed in which their payees see them.

`POST /payments` and `GET /payments/{key}` are what the rail `sandbox` speaks (`docs/paying-
cashback.md`); `GET /sandbox/feed` shows what arrived on which account. Magic amounts are in
`fates.py`.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.local.fates import LATE_LOOKS, REASON_FAILED, REASON_RETURNED, Fate, fate_of
from infra.local.moods import Moods
from infra.local.serving import NO_ANSWER, Reply, Request


@dataclass(slots=True)
class Payment:
    """One payment. `body` is what was asked for, `looks` how often it was asked about."""

    payment_id: str
    key: str
    body: bytes
    asked: dict[str, Any]
    status: str
    at: str
    reason: str = ""
    looks: int = 0


@dataclass(slots=True)
class PaymentBooks:
    """Payments by key in the order they came, what each account's holder sees, and refusals."""

    payments: dict[str, Payment] = field(default_factory=dict)
    feed: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    refused: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)


class SandboxPayments:
    """The bank's paying side. Other parts of the sandbox bank hand it requests."""

    def __init__(self, *, now: Callable[[], datetime], token: str) -> None:
        self.books = PaymentBooks()
        self.moods = Moods()
        self._now = now
        self._token = token
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        """Answer `POST /payments` or `GET /payments/{key}`."""
        if request.bearer != self._token:
            return Reply(401)
        with self._lock:
            match (request.method, *request.parts[-2:]):
                case ("POST", *_, "payments"):
                    return self._post(request)
                case ("GET", "payments", key):
                    return self._get(key)
        return Reply(404)

    def _post(self, request: Request) -> Reply:
        self.books.posts += 1
        wrong = self.moods.next()
        if wrong is not None:
            return wrong
        key = request.headers.get("idempotency-key", "")
        asked = json.loads(request.body)
        known = self.books.payments.get(key)
        if known is not None:
            return self._conflict(key) if known.body != request.body else _shown(known)
        fate = fate_of(asked["amount"]["minor"])
        if fate is Fate.AWAY_ONCE and key not in self.books.away:
            self.books.away.add(key)
            return Reply(503)
        payment = self._enter(key, request.body, asked, fate)
        return Reply(NO_ANSWER) if fate is Fate.ANSWER_LOST else _shown(payment, 201)

    def _enter(self, key: str, body: bytes, asked: dict[str, Any], fate: Fate) -> Payment:
        at = self._now().isoformat()
        number = len(self.books.payments) + 1
        payment = Payment(f"sbx-{number:06}", key, body, asked, "accepted", at)
        self.books.payments[key] = payment
        match fate:
            case Fate.FAILS:
                payment.status, payment.reason = "failed", REASON_FAILED
            case Fate.LATE:
                pass
            case _:
                self._pay(payment)
        return payment

    def _pay(self, payment: Payment) -> None:
        payment.status, payment.at = "paid", self._now().isoformat()
        asked = payment.asked
        account = asked.get("iban") or f"{asked['sort_code']} {asked['account_number']}"
        shown = {"account": account, "amount": asked["amount"], "reference": asked["reference"]}
        self.books.feed.append(shown | {"payment": payment.payment_id, "at": payment.at})

    def _get(self, key: str) -> Reply:
        payment = self.books.payments.get(key)
        if payment is None:
            return Reply(404)
        payment.looks += 1
        fate = fate_of(payment.asked["amount"]["minor"])
        if fate is Fate.LATE and payment.looks >= LATE_LOOKS and payment.status == "accepted":
            self._pay(payment)
        if fate is Fate.RETURNS and payment.status == "paid":
            payment.status, payment.reason = "returned", REASON_RETURNED
        return _shown(payment)

    def _conflict(self, key: str) -> Reply:
        self.books.refused.append(f"{key}: the same key with another body")
        return Reply(422)


def _shown(payment: Payment, status: int = 200) -> Reply:
    shown = {"id": payment.payment_id, "status": payment.status, "at": payment.at}
    return Reply(status, shown | {"reason": payment.reason})
