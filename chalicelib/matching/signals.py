"""How a payment and a part of a receipt relate: what agrees, what contradicts.

A receipt that was paid by several cards has several parts, one per card tender; each part can be
held by one payment. A receipt without tenders of its own is one part: the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.receipts.canonical import Receipt, ReceiptKind, Tender

# Till clocks are minutes off; five minutes hold nearly all of them (peers use three to both sides).
WINDOW = timedelta(minutes=5)
# With an auth code or card digits that agree, the clock may be further off.
WIDE_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class PaymentSignals:
    """What a payment says that a receipt may agree with.

    `amounts` are those the till may have charged. `known_last_fours` are the digits of the member's
    registered cards, for banks that do not send any with a payment. `refused` are receipts that
    were taken away from it.
    """

    payment_id: PaymentId
    member_id: str
    connection_id: ConnectionId
    made_at: datetime
    amounts: tuple[Money, ...]
    stores: tuple[StoreId, ...]
    card: CardFacts = NO_CARD_FACTS
    known_last_fours: tuple[LastFour, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    refused: tuple[ReceiptId, ...] = ()

    def values_of(self, kind: IdentifierKind) -> frozenset[str]:
        """The identifiers of `kind`."""
        return frozenset(i.value for i in self.identifiers if i.kind is kind)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a receipt that one payment can hold."""

    receipt: Receipt
    index: int
    amount_minor: int
    card: CardFacts = NO_CARD_FACTS
    mid: str | None = None
    tid: str | None = None

    @property
    def receipt_id(self) -> ReceiptId:
        """The receipt's id."""
        return self.receipt.receipt_id


class Agreement(Enum):
    """What both sides say alike."""

    AMOUNT = "amount"
    TIME = "time"
    AUTH_CODE = "auth_code"
    LAST_FOUR = "last_four"
    REGISTERED_CARD = "registered_card"
    SCHEME = "scheme"
    MID = "mid"
    TID = "tid"


STRONG = frozenset({Agreement.AUTH_CODE, Agreement.LAST_FOUR, Agreement.REGISTERED_CARD})


class Contradiction(Enum):
    """What both sides say differently; one is enough to keep them apart."""

    AUTH_CODE = "auth_code"
    LAST_FOUR = "last_four"
    REGISTERED_CARD = "registered_card"
    SCHEME = "scheme"
    MID = "mid"
    TID = "tid"


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a payment and a part relate. `seconds_apart` is positive where the till is later."""

    agreements: frozenset[Agreement]
    contradictions: frozenset[Contradiction]
    seconds_apart: int

    @property
    def is_strong(self) -> bool:
        """Whether card facts agree, which strangers share once in ten thousand."""
        return bool(self.agreements & STRONG)


def parts_of(receipt: Receipt) -> Iterator[Part]:
    """The parts of `receipt` that a card payment can hold. Returns and voids have none."""
    if receipt.kind not in (ReceiptKind.SALE, ReceiptKind.EXCHANGE) or receipt.total_minor <= 0:
        return
    if not receipt.tenders:
        yield Part(receipt, 0, receipt.total_minor)
    for index, tender in enumerate(receipt.card_tenders):
        yield _part(receipt, index, tender)


def _part(receipt: Receipt, index: int, tender: Tender) -> Part:
    return Part(receipt, index, tender.amount_minor, tender.card, tender.mid, tender.tid)


def weigh(payment: PaymentSignals, part: Part) -> Evidence | None:
    """How `payment` and `part` relate; None where store, amount or day rule each other out, or the
    two were parted before.
    """
    if part.receipt.store_id not in payment.stores or part.receipt_id in payment.refused:
        return None
    if Money(part.amount_minor, part.receipt.currency) not in payment.amounts:
        return None
    apart = part.receipt.issued_at - payment.made_at
    if abs(apart) > WIDE_WINDOW:
        return None
    agreements = {Agreement.AMOUNT}
    contradictions: set[Contradiction] = set()
    if abs(apart) <= WINDOW:
        agreements.add(Agreement.TIME)
    _compare_values(payment, part, agreements, contradictions)
    _compare_last_four(payment, part, agreements, contradictions)
    return Evidence(frozenset(agreements), frozenset(contradictions), round(apart.total_seconds()))


def _compare_values(
    payment: PaymentSignals,
    part: Part,
    agreements: set[Agreement],
    contradictions: set[Contradiction],
) -> None:
    compared = (
        ("AUTH_CODE", payment.card.auth_code, part.card.auth_code),
        ("SCHEME", payment.card.scheme, part.card.scheme),
    )
    for name, ours, theirs in compared:
        if ours and theirs:
            if ours == theirs:
                agreements.add(Agreement[name])
            else:
                contradictions.add(Contradiction[name])
    named = (("MID", IdentifierKind.MID, part.mid), ("TID", IdentifierKind.TID, part.tid))
    for name, kind, theirs in named:
        known = payment.values_of(kind)
        if known and theirs:
            if theirs in known:
                agreements.add(Agreement[name])
            else:
                contradictions.add(Contradiction[name])


def _compare_last_four(
    payment: PaymentSignals,
    part: Part,
    agreements: set[Agreement],
    contradictions: set[Contradiction],
) -> None:
    """Digits of one known kind decide; digits of different kinds end different numbers (C4)."""
    theirs = part.card.last_four
    if theirs is None:
        return
    ours = payment.card.last_four
    if ours is not None:
        if _comparable(ours, theirs) and ours.digits == theirs.digits:
            agreements.add(Agreement.LAST_FOUR)
        elif ours.kind is theirs.kind and ours.kind is not LastFourKind.UNKNOWN:
            contradictions.add(Contradiction.LAST_FOUR)
        return
    same_kind = [four for four in payment.known_last_fours if _comparable(four, theirs)]
    if any(four.digits == theirs.digits for four in same_kind):
        agreements.add(Agreement.REGISTERED_CARD)
    elif any(four.kind is theirs.kind is LastFourKind.CARD for four in same_kind):
        contradictions.add(Contradiction.REGISTERED_CARD)


def _comparable(ours: LastFour, theirs: LastFour) -> bool:
    return ours.kind is theirs.kind or LastFourKind.UNKNOWN in (ours.kind, theirs.kind)
