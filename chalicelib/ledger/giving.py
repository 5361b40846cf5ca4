"""Rewards in money: giving them, and taking back what returned goods had earned.

What is given stands against the campaign that gives it. It is pending while the goods may come
back, then available. A gift is taken back from pending while it is pending, else from what is
available, which may go below nought: the member's account is never debited, later rewards are set
off against it. Of one gift never more is taken back than was given (I8).

The entry of a gift has the gift's own key, which has no blanks; what follows from it has a key that
begins with it and a blank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.money import Money
from chalicelib.ledger import service
from chalicelib.ledger.accounts import Holding, liability_account, member_account, member_owner
from chalicelib.ledger.model import (
    Entry,
    EntryKind,
    Leg,
    MoreThanGiven,
    NoSuchGift,
    NotAnEntry,
    Posted,
)
from chalicelib.ledger.service import Book

# How far a gift may be dated ahead of its first run: as far as a sale that still earns.
AHEAD_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gift:
    """A reward in money. `key` names it for ever within the member's book and has no blanks.

    `cause` is the payment or claim that earned it, and `at` when that was: no run can have given it
    more than `AHEAD_MAX` before. From `available_at` on it may be paid out; not after `at` means at
    once.
    """

    key: str
    member_id: MemberId
    amount: Money
    campaign_id: str
    retailer_id: RetailerId
    cause: str
    at: datetime
    available_at: datetime


def give(gift: Gift, *, now: datetime) -> Posted:
    """Give `gift`, once for ever.

    :raises ConflictingEntry: its key stands for another gift. :raises TryAgain: as `record`.
    """
    return service.record(_given(gift), originated_at=gift.at - AHEAD_MAX, now=now)


def take_back(
    key: str,
    part_key: str,
    *,
    member_id: MemberId,
    amount: Money,
    originated_at: datetime,
    reason: str,
    now: datetime,
) -> Posted:
    """Take `amount` of the gift called `key` back, once for ever under `part_key`.

    `originated_at` is the `at` of the gift. `reason` is a code (`returned`, `withdrawn`, …).

    :raises NoSuchGift: there is no such gift. :raises MoreThanGiven: that much is not left of it.
    :raises ConflictingEntry: this part was taken back with another amount.
    :raises TryAgain: as `record`.
    """
    decide = partial(_decide_taking, key, part_key, amount, _Why(reason, now))
    taking = partial(service.post, member_owner(member_id), decide, now=now)
    try:
        (posted,) = taking(originated_at=originated_at - AHEAD_MAX)
    except NoSuchGift:  # It may be older than its giver believes.
        (posted,) = taking(originated_at=service.FROM_THE_START)
    return posted


def bring_to(gift: Gift, taken_back_minor: int, *, reason: str, now: datetime) -> Posted:
    """See to it that `gift` is given, and that of it `taken_back_minor` in all are taken back.

    For whoever follows the newest version of a purchase: it may be asked any number of times, late
    and by several at once. What was taken back never comes back: less than before changes nothing.

    :raises MoreThanGiven: that much was never given. :raises TryAgain: as `record`.
    """
    given = give(gift, now=now)
    if taken_back_minor == 0:
        return given
    decide = partial(_decide_bringing, gift.key, taken_back_minor, _Why(reason, now))
    owner = member_owner(gift.member_id)
    posted = service.post(owner, decide, originated_at=gift.at - AHEAD_MAX, now=now)
    return posted[-1] if posted else given


def make_available(
    member_id: MemberId, keys: Sequence[str], *, originated_at: datetime, now: datetime
) -> tuple[Posted, ...]:
    """Make what is left of the gifts called `keys` available, once for ever, those that are due.

    `originated_at` is the earliest `at` of them. A gift that was taken back whole is passed over,
    and so is one that is not due at `now`.

    :raises NoSuchGift: one was never given. :raises TryAgain: as `record`.
    """
    decide = partial(_decide_maturing, tuple(keys), now)
    since = originated_at - AHEAD_MAX
    return service.post(member_owner(member_id), decide, originated_at=since, now=now)


def available_key(key: str) -> str:
    """The key of the entry that makes the gift called `key` available."""
    return f"{key} available"


def back_key(key: str, part_key: str) -> str:
    """The key of the entry that takes a part of the gift called `key` back."""
    return f"{key} back {part_key}"


def _given(gift: Gift) -> Entry:
    if " " in gift.key or gift.amount.minor <= 0:
        raise NotAnEntry("a gift has a key without blanks, and an amount above nought")
    is_pending = gift.available_at > gift.at
    holding = Holding.PENDING if is_pending else Holding.AVAILABLE
    return Entry(
        key=gift.key,
        kind=EntryKind.REWARD_GIVEN,
        member_id=gift.member_id,
        at=gift.at,
        currency=gift.amount.currency,
        legs=(
            Leg(liability_account(gift.campaign_id), -gift.amount.minor),
            Leg(member_account(gift.member_id, holding), gift.amount.minor),
        ),
        campaign_id=gift.campaign_id,
        retailer_id=gift.retailer_id,
        cause=gift.cause,
        due_at=gift.available_at if is_pending else None,
    )


@dataclass(frozen=True, slots=True)
class _Why:
    """Why and when a part of a gift is taken back."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a gift stands: the entry that gave it, those that took of it, and the one that made it
    available, if there is one.
    """

    given: Entry
    taken: tuple[Entry, ...]
    available: Entry | None

    @property
    def taken_minor(self) -> int:
        return sum(-given_minor(entry) for entry in self.taken)

    @property
    def is_pending(self) -> bool:
        return self.given.due_at is not None and self.available is None

    @property
    def left_minor(self) -> int:
        return given_minor(self.given) - self.taken_minor


def given_minor(given: Entry) -> int:
    """What an entry of the kinds given and taken back moves between campaign and member."""
    return -given.minor_on(liability_account(given.campaign_id))


def _standing(book: Book, key: str) -> _Standing:
    """:raises NoSuchGift: the gift is not among the entries that were read."""
    given = book.find(key)
    if given is None or given.kind is not EntryKind.REWARD_GIVEN:
        raise NoSuchGift("there is no such gift")
    parts = back_key(key, "")
    taken = tuple(posting.entry for posting in book.postings if posting.entry.key.startswith(parts))
    return _Standing(given, taken, book.find(available_key(key)))


def _decide_taking(
    key: str, part_key: str, amount: Money, why: _Why, book: Book
) -> tuple[Entry, ...]:
    standing = _standing(book, key)
    before = book.find(back_key(key, part_key))
    if before is not None and (-given_minor(before), before.currency) == (
        amount.minor,
        amount.currency,
    ):
        return (before,)
    if before is None and amount.minor > standing.left_minor:
        raise MoreThanGiven("that much is not left of the gift")
    if amount.currency != standing.given.currency:
        raise MoreThanGiven("the gift was given in another currency")
    return (_taken(standing, part_key, amount.minor, why),)


def _decide_bringing(key: str, total_minor: int, why: _Why, book: Book) -> tuple[Entry, ...]:
    """What stands there already as well: who entered it may have died before it was filed."""
    standing = _standing(book, key)
    missing = total_minor - standing.taken_minor
    if missing > standing.left_minor:
        raise MoreThanGiven("that much was never given")
    if missing <= 0:
        return standing.taken
    return (*standing.taken, _taken(standing, f"to:{total_minor}", missing, why))


def _taken(standing: _Standing, part_key: str, minor: int, why: _Why) -> Entry:
    given = standing.given
    if given.member_id is None or " " in part_key or not part_key:
        raise NotAnEntry("a part that is taken back has a name without blanks")
    holding = Holding.PENDING if standing.is_pending else Holding.AVAILABLE
    return Entry(
        key=back_key(given.key, part_key),
        kind=EntryKind.REWARD_TAKEN_BACK,
        member_id=given.member_id,
        at=why.at,
        currency=given.currency,
        legs=(
            Leg(liability_account(given.campaign_id), minor),
            Leg(member_account(given.member_id, holding), -minor),
        ),
        campaign_id=given.campaign_id,
        retailer_id=given.retailer_id,
        cause=given.cause,
        reason=why.reason,
    )


def _decide_maturing(keys: Sequence[str], now: datetime, book: Book) -> tuple[Entry, ...]:
    decided = []
    for key in keys:
        standing = _standing(book, key)
        due_at = standing.given.due_at
        if standing.available is not None:  # Who entered it may have died before it was filed.
            decided.append(standing.available)
        elif (
            standing.is_pending and standing.left_minor > 0 and due_at is not None and due_at <= now
        ):
            decided.append(_available(standing, due_at))
    return tuple(decided)


def _available(standing: _Standing, due_at: datetime) -> Entry:
    given = standing.given
    if given.member_id is None:
        raise NotAnEntry("a gift is a member's")
    return Entry(
        key=available_key(given.key),
        kind=EntryKind.REWARD_AVAILABLE,
        member_id=given.member_id,
        at=due_at,
        currency=given.currency,
        legs=(
            Leg(member_account(given.member_id, Holding.PENDING), -standing.left_minor),
            Leg(member_account(given.member_id, Holding.AVAILABLE), standing.left_minor),
        ),
        campaign_id=given.campaign_id,
        retailer_id=given.retailer_id,
        cause=given.cause,
    )
