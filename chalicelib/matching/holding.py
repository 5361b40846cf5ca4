"""Whether a match still stands when a bank tells more of the payment. Pure.

A match made on an authorisation survives its clearing: tips and service are added, pumps and hotels
reserve more than they take, an order is shipped in parts, schemes clear days later under another
MID. What survives nothing is word that it was another card or another shop. A single such word
against a match that card facts carried is weighed against them: an auth code that agrees outweighs
an amount, a time and a place, because shops write these down in more than one way.
"""

from collections.abc import Collection
from enum import Enum

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.ids import StoreId
from chalicelib.matching.amounts import may_be_taken
from chalicelib.matching.payment import Payment
from chalicelib.matching.rates import is_other_card
from chalicelib.matching.signals import Part


class Contradiction(Enum):
    """What a later event says against a match."""

    AUTH_CODE = "auth_code"
    LAST_FOUR = "last_four"
    STORE = "store"
    AMOUNT = "amount"


def find_contradiction(
    payment: Payment, part: Part, *, named: Collection[StoreId]
) -> Contradiction | None:
    """What `payment`, with all its events, says against its `part` of a receipt; None: it stands.

    - `named`: the stores that its newest charge names by itself; empty where it names none that is
      known.
    """
    charges = [e for e in payment.events if e.kind in _CHARGES]
    codes = {event.card.auth_code for event in charges} - {None}
    if part.card.auth_code and codes:
        if part.card.auth_code in codes:
            return None
        return Contradiction.AUTH_CODE
    if _is_other_card(charges, part):
        return Contradiction.LAST_FOUR
    if named and part.receipt.store_id not in named:
        return Contradiction.STORE
    taken = [(amount.minor, amount.currency) for amount in payment.taken]
    if not may_be_taken(taken, part.amount_minor, part.receipt.currency):
        return Contradiction.AMOUNT
    return None


_CHARGES = (PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED)


def _is_other_card(charges: Collection[PaymentEvent], part: Part) -> bool:
    told = [event.card.last_four for event in charges if event.card.last_four is not None]
    return part.card.last_four is not None and is_other_card(told, part.card.last_four)
