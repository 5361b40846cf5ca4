"""What tests of withdrawals and hand corrections share: a return, and the queue worked off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from chalicelib.kernel.cards import CardFacts
from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import Rejected
from chalicelib.matching import store as matching_store
from chalicelib.purchases import reading, service, withdrawing
from chalicelib.purchases.access import Own, find_own
from chalicelib.purchases.messages import LookAgainMessage, WithdrawMessage, decode_payments
from chalicelib.purchases.model import Purchase
from chalicelib.receipts.canonical import (
    Barcode,
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
from tests.makers.outside import stored_rows
from tests.makers.purchases import A_MINUTE_LATER, BANK, PAID_AT, SALE, deliveries, event, queued

M = TypeVar("M")
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


def of_sum(receipt: Receipt, minor: int, card: CardFacts | None = None) -> Receipt:
    """`receipt` as if it had cost `minor` pence, paid by one card."""
    tender = receipt.tenders[0]
    return replace(
        receipt,
        total_minor=minor,
        lines=(replace(receipt.lines[0], amount_minor=minor),),
        tenders=(replace(tender, amount_minor=minor, card=card or tender.card),),
    )


def unfinished(kind: type[M]) -> list[M]:
    """The messages of `kind` that wait for later, to finish what was begun; taken off the queue."""
    queue_time.skip(withdrawing.FINISHES_AFTER_SECONDS + 1)
    messages = [decode_payments(body) for body in queued(queues.PAYMENTS)]
    return [message for message in messages if isinstance(message, kind)]


PLAIN = CardFacts()
# A sale whose till's clock is an hour off and which says nothing of the card: nothing matches it.
HOURS_OFF = replace(
    of_sum(SALE, 420, PLAIN),
    issued_at=PAID_AT + timedelta(hours=1),
    barcode=Barcode("code_128", "0042-R-1"),
    return_reference="RET-1",
)


def pay(name: str = "t-1", **more: object) -> Own:
    """A payment that waits: the till's clock is an hour off. Nothing is queued."""
    told = event(name, **({"card": PLAIN} | more))
    service.record_payment(told, now=A_MINUTE_LATER)
    deliveries()
    look()
    return own(name)


def own(name: str = "t-1") -> Own:
    mine = find_own(BANK, name, of_user=None, now=LATER)
    assert mine is not None
    return mine


def purchase(name: str = "t-1") -> Purchase:
    answer = reading.find_receipt(BANK, name, now=LATER)
    assert isinstance(answer, Purchase)
    return answer


def holders(receipt: Receipt = HOURS_OFF) -> list[PaymentId]:
    return [c.hold.payment_id for c in matching_store.list_claims(receipt.receipt_id, now=LATER)]


def refused(act: Callable[[], None], kind: type[Rejected]) -> str:
    """The code of the refusal; nothing was claimed, joined, or told."""
    before = stored_rows("tills", "wallets")
    with pytest.raises(kind) as refusal:
        act()
    assert stored_rows("tills", "wallets") == before
    assert deliveries() == []
    return refusal.value.code
