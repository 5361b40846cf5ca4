"""Whether a member is paid tonight, waits, or is let off a debt. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

FAILURES_MAX = 3  # In a row; then it is the account, and not the rail.
TRIED_AGAIN_AFTER = timedelta(days=30)  # Where the member named no other account meanwhile.


class Why(Enum):
    """Why a member who has money available is not paid tonight."""

    BELOW_MINIMUM = "below_minimum"
    OWES = "owes"  # more was taken back than was there; set off against what comes
    NO_PAYING_ACCOUNT = "no_paying_account"  # the operator pays nobody there in this currency
    NO_DESTINATION = "no_destination"
    DESTINATION_OTHER_CURRENCY = "destination_other_currency"  # a sort code takes pounds only
    DESTINATION_NEW = "destination_new"  # changed, and not used before the next day
    DESTINATION_REFUSED = "destination_refused"  # it came back, or failed time and again
    MEMBER_GONE = "member_gone"  # left, and is forgotten
    SUSPENDED = "suspended"  # took the consent back at the bank


@dataclass(frozen=True, slots=True)
class Payee:
    """What is known of whom to pay and how, when it is decided.

    `minor_min` is from how much on is paid. `rail` is None where nobody pays there;
    `destination_from` is from when the member's account may be used, None where there is none, and
    `destination_at` when it was named, and `takes_currency` whether it can be paid in the currency
    in question. `refused_at` is the last time that a payment came back or
    the third failed in a row.
    """

    is_known: bool
    is_suspended: bool
    minor_min: int
    rail: str | None
    needs_destination: bool
    destination_at: datetime | None = None
    destination_from: datetime | None = None
    takes_currency: bool = True
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pay:
    """All that is available is paid by `rail`."""

    rail: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is paid; it is looked at again."""

    why: Why


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The debt is written off."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to pay and nothing owed."""


Decision = Pay | Wait | GiveUp | Nothing


def decide(
    available_minor: int,
    payee: Payee,
    *,
    owes_since: date | None,
    debts_kept: timedelta,
    now: datetime,
) -> Decision:
    """What becomes tonight of what a member has available, or owes.

    `owes_since` is the day on which it was first seen below nought, None where it was not before.
    """
    if available_minor == 0:
        return Nothing()
    if available_minor < 0:
        is_old = owes_since is not None and now.date() - owes_since >= debts_kept
        return GiveUp() if is_old else Wait(Why.OWES)
    if not payee.is_known:
        return Wait(Why.MEMBER_GONE)
    if payee.is_suspended:
        return Wait(Why.SUSPENDED)
    if available_minor < payee.minor_min:
        return Wait(Why.BELOW_MINIMUM)
    if payee.rail is None:
        return Wait(Why.NO_PAYING_ACCOUNT)
    refusal = _why_not_there(payee, now=now)
    return Pay(payee.rail) if refusal is None else Wait(refusal)


def _why_not_there(payee: Payee, *, now: datetime) -> Why | None:
    if payee.needs_destination and payee.destination_from is None:
        return Why.NO_DESTINATION
    if payee.needs_destination and not payee.takes_currency:
        return Why.DESTINATION_OTHER_CURRENCY
    if payee.destination_from is not None and payee.destination_from > now:
        return Why.DESTINATION_NEW
    if payee.refused_at is None:
        return None
    has_changed = payee.destination_at is not None and payee.destination_at > payee.refused_at
    is_long_ago = now - payee.refused_at >= TRIED_AGAIN_AFTER
    return None if has_changed or is_long_ago else Why.DESTINATION_REFUSED
