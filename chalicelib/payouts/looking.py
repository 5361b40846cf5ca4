"""Looking up what was sent, when it is due: soon at first, then ever more rarely.

What the rail still has is asked for after minutes, then hours, then daily. What it executed is
asked for twice more, because money can come back and the word of it can be lost. A payout of which
nothing is known for long is counted, so that an alarm wakes a person.
"""

from datetime import datetime, timedelta

from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.payouts import sending
from chalicelib.payouts.model import Instruction, NoSuchPayout, PayoutState
from chalicelib.payouts.orders import store
from chalicelib.payouts.orders.store import LookUp
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.rails.ports import ASKED
from chalicelib.runtime import observability, vault

# After the first send. Faster Payments take seconds, files and banks a day or two.
LOOKS_AFTER = (
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=5),  # Within the life of TrueLayer's idempotency keys.
    timedelta(hours=12),
)
LOOKS_EVERY = timedelta(days=1)
RETURNS_LOOKED_FOR_AFTER = (timedelta(days=1), timedelta(days=4))
OVERDUE_AFTER = timedelta(days=3)  # Every rail here has paid or refused by then.
GIVEN_UP_AFTER = timedelta(days=60)  # By then a person has settled it, or reconciliation rings.


def look_up_due(*, now: datetime) -> int:
    """Ask for every payout whose look is due; returns how many were looked at.

    One that meets an obstacle stays due. At most 50 of each of eight shards a run.
    """
    looked = 0
    for shard in range(store.SHARDS):
        for due in store.list_due(shard, now=now):
            looked += _look(due, now=now)
    return looked


def _look(due: LookUp, *, now: datetime) -> bool:
    """Look once. The next look is put down before this one is dropped."""
    try:
        instruction = sending.look_up(due.payout_id, now=now)
    except NoSuchPayout:
        store.drop_look_up(due)
        return False
    except TryAgain:
        observability.count("payout_looks_put_off", reason="try_again")
        return False
    except (Rejected, vault.Unreadable):  # What stands there cannot be used; others come first.
        observability.warn("a payout cannot be looked up", id=due.payout_id)
        observability.count("payout_looks_put_off", reason="unusable")
        _put_down(due, now + LOOKS_EVERY)
        return False
    _put_down(due, next_look(instruction, since=due.since, now=now))
    _count_overdue(instruction, since=due.since, now=now)
    return True


def _put_down(due: LookUp, following: datetime | None) -> None:
    if following is not None:
        store.put_look_up(LookUp(due.payout_id, following, due.since))
    if following != due.due_at:
        store.drop_look_up(due)


def next_look(instruction: Instruction, *, since: datetime, now: datetime) -> datetime | None:
    """When to ask again, or None where nothing more can be learned by asking."""
    match instruction.state:
        case PayoutState.FAILED | PayoutState.RETURNED:
            return None
        case PayoutState.EXECUTED:
            if Rail(instruction.rail) not in ASKED:
                return None
            executed_at = instruction.changed_at or now
            later = (executed_at + after for after in RETURNS_LOOKED_FOR_AFTER)
            return next((at for at in later if at > now), None)
    if now - since > GIVEN_UP_AFTER:
        return None
    soon = (since + after for after in LOOKS_AFTER)
    return next((at for at in soon if at > now), now + LOOKS_EVERY)


def _count_overdue(instruction: Instruction, *, since: datetime, now: datetime) -> None:
    is_open = instruction.state in (
        PayoutState.WRITTEN,
        PayoutState.SENT,
        PayoutState.UNKNOWN,
    )
    if is_open and now - since > OVERDUE_AFTER:
        observability.count("payouts_overdue", provider=instruction.rail)
        observability.warn("a payout is overdue", id=instruction.payout_id)
