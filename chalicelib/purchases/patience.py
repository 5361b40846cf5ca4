"""Until when what decides a payment may still come: receipts of its shops, word of its bank. Pure.

A payment waits as long as something may come, and no longer: what waits stands in the way of others
as a rival. It ends with the reason that the last look gave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.network.habits import Habits
from chalicelib.network.model import Store
from chalicelib.purchases.model import Ending


def ending_at_once(payment: Payment) -> Ending | None:
    """Why no receipt is looked for by what the bank told so far; None where one is."""
    if payment.state is PaymentState.REFUND_ONLY:
        return Ending.REFUND_UNLINKED
    if payment.state is PaymentState.REVERSED:
        return Ending.PAYMENT_REVERSED
    return Ending.STAYED_AMBIGUOUS if payment.is_given_up else None


@dataclass(frozen=True, slots=True)
class Patience:
    """What may still come of a payment, and until when.

    - `receipts_until`: its shops' tills have sent what they sold, but for those without a line.
    - `late_until`: tills that were without a line have, too.
    - `clearing_until`: its bank may still clear it, and say more of the card; None where it has, or
      never does.
    - `ends_at`: nothing is waited for any longer.
    """

    receipts_until: datetime
    late_until: datetime
    clearing_until: datetime | None
    ends_at: datetime


def patience_of(
    payment: Payment,
    stores: Sequence[Store],
    habits: Habits,
    *,
    first_seen_at: datetime,
    waits_max: timedelta,
) -> Patience:
    """How long `payment`, first seen at `first_seen_at`, is worth waiting with.

    Never longer than `waits_max`: for so long pages are kept, and payments that wait.
    """
    within = max((store.receipts_within_seconds for store in stores), default=0)
    late = max((store.late_receipts_days for store in stores), default=0)
    receipts_until = payment.made_at + timedelta(seconds=within)
    late_until = first_seen_at + timedelta(days=late)
    is_cleared = any(event.kind is PaymentEventKind.CLEARED for event in payment.events)
    clearing_until = None
    if habits.clears_within is not None and not is_cleared:
        clearing_until = payment.made_at + habits.clears_within
    last = max(receipts_until, late_until, clearing_until or late_until)
    latest = first_seen_at + waits_max
    ends_at = min(last, latest) if stores else latest
    return Patience(receipts_until, late_until, clearing_until, ends_at)
