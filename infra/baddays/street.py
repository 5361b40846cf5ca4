"""A street to have bad days on: the local stack whose workers only work when they are told to.

Every purchase on it is an errand: bank and till both tell enough, so that it must end matched. A
bad day ends well when each errand's receipt, and no other, stands once at its bank.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chalicelib.network.model import Provider
from infra.local.calling import Answered, call, call_json
from infra.local.clockwork import SteppableClock
from infra.local.stack import STAGE, Stack

if TYPE_CHECKING:
    from infra.local.errands import Errand
    from infra.local.sandbox_bank import Delivered
    from infra.local.setup import Setting
    from infra.local.town import Brand, Shop, Town

MORNING = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
MEMBERS_PER_PROVIDER = 2
BATCH = 100  # What one post may hold.
DRAIN_SECONDS_MAX = 3_600.0


@dataclass(slots=True)
class Ledger:
    """What a bad day came to. `wrong` are sentences; there should be none."""

    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, name: str, value: int) -> None:
        """Write down a figure that may be anything."""
        self.figures[name] = value

    def check(self, name: str, value: int, expected: int) -> None:
        """Write down a figure that must be as `expected`."""
        self.figures[name] = value
        if value != expected:
            self.wrong.append(f"{name}: {value}, not {expected}")

    def check_within(self, name: str, value: int, least: int, most: int) -> None:
        """Write down a figure that must lie in [`least`, `most`]."""
        self.figures[name] = value
        if not least <= value <= most:
            self.wrong.append(f"{name}: {value}, not within {least} and {most}")


@dataclass
class Street:
    """One running street. Errands are numbered for its whole life."""

    stack: Stack
    setting: "Setting"
    town: "Town"
    clock: SteppableClock
    brand: "Brand"
    made: int = 0

    @property
    def shop(self) -> "Shop":
        """Where everything is bought."""
        return self.brand.shops[0]

    def errands(self, count: int, *, every: timedelta) -> list["Errand"]:
        """`count` errands that end about now, `every` so often, by each member in turn."""
        from infra.local.errands import errand

        began = self.clock.now() - every * count
        people = self.town.people
        made = [
            errand(
                self.made + n,
                people[n % len(people)],
                self.brand,
                self.shop,
                at=(began + every * n).replace(microsecond=0),
            )
            for n in range(count)
        ]
        self.made += count
        return made

    def strangers(self, count: int, *, every: timedelta) -> list[dict[str, Any]]:
        """As many receipts of people whom nobody here knows."""
        from infra.local.errands import strangers_receipt

        began = self.clock.now() - every * count
        first, self.made = self.made, self.made + count
        return [
            strangers_receipt(first + n, self.shop, at=(began + every * n).replace(microsecond=0))
            for n in range(count)
        ]

    def tell(self, errands: Sequence["Errand"]) -> int:
        """The banks tell of `errands`; how many messages did not count as received."""
        from infra.local.sandbox_senders import FLUX_PATHS, Outbox

        outbox = Outbox(now=self.clock.now)
        for provider in Provider:
            told = [e.telling for e in errands if e.payment.person.provider is provider]
            size = BATCH if provider in FLUX_PATHS else max(len(told), 1)
            for at in range(0, len(told), size):
                outbox.send(self.setting.lines[provider], told[at : at + size])
        return len(outbox.undelivered)

    def post(self, receipts: Sequence[dict[str, Any]]) -> Answered:
        """The till posts `receipts` at once."""
        login = self.setting.till_logins[self.brand.retailer_id]
        url = f"{self.stack.base_url}/v1/receipts"
        return call_json("POST", url, list(receipts), headers=login.headers())

    def ring_up(self, receipts: Sequence[dict[str, Any]]) -> int:
        """The till posts `receipts` by the hundred; how many were taken."""
        posts = [receipts[at : at + BATCH] for at in range(0, len(receipts), BATCH)]
        answers = [self.post(post) for post in posts]
        return sum(answer.json()["taken"] for answer in answers if answer.status == 202)

    def work(self) -> int:
        """Let the workers empty the queues; how many messages they handled."""
        return self.stack.pump.drain(seconds_max=DRAIN_SECONDS_MAX)

    def pass_time(self, span: timedelta, *, stride: timedelta, works: bool = True) -> None:
        """Let `span` go by for clocks, queues and schedules; the workers work after each stride."""
        until = self.clock.now() + span
        while (before := self.clock.now()) < until:
            self.clock.step_to(min(until, before + stride))
            now = self.clock.now()
            self.stack.skip_queue_time((now - before).total_seconds())
            self.stack.pump.fire_schedules(after=before, until=now)
            if works:
                self.work()

    def found(self, errand: "Errand") -> str | None:
        """The reference of the receipt that the errand's bank reads, or None."""
        login = self.setting.bank_logins[errand.payment.person.provider]
        path = f"/v1/transactions/{quote(errand.transaction_id, safe='')}/receipt"
        answer = call("GET", self.stack.base_url + path, headers=login.headers())
        reference: str | None = None
        if answer.status == 200:
            reference = answer.json()["receipt"]["reference"]
        return reference

    def at_banks(self, errands: Sequence["Errand"]) -> list["Delivered"]:
        """What the banks hold of `errands`."""
        names = {errand.transaction_id for errand in errands}
        held = self.setting.bank.delivered()
        return [one for one in held if one.transaction_id in names]

    def settle_accounts(self, ledger: Ledger, errands: Sequence["Errand"]) -> None:
        """Each errand has its own receipt, its bank holds it once, and no message is dead."""
        found = {errand.transaction_id: self.found(errand) for errand in errands}
        right = sum(found[e.transaction_id] == e.receipt["reference"] for e in errands)
        wrong = sum(name is not None for name in found.values()) - right
        held = self.at_banks(errands)
        ledger.check("payments with their receipt", right, len(errands))
        ledger.check("payments with another receipt", wrong, 0)
        ledger.check("receipts at the banks", len(held), len(errands))
        ledger.check("receipts there twice", sum(one.copies > 1 for one in held), 0)
        ledger.check("dead messages", self.stack.pump.dead_lettered(), 0)


@contextmanager
def opened(*, seed: int = 7, stage: str = STAGE) -> Iterator[Street]:
    """A running street early in the morning; it stops with the block."""
    clock = SteppableClock(MORNING)
    with Stack(use_clock=clock, stage=stage, polls=False) as stack:
        # These modules know row types, whose import needs the stage that the stack has set.
        from infra.local.setup import set_up
        from infra.local.switching_on import switch_on
        from infra.local.town import Route, build_town

        town = build_town(Random(seed))
        members = [p for p in town.people if p.is_member]
        people = [
            [member for member in members if member.provider is provider][nth]
            for nth in range(MEMBERS_PER_PROVIDER)
            for provider in Provider
        ]
        town = replace(town, people=tuple(people))
        setting = set_up(town, base_url=stack.base_url, now=clock.now, learns=True)
        brand = next(brand for brand in town.brands if brand.route is Route.NATIVE)
        try:
            switch_on(setting, people, now=clock.now())
            clock.step_to(MORNING + timedelta(hours=3))
            yield Street(stack, setting, town, clock, brand)
        finally:
            setting.bank.stop()
