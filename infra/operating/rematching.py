"""Looking again, at once, at every payment of a store's day that waits."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.kernel.ids import PaymentId, StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import store as matching_store
from chalicelib.matching.standing import Waiting
from chalicelib.network import service as network
from chalicelib.purchases import service
from chalicelib.runtime import observability

PUT_OFF = "put_off"
NO_LONGER_WAITED = "no_longer_waited"
_OUTCOMES = {"matched": "why", "payments_ended": "reason", "payments_waiting": "reason"}
_WORDS = {"payments_ended": "ended", "payments_waiting": "waits"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one payment: `matched`, `ended`, `waits`, `put_off`, with the matcher's word."""

    payment_id: PaymentId
    outcome: str
    why: str


def list_waiting(store_id: StoreId, day: date, *, now: datetime) -> list[Waiting]:
    """The payments made at the store on the UTC `day` that wait. :raises NotFound: no such store.

    :raises TryAgain: more than 5,000 wait.
    """
    network.get_store(store_id, now=now)
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    last = midnight + timedelta(days=1) - timedelta.resolution
    return matching_store.list_waiting_between(store_id, midnight, last, now=now)


def look_again(
    waiting: list[Waiting], *, now: datetime, report: Callable[[], None] = lambda: None
) -> list[Looked]:
    """Look for the receipt of each, as the schedule does; `report` is called once for each."""
    looked = []
    for one in waiting:
        looked.append(_look(one, now=now))
        report()
    return looked


def _look(waiting: Waiting, *, now: datetime) -> Looked:
    """The outcome is what the platform itself counts: the last word it says of this payment."""
    heard: list[tuple[str, str]] = []

    def hear(name: str, dimensions: dict[str, str], _by: int) -> None:
        if name in _OUTCOMES:
            heard.append((_WORDS.get(name, name), dimensions[_OUTCOMES[name]]))

    stop = observability.listen(hear)
    try:
        service.settle_waiting(waiting, now=now)
    except TryAgain:
        heard.append((PUT_OFF, ""))
    finally:
        stop()
    outcome, why = heard[-1] if heard else (NO_LONGER_WAITED, "")
    return Looked(waiting.signals.payment_id, outcome, why)


def counted(looked: list[Looked]) -> list[tuple[str, str, int]]:
    """How many came to each outcome, with the matcher's word, most first."""
    counts = Counter((one.outcome, one.why) for one in looked)
    return [(outcome, why, count) for (outcome, why), count in counts.most_common()]
