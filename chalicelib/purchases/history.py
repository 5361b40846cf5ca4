"""The history of a purchase: what changed with each version, and when.

It holds what is needed to say so in words, and no second copy of a receipt: a cause, an amount, a
reference. It is bounded; what is dropped is the oldest but the first. The first version is not
written down: most purchases have no other, and the purchase itself says what it was.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.money import Money
from chalicelib.purchases.model import Cause, Change, Purchase
from chalicelib.receipts.canonical import Receipt, ReceiptKind

CHANGES_MAX = 50  # As many as a payment has events at most.

_OF_EVENT = {
    PaymentEventKind.AUTHORISED: Cause.AUTHORISED,
    PaymentEventKind.CLEARED: Cause.CLEARED,
    PaymentEventKind.REVERSED: Cause.REVERSED,
    PaymentEventKind.REFUNDED: Cause.REFUNDED,
}


def noted(before: Purchase, after: Purchase, *, now: datetime) -> Purchase:
    """`after` with what has changed since `before` written down under its version.

    Where nothing that is told of changed, `after` as it is.
    """
    found = tuple(
        replace(change, version=after.version, at=now) for change in _changes(before, after)
    )
    if not found:
        return after
    kept = (*after.changes, *found)
    if len(kept) > CHANGES_MAX:
        kept = (kept[0], *kept[1 - CHANGES_MAX :])
    return replace(after, changes=kept)


def changes_of(purchase: Purchase) -> tuple[Change, ...]:
    """Everything that happened to `purchase`, oldest first, beginning with its first version."""
    later = purchase.changes
    if any(change.cause in (Cause.JOINED, Cause.ENDED) for change in later):
        return later
    first_version = later[0].version - 1 if later else purchase.version
    if purchase.receipt is None:
        return (Change(Cause.ENDED, version=first_version), *later)
    joined = Change(
        Cause.JOINED,
        version=first_version,
        at=purchase.matched_at,
        reference=purchase.receipt.reference,
    )
    return (joined, *later)


def in_words(change: Change) -> str:
    """What happened, as a sentence."""
    amount = Money(change.amount_minor, change.currency) if change.currency else None
    text = f"{amount.to_text()} {amount.currency}" if amount is not None else ""
    reference = change.reference
    match change.cause:
        case Cause.JOINED:
            return f"The receipt {reference} was found." if reference else "A receipt was found."
        case Cause.ENDED:
            return "No receipt was found."
        case Cause.AUTHORISED:
            return f"The bank authorised {text}."
        case Cause.CLEARED:
            return f"The bank cleared {text}."
        case Cause.REVERSED:
            return f"The bank took back {text} of what it had held."
        case Cause.REFUNDED:
            return f"The bank refunded {text}."
        case Cause.REFUND_FOUND:
            return f"A refund of {text} was found to be of this purchase."
        case Cause.REFUND_MOVED:
            return f"A refund of {text} was found to be of another purchase."
        case Cause.CORRECTED:
            return f"The shop sent version {change.detail} of the receipt."
        case Cause.VOIDED:
            what = f"return {reference}" if reference else "receipt"
            return f"The shop declared the {what} void."
        case Cause.RETURNED:
            return f"The shop took goods back for {text} (receipt {reference})."
        case Cause.WITHDRAWN:
            return "The receipt was taken back."


def _changes(before: Purchase, after: Purchase) -> Iterator[Change]:
    yield from _of_receipt(before, after)
    known = {(event.transaction_id, event.event_key) for event in before.payment.events}
    for event in after.payment.events:
        if (event.transaction_id, event.event_key) not in known:
            yield _of_event(event)
    returns = {(one.receipt_id, one.version) for one in before.returns}
    for returned in after.returns:
        if (returned.receipt_id, returned.version) not in returns:
            yield _of_return(returned)
    yield from _of_refunds(before, after)


def _of_receipt(before: Purchase, after: Purchase) -> Iterator[Change]:
    old, new = before.receipt, after.receipt
    if old is not None and (new is None or new.receipt_id != old.receipt_id):
        yield Change(Cause.WITHDRAWN)  # Without its name: it may be a stranger's.
    if new is None:
        if before.ending is None and after.ending is not None:
            yield Change(Cause.ENDED)
    elif old is None or old.receipt_id != new.receipt_id:
        yield Change(Cause.JOINED, reference=new.reference)
    elif new.version != old.version:
        void = new.kind is ReceiptKind.VOID
        yield Change(Cause.VOIDED) if void else Change(Cause.CORRECTED, detail=str(new.version))


def _of_event(event: PaymentEvent) -> Change:
    return Change(
        _OF_EVENT[event.kind], amount_minor=event.amount.minor, currency=event.amount.currency
    )


def _of_return(returned: Receipt) -> Change:
    if returned.kind is ReceiptKind.VOID:
        return Change(Cause.VOIDED, reference=returned.reference)
    return Change(
        Cause.RETURNED,
        amount_minor=abs(returned.total_minor),
        currency=returned.currency,
        reference=returned.reference,
    )


def _of_refunds(before: Purchase, after: Purchase) -> Iterator[Change]:
    old = {one.payment_id for one in before.refunds}
    new = {one.payment_id for one in after.refunds}
    for one in after.refunds:
        if one.payment_id not in old:
            yield Change(
                Cause.REFUND_FOUND, amount_minor=one.amount.minor, currency=one.amount.currency
            )
    for one in before.refunds:
        if one.payment_id not in new:
            yield Change(
                Cause.REFUND_MOVED, amount_minor=one.amount.minor, currency=one.amount.currency
            )
