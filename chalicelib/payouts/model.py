"""Payouts as values: the instruction, the states it goes through, and what a rail may say of it.

An instruction is written before anybody is called and keeps one idempotency key for ever. Where it
lies follows from its id, which begins with the day on which it was written.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from chalicelib.kernel.ids import ID_LENGTH, ConnectionId, MemberId, natural_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotFound

_DAY_DIGITS = 8
REFERENCE_CHARACTERS_MAX = 18  # Faster Payments shows that many to the payee.


class NoSuchPayout(NotFound):
    """There is no payout of this id."""

    code = "no_such_payout"


class PayoutState(Enum):
    """How a payout stands. `payouts/states.py` says what leads from one to the next."""

    WRITTEN = "written"  # nobody was called yet, or a rail took nothing and may be called again
    SENT = "sent"  # the rail has it
    UNKNOWN = "unknown"  # a call did not end: the rail may have it, and is asked
    EXECUTED = "executed"  # the money has left
    FAILED = "failed"  # the rail will not pay it, and has not
    RETURNED = "returned"  # it was paid and came back


@dataclass(frozen=True, slots=True)
class Instruction:
    """An order to pay `amount` to a member, once.

    `rail` names who pays it. `idempotency_key` is sent with every attempt. `reference` is what the
    member sees on the bank statement. `provider_id` is the rail's own name for the payment, once
    it gave one; `reason` is the rail's word for the last failure or return. `attempts` counts the
    times that a rail was about to be called. `path` is every state it was in, in order: what the
    journal says of it follows from this alone. `version` counts changes.
    """

    payout_id: str
    member_id: MemberId
    connection_id: ConnectionId
    amount: Money
    rail: str
    idempotency_key: str
    reference: str
    written_at: datetime
    state: PayoutState = PayoutState.WRITTEN
    provider_id: str = ""
    reason: str = ""
    attempts: int = 0
    path: tuple[PayoutState, ...] = (PayoutState.WRITTEN,)
    changed_at: datetime | None = None
    is_disputed: bool = False  # the rail contradicted itself; a person looks
    version: int = 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rail has the order, under its own name `provider_id`. Nothing is paid yet."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Executed:
    """The money left at `at`."""

    provider_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """The rail did not pay.

    `is_final`: it never will. Otherwise it took nothing for a passing reason, and the same order
    may be sent again under the same key.
    """

    reason: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """The payee's bank sent the money back; it came in at `at`."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """A call did not end: whether the rail has the order is not known."""


Outcome = Accepted | Executed | Failed | Returned | Unknown


@dataclass(frozen=True, slots=True)
class Reported:
    """One line of what a rail or a bank reports by itself: a statement, a file, a day's list.

    `payout_id` is what the report refers to, whether or not there is such a payout; `amount` is
    None where the report gives none. `report_id` names the report, so that it may be read again.
    `booking` is the bank's name of the entry by which money moved; empty where it tells of none.
    """

    report_id: str
    rail: str
    payout_id: str
    outcome: Outcome
    amount: Money | None
    at: datetime
    booking: str = ""


def payout_id_of(member_id: MemberId, currency: str, on: date) -> str:
    """The id of the one payout that a member may be given on the day `on` in `currency`.

    Eight digits of the day and 18 characters of base32: 26 in all, as every id.
    """
    named = natural_id("payout", member_id, currency, on.isoformat())
    return f"{on:%Y%m%d}{named[: ID_LENGTH - _DAY_DIGITS]}"


def written_on(payout_id: str) -> date:
    """The day on which a payout was written. :raises NoSuchPayout: it is no payout's id."""
    day, rest = payout_id[:_DAY_DIGITS], payout_id[_DAY_DIGITS:]
    if len(rest) != ID_LENGTH - _DAY_DIGITS or not (day.isascii() and day.isdigit()):
        raise NoSuchPayout("there is no such payout")
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError as error:
        raise NoSuchPayout("there is no such payout") from error


def new_instruction(
    payout_id: str,
    *,
    member_id: MemberId,
    connection_id: ConnectionId,
    amount: Money,
    rail: str,
    now: datetime,
) -> Instruction:
    """The order to pay, before anybody is called; the same id gives the same key for ever."""
    return Instruction(
        payout_id=payout_id,
        member_id=member_id,
        connection_id=connection_id,
        amount=amount,
        rail=rail,
        idempotency_key=_key_of(payout_id),
        reference=f"CASHBACK {payout_id[-8:]}".upper()[:REFERENCE_CHARACTERS_MAX],
        written_at=now,
    )


def _key_of(payout_id: str) -> str:
    """What rails know the payout by: a UUID of version 8 (RFC 9562 §5.8) that follows from its id.

    Rails take UUIDs, and the same payout must never have two.
    """
    digits = bytearray(hashlib.sha256(f"payout|{payout_id}".encode()).digest()[:16])
    digits[6] = digits[6] & 0x0F | 0x80
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
