"""Spending the budget of a campaign or scheme: exactly, by many at once, never over its cap.

Who spends first asks for a lease (`lease_for`), writes down which one it was given, and then spends
of that one (`spend`). A lease that is closed without the spend will never have it, so another may
be asked for. What dies in between leaves `spent + leased ≤ cap`, and who comes next finishes it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.budgets import leasing, store
from chalicelib.budgets.leasing import Budget, Lease, OpenLease
from chalicelib.kernel.ids import natural_id
from chalicelib.kernel.refusals import Conflicting, NotFound, TryAgain
from chalicelib.network.caching import Remembered

ATTEMPTS_MAX = 40  # Each is lost only to somebody who finished; more than a few is a bug.
ENTRY_CHARACTERS = 16  # 80 bits: two purchases of one lease never share an entry.

_leases: Remembered[tuple[str, int], int] = Remembered(entries_max=2_000)


class ConflictingBudget(Conflicting):
    """The campaign has a budget in another currency."""

    code = "conflicting_budget"


class ConflictingSpend(Conflicting):
    """The same purchase was paid from the same lease with another amount."""

    code = "conflicting_spend"


@dataclass(frozen=True, slots=True)
class Purse:
    """Which budget to spend of, and until when its campaign runs (for how long rows are kept).

    A scheme's budget is called by the scheme's id. `ends_at` None: it runs without end, and then
    each block is kept from its own closing on.
    """

    campaign_id: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands, in minor units: `spent` of all leases, `left` to be spent.

    `spends` counts how often it was spent of, given back or not.
    """

    currency: str
    cap_minor: int
    spent_minor: int
    left_minor: int
    is_closed: bool
    spends: int = 0


def forget() -> None:
    """Drop what this process remembers. For tests and local stacks."""
    _leases.forget()


def entry_of(campaign_id: str, *parts: str) -> str:
    """The name under which a lease knows a spend: it says nothing about who bought what."""
    return natural_id("spend", campaign_id, *parts)[:ENTRY_CHARACTERS]


def open_where_none(campaign_id: str, *, cap_minor: int, currency: str) -> bool:
    """Make the campaign's budget where it has none; False where one is, which stays as it is."""
    return store.record_new_budget(Budget(campaign_id, currency, cap_minor))


def open_budget(campaign_id: str, *, cap_minor: int, currency: str, now: datetime) -> None:
    """Make the campaign's budget; one that is there gets the new cap.

    :raises leasing.CapTooLow: more is spent and leased already.
    :raises ConflictingBudget: it has another currency. :raises TryAgain: others kept changing it.
    """
    if store.record_new_budget(Budget(campaign_id, currency, cap_minor)):
        return
    for _ in range(ATTEMPTS_MAX):
        budget = _get_budget(campaign_id, now=now)
        if budget.currency != currency:
            raise ConflictingBudget("the budget is in another currency", field="budget.currency")
        if budget.cap_minor == cap_minor:
            return
        changed = leasing.with_cap(budget, cap_minor)
        if store.record_budget(changed, after_version=budget.version):
            return
    raise TryAgain("others kept changing the budget")


def lease_for(purse: Purse, *, slot: int, wanted_minor: int, now: datetime) -> int | None:
    """The number of a lease to spend `wanted_minor` of; None where the budget has not that much.

    Mostly it is remembered, and then it may be full or closed by now: `spend` says so.

    :raises TryAgain: others kept changing the budget.
    """
    key = (purse.campaign_id, slot)
    number = _leases.known((key,), now=now).get(key)
    if number:
        return number
    for _ in range(ATTEMPTS_MAX):
        budget = store.find_budget(purse.campaign_id, now=now)
        if budget is None or budget.is_closed:
            return None
        match _decide(budget, purse, slot, wanted_minor, now=now):
            case leasing.Use(number=number):
                _leases.keep(key, number, now=now)
                return number
            case leasing.Reopen(closing=closing):
                _reopen(budget, purse, slot, wanted_minor, closing=closing, now=now)
            case leasing.Exhausted():
                return None
    raise TryAgain("others kept changing the budget")


def _decide(
    budget: Budget, purse: Purse, slot: int, wanted_minor: int, *, now: datetime
) -> leasing.Use | leasing.Reopen | leasing.Exhausted:
    own = _lease_in(budget, purse, slot, now=now)
    known = {slot: own} if own is not None else {}
    decided = leasing.decide_lease(budget, slot, wanted_minor, known)
    if isinstance(decided, leasing.AskAll):
        known = _open_leases(budget, purse, now=now)
        decided = leasing.decide_lease(budget, slot, wanted_minor, known)
    assert not isinstance(decided, leasing.AskAll), "all leases are known by now"
    return decided


def _reopen(
    budget: Budget,
    purse: Purse,
    slot: int,
    wanted_minor: int,
    *,
    closing: tuple[int, ...],
    now: datetime,
) -> None:
    """Close and settle the leases of the slots `closing`, and open one in `slot`, in one write.

    Where the budget changed meanwhile, or too little is left by now, whoever asked looks again.
    """
    changed = _settled(budget, purse, closing, now=now)
    opened = leasing.leased(changed, slot, wanted_minor)
    is_written = store.record_budget(opened or changed, after_version=budget.version)
    if is_written and opened is not None:
        lease = opened.leases[slot]
        _record_lease(purse, lease, now=now)


def _record_lease(purse: Purse, lease: OpenLease, *, now: datetime) -> None:
    kept_from = purse.ends_at or now + store.OPEN_MAX
    store.record_new_lease(purse.campaign_id, lease, kept_from=kept_from)


def _close_lease(purse: Purse, number: int, *, now: datetime) -> Lease | None:
    kept_from = None if purse.ends_at else now
    return store.close_lease(purse.campaign_id, number, kept_from=kept_from, now=now)


def _settled(budget: Budget, purse: Purse, slots: tuple[int, ...], *, now: datetime) -> Budget:
    for slot in slots:
        number = budget.leases[slot].number
        closed = _close_lease(purse, number, now=now)
        if closed is None:
            raise TryAgain("a lease of the budget is not there")
        budget = leasing.settled(budget, slot, closed)
    return budget


def _open_leases(budget: Budget, purse: Purse, *, now: datetime) -> dict[int, Lease]:
    found = ((slot, _lease_in(budget, purse, slot, now=now)) for slot in budget.leases)
    return {slot: lease for slot, lease in found if lease is not None}


def _lease_in(budget: Budget, purse: Purse, slot: int, *, now: datetime) -> Lease | None:
    """The lease that stands in `slot`. Where its opener died before it wrote the row, we do."""
    opened = budget.leases.get(slot)
    if opened is None:
        return None
    lease = store.find_lease(budget.campaign_id, opened.number, now=now)
    if lease is None:
        _record_lease(purse, opened, now=now)
        lease = store.find_lease(budget.campaign_id, opened.number, now=now)
    return lease


def spend(purse: Purse, number: int, entry: str, minor: int, *, slot: int, now: datetime) -> bool:
    """Spend `minor` for `entry` of the lease `number`: once, however often it is asked.

    False: the lease is closed and never will have it. One that is forgotten had it, as is assumed.

    :raises ConflictingSpend: it was spent with a smaller amount.
    """
    if store.spend(purse.campaign_id, number, entry, minor):
        return True
    lease = store.find_lease(purse.campaign_id, number, now=now)
    if lease is None and store.was_settled(purse.campaign_id, number, now=now):
        return True
    if lease is not None and entry not in lease.spends and not lease.is_closed:
        lease = _close_lease(purse, number, now=now)  # Too little room is left.
    spent = lease.spends.get(entry) if lease is not None else None
    if spent is None:
        _leases.keep((purse.campaign_id, slot), 0, now=now)
        return False
    if spent > minor:
        raise ConflictingSpend("the purchase was paid with another amount")
    return True


def give_back(purse: Purse, number: int, entry: str, kept_minor: int, *, now: datetime) -> None:
    """Have at most `kept_minor` spent for `entry`; the rest may be spent again.

    A spend that is not there, or was forgotten long after the campaign's end, has nothing to give.

    :raises TryAgain: others kept changing the lease.
    """
    for _ in range(ATTEMPTS_MAX):
        lease = store.find_lease(purse.campaign_id, number, now=now)
        if lease is None or lease.spends.get(entry, 0) <= kept_minor:
            return
        if not lease.is_closed:
            if store.lessen(lease, entry, kept_minor):
                return
        elif _give_back_settled(lease, purse, entry, kept_minor, now=now):
            return
    raise TryAgain("others kept changing the lease")


def _give_back_settled(
    lease: Lease, purse: Purse, entry: str, kept_minor: int, *, now: datetime
) -> bool:
    budget = _get_budget(purse.campaign_id, now=now)
    slots = [slot for slot, one in budget.leases.items() if one.number == lease.number]
    if slots:
        unsettled = _settled(budget, purse, tuple(slots), now=now)
        store.record_budget(unsettled, after_version=budget.version)
        return False
    after = leasing.given_back(budget, lease.spends[entry] - kept_minor)
    kept_from = purse.ends_at or now
    return store.lessen_settled(lease, entry, kept_minor, after, kept_from=kept_from)


def close_budget(purse: Purse, *, now: datetime) -> None:
    """Lease no more, and bring back what the open leases have left. Doing it twice is harmless.

    :raises TryAgain: others kept changing the budget.
    """
    _bring_back(purse, is_over=True, now=now)


def bring_back(purse: Purse, *, now: datetime) -> int:
    """Bring back what the open leases have left; returns how many they were.

    The budget goes on: whoever spends of it next is given a new lease.

    :raises TryAgain: others kept changing the budget.
    """
    return _bring_back(purse, is_over=False, now=now)


def _bring_back(purse: Purse, *, is_over: bool, now: datetime) -> int:
    for _ in range(ATTEMPTS_MAX):
        budget = store.find_budget(purse.campaign_id, now=now)
        if budget is None or (not budget.leases and budget.is_closed >= is_over):
            return 0
        open_slots = tuple(_open_leases(budget, purse, now=now))
        settled = _settled(budget, purse, open_slots, now=now)
        after = replace(settled, is_closed=budget.is_closed or is_over)
        if store.record_budget(after, after_version=budget.version):
            return len(open_slots)
    raise TryAgain("others kept changing the budget")


def get_standing(purse: Purse, *, now: datetime) -> Standing:
    """How the budget stands, the open leases included. :raises NotFound: there is none."""
    budget = _get_budget(purse.campaign_id, now=now)
    leases = _open_leases(budget, purse, now=now)
    left = leasing.unspent_minor(budget, leases)
    return Standing(
        budget.currency,
        budget.cap_minor,
        budget.cap_minor - left,
        left,
        budget.is_closed,
        budget.spends + sum(len(lease.spends) for lease in leases.values()),
    )


def _get_budget(campaign_id: str, *, now: datetime) -> Budget:
    budget = store.find_budget(campaign_id, now=now)
    if budget is None:
        raise NotFound("there is no such budget")
    return budget
