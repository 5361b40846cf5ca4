"""Whether an event under a new id continues a payment that we know under another. Pure.

Some providers book a payment under another id than it had while it was pending, and say nothing of
the first. Two payments of one member at one shop look much alike, so the rule is narrow: one
account and card, one currency, one of them pending and the other booked, and either the same auth
code, or, where a side has none, the same amount at the same shop at the same time.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.matching.payment import Payment
from chalicelib.network.identifiers import Identifier, IdentifierKind

# A booked entry repeats the time of the sale; some write it down again by a clock of their own.
SAME_TIME = timedelta(seconds=60)
# With an auth code: how far the two times may be apart. A code is not unique over days.
SAME_CODE = timedelta(hours=3)

_LIFE = (PaymentEventKind.AUTHORISED, PaymentEventKind.CLEARED)


def find_continued(event: PaymentEvent, payments: Sequence[Payment]) -> Payment | None:
    """The one of `payments` (of the same member) that `event` continues, or None.

    Where several would do, the one nearest in time; if two are equally near, none: a payment that
    stands alone without a receipt does less harm than two purchases in one.
    """
    fitting = [(_apart(event, one), one) for one in payments if _continues(event, one)]
    fitting.sort(key=lambda found: found[0])
    if not fitting or (len(fitting) > 1 and fitting[0][0] == fitting[1][0]):
        return None
    return fitting[0][1]


def _continues(event: PaymentEvent, payment: Payment) -> bool:
    kinds = {told.kind for told in payment.events}
    if (
        event.connection_id != payment.connection_id
        or event.kind not in _LIFE
        or event.kind in kinds
        or not kinds & set(_LIFE)
        or any(told.transaction_id == event.transaction_id for told in payment.events)
    ):
        return False
    sale = payment.first_ref
    differ = (
        _differ(event.account_ref, sale.account_ref)
        or _differ(event.card_ref, sale.card_ref)
        or _differ(event.user_ref, sale.user_ref)
        or event.amount.currency != payment.amount.currency
    )
    if differ:
        return False
    ours, theirs = event.card.auth_code, payment.card.auth_code
    if ours and theirs:
        return ours == theirs and _apart(event, payment) <= SAME_CODE
    return (
        event.amount == payment.amount
        and _apart(event, payment) <= SAME_TIME
        and bool(_names(event.merchant) & _names(payment.merchant))
    )


def _names(merchant: Iterable[Identifier]) -> set[Identifier]:
    """What names the shop; where it stands, another shop may, too."""
    return {one for one in merchant if one.kind is not IdentifierKind.PLACE}


def _differ(ours: str | None, theirs: str | None) -> bool:
    return ours is not None and theirs is not None and ours != theirs


def _apart(event: PaymentEvent, payment: Payment) -> timedelta:
    return abs(event.made_at - payment.made_at)
