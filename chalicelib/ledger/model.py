"""Entries of the journal, as values: what happened to money, with every leg of it.

Amounts are whole minor units of one currency. The legs of an entry add up to nought, so an entry
balances or does not exist.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import MemberId, RetailerId
from chalicelib.kernel.money import MINOR_MAX
from chalicelib.kernel.refusals import Conflicting, NotAllowed, NotFound
from chalicelib.ledger.accounts import Holding, is_account, member_owner, retailer_owner

KEY_CHARACTERS_MAX = 200
LEGS_MAX = 100
NO_RETAILER = RetailerId("")
_KEY = re.compile(r"[!-~]+( [!-~]+)*", re.ASCII)  # printable words


class ConflictingEntry(Conflicting):
    """An entry of this key stands there with other content. Nothing was written."""

    code = "conflicting_entry"


class MoreThanGiven(NotAllowed):
    """More was to be taken back than was given and not taken back yet. Nothing was written."""

    code = "more_than_given"


class NoSuchGift(NotFound):
    """What was to be taken back or made payable was never given."""

    code = "no_such_gift"


class NotAnEntry(ValueError):
    """A bug: the legs do not balance, or the entry breaks the form that every entry has."""


class EntryKind(Enum):
    """What an entry says. The legs that each kind has stand in `giving.py` and `moving.py`."""

    REWARD_GIVEN = "reward_given"
    REWARD_TAKEN_BACK = "reward_taken_back"
    REWARD_AVAILABLE = "reward_available"
    PAYOUT_WRITTEN = "payout_written"
    PAYOUT_SETTLED = "payout_settled"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_RETURNED = "payout_returned"
    WRITTEN_OFF = "written_off"
    ADJUSTED = "adjusted"
    INVOICED = "invoiced"
    FUNDING_RECEIVED = "funding_received"


@dataclass(frozen=True, slots=True)
class Leg:
    """`minor` units more (or, below nought, fewer) on `account`."""

    account: str
    minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `key` names it for ever within its owner's book: the member's, or where there is
    no member the retailer's.

    `at` is when what it says happened. `cause` is the payment, payout, claim or invoice behind it;
    `due_at` when what is pending becomes available. `reason` is a code.

    :raises NotAnEntry: it does not balance, or breaks a rule of form.
    """

    key: str
    kind: EntryKind
    member_id: MemberId | None
    at: datetime
    currency: str
    legs: tuple[Leg, ...]
    campaign_id: str = ""
    retailer_id: RetailerId = NO_RETAILER
    cause: str = ""
    due_at: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key) or len(self.key) > KEY_CHARACTERS_MAX:
            raise NotAnEntry("the key has not 1 to 200 printable characters")
        if not 2 <= len(self.legs) <= LEGS_MAX or sum(leg.minor for leg in self.legs) != 0:
            raise NotAnEntry("the legs do not add up to nought")
        if any(not is_account(leg.account) or leg.minor == 0 for leg in self.legs):
            raise NotAnEntry("a leg names no account, or moves nothing")
        if len({leg.account for leg in self.legs}) != len(self.legs):
            raise NotAnEntry("two legs name one account")
        if any(abs(leg.minor) > MINOR_MAX for leg in self.legs):
            raise NotAnEntry("a leg moves more than any amount may be")
        if self.member_id is None and not self.retailer_id:
            raise NotAnEntry("the entry belongs to nobody")

    @property
    def owner(self) -> str:
        """Whose book the entry stands in: `member#<id>` or `retailer#<id>`."""
        if self.member_id is not None:
            return member_owner(self.member_id)
        return retailer_owner(self.retailer_id)

    def minor_on(self, account: str) -> int:
        """What the entry moves on `account`."""
        return sum(leg.minor for leg in self.legs if leg.account == account)


@dataclass(frozen=True, slots=True)
class Balances:
    """What a member has in one currency, in minor units.

    `available` is below nought where more was taken back than was there: it is set off against what
    comes. `returned` and `written_off` count up from nought.
    """

    currency: str
    pending: int = 0
    available: int = 0
    in_payment: int = 0
    paid: int = 0
    returned: int = 0
    written_off: int = 0

    @property
    def earned(self) -> int:
        """What was given and not taken back: it was paid, or is owed (I13)."""
        kept = self.pending + self.available + self.in_payment + self.paid
        return kept - self.returned - self.written_off


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of an entry. `is_new` is False where it stood there, perhaps by this very run,
    whose answer was lost: what follows from an entry is done in both cases.
    """

    entry: Entry
    is_new: bool
    balances: Balances


def to_balances(currency: str, minor_by_holding: dict[Holding, int]) -> Balances:
    """A member's balances from those of the accounts."""
    return Balances(
        currency=currency,
        pending=minor_by_holding.get(Holding.PENDING, 0),
        available=minor_by_holding.get(Holding.AVAILABLE, 0),
        in_payment=minor_by_holding.get(Holding.IN_PAYMENT, 0),
        paid=minor_by_holding.get(Holding.PAID, 0),
        returned=-minor_by_holding.get(Holding.RETURNED, 0),
        written_off=-minor_by_holding.get(Holding.WRITTEN_OFF, 0),
    )
