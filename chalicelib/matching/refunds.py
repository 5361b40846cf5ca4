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
from chalicelib.receipts.canonical import LineKind, Receipt, Tender
from chalicelib.receipts.returns import returnable_quantity

MODEL = "refunds-1"
REFUND_THRESHOLD = 0.99  # A wrong guess is shown to nobody else and is mended by the next evidence.
LATE_SLACK = timedelta(days=14)  # Goods on their way back, and a bank that takes its time.
CLOCKS_APART = timedelta(hours=1)  # A refund may be told as made a little before its sale.
RETURN_TO_REFUND = timedelta(days=10)  # A refund without authorisation is told when it is cleared.

_WHOLE = 0.55  # all that is left is given back
_SOME_LINES = 0.40  # some of the goods, at what they cost
_ANY_AMOUNT = 0.05  # something else: a goodwill payment, a fee held back
_OF_A_RETURN = 0.95  # the till took goods back for just that, and nothing came back for them yet
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
_SUMS_MAX = 4_096


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
    - `givable`: what some of its goods cost, of those that are not back (`amounts_givable`).
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
    probability: float
    runner_up: float


@dataclass(frozen=True, slots=True)
class RefundOpen:
    """It is not known of which. `candidates` are those that fit, most probable first."""

    why: RefundWhy
    candidates: tuple[tuple[PaymentId, float], ...] = ()


RefundDecision = RefundFound | RefundOpen


def decide_refund(
    refund: RefundSignals,
    bought: Sequence[Bought],
    *,
    known_since: datetime,
    threshold: float = REFUND_THRESHOLD,
) -> RefundDecision:
    """Decide which of `bought`, all of one member, `refund` gives back.

    `known_since` is when we began to hear of this member's payments.
    """
    for one in bought:
        if one.connection_id == refund.connection_id and refund.transaction_id in one.linked:
            return RefundFound(one.payment_id, RefundWhy.LINKED_BY_BANK, 1.0, 0.0)
    weighed = [(one, _weight(refund, one)) for one in bought]
    fitting = sorted(((w, one) for one, w in weighed if w > 0), key=lambda pair: -pair[0])
    if not fitting:
        return RefundOpen(RefundWhy.NO_PURCHASE_FITS)
    total = sum(w for w, _ in fitting) + _unknown(refund, bought, known_since=known_since)
    probabilities = tuple((one.payment_id, w / total) for w, one in fitting)
    best = fitting[0][1]
    runner_up = probabilities[1][1] if len(probabilities) > 1 else 0.0
    if probabilities[0][1] >= threshold:
        why = RefundWhy.ONE_PURCHASE_FITS
        if any(_is_for(refund, returned) for returned in best.open_returns):
            why = RefundWhy.RETURN_RECEIPT
        return RefundFound(best.payment_id, why, probabilities[0][1], runner_up)
    several = runner_up > 1 - threshold
    why = RefundWhy.SEVERAL_PURCHASES if several else RefundWhy.PROBABILITY_TOO_LOW
    return RefundOpen(why, probabilities)


def money_back(returned: Receipt) -> tuple[int, ...]:
    """What the till gave back onto cards for `returned`, one amount per card; of a receipt that
    does not say how, all of it. In minor units, positive.
    """
    on_cards = tuple(tender.amount_minor for tender in returned.card_tenders)
    if not returned.tenders:
        on_cards = (abs(returned.total_minor),)
    return tuple(minor for minor in on_cards if minor > 0)


def is_tied(refund: RefundSignals, returned: Receipt) -> bool:
    """Whether `refund` and `returned`, of the same amount, were made by one customer: cards agree
    in digits of one kind, or nothing of the card is said and both were made within the hour.
    """
    if returned.retailer_id not in refund.retailers or returned.currency != refund.amount.currency:
        return False
    apart = abs(refund.made_at - returned.issued_at)
    tenders = [t for t in returned.card_tenders if t.amount_minor == refund.amount.minor]
    agreed = [_digits_agree(refund, tender) for tender in tenders]
    if True in agreed:
        return apart <= RETURN_TO_REFUND
    return False not in agreed and apart <= CLOCKS_APART


def _digits_agree(refund: RefundSignals, tender: Tender) -> bool | None:
    """None where the two cannot be compared: one is missing, or they end different numbers."""
    theirs = tender.card.last_four
    ours = [refund.card.last_four] if refund.card.last_four else refund.known_last_fours
    if theirs is None or theirs.kind is LastFourKind.UNKNOWN:
        return None
    alike = [one for one in ours if one.kind is theirs.kind]
    return any(one.digits == theirs.digits for one in alike) if alike else None


def amounts_givable(sale: Receipt) -> frozenset[int]:
    """What may come back for some of the goods of `sale` (after its returns), in minor units.

    Each remaining unit of a line alone, some of it, and lines together, as long as they are few.
    """
    sums = {0}
    for line in sale.lines:
        remaining = returnable_quantity(line)
        if line.kind is not LineKind.SALE or remaining <= 0 or line.amount_minor <= 0:
            continue
        units = int(remaining) if remaining == int(remaining) else 1
        whole = round(line.amount_minor * remaining / line.quantity)  # to even, as tills round
        of_line = {round(whole * count / units) for count in range(1, min(units, 20) + 1)}
        more = {known + one for known in sums for one in of_line}
        sums |= more if len(sums) + len(more) <= _SUMS_MAX else of_line
    return frozenset(sums - {0})


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
    if any(_is_for(refund, returned) for returned in one.open_returns):
        return _OF_A_RETURN
    share = _ANY_AMOUNT / one.paid.minor
    if amount == one.left_minor:
        share += _WHOLE
    if amount in one.givable:
        share += _SOME_LINES / len(one.givable)
    return share


def _is_for(refund: RefundSignals, returned: OpenReturn) -> bool:
    """Whether `refund` is the money for what was taken back."""
    since = refund.made_at - returned.at
    return (
        returned.amount_minor == refund.amount.minor
        and -RETURN_TO_REFUND <= since <= RETURN_TO_REFUND
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
