"""Reconciling every night: what does not agree is mended where it can be, and listed where not.

A night looks at what was set aside on the day that is closed, at every payout of the last five
weeks, at reports of payouts that there are not, and again at each difference that is open: what
agrees now is ended. The list is empty, or somebody is told (`differences_open`,
`difference_age_seconds`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.kernel.refusals import NotAllowed, NotFound, Rejected
from chalicelib.ledger.closing import store as closing_store
from chalicelib.ledger.days.folding import SetAside
from chalicelib.payouts import service as payouts
from chalicelib.payouts import store as instructions
from chalicelib.payouts.messages import SendPayoutMessage, encode
from chalicelib.payouts.model import (
    Instruction,
    NoSuchPayout,
    PayoutState,
    Reported,
)
from chalicelib.payouts.netting import service as netting
from chalicelib.payouts.reconciling import store
from chalicelib.payouts.reconciling.comparing import (
    Difference,
    Differs,
    Explained,
    compare,
    times_debited,
    times_left,
    without_order,
)
from chalicelib.payouts.reconciling.store import Open, Reconciled, Sums
from chalicelib.payouts.states import UNSETTLED
from chalicelib.runtime import observability, queues
from chalicelib.runtime.emf import Unit

LOOKED_BACK = timedelta(days=35)  # Payments come back within weeks; later reports are still kept.
SENT_WITHIN = timedelta(hours=1)
_SET_ASIDE, _PAYOUTS, _OPEN = "set_aside", "payouts", "open"


class NoSuchDifference(NotFound):
    """There is no such difference, or it is mended."""

    code = "no_such_difference"


@dataclass(frozen=True, slots=True)
class Checked:
    """How many were compared, and where to go on; None: that was all."""

    work: int
    place: str | None


def reconcile(on: date, place: str, *, now: datetime) -> Checked:
    """Compare what stands at `place` of the night that closes `on`, and say where to go on.

    :raises TryAgain: DynamoDB or a queue did not answer; the same place again changes nothing.
    """
    which, _, after = (place or _SET_ASIDE).partition(" ")
    if which == _SET_ASIDE:
        found = closing_store.find_set_aside(on, after=after, now=now)
        if found is None:
            return Checked(0, f"{_PAYOUTS} {_days_of(on, now=now)[0]}")
        _check_set_aside(found[1], now=now)
        return Checked(len(found[1]), f"{_SET_ASIDE} {found[0]}")
    if which == _PAYOUTS:
        written = date.fromisoformat(after)
        work = _check_day(written, now=now)
        left = [day for day in _days_of(on, now=now) if day > written]
        return Checked(work, f"{_PAYOUTS} {left[0]}" if left else _OPEN)
    unknown = store.list_unknown(on - LOOKED_BACK, on + timedelta(days=1), now=now)
    _list_differences(without_order(unknown), now=now)
    _look_at_open(now=now)
    return Checked(len(unknown), None)


def record_report(reported: Reported, *, now: datetime) -> None:
    """Keep one line of what a rail or a bank reports by itself; the same again changes nothing."""
    store.record_report(reported, is_ours=_is_ours(reported, now=now), now=now)


class SettleThePayout(NotAllowed):
    """A difference of this kind ends when somebody says what became of the payout."""

    code = "settle_the_payout"


def is_paid_still(payout_id: str, *, now: datetime) -> bool:
    """Whether by the reports that are kept a payment left more often than it came back."""
    return times_left(store.list_reports_of(payout_id, now=now)) > 0


def _is_ours(reported: Reported, *, now: datetime) -> bool:
    try:
        return instructions.find(reported.payout_id, now=now) is not None
    except NoSuchPayout:
        return False


def _days_of(on: date, *, now: datetime) -> list[date]:
    """The days that are compared in the night that closes `on`: this one's, and those before that
    had payouts.
    """
    tonight = on + timedelta(days=1)
    before = store.list_reconciled(on - LOOKED_BACK, tonight, now=now)
    return sorted({on, tonight, *(day.on for day in before)})


def explain(name: str, *, note: str, by: str, now: datetime) -> Open:
    """Note what a person found out about a difference. It stays open until the parties agree, or
    somebody ends it.

    :raises NoSuchDifference: there is none of this name.
    """
    noted = _noted(name, note=note, by=by, now=now)
    store.record_open(noted, now=now)
    return noted


def end(name: str, *, note: str, by: str, now: datetime) -> Open:
    """End a difference that a person found out about; it is listed anew only if more is reported.

    :raises NoSuchDifference: there is none of this name.
    :raises SettleThePayout: it is about what became of a payout.
    """
    noted = _noted(name, note=note, by=by, now=now)
    if noted.difference.kind in (Differs.DISPUTED, Differs.NOT_SETTLED):
        raise SettleThePayout("say what became of the payout: settle-payout")
    store.settle(noted, now=now)
    return noted


def end_of(payout: Instruction, *, note: str, by: str, now: datetime) -> None:
    """End what reports say otherwise of a payout: a person said what became of it."""
    reports = store.list_reports_of(payout.payout_id, now=now)
    for one in compare(payout, reports, now=now):
        if one.kind is Differs.REPORTED_OTHERWISE:
            explained = replace(one, explained=Explained.BY_STAFF)
            store.settle(Open(explained, now, note, by), now=now)


def _noted(name: str, *, note: str, by: str, now: datetime) -> Open:
    found = store.find_open(name, now=now)
    if found is None:
        raise NoSuchDifference("there is no such difference")
    explained = replace(found.difference, explained=Explained.BY_STAFF)
    return Open(explained, found.since, note, by)


def _check_set_aside(set_aside: Iterable[SetAside], *, now: datetime) -> None:
    """See to it that there is an order for whatever was set aside, of the same amount."""
    for one in set_aside:
        order = instructions.find(one.payout_id, now=now)
        if order is None:
            _order_anew(one, now=now)
        elif (order.amount.minor, order.amount.currency) != (one.minor, one.currency):
            _list_differences([Difference(Differs.SUMS, one.payout_id)], now=now)


def _order_anew(one: SetAside, *, now: datetime) -> None:
    begun = netting.find_set_aside(one.member_id, one.payout_id, now=now)
    if begun is None:
        return
    netting.order(begun, one.member_id, one.payout_id, now=now)
    mended = Difference(Differs.NO_ORDER, one.payout_id, Explained.MENDED)
    _list_differences([mended], now=now)


def _check_day(written: date, *, now: datetime) -> int:
    """Compare the payouts written on a day; returns how many there were."""
    reports = store.list_reports(written, now=now)
    orders: list[Instruction] = []
    differences: list[Difference] = []
    after = ""
    while True:
        found, goes_on = instructions.list_of_day(written, after=after, now=now)
        for payout in found:
            orders.append(payout)
            differences += _check_payout(payout, reports.get(payout.payout_id, ()), now=now)
        if goes_on is None:
            break
        after = goes_on
    _list_differences(differences, now=now)
    if orders:
        store.record_reconciled(Reconciled(written, _sums(orders, reports), len(differences)))
    return len(orders)


def _check_payout(
    payout: Instruction, reports: Sequence[Reported], *, now: datetime
) -> list[Difference]:
    if payout.state is PayoutState.WRITTEN and now - payout.written_at > SENT_WITHIN:
        queues.send(queues.PAYOUTS, [encode(SendPayoutMessage(payout.payout_id))])
    found = list(compare(payout, reports, now=now))
    changed_at = payout.changed_at or payout.written_at
    if payout.state in UNSETTLED or now - changed_at <= timedelta(days=2):
        found += _check_journal(payout, now=now)
    return found


def _check_journal(payout: Instruction, *, now: datetime) -> list[Difference]:
    """Enter what the journal lacks of a payout; what it has otherwise is a difference."""
    try:
        entered = payouts.enter(payout, now=now)
    except Rejected:
        return [Difference(Differs.NOT_IN_JOURNAL, payout.payout_id)]
    if not entered:
        return []
    return [Difference(Differs.NOT_IN_JOURNAL, payout.payout_id, Explained.MENDED)]


def _list_differences(differences: Iterable[Difference], *, now: datetime) -> None:
    for one in differences:
        before = store.find_open(one.name, now=now)
        if before is None and _is_settled(one, now=now):
            continue
        if before is None:
            observability.count("differences_found", kind=one.kind.value)
            observability.warn("a payout does not agree", kind=one.kind.value, id=one.subject)
        listed = before or Open(one, now)
        if one.explained is Explained.MENDED:
            store.end(replace(listed, difference=one), now=now)
        elif before is None or one.reports > before.difference.reports:
            counted = replace(listed.difference, reports=one.reports)
            store.record_open(replace(listed, difference=counted), now=now)


def _is_settled(one: Difference, *, now: datetime) -> bool:
    """Whether a person ended it, and nothing more was reported since."""
    settled = store.find_settled(one.name, now=now)
    return settled is not None and one.reports <= settled.difference.reports


def _look_at_open(*, now: datetime) -> None:
    """End what agrees now, and say how much is open and how old the oldest is."""
    still = []
    for one in store.list_open(now=now):
        if _is_there(one.difference, now=now):
            still.append(one)
        else:
            store.end(one, now=now)
    unexplained = (one for one in still if one.difference.explained is not Explained.BY_STAFF)
    ages = [(now - one.since).total_seconds() for one in unexplained]
    observability.observe("differences_open", len(still), Unit.COUNT)
    observability.observe("difference_age_seconds", max(ages, default=0), Unit.SECONDS)


def _is_there(one: Difference, *, now: datetime) -> bool:
    """Whether an open difference is there still, by a look at its payout alone."""
    if one.kind in (Differs.SUMS, Differs.UNKNOWN_PAYOUT):
        return True  # Neither changes: a person has to look.
    payout = instructions.find(one.subject, now=now)
    if payout is None:
        return False
    reports = store.list_reports_of(payout.payout_id, now=now)
    again = [*compare(payout, reports, now=now), *_check_journal(payout, now=now)]
    return any(
        found.kind is one.kind and found.explained is not Explained.MENDED for found in again
    )


def _sums(orders: Iterable[Instruction], reports: dict[str, list[Reported]]) -> tuple[Sums, ...]:
    by_name: dict[tuple[str, str], Sums] = {}
    for order in orders:
        name, minor = (order.rail, order.amount.currency), order.amount.minor
        before = by_name.get(name, Sums(*name))
        has_left = PayoutState.EXECUTED in order.path
        times_reported = times_debited(reports.get(order.payout_id, ()))
        by_name[name] = replace(
            before,
            ordered=before.ordered + 1,
            ordered_minor=before.ordered_minor + minor,
            executed=before.executed + has_left,
            executed_minor=before.executed_minor + minor * has_left,
            reported_minor=before.reported_minor + minor * times_reported,
            returned_minor=before.returned_minor + minor * (PayoutState.RETURNED in order.path),
        )
    return tuple(by_name[name] for name in sorted(by_name))
