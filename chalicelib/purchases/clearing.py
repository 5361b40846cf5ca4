"""What a payment's later events say against the receipt that its purchase has."""

from datetime import datetime

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.matching.holding import Contradiction, find_contradiction
from chalicelib.matching.payment import Payment
from chalicelib.matching.signals import parts_of
from chalicelib.matching.why import BY_HAND
from chalicelib.network import service as network
from chalicelib.purchases.model import Purchase

_BY_HAND = frozenset(why.value for why in BY_HAND)


def contradiction_of(
    purchase: Purchase, payment: Payment, *, now: datetime
) -> Contradiction | None:
    """What `payment`, with its newest events, says against the receipt of `purchase`, if anything.

    Nothing is said against what a person joined: they knew the receipt.
    """
    receipt, reason = purchase.receipt, purchase.reason
    if receipt is None or (reason is not None and reason.why in _BY_HAND):
        return None
    charges = [e for e in payment.events if e.kind is not PaymentEventKind.REFUNDED]
    newest = charges[-1] if charges else payment.first_ref
    named = {place.store_id for place in network.find_stores(newest.merchant, now=now)}
    for part in parts_of(receipt):
        if part.index == purchase.part:
            return find_contradiction(payment, part, named=named)
    return None
