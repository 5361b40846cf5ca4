"""What happens to available money: it is instructed, paid, comes back, or is given up.

Each is an entry of the member's book under a key of its own, so that each happens once. What a
payout does to the journal follows from the states it was in (`payout_entries`), which are kept with
the payout: whoever repeats it enters nothing twice, and whoever finds it half done finishes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.money import Money
from chalicelib.ledger import service
from chalicelib.ledger.accounts import (
    PLATFORM_ADJUSTMENTS,
    Holding,
    member_account,
    member_owner,
)
from chalicelib.ledger.model import Entry, EntryKind, Leg, Posted
from chalicelib.ledger.service import Book

_WAYS = {
    EntryKind.PAYOUT_WRITTEN: (Holding.AVAILABLE, Holding.IN_PAYMENT),
    EntryKind.PAYOUT_SETTLED: (Holding.IN_PAYMENT, Holding.PAID),
    EntryKind.PAYOUT_FAILED: (Holding.IN_PAYMENT, Holding.AVAILABLE),
    EntryKind.PAYOUT_RETURNED: (Holding.RETURNED, Holding.AVAILABLE),
}
_WORDS = {
    EntryKind.PAYOUT_WRITTEN: "written",
    EntryKind.PAYOUT_SETTLED: "settled",
    EntryKind.PAYOUT_FAILED: "failed",
    EntryKind.PAYOUT_RETURNED: "returned",
}


@dataclass(frozen=True, slots=True)
class Payout:
    """As much of a payout as the journal needs. `at` is when it was written."""

    payout_id: str
    member_id: MemberId
    amount: Money
    at: datetime


def payout_key(payout_id: str, kind: EntryKind) -> str:
    """The key of the entry that a payout has of `kind`; of each it has one at most."""
    return f"payout:{payout_id} {_WORDS[kind]}"


def payout_entry(payout: Payout, kind: EntryKind, *, at: datetime, reason: str = "") -> Entry:
    """What `kind` does to the money of `payout`."""
    source, target = _WAYS[kind]
    return _moved(payout, kind, source, target, at=at, reason=reason)


def settled_late(payout: Payout, *, at: datetime) -> Entry:
    """What a payout does that had failed and was executed all the same.

    Its money was available again, and perhaps is paid out already: what is available then falls
    below nought.
    """
    kind = EntryKind.PAYOUT_SETTLED
    return _moved(payout, kind, Holding.AVAILABLE, Holding.PAID, at=at, reason="executed_late")


def instruct(
    member_id: MemberId,
    currency: str,
    payout_id: str,
    *,
    minor_min: int,
    originated_at: datetime,
    now: datetime,
) -> Posted | None:
    """Set all that is available aside for the payout `payout_id`, if it is `minor_min` or more.

    None: it is less. Once it is set aside, the amount stands, whatever becomes available later.
    `originated_at` is the beginning of the day that the payout is of.

    :raises TryAgain: as `ledger.service.record`.
    """
    decide = partial(_decide_instructing, member_id, currency, payout_id, minor_min, now)
    owner = member_owner(member_id)
    posted = service.post(owner, decide, originated_at=originated_at, now=now)
    return posted[0] if posted else None


def write_off(
    member_id: MemberId, currency: str, *, key: str, originated_at: datetime, now: datetime
) -> Posted | None:
    """Give up what the member owes in `currency`, under `key`. None: the member owes nothing.

    :raises TryAgain: as `ledger.service.record`.
    """
    decide = partial(_decide_writing_off, member_id, currency, key, now)
    owner = member_owner(member_id)
    posted = service.post(owner, decide, originated_at=originated_at, now=now)
    return posted[0] if posted else None


def adjusted_key(reference: str) -> str:
    """The key of the entry that a person's adjustment has."""
    return f"adjusted:{reference}"


def adjust(
    member_id: MemberId,
    amount: Money,
    *,
    reference: str,
    reason: str,
    at: datetime,
    now: datetime,
) -> Posted:
    """Give (or, below nought, take) `amount` by hand, once for ever under `reference`.

    `at` is when it was decided.

    :raises ConflictingEntry: the reference was used for another amount. :raises TryAgain: as above.
    """
    entry = Entry(
        key=adjusted_key(reference),
        kind=EntryKind.ADJUSTED,
        member_id=member_id,
        at=at,
        currency=amount.currency,
        legs=(
            Leg(PLATFORM_ADJUSTMENTS, -amount.minor),
            Leg(member_account(member_id, Holding.AVAILABLE), amount.minor),
        ),
        cause=reference,
        reason=reason,
    )
    return service.record(entry, originated_at=service.FROM_THE_START, now=now)


def _decide_instructing(
    member_id: MemberId, currency: str, payout_id: str, minor_min: int, now: datetime, book: Book
) -> Sequence[Entry]:
    kind = EntryKind.PAYOUT_WRITTEN
    before = book.find(payout_key(payout_id, kind))
    if before is not None:
        return (before,)
    minor = book.balances(currency).available
    if minor < max(minor_min, 1):
        return ()
    payout = Payout(payout_id, member_id, Money(minor, currency), now)
    return (payout_entry(payout, kind, at=now),)


def _decide_writing_off(
    member_id: MemberId, currency: str, key: str, now: datetime, book: Book
) -> Sequence[Entry]:
    before = book.find(key)
    if before is not None:
        return (before,)
    minor = book.balances(currency).available
    if minor >= 0:
        return ()
    available = Leg(member_account(member_id, Holding.AVAILABLE), -minor)
    written_off = Leg(member_account(member_id, Holding.WRITTEN_OFF), minor)
    return (
        Entry(
            key=key,
            kind=EntryKind.WRITTEN_OFF,
            member_id=member_id,
            at=now,
            currency=currency,
            legs=(available, written_off),
            reason="nothing_to_set_off",
        ),
    )


def _moved(
    payout: Payout,
    kind: EntryKind,
    source: Holding,
    target: Holding,
    *,
    at: datetime,
    reason: str,
) -> Entry:
    minor = payout.amount.minor
    return Entry(
        key=payout_key(payout.payout_id, kind),
        kind=kind,
        member_id=payout.member_id,
        at=at,
        currency=payout.amount.currency,
        legs=(
            Leg(member_account(payout.member_id, source), -minor),
            Leg(member_account(payout.member_id, target), minor),
        ),
        cause=payout.payout_id,
        reason=reason,
    )
