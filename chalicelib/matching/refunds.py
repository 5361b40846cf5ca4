"""Which purchase a refund payment gives back: a posterior over all that its member bought.

A bank seldom says which payment a refund undoes, and the shop often refunds through another
merchant id. What is left is weighed: how much came back and what of the purchase costs just that,
how long after, where, onto which account, and whether the till took goods back for that amount. The
other explanation always stands beside them: a purchase that we do not know. A guess is kept
only where it is nearly certain; the rest waits, and in the end a person decides.

The weights are estimates, on the careful side, and named one by one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.cards import NO_CARD_FACTS, CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, ReceiptId, RetailerId, StoreId
from chalicelib.kernel.money import Money

MODEL = "refunds-1"
REFUND_THRESHOLD = 0.99  # A wrong guess is shown to nobody else and is mended by the next evidence.
LATE_SLACK = timedelta(days=14)  # Goods on their way back, and a bank that takes its time.
CLOCKS_APART = timedelta(hours=1)  # A refund may be told as made a little before its sale.
RETURN_TO_REFUND = timedelta(days=10)  # A refund without authorisation is told when it is cleared.

_NO_RETURN_TOLD = 0.2  # a shop that tells of one return tells of most
_WHOLE = 0.55  # all that is left is given back
_SOME_LINES = 0.40  # some of the goods, at what they cost
_ANY_AMOUNT = 0.05  # something else: a goodwill payment, a fee held back
# The till took goods back for just that, and no money came for them yet. Of all purchases about
# one in thirty is given back; of those that a till took back, nearly every one.
_OF_A_RETURN = 0.95 * 30
_UNKNOWN_AMOUNT = 1 / 1_000  # that a purchase we do not know gives back just this amount
_SOON = 7.0  # days: most goods come back within a week or two
_SOON_SHARE = 0.7
_SAME_STORE, _OTHER_STORE, _OTHER_BRAND = 0.7, 0.25, 0.05
_UNKNOWN_STORE = 0.5
_OTHER_SOURCE = 0.1  # the refund came by another connection than the purchase
_OTHER_ACCOUNT = 0.02  # rules of the card schemes: money goes back to the card it came from
_OTHER_DIGITS = 0.05
_UNKNOWN_PER_KNOWN = 0.05  # of twenty purchases at a shop we do not hear of one
_UNKNOWN_BEFORE = 0.5  # and of those before the member joined we hear of none


class RefundWhy(Enum):
    """The reason of a decision about a refund."""

    LINKED_BY_BANK = "linked_by_bank"
    RETURN_RECEIPT = "return_receipt"
    ONE_PURCHASE_FITS = "one_purchase_fits"
    BY_STAFF = "by_staff"
    NO_PURCHASE_FITS = "no_purchase_fits"
    SEVERAL_PURCHASES = "several_purchases"
    PROBABILITY_TOO_LOW = "probability_too_low"


@dataclass(frozen=True, slots=True)
class RefundSignals:
    """What a refund payment says. `retailers` may be several where the merchant names a brand."""

    payment_id: PaymentId
    connection_id: ConnectionId
    transaction_id: str
    made_at: datetime
    amount: Money
    retailers: tuple[RetailerId, ...]
    stores: tuple[StoreId, ...] = ()
    account_ref: str | None = None
    card_ref: str | None = None
    card: CardFacts = NO_CARD_FACTS
    known_last_fours: tuple[LastFour, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """Goods that a till took back for `amount_minor`, for which no refund is known yet."""

    receipt_id: ReceiptId
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase as a refund sees it. `left_minor` is what was paid and not yet given back.

    - `retailers`: whose it is, with the others of the brand's group.
    - `givable`: what some of its goods cost, of those that are not back (`returned`).
    - `linked`: the bank's names of refunds that it links to this purchase by itself.
    """

    payment_id: PaymentId
    connection_id: ConnectionId
    made_at: datetime
    paid: Money
    left_minor: int
    retailers: tuple[RetailerId, ...]
    return_days: int
    stores: tuple[StoreId, ...] = ()
    account_ref: str | None = None
    card_ref: str | None = None
    card: CardFacts = NO_CARD_FACTS
    givable: frozenset[int] = frozenset()
    open_returns: tuple[OpenReturn, ...] = ()
    linked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RefundFound:
    """The refund is of the purchase `payment_id`."""

    payment_id: PaymentId
    why: RefundWhy
    probability: float = 1.0
    runner_up: float = 0.0

    @property
    def per_million(self) -> int:
        """The probability as it is kept: in millionths."""
        return round(self.probability * 1_000_000)


@dataclass(frozen=True, slots=True)
class RefundOpen:
    """It is not known of which. `candidates` are those that fit, most probable first, and how
    probable each is, in millionths.
    """

    why: RefundWhy
    candidates: tuple[tuple[PaymentId, int], ...] = ()


RefundDecision = RefundFound | RefundOpen


def decide_refund(
    refund: RefundSignals,
    bought: Sequence[Bought],
    *,
    known_since: datetime,
    is_whole: bool = True,
    threshold: float = REFUND_THRESHOLD,
) -> RefundDecision:
    """Decide which of `bought`, all of one member, `refund` gives back.

    `known_since` is when we began to hear of this member's payments. Not `is_whole`, there is more
    than `bought`: another may fit as well, and only the bank's own link is believed.
    """
    for one in bought:
        if one.connection_id == refund.connection_id and refund.transaction_id in one.linked:
            return RefundFound(one.payment_id, RefundWhy.LINKED_BY_BANK)
    told = [one for one in bought if _is_taken_back(refund, one)]
    weighed = [
        (one, _weight(refund, one) * (_NO_RETURN_TOLD if told and one not in told else 1))
        for one in bought
    ]
    fitting = sorted(((w, one) for one, w in weighed if w > 0), key=lambda pair: -pair[0])
    if not fitting:
        return RefundOpen(RefundWhy.NO_PURCHASE_FITS)
    total = sum(w for w, _ in fitting) + _unknown(refund, bought, known_since=known_since)
    probabilities = tuple((one.payment_id, w / total) for w, one in fitting)
    best = fitting[0][1]
    runner_up = probabilities[1][1] if len(probabilities) > 1 else 0.0
    if is_whole and probabilities[0][1] >= threshold:
        is_told = best in told
        why = RefundWhy.RETURN_RECEIPT if is_told else RefundWhy.ONE_PURCHASE_FITS
        return RefundFound(best.payment_id, why, probabilities[0][1], runner_up)
    several = runner_up > 1 - threshold
    why = RefundWhy.SEVERAL_PURCHASES if several else RefundWhy.PROBABILITY_TOO_LOW
    return RefundOpen(why, tuple((name, round(p * 1_000_000)) for name, p in probabilities))


def _weight(refund: RefundSignals, one: Bought) -> float:
    """How well the purchase explains the refund; 0 where it cannot."""
    days = _days_after(one.made_at, refund.made_at)
    last_day = one.return_days + LATE_SLACK.days
    if (
        refund.amount.currency != one.paid.currency
        or not 0 < refund.amount.minor <= one.left_minor
        or not set(refund.retailers) & set(one.retailers)
        or days < -CLOCKS_APART / timedelta(days=1)
        or days > last_day
    ):
        return 0.0
    soon = math.exp(-max(days, 0.0) / _SOON) / _SOON
    when = _SOON_SHARE * soon + (1 - _SOON_SHARE) / last_day
    return _of_amount(refund, one) * when * _of_place(refund, one) * _of_account(refund, one)


def _unknown(refund: RefundSignals, bought: Sequence[Bought], *, known_since: datetime) -> float:
    """How well a purchase that we do not know explains it: heard of by nobody, or too old."""
    alike = [one for one in bought if set(one.retailers) & set(refund.retailers)]
    period = max((one.return_days for one in alike), default=30) + LATE_SLACK.days
    before = max(0.0, period - _days_after(known_since, refund.made_at)) / period
    expected = _UNKNOWN_PER_KNOWN * max(len(alike), 1) + _UNKNOWN_BEFORE * before
    return expected * _UNKNOWN_AMOUNT * _UNKNOWN_STORE / period


def _of_amount(refund: RefundSignals, one: Bought) -> float:
    amount = refund.amount.minor
    if _is_taken_back(refund, one):
        return _OF_A_RETURN
    share = _ANY_AMOUNT / one.paid.minor
    if amount == one.left_minor:
        share += _WHOLE
    if amount in one.givable:
        share += _SOME_LINES / len(one.givable)
    return share


def _is_taken_back(refund: RefundSignals, one: Bought) -> bool:
    """Whether goods of the purchase were taken back for which `refund` may be the money."""
    return any(
        returned.amount_minor == refund.amount.minor
        and abs(refund.made_at - returned.at) <= RETURN_TO_REFUND
        for returned in one.open_returns
    )


def _of_place(refund: RefundSignals, one: Bought) -> float:
    if one.retailers[0] not in refund.retailers:
        return _OTHER_BRAND
    if not refund.stores or not one.stores or set(refund.stores) & set(one.stores):
        return _SAME_STORE
    return _OTHER_STORE


def _of_account(refund: RefundSignals, one: Bought) -> float:
    if refund.connection_id != one.connection_id:
        return _OTHER_SOURCE
    share = 1.0
    for ours, theirs in _references(refund, one):
        if ours is not None and theirs is not None and ours != theirs:
            share *= _OTHER_ACCOUNT
    ours_four, theirs_four = refund.card.last_four, one.card.last_four
    if ours_four is not None and theirs_four is not None:
        is_known = ours_four.kind is theirs_four.kind is not LastFourKind.UNKNOWN
        if is_known and ours_four.digits != theirs_four.digits:
            share *= _OTHER_DIGITS
    return share


def _references(refund: RefundSignals, one: Bought) -> Iterator[tuple[str | None, str | None]]:
    yield refund.account_ref, one.account_ref
    yield refund.card_ref, one.card_ref


def _days_after(earlier: datetime, later: datetime) -> float:
    return (later - earlier) / timedelta(days=1)
