"""What tests of withdrawals and hand corrections share: a return, and the queue worked off."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.purchases import service, withdrawing
from chalicelib.purchases.messages import LookAgainMessage, WithdrawMessage, decode_payments
from chalicelib.receipts.canonical import (
    Line,
    LineKind,
    LineReference,
    Receipt,
    ReceiptKind,
    Tender,
    TenderKind,
)
from chalicelib.runtime import queues
from infra.local import queue_time
from tests.makers.purchases import A_MINUTE_LATER, PAID_AT, SALE, queued

LATER = A_MINUTE_LATER + timedelta(minutes=5)


def brought_back(reference: str) -> Receipt:
    """The loaf of the sale R-1 comes back an hour later."""
    line = Line("1", "Rye loaf", 420, kind=LineKind.RETURN, refers_to=LineReference("R-1", "1"))
    return replace(
        SALE,
        reference=reference,
        kind=ReceiptKind.RETURN,
        lines=(line,),
        tenders=(Tender(TenderKind.CARD, 420),),
        issued_at=PAID_AT + timedelta(hours=1),
    )


def look(now: datetime = LATER) -> list[WithdrawMessage]:
    """Do every look that is queued, also later; returns the orders that stood between them.

    The queues' time has to be ruled (`queue_time`), or what is queued for later is not seen.
    """
    queue_time.skip(withdrawing.FINISHES_AFTER_SECONDS + 1)
    orders = []
    for body in queued(queues.PAYMENTS):
        message = decode_payments(body)
        if isinstance(message, LookAgainMessage):
            service.look_again(message.payment_id, now=now)
        elif isinstance(message, WithdrawMessage):
            orders.append(message)
    return orders
