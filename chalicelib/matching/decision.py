"""Which part of which receipt belongs to a payment: one pure function that abstains when unsure.

This is the conservative rule. A payment is matched when exactly one part fits by store, amount and
time, nothing both sides say contradicts, and nothing else could explain it:

- where card facts agree (auth code, or last four of comparable kinds), at once;
- where there are none, only if no other receipt of that amount was issued within half an hour, no
  other member's waiting payment fits the part, and the store has had time to send what it sold.

Anything else waits. A wrong match shows one person's shopping to another; a late one costs minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId
from chalicelib.matching.signals import Agreement, Evidence, Part, PaymentSignals, parts_of, weigh
from chalicelib.matching.why import Why
from chalicelib.receipts.canonical import Receipt

MODEL = "conservative-1"

PartKey = tuple[ReceiptId, int]


@dataclass(frozen=True, slots=True)
class Hold:
    """Who holds a part already."""

    payment_id: PaymentId
    member_id: str
    connection_id: ConnectionId


@dataclass(frozen=True, slots=True)
class Matched:
    """The part belongs to the payment. `same_as` is another source's name of the same purchase."""

    part: Part
    evidence: Evidence
    why: Why
    same_as: PaymentId | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one explanation fits. `rivals` counts them."""

    why: Why
    rivals: int


@dataclass(frozen=True, slots=True)
class NotYet:
    """One part fits and more may still come: look again at `look_again_at`."""

    why: Why
    look_again_at: datetime


@dataclass(frozen=True, slots=True)
class NothingNear:
    """No part fits."""

    why: Why


MatchDecision = Matched | Ambiguous | NotYet | NothingNear


def fitting_parts(
    payment: PaymentSignals, receipts: Sequence[Receipt]
) -> list[tuple[Part, Evidence]]:
    """The parts of `receipts` that fit `payment` by store, amount and time, contradicted or not."""
    weighed = ((part, weigh(payment, part)) for r in receipts for part in parts_of(r))
    return [(part, evidence) for part, evidence in weighed if evidence is not None]


def decide_match(
    payment: PaymentSignals,
    receipts: Sequence[Receipt],
    *,
    held: Mapping[PartKey, Hold],
    rivals: Sequence[PaymentSignals],
    receipts_complete_after: timedelta,
    now: datetime,
) -> MatchDecision:
    """Decide what `payment` paid for.

    - `receipts`: every receipt of its stores issued within `WIDE_WINDOW` of it, newest versions.
    - `held`: for the parts that fit, who holds them already.
    - `rivals`: the other payments that wait at its stores within `WIDE_WINDOW`.
    - `receipts_complete_after`: how long after a sale its store has sent everything.
    """
    fitting = fitting_parts(payment, receipts)
    possible = [(part, evidence) for part, evidence in fitting if not evidence.contradictions]
    for part, evidence in possible:
        hold = held.get(_key(part))
        if hold is not None and hold.payment_id == payment.payment_id:
            return Matched(part, evidence, Why.HELD_ALREADY)
        if hold is not None and _is_same_purchase(payment, hold, evidence):
            return Matched(part, evidence, Why.SAME_PURCHASE, same_as=hold.payment_id)
    free = [(part, evidence) for part, evidence in possible if _key(part) not in held]
    if not free:
        return NothingNear(_why_nothing(fitting, possible))
    strong = _strongest(free)
    if strong:
        return _decide_strong(payment, strong, rivals)
    return _decide_weak(
        payment, free, rivals, complete_at=payment.made_at + receipts_complete_after, now=now
    )


def _is_same_purchase(payment: PaymentSignals, hold: Hold, evidence: Evidence) -> bool:
    """Another source told of the same member's same purchase (a bank and a card network)."""
    return (
        hold.member_id == payment.member_id
        and hold.connection_id != payment.connection_id
        and Agreement.TIME in evidence.agreements
    )


def _strongest(free: list[tuple[Part, Evidence]]) -> list[tuple[Part, Evidence]]:
    """The parts whose card facts agree; an auth code, where one agrees, beats digits alone."""
    strong = [(part, evidence) for part, evidence in free if evidence.is_strong]
    coded = [(p, e) for p, e in strong if Agreement.AUTH_CODE in e.agreements]
    return coded or strong


def _decide_strong(
    payment: PaymentSignals,
    strong: list[tuple[Part, Evidence]],
    rivals: Sequence[PaymentSignals],
) -> MatchDecision:
    if len(strong) > 1:
        return Ambiguous(Why.SEVERAL_RECEIPTS, rivals=len(strong))
    part, evidence = strong[0]
    contenders = [
        rival
        for rival in rivals
        if _contends(payment, rival)
        and (theirs := weigh(rival, part)) is not None
        and not theirs.contradictions
        and theirs.is_strong
        and (Agreement.AUTH_CODE in theirs.agreements)
        >= (Agreement.AUTH_CODE in evidence.agreements)
    ]
    if contenders:
        return Ambiguous(Why.RIVAL_PAYMENT, rivals=len(contenders))
    return Matched(part, evidence, Why.CARD_FACTS_AGREE)


def _decide_weak(
    payment: PaymentSignals,
    free: list[tuple[Part, Evidence]],
    rivals: Sequence[PaymentSignals],
    *,
    complete_at: datetime,
    now: datetime,
) -> MatchDecision:
    near = [(part, evidence) for part, evidence in free if Agreement.TIME in evidence.agreements]
    if not near:
        return NothingNear(Why.NO_RECEIPT_YET)
    if len(near) > 1:
        return Ambiguous(Why.SEVERAL_RECEIPTS, rivals=len(near))
    if len(free) > 1:
        return Ambiguous(Why.COMMON_AMOUNT, rivals=len(free))
    part, evidence = near[0]
    contenders = [
        rival
        for rival in rivals
        if _contends(payment, rival)
        and (theirs := weigh(rival, part)) is not None
        and not theirs.contradictions
    ]
    if contenders:
        return Ambiguous(Why.RIVAL_PAYMENT, rivals=len(contenders))
    if now < complete_at:
        return NotYet(Why.RECEIPTS_STILL_COMING, look_again_at=complete_at)
    return Matched(part, evidence, Why.ONLY_CANDIDATE)


def _contends(payment: PaymentSignals, rival: PaymentSignals) -> bool:
    """Whether `rival` is another purchase: not this payment, nor the same one by another source."""
    return rival.payment_id != payment.payment_id and (
        rival.member_id != payment.member_id or rival.connection_id == payment.connection_id
    )


def _why_nothing(
    fitting: Sequence[tuple[Part, Evidence]], possible: Sequence[tuple[Part, Evidence]]
) -> Why:
    if possible:
        return Why.RECEIPT_TAKEN
    return Why.CARD_FACTS_DIFFER if fitting else Why.NO_RECEIPT_YET


def _key(part: Part) -> PartKey:
    return (part.receipt_id, part.index)
