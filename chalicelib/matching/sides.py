"""The two sides of a card payment as the matcher weighs them: plain numbers and words.

A bank tells of a charge, a till prints a slip for each card payment on a receipt. Which slip
belongs to which charge is what matching decides; nothing here knows a clock, a queue or a table.
"""

from dataclasses import dataclass
from enum import Enum

from chalicelib.kernel.cards import LastFour


class ChargeKind(Enum):
    """What the bank's word stands for. A refund is matched with return slips only."""

    AUTH = "auth"
    CLEARING = "clearing"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Charge:
    """What a bank says of one card payment.

    - `at`: UNIX seconds, by the bank's clock.
    - `amounts`: minor units and currency of every amount that the till may have charged (cleared,
      authorised, in the till's own currency), newest word first; never empty.
    - `stores`: where it may have happened: one, or all that share a narrative or a MID.
    - `known_last_fours`: digits of the member's registered cards, where the bank sends none.
    - `refused`: receipts that are not this payment's, because a person said so.
    - `device_digits`: of devices that the member paid with before, where that is known beforehand.
    - `near`: some of `stores`, those that stand where the bank says; empty where that says nothing.
    - `taken`: minor units and currency of what was cleared, where that is known.
    """

    payment_id: str
    member_id: str
    at: float
    amounts: tuple[tuple[int, str], ...]
    stores: tuple[str, ...]
    connection_id: str = ""
    last_four: LastFour | None = None
    known_last_fours: tuple[LastFour, ...] = ()
    auth_code: str | None = None
    scheme: str | None = None
    mids: frozenset[str] = frozenset()
    tids: frozenset[str] = frozenset()
    par: str | None = None
    kind: ChargeKind = ChargeKind.AUTH
    refused: frozenset[str] = frozenset()
    device_digits: tuple[str, ...] = ()
    near: frozenset[str] = frozenset()
    taken: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Slip:
    """What a till says of one card payment: one part of one receipt.

    - `at`: UNIX seconds by the till's own clock, which may be wrong.
    - `amount_minor`: what the terminal took, as far as the till knows.
    - `tip_minor`: a tip that the till knows of; it may or may not be within `amount_minor`.
    - `refers_to`: of a return, the receipt id of its sale.
    - `content`: a digest of what was sold, by which one sale under two names is seen.
    """

    receipt_id: str
    part: int
    store: str
    till: str | None
    at: float
    amount_minor: int
    currency: str
    tip_minor: int = 0
    last_four: LastFour | None = None
    auth_code: str | None = None
    scheme: str | None = None
    mid: str | None = None
    tid: str | None = None
    par: str | None = None
    is_return: bool = False
    refers_to: str | None = None
    content: str | None = None
