"""What a refund may be of: its member's purchases around it, as the decision sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.cards import LastFour
from chalicelib.kernel.ids import PaymentId, ReceiptId, RetailerId, StoreId
from chalicelib.kernel.money import Money
from chalicelib.kernel.times import local_day
from chalicelib.matching.payment import PaymentState
from chalicelib.matching.refunds import (
    CLOCKS_APART,
    LATE_SLACK,
    Bought,
    OpenReturn,
    RefundDecision,
    RefundSignals,
    decide_refund,
)
from chalicelib.matching.returned import amounts_givable, is_tied, money_back
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases.model import KnownPayment, Purchase
from chalicelib.purchases.refunding import store
from chalicelib.purchases.refunds import refunded
from chalicelib.purchases.store import PURCHASES_READ_MAX, list_purchases
from chalicelib.purchases.versions import without_refund
from chalicelib.receipts.canonical import Receipt, ReceiptKind
from chalicelib.receipts.returns import could_undo
from chalicelib.runtime import vault

STORES_THAT_SAY_WHERE_MAX = 5  # A narrative that names more shops says who sold, and not where.
RETURN_DAYS_MAX = 400  # As long as payments are remembered.


@dataclass(frozen=True, slots=True)
class Near:
    """Around one refund: the purchases it may be of, and unnamed returns that may be its own.

    Not `is_whole`, there are older purchases that were not read: nothing fits one purchase alone.
    """

    refund: RefundSignals
    purchases: tuple[Purchase, ...]
    bought: tuple[Bought, ...]
    unnamed: tuple[Receipt, ...]
    is_whole: bool = True

    def decide(self, *, known_since: datetime) -> RefundDecision:
        """Which of the purchases the refund gives back."""
        return decide_refund(
            self.refund, self.bought, known_since=known_since, is_whole=self.is_whole
        )

    def purchase(self, payment_id: PaymentId) -> Purchase:
        """The purchase of that payment, which is one of `purchases`."""
        return next(one for one in self.purchases if one.payment.payment_id == payment_id)

    def return_of(self, purchase: Purchase) -> Receipt | None:
        """The one unnamed return that is the refund's and could be of `purchase` alone."""
        own = [one for one in self.unnamed if _could_be_of(purchase, one)]
        if len(own) != 1 or not self.is_whole:
            return None
        others = (p for p in self.purchases if p.payment.payment_id != purchase.payment.payment_id)
        return None if any(_could_be_of(other, own[0]) for other in others) else own[0]


def signals_of(
    known: KnownPayment, last_fours: tuple[LastFour, ...], *, now: datetime
) -> RefundSignals | None:
    """What the refund payment says; None where its shop no longer takes part."""
    payment = known.payment
    stores = network.find_stores(payment.merchant, now=now)
    if not stores:
        return None
    event = payment.first_ref
    return RefundSignals(
        payment_id=payment.payment_id,
        connection_id=payment.connection_id,
        transaction_id=event.transaction_id,
        made_at=payment.made_at,
        amount=Money(payment.refunded_minor, event.amount.currency),
        retailers=_retailers(stores, now=now),
        stores=_places(stores),
        account_ref=event.account_ref,
        card_ref=event.card_ref,
        card=payment.card,
        known_last_fours=last_fours,
    )


def look(
    known: KnownPayment,
    refund: RefundSignals,
    *,
    key: vault.SealingKey,
    now: datetime,
    limit: int = PURCHASES_READ_MAX,
) -> Near:
    """Read what stands around `refund`, at most `limit` purchases, the newest. What it was found to
    be of before counts for nothing.
    """
    days = max(network.get_retailer(one, now=now).return_days for one in refund.retailers)
    period = timedelta(days=min(days, RETURN_DAYS_MAX)) + LATE_SLACK
    since, until = refund.made_at - period, refund.made_at + CLOCKS_APART
    found = list_purchases(known.member_id, since=since, until=until, key=key, now=now, limit=limit)
    purchases = tuple(
        without_refund(one, refund.payment_id)
        for one in _each_once(found, refund)
        if one.payment.payment_id != refund.payment_id
    )
    unnamed = tuple(
        returned
        for retailer_id in refund.retailers
        for returned in store.list_unnamed(store.amount_key(retailer_id, refund.amount), now=now)
        if is_tied(refund, returned)
    )
    bought = tuple(_bought(one, unnamed, now=now) for one in purchases)
    return Near(refund, purchases, bought, unnamed, is_whole=len(found) < limit)


def _each_once(found: Sequence[Purchase], refund: RefundSignals) -> list[Purchase]:
    """What was bought, each once: of a purchase that two sources told of, the refund's source."""
    sold = [one for one in found if one.payment.state is not PaymentState.REFUND_ONLY]
    ours = {
        (one.receipt.receipt_id, one.part)
        for one in sold
        if one.receipt is not None and one.payment.connection_id == refund.connection_id
    }
    return [
        one
        for one in sold
        if one.payment.connection_id == refund.connection_id
        or (one.same_as is None and not _is_among(one, ours))
    ]


def _is_among(purchase: Purchase, parts: set[tuple[ReceiptId, int]]) -> bool:
    receipt = purchase.receipt
    return receipt is not None and (receipt.receipt_id, purchase.part) in parts


def _bought(purchase: Purchase, unnamed: Sequence[Receipt], *, now: datetime) -> Bought:
    payment = purchase.payment
    event = payment.first_ref
    stores = _stores_of(purchase, now=now)
    days = max(
        (network.get_retailer(s.retailer_id, now=now).return_days for s in stores), default=0
    )
    plain = Bought(
        payment_id=payment.payment_id,
        connection_id=payment.connection_id,
        made_at=payment.made_at,
        paid=payment.amount,
        left_minor=refunded(purchase).remaining_minor,
        retailers=_retailers(stores, now=now),
        return_days=min(days, RETURN_DAYS_MAX),
        stores=_places(stores),
        account_ref=event.account_ref,
        card_ref=event.card_ref,
        card=payment.card,
        linked=frozenset(told.name for told in payment.refunds),
    )
    if purchase.receipt is None:
        return plain
    sale = purchase.after_returns.sale
    until = purchase.receipt.return_by
    if until is not None:
        asked = (until - local_day(purchase.receipt.issued_at, stores[0].zone)).days
        days = min(max(days, asked), RETURN_DAYS_MAX)
    tied = [one for one in unnamed if could_undo(sale, one)]
    return replace(
        plain,
        return_days=days,
        givable=amounts_givable(sale),
        open_returns=tuple(_open_returns(purchase)) + tuple(_of(one) for one in tied),
    )


def _open_returns(purchase: Purchase) -> list[OpenReturn]:
    """The goods taken back for which no refund is known: each refund pays for one return."""
    told = [refund.amount for refund in purchase.payment.refunds]
    told += [refund.amount for refund in purchase.refunds]
    still: list[OpenReturn] = []
    for returned in purchase.returns:
        if returned.kind is ReceiptKind.VOID:
            continue
        for minor in money_back(returned):
            amount = Money(minor, returned.currency)
            if amount in told:
                told.remove(amount)
            else:
                still.append(OpenReturn(returned.receipt_id, minor, returned.issued_at))
    return still


def _of(returned: Receipt) -> OpenReturn:
    return OpenReturn(returned.receipt_id, money_back(returned)[0], returned.issued_at)


def _could_be_of(purchase: Purchase, returned: Receipt) -> bool:
    return purchase.receipt is not None and could_undo(purchase.after_returns.sale, returned)


def _stores_of(purchase: Purchase, *, now: datetime) -> tuple[Store, ...]:
    if purchase.receipt is not None:
        return (network.get_store(purchase.receipt.store_id, now=now),)
    return network.find_stores(purchase.payment.merchant, now=now)


def _places(stores: Sequence[Store]) -> tuple[StoreId, ...]:
    return tuple(s.store_id for s in stores) if len(stores) <= STORES_THAT_SAY_WHERE_MAX else ()


def _retailers(stores: Sequence[Store], *, now: datetime) -> tuple[RetailerId, ...]:
    """Whose stores these are, then the others of their groups."""
    owners = tuple(dict.fromkeys(one.retailer_id for one in stores))
    groups = (other for owner in owners for other in network.list_group(owner, now=now))
    return tuple(dict.fromkeys((*owners, *groups)))
