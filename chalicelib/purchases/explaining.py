"""Why a payment has its receipt, waits for one, or has none; and what would decide it. Pure.

Nothing of anybody else is told: rivals are counted, and what they are is not said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from chalicelib.matching.outcome import (
    MODEL,
    Agreement,
    Ambiguous,
    MatchDecision,
    Matched,
    NothingNear,
    NotYet,
)
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.matching.shares import to_share
from chalicelib.matching.why import Why
from chalicelib.network.identifiers import IdentifierKind
from chalicelib.purchases.comparing import (
    COMPARED,
    clues_of,
    is_corrected,
    no_longer_holds,
    relation_of,
)
from chalicelib.purchases.model import Cause, Purchase
from chalicelib.purchases.wording import (
    BANK_GIVES,
    BANK_GIVES_NOT,
    CLUES,
    CORRECTED_SINCE,
    HINTS,
    HINTS_BY_REASON,
    REASONS,
    RELATIONS,
    STANDS,
    TOLD_SINCE,
    TURNS,
    WITHDRAWN,
)
from chalicelib.receipts.canonical import ReceiptKind


class MatchState(Enum):
    """How a payment stands. The words are part of the API."""

    MATCHED = "matched"
    WAITING = "waiting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Said:
    """A code and its sentence: a hint, or a clue with how it stands.

    `relation`, of amounts that differ: how they relate.
    """

    code: str
    words: str
    stand: str = ""
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that became of the payment: `what` happened `at`, and `why` where a code says."""

    at: datetime
    what: str
    words: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class MatchStory:
    """How a payment stands, and why.

    - `version` is the purchase's, 0 while there is none.
    - `probability`, `runner_up` and `threshold` as in `Reason`.
    - `rivals` counts what else would explain it as well: receipts, or other payments.
    - `waits_since` and `waits_until` say when it began to look and when it will end.
    - `complete_at` is when the shop will have sent all its receipts.
    - `would_decide` is in order of what helps most; empty where nothing would.
    """

    transaction_id: str
    state: MatchState
    reason: str
    words: str
    version: int = 0
    model: str | None = None
    probability: Decimal | None = None
    runner_up: Decimal | None = None
    threshold: Decimal | None = None
    rivals: int | None = None
    evidence: tuple[Said, ...] = ()
    would_decide: tuple[Said, ...] = ()
    matched_at: datetime | None = None
    waits_since: datetime | None = None
    waits_until: datetime | None = None
    complete_at: datetime | None = None
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """A payment that waits: since when, until when, and what a look at this moment says.

    `decision` None: its shop is no longer known. `complete_at` and `threshold` as in `MatchStory`.
    """

    since: datetime
    until: datetime
    complete_at: datetime | None
    decision: MatchDecision | None
    threshold: Decimal | None = None


def explain_match(purchase: Purchase) -> MatchStory:
    """Why `purchase` has its receipt, and what is true of the two now."""
    reason = purchase.reason
    why = reason.why if reason else Why.HELD_ALREADY.value
    words = [_words(REASONS, why)]
    if no_longer_holds(purchase):
        words.append(CORRECTED_SINCE if is_corrected(purchase) else TOLD_SINCE)
    return MatchStory(
        transaction_id=purchase.payment.transaction_id,
        state=MatchState.MATCHED,
        reason=why,
        words=" ".join(words),
        version=purchase.version,
        model=reason.model if reason else None,
        probability=reason.probability if reason else None,
        runner_up=reason.runner_up if reason else None,
        threshold=reason.threshold if reason else None,
        evidence=tuple(_evidence(purchase)),
        matched_at=purchase.matched_at,
        history=_history(purchase.payment, purchase),
    )


def explain_wait(payment: Payment, purchase: Purchase | None, wait: Wait) -> MatchStory:
    """Why `payment` waits; `purchase` is there where it had a receipt that was taken away."""
    reason = _reason_of(payment, wait.decision)
    weighed = wait.decision if isinstance(wait.decision, Ambiguous | NotYet) else None
    asks_bank = payment.card.auth_code is None and payment.card.last_four is None
    return MatchStory(
        transaction_id=payment.transaction_id,
        state=MatchState.WAITING,
        reason=reason,
        words=_words(REASONS, reason),
        version=purchase.version if purchase else 0,
        model=MODEL if weighed else None,
        probability=to_share(weighed.probability) if weighed else None,
        runner_up=to_share(weighed.runner_up) if weighed else None,
        threshold=wait.threshold if weighed else None,
        rivals=weighed.rivals if isinstance(weighed, Ambiguous) else None,
        evidence=tuple(_given(payment)),
        would_decide=tuple(_hints(reason, asks_bank=asks_bank)),
        waits_since=wait.since,
        waits_until=wait.until,
        complete_at=wait.complete_at,
        history=_history(payment, purchase),
    )


def explain_end(payment: Payment, purchase: Purchase | None) -> MatchStory:
    """Why `payment` has no receipt and looks for none."""
    reason = "waited_long_enough"
    if payment.is_given_up:
        reason = "given_up"
    elif purchase is not None and purchase.ending is not None:
        reason = purchase.ending.value
    last_word = purchase.reason.why if purchase is not None and purchase.reason else None
    words = [_words(REASONS, one) for one in (reason, last_word) if one]
    paper = Said("paper", HINTS["paper"])
    return MatchStory(
        transaction_id=payment.transaction_id,
        state=MatchState.ENDED,
        reason=reason,
        words=" ".join(dict.fromkeys(words)),
        version=purchase.version if purchase else 0,
        would_decide=(paper,) if reason == "given_up" else (),
        history=_history(payment, purchase),
    )


def _reason_of(payment: Payment, decision: MatchDecision | None) -> str:
    if payment.state is PaymentState.REFUND_ONLY:
        return "refund_waits"
    match decision:
        case None:
            return "shop_unknown"
        case Matched():
            return "about_to_match"
        case NothingNear(why=Why.NO_RECEIPT_YET) if payment.refused:
            return "not_mine"
        case Ambiguous(why=why) | NotYet(why=why) | NothingNear(why=why):
            return why.value


def _evidence(purchase: Purchase) -> Iterator[Said]:
    """Each fact of both sides, as it stands now."""
    for clue in clues_of(purchase):
        sentence = STANDS.get(clue.stand, "{what}").format(what=CLUES.get(clue.what, clue.what))
        relation = relation_of(purchase) if clue.what == Agreement.AMOUNT.value else None
        if relation is not None:
            sentence = RELATIONS[relation]
        yield Said(clue.what, sentence, clue.stand, relation)


def _given(payment: Payment) -> Iterator[Said]:
    """What the bank gives that a receipt may agree with, and what it does not."""
    card, kinds = payment.card, {one.kind for one in payment.merchant}
    given = {
        Agreement.AUTH_CODE: card.auth_code is not None,
        Agreement.LAST_FOUR: card.last_four is not None,
        Agreement.SCHEME: card.scheme is not None,
        Agreement.MID: IdentifierKind.MID in kinds,
        Agreement.TID: IdentifierKind.TID in kinds,
    }
    for fact in COMPARED:
        sentence = BANK_GIVES if given[fact] else BANK_GIVES_NOT
        yield Said(fact.value, sentence.format(what=CLUES[fact.value]), "unknown")


def _hints(reason: str, *, asks_bank: bool) -> Iterator[Said]:
    for code in HINTS_BY_REASON.get(reason, ()):
        if code != "bank_card_facts" or asks_bank:
            yield Said(code, HINTS[code])


def _history(payment: Payment, purchase: Purchase | None) -> tuple[Turn, ...]:
    """What became of the payment, in order of time."""
    turns = [_turn(e.occurred_at, e.kind.value) for e in payment.events]
    turns += [_turn(one.at, "refunded") for one in (purchase.refunds if purchase else ())]
    for one in purchase.withdrawals if purchase else ():
        if one.matched_at is not None:
            turns.append(_turn(one.matched_at, "matched", one.matched_why))
        turns.append(_turn(one.at, "withdrawn", one.why))
    if purchase is not None and purchase.receipt is not None:
        if purchase.matched_at is not None:
            why = purchase.reason.why if purchase.reason else ""
            turns.append(_turn(purchase.matched_at, "matched", why))
        returns = (one for one in purchase.returns if one.kind is not ReceiptKind.VOID)
        turns.extend(_turn(returned.issued_at, "returned") for returned in returns)
        turns.extend(
            _turn(change.at, change.cause.value)
            for change in purchase.changes
            if change.at is not None
            and change.cause in (Cause.CORRECTED, Cause.VOIDED)
            and not change.reference  # A return that was voided is told by its absence.
        )
    return tuple(sorted(turns, key=lambda turn: turn.at))


def _turn(at: datetime, what: str, why: str = "") -> Turn:
    words = TURNS[what]
    if why:
        words = f"{words} {_words(WITHDRAWN if what == 'withdrawn' else REASONS, why)}"
    return Turn(at, what, words, why)


def _words(sentences: dict[str, str], code: str) -> str:
    """The sentence of `code`. A code of another release has none yet, and is said as it is."""
    return sentences.get(code, code.replace("_", " "))
