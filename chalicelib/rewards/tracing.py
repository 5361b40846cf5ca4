"""What a member's bank calls purchases, and why something of what they earned was taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.cards.changes import RETURNED, WITHDRAWN
from chalicelib.loyalty.sale import sale_of
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.purchases import store as purchases
from chalicelib.purchases.model import KnownPayment, Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault


@dataclass(frozen=True, slots=True)
class Traced:
    """A purchase as its bank calls it (None: another bank's, or forgotten), and why something of
    what it earned was taken back: `returned` or `withdrawn`, empty where nobody asked.
    """

    transaction: str | None
    reason: str = ""


def trace(
    member: Member,
    payment_ids: Iterable[str],
    *,
    less: Iterable[str] = (),
    key: vault.SealingKey,
    now: datetime,
) -> dict[str, Traced]:
    """Each of `payment_ids`; of those in `less` also why it counts less than it earned.

    A read for each, and another for each in `less`.
    """
    asked = frozenset(less)
    return {
        one: _traced(member, PaymentId(one), is_less=one in asked, key=key, now=now)
        for one in dict.fromkeys(payment_ids)
    }


def _traced(
    member: Member,
    payment_id: PaymentId,
    *,
    is_less: bool,
    key: vault.SealingKey,
    now: datetime,
) -> Traced:
    known = payments.find_payment(payment_id, key=key, now=now, consistent=False)
    if known is None or known.member_id != member.member_id:
        return Traced(None)
    is_own = known.payment.connection_id == member.connection_id
    reason = _reason(known, key=key, now=now) if is_less else ""
    return Traced(known.payment.transaction_id if is_own else None, reason)


def _reason(known: KnownPayment, *, key: vault.SealingKey, now: datetime) -> str:
    where = Whereabouts(known.payment.payment_id, known.member_id, known.payment.anchored_at)
    purchase = purchases.find_purchase(where, key=key, now=now, consistent=False)
    if purchase is None or purchase.receipt is None:
        return WITHDRAWN
    store = network.get_store(purchase.receipt.store_id, now=now)
    return WITHDRAWN if sale_of(purchase, store).is_withdrawn else RETURNED
