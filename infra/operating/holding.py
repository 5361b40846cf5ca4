"""A held award and its purchase, as staff see it."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.holding.model import Held
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.model import Whereabouts
from chalicelib.purchases.refunds import refunded


def lines_of(held: Held, *, now: datetime) -> Iterator[str]:
    """Why it is held, then its purchase, for who has a reason to see it.

    :raises NotFound: the member or the purchase is gone.
    """
    key = active_key_of(held.member_id, now=now)
    where = Whereabouts(held.purchase_id, held.member_id, held.anchored_at)
    purchase = purchases.find_purchase(where, key=key, now=now) if key else None
    if purchase is None:
        raise NotFound("the purchase of the award is gone")
    payment, back = purchase.payment, refunded(purchase)
    place = "-"
    if purchase.receipt is not None:
        place = f"{purchase.receipt.store_id}  till {purchase.receipt.till or '-'}"
    yield f"{held.reason.value}  {held.subject}  {held.worth}  member {held.member_id}"
    paid = f"{payment.amount.to_text()} {payment.amount.currency}"
    yield f"{payment.made_at:%Y-%m-%d %H:%M:%S}  {paid}  given back {back.minor} minor  {place}"
