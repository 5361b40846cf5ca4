"""Answering a bank's question: the receipt of a transaction, or why there is none."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.members import service as members
from chalicelib.purchases import store
from chalicelib.purchases.access import WAITS, Own, active_key_of, find_own
from chalicelib.purchases.model import Ending, Purchase, RefundOf, Whereabouts
from chalicelib.purchases.patience import ending_at_once
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault

LISTED_MAX = 500  # With all their lines, more would not fit into one answer.


class Missing(Enum):
    """Why there is no receipt. The words are part of the API."""

    NOT_SUPPORTED = "NOT_SUPPORTED"
    PENDING = "PENDING"
    NO_MATCH = "NO_MATCH"


_ENDED_AT_ONCE = (Ending.REFUND_UNLINKED, Ending.PAYMENT_REVERSED)


@dataclass(frozen=True, slots=True)
class NoReceipt:
    """There is no receipt, with the reason and, where the payment ended without one, why."""

    missing: Missing
    ending: Ending | None = None


def find_receipt(
    connection_id: ConnectionId,
    transaction_id: str,
    *,
    of_user: str | None = None,
    now: datetime,
) -> Purchase | NoReceipt:
    """The purchase of the bank's transaction, which then has a receipt, or why there is none. Of a
    refund, the purchase that it gives back.

    `of_user` narrows the answer to one of the bank's users. What was never recorded cannot be told
    from what is not supported: neither leaves a trace.
    """
    own = find_own(connection_id, transaction_id, of_user=of_user, now=now)
    if own is None:
        return NoReceipt(Missing.NOT_SUPPORTED)
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is not None and purchase.refund_of is not None:
        purchase = _given_back_by(purchase, purchase.refund_of, key=own.key, now=now)
    if purchase is not None and purchase.receipt is not None:
        return purchase
    if purchase is not None and not waits(own, purchase, now=now):
        return NoReceipt(Missing.NO_MATCH, purchase.ending)
    is_over = now >= own.first_seen_at + WAITS
    return NoReceipt(Missing.NO_MATCH if is_over else Missing.PENDING)


def waits(own: Own, purchase: Purchase | None, *, now: datetime) -> bool:
    """Whether a payment without a receipt looks for one, as far as its `purchase` says: there is
    none yet, its receipt was taken away, or what ended it was heard before its sale.

    For as long as any payment waits; how long that is, the purchase does not know.
    """
    if purchase is None:
        return True
    if purchase.ending in _ENDED_AT_ONCE:
        newest = payments.find_payment(own.where.payment_id, key=own.key, now=now)
        return newest is not None and ending_at_once(newest.payment) is None
    is_open = purchase.is_withdrawn and purchase.ending is None
    return is_open and ending_at_once(purchase.payment) is None


def _given_back_by(
    refund: Purchase, given: RefundOf, *, key: vault.SealingKey, now: datetime
) -> Purchase:
    """The purchase that a refund gives back: under both stands the one receipt."""
    where = Whereabouts(given.payment_id, refund.member_id, given.anchored_at)
    return store.find_purchase(where, key=key, now=now) or refund


def list_of_user(
    connection_id: ConnectionId, user: str, *, now: datetime, limit: int = LISTED_MAX
) -> tuple[MemberId, list[Purchase]] | None:
    """The purchases with receipts among the newest `limit` of one of the bank's users, newest
    first; None for no member.
    """
    member_id = members.find_member_of_user(connection_id, user, now=now)
    key = active_key_of(member_id, now=now) if member_id else None
    if member_id is None or key is None:
        return None
    purchases = store.list_purchases(member_id, key=key, now=now, limit=limit)
    return member_id, [p for p in reversed(purchases) if p.receipt is not None]
