"""Playing a day: everything is sent at its time, and between two strides the world catches up."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.network.model import Provider
from chalicelib.runtime import queues
from infra.local.bank_messages import monzo_transaction, starling_feed_item
from infra.local.clockwork import SteppableClock
from infra.local.highstreet import Day
from infra.local.postings import FromBank, FromTills
from infra.local.sandbox_bank import SandboxBank
from infra.local.sandbox_senders import Outbox
from infra.local.sandbox_starling import SandboxStarling
from infra.local.sandbox_till import send_receipts
from infra.local.setup import Setting
from infra.local.stack import Stack
from infra.local.town import Route

STRIDE = timedelta(minutes=30)
TEST_CARD = "4242 4242 4242 4242"  # A public test number; the platform must not take it in.
POISON = '{"v":1,"retailer_id":"nobody-knows","received_at":"yesterday","receipts":"none"}'

Progress = Callable[[int], None]


@dataclass(slots=True)
class Played:
    """What was sent, and how it was answered. `unexpected` are sentences; there should be none."""

    payments_sent: int = 0
    receipts_sent: int = 0
    duplicates_sent: int = 0
    by_provider: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)


class Player:
    """Plays one day on a running stack."""

    def __init__(self, stack: Stack, clock: SteppableClock, setting: Setting) -> None:
        self._stack = stack
        self._clock = clock
        self._setting = setting
        self._outbox = Outbox(now=clock.now)
        self._caught_up_at = clock.now()
        self.played = Played()

    def play(self, day: Day, *, progress: Progress) -> Played:
        """Send the whole day; `progress(n)` hears of every `n` messages sent."""
        misdeeds = [
            (day.midnight + timedelta(hours=11), self._forge),
            (day.midnight + timedelta(hours=15), self._slip_in_a_card_number),
            (day.midnight + timedelta(hours=16), self._poison),
        ]
        for post in day.posts:
            while misdeeds and misdeeds[0][0] <= post.at:
                misdeeds.pop(0)[1](day)
            self._step_to(post.at)
            if isinstance(post, FromBank):
                self._post_payments(post)
            else:
                self._post_receipts(post)
            progress(1)
        self.catch_up()
        return self.played

    def catch_up(self) -> None:
        """Drain the queues, let their time pass, and fire the schedules that fell due."""
        now = self._clock.now()
        self._stack.pump.drain()
        self._stack.skip_queue_time((now - self._caught_up_at).total_seconds())
        self._stack.pump.fire_schedules(after=self._caught_up_at, until=now)
        self._stack.pump.drain()
        self._caught_up_at = now

    def _step(self, instant: datetime) -> None:
        with self._stack.pump.at_rest():
            self._clock.step_to(instant)

    def go_on(self, until: datetime, *, stride: timedelta) -> None:
        """Let time pass without messages from outside."""
        while self._clock.now() < until:
            self._step(min(until, self._clock.now() + stride))
            self.catch_up()

    def _step_to(self, at: datetime) -> None:
        while self._caught_up_at + STRIDE <= at:
            self._step(self._caught_up_at + STRIDE)
            self.catch_up()
        self._step(at)

    def _post_payments(self, post: FromBank) -> None:
        provider = post.tellings[0].payment.person.provider
        for telling in post.tellings:
            if provider is Provider.MONZO:
                self._setting.bank.monzo.enter(monzo_transaction(telling))
            if provider is Provider.STARLING:
                self._setting.bank.starling.enter(starling_feed_item(telling))
        answers = self._outbox.send(self._setting.lines[provider], post.tellings)
        for answer in answers:
            if answer.status != 200:
                self.played.unexpected.append(f"{provider.value} answered {answer.status}")
        self.played.payments_sent += len(post.tellings)
        self.played.by_provider[provider.value] += len(post.tellings)
        self.played.duplicates_sent += len(post.tellings) if post.is_repeat else 0

    def _post_receipts(self, post: FromTills) -> None:
        brand = post.brand
        answer = send_receipts(
            brand.route,
            self._setting.till_logins[brand.retailer_id],
            post.receipts,
            retailer_id=brand.retailer_id,
            now=self._clock.now(),
        )
        if answer.status != 202:
            text = answer.body.decode("utf-8", "replace")[:300]
            self.played.unexpected.append(f"{brand.retailer_id}: {answer.status} {text}")
        self.played.receipts_sent += len(post.receipts)
        self.played.duplicates_sent += len(post.receipts) if post.is_repeat else 0

    def _forge(self, day: Day) -> None:
        """Somebody without Starling's key sends a payment as if from Starling."""
        telling = next(
            post.tellings[0]
            for post in day.posts
            if isinstance(post, FromBank)
            and post.tellings[0].payment.person.provider is Provider.STARLING
        )
        forger = SandboxStarling(api_token="")
        forger.stop()
        outbox = Outbox(now=self._clock.now)
        line = self._setting.lines[Provider.STARLING]
        answer = outbox.post_one(line, telling, sign=forger.sign)
        if answer.status != 401:
            self.played.unexpected.append(f"a forged signature was answered {answer.status}")

    def _slip_in_a_card_number(self, day: Day) -> None:
        """A till prints a whole card number on one receipt among five."""
        brand = next(brand for brand in day.town.brands if brand.route is Route.NATIVE)
        good = [sale.receipt for sale in day.sales if sale.brand is brand][:4]
        bad = good[0] | {"reference": "card-number", "notes": [f"Paid with {TEST_CARD}"]}
        login = self._setting.till_logins[brand.retailer_id]
        now = self._clock.now()
        answer = send_receipts(
            brand.route, login, [*good, bad], retailer_id=brand.retailer_id, now=now
        )
        refused: list[dict[str, Any]] = answer.json().get("refused", [])
        codes = [(one.get("index"), one.get("code")) for one in refused]
        if answer.status != 202 or codes != [(4, "card_number")]:
            self.played.unexpected.append(f"a card number was answered {answer.status} {codes}")
        if TEST_CARD in json.dumps(answer.json()):
            self.played.unexpected.append("a card number was repeated in the answer")

    def _poison(self, _day: Day) -> None:
        """A retailer's own system puts rubbish straight on the queue."""
        queues.send(queues.RECEIPTS, [POISON])


def misbehave(bank: SandboxBank) -> None:
    """Banks have bad moments: busy, down, and slow to say when to come back."""
    bank.monzo.moods.misbehave(500, times=2)
    bank.starling.moods.misbehave(429, times=2, retry_after="120")
    bank.endpoint.moods.misbehave(503, times=3)
