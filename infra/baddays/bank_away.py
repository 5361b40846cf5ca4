"""A bank that answers 500 for an hour, then 429 with Retry-After, and then accepts."""

from datetime import timedelta

from chalicelib.network.model import Provider
from infra.baddays.street import Ledger, Street

AWAY = timedelta(hours=1)
STRIDE = timedelta(minutes=2)
BUSY = timedelta(minutes=30)
RETRY_AFTER_SECONDS = 600
WRONG_ANSWERS = 100_000  # More than anybody asks for.
# Back-off of 5, 30, 120, 600 and 1,800 seconds: five or six attempts in the first hour, and one
# for every ten minutes of the half hour in which the bank says how long to wait.
ATTEMPTS_MIN, ATTEMPTS_MAX = 5, 11


def play(street: Street, ledger: Ledger, *, size: int) -> None:
    """`size` purchases matched while their bank is away; every second receipt is corrected then."""
    bank = street.setting.bank.endpoint
    people = [p for p in street.town.people if p.provider is Provider.STANDARD]
    errands = [
        e
        for e in street.errands(size * 6, every=timedelta(seconds=20))
        if e.payment.person in people
    ]
    bank.moods.misbehave(500, times=WRONG_ANSWERS)
    street.tell(errands)
    street.ring_up([errand.receipt for errand in errands])
    street.work()
    corrected = [e.receipt | {"version": 2, "notes": ["Corrected"]} for e in errands[::2]]
    street.pass_time(AWAY / 2, stride=STRIDE)
    street.ring_up(corrected)
    street.pass_time(AWAY / 2, stride=STRIDE)
    refused = WRONG_ANSWERS - bank.moods.behave()
    bank.moods.misbehave(429, times=WRONG_ANSWERS, retry_after=str(RETRY_AFTER_SECONDS))
    street.pass_time(BUSY, stride=STRIDE)
    busy = WRONG_ANSWERS - bank.moods.behave()
    street.pass_time(timedelta(hours=3), stride=timedelta(minutes=30))
    deliveries = len(errands) + len(corrected)
    ledger.check_within(
        "attempts that failed", refused + busy, deliveries * 3, deliveries * ATTEMPTS_MAX
    )
    names = {errand.transaction_id for errand in errands}
    told = [t.body["data"] for t in bank.books.told if t.body["data"].get("transaction") in names]
    newest = {one["transaction"]: one["version"] for one in told}
    versions = {e.transaction_id: 2 if n % 2 == 0 else 1 for n, e in enumerate(errands)}
    ledger.check(
        "banks' newest versions that are right",
        sum(newest.get(name) == version for name, version in versions.items()),
        len(errands),
    )
    older = sum(one["version"] < versions[one["transaction"]] for one in told)
    ledger.check("older versions told after all", older, 0)
    ledger.check("messages still waiting", street.stack.pump.waiting(), 0)
    street.settle_accounts(ledger, errands)
