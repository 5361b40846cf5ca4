"""Payments (table `people`) and purchases (table `wallets`), encrypted under the member's key.

A payment row is found by the provider's own transaction id; it holds every event the bank told and
says which member's partition has the purchase. A purchase row lies in its member's partition.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.banks.payments import PaymentEvent
from chalicelib.kernel.ids import MemberId, PaymentId, ReceiptId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.payment import Payment, add_event, first_of
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.purchases.model import KnownPayment, Purchase, Whereabouts
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

PURCHASES_READ_MAX = 500

PAYMENTS = Retention(
    name="payment_references",
    reason="A bank may ask for the receipt of a payment up to thirteen months after it.",
    lasts=timedelta(days=400),
    since="made",
)
PURCHASES = Retention(
    name="purchases",
    reason="Purchases are kept while you are a member; when you leave, thirty days for returns.",
    ended_by="leaving, and thirty days",
)

_PAYMENT = Kept(
    Category.TRANSACTION,
    Purpose.RECEIPTS,
    Erasure.SHRED,
    encrypted=True,
    holds={
        "payment_id": Category.KEY,
        "connection_id": Category.CONFIGURATION,
        "anchored_at": Category.TRANSACTION,
        "events": Category.TRANSACTION,
    },
)
_PURCHASE = Kept(
    Category.RECEIPT,
    Purpose.RECEIPTS,
    Erasure.SHRED,
    encrypted=True,
    holds={
        "member_id": Category.PSEUDONYM,
        "payment": Category.TRANSACTION,
        "version": Category.OPERATION,
        "receipt": Category.RECEIPT,
        "part": Category.RECEIPT,
        "reason": Category.OPERATION,
        "matched_at": Category.OPERATION,
        "ending": Category.OPERATION,
        "same_as": Category.PSEUDONYM,
        "returns": Category.RECEIPT,
        "told_reference": Category.REFERENCE,
        "refunds": Category.TRANSACTION,
        "refund_of": Category.PSEUDONYM,
        "changes": Category.TRANSACTION,
    },
)


class PaymentRow(rows.Row):
    """`pk` = `payment#<payment id>`, `sk` = `payment`."""

    Meta = rows.table_meta("people")
    privacy = {
        "member_id": Kept(Category.PSEUDONYM, Purpose.RECEIPTS, Erasure.EXPIRE),
        "anchored_at": Kept(Category.TRANSACTION, Purpose.RECEIPTS, Erasure.EXPIRE),
        "first_seen_at": Kept(Category.OPERATION, Purpose.RECEIPTS, Erasure.EXPIRE),
        "revision": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.KEEP),
        "sealed": _PAYMENT,
    }
    retention = PAYMENTS

    member_id = UnicodeAttribute()
    anchored_at = UnicodeAttribute()
    first_seen_at = UnicodeAttribute()
    revision = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class PurchaseRow(rows.Row):
    """`pk` = member id, `sk` = `purchase#<time of sale>#<payment id>`."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "version": Kept(Category.OPERATION, Purpose.SERVICE_OPERATION, Erasure.DELETE),
        "receipt_id": Kept(Category.RECEIPT, Purpose.RECEIPTS, Erasure.DELETE),
        "told_reference": Kept(Category.REFERENCE, Purpose.DELIVERY, Erasure.DELETE),
        "sealed": _PURCHASE,
    }
    retention = PURCHASES

    version = NumberAttribute()
    receipt_id = UnicodeAttribute(null=True)
    told_reference = UnicodeAttribute(null=True)
    sealed = BinaryAttribute(legacy_encoding=False)


def record_event(
    member_id: MemberId, event: PaymentEvent, *, key: vault.SealingKey, now: datetime
) -> KnownPayment:
    """Add `event` to its payment; adding it again changes nothing.

    Where another member's payment stands under the same id (somebody left and came back), that one
    is returned unchanged and `member_id` of the result says so.

    :raises ConflictingPayment: the event came before with other content.
    :raises TryAgain: the payment changed underneath.
    """
    payment = first_of(event)
    row = _payment_row(member_id, payment, key=key, first_seen_at=now.isoformat())
    free = PaymentRow.pk.does_not_exist() | (PaymentRow.expires_at <= rows.epoch(now))
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return _merge_event(member_id, event, key=key, now=now)
    return KnownPayment(payment, member_id, now, is_new=True)


def _merge_event(
    member_id: MemberId, event: PaymentEvent, *, key: vault.SealingKey, now: datetime
) -> KnownPayment:
    row = rows.find(PaymentRow, f"payment#{event.payment_id}", "payment", now=now)
    if row is None:
        raise TryAgain("the payment changed underneath")
    if row.member_id != member_id:
        return KnownPayment(first_of(event), MemberId(row.member_id), now)
    known = _open_payment(row, key)
    merged = add_event(known, event)
    if merged is not known:
        changed = _payment_row(member_id, merged, key=key, first_seen_at=row.first_seen_at)
        changed.revision = int(row.revision) + 1
        try:
            rows.put(changed, condition=PaymentRow.revision == row.revision)
        except rows.ConditionFailed as error:
            raise TryAgain("the payment changed underneath") from error
    return KnownPayment(merged, member_id, datetime.fromisoformat(row.first_seen_at))


def find_whereabouts(payment_id: PaymentId, *, now: datetime) -> Whereabouts | None:
    """Whose payment this is and where its purchase lies, or None."""
    row = rows.find(PaymentRow, f"payment#{payment_id}", "payment", now=now)
    if row is None:
        return None
    return Whereabouts(
        payment_id,
        MemberId(row.member_id),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        first_seen_at=datetime.fromisoformat(row.first_seen_at),
    )


def find_payment(
    payment_id: PaymentId, *, key: vault.SealingKey, now: datetime
) -> KnownPayment | None:
    """The payment with all its events, or None."""
    row = rows.find(PaymentRow, f"payment#{payment_id}", "payment", now=now)
    if row is None:
        return None
    first_seen_at = datetime.fromisoformat(row.first_seen_at)
    return KnownPayment(_open_payment(row, key), MemberId(row.member_id), first_seen_at)


def _payment_row(
    member_id: MemberId, payment: Payment, *, key: vault.SealingKey, first_seen_at: str
) -> PaymentRow:
    row = PaymentRow(
        f"payment#{payment.payment_id}",
        "payment",
        member_id=member_id,
        anchored_at=payment.anchored_at.isoformat(),
        first_seen_at=first_seen_at,
        revision=1,
    )
    row.sealed = vault.seal(payment, key=key, place=f"{row.pk}|{row.sk}", kept=_PAYMENT)
    return row.keep_from(payment.anchored_at)


def _open_payment(row: PaymentRow, key: vault.SealingKey) -> Payment:
    return vault.open_sealed(row.sealed, Payment, key=key, place=f"{row.pk}|{row.sk}")


def record_purchase(purchase: Purchase, *, key: vault.SealingKey) -> bool:
    """Write the first version of `purchase`, or the first with a receipt after it had ended.

    False: another one stands there, or this very one, written by a run that did not hear so.
    """
    row = _purchase_row(purchase, key=key)
    if purchase.receipt is None:
        free = PurchaseRow.pk.does_not_exist()
    else:
        # A payment that ended without a receipt may still find one.
        free = PurchaseRow.receipt_id.does_not_exist() & (
            PurchaseRow.pk.does_not_exist() | (PurchaseRow.version < purchase.version)
        )
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return False
    return True


def record_version(purchase: Purchase, *, key: vault.SealingKey) -> bool:
    """Write `purchase` over its version before; False where it changed underneath."""
    row = _purchase_row(purchase, key=key)
    actions = [
        PurchaseRow.version.set(purchase.version),
        PurchaseRow.sealed.set(row.sealed),
    ]
    try:
        rows.update(row, actions, condition=PurchaseRow.version == purchase.version - 1)
    except rows.ConditionFailed:
        return False
    return True


def record_told(purchase: Purchase, reference: str) -> None:
    """Remember what the bank calls the receipt it was told."""
    payment = purchase.payment
    row = PurchaseRow(purchase.member_id, _purchase_sk(payment.anchored_at, payment.payment_id))
    exists = PurchaseRow.pk.exists()
    rows.update(row, [PurchaseRow.told_reference.set(reference)], condition=exists)


def find_purchase(
    where: Whereabouts, *, key: vault.SealingKey, now: datetime, consistent: bool = True
) -> Purchase | None:
    """The purchase of a payment in its newest version, or None.

    Not `consistent`, at half the price, it may be a version before, or None for a moment.
    """
    row = rows.find(
        PurchaseRow,
        where.member_id,
        _purchase_sk(where.anchored_at, where.payment_id),
        now=now,
        consistent=consistent,
    )
    return to_purchase(row, key) if row else None


def find_held_receipt(where: Whereabouts, *, now: datetime) -> ReceiptId | None:
    """Which receipt the purchase of a payment holds, without opening it; None for no receipt."""
    row = rows.find(
        PurchaseRow, where.member_id, _purchase_sk(where.anchored_at, where.payment_id), now=now
    )
    return ReceiptId(row.receipt_id) if row and row.receipt_id else None


def list_purchases(member_id: MemberId, *, key: vault.SealingKey, now: datetime) -> list[Purchase]:
    """The member's purchases, oldest first, at most 500."""
    found = rows.list_prefixed(
        PurchaseRow, member_id, "purchase#", now=now, limit=PURCHASES_READ_MAX
    )
    return [to_purchase(row, key) for row in found]


def end_retention(member_id: MemberId, *, left_at: datetime, now: datetime) -> int:
    """Put every purchase of a member who left on its last clock; returns how many it changed."""
    until = rows.epoch(left_at + KEPT_AFTER_LEAVING)
    changed, after = 0, "purchase#"
    while found := rows.list_between(PurchaseRow, member_id, after, "purchase#~", now=now):
        for row in found:
            if row.expires_at is None:
                rows.update(row, [PurchaseRow.expires_at.set(until)])
                changed += 1
        after = found[-1].sk + "~"  # Just behind the last one: `~` sorts after every id.
    return changed


def _purchase_row(purchase: Purchase, *, key: vault.SealingKey) -> PurchaseRow:
    payment = purchase.payment
    row = PurchaseRow(
        purchase.member_id,
        _purchase_sk(payment.anchored_at, payment.payment_id),
        version=purchase.version,
        receipt_id=purchase.receipt.receipt_id if purchase.receipt else None,
    )
    row.sealed = vault.seal(purchase, key=key, place=f"{row.pk}|{row.sk}", kept=_PURCHASE)
    return row


def to_purchase(row: PurchaseRow, key: vault.SealingKey) -> Purchase:
    """The purchase that the row holds."""
    opened = vault.open_sealed(row.sealed, Purchase, key=key, place=f"{row.pk}|{row.sk}")
    return replace(opened, version=int(row.version), told_reference=row.told_reference)


def _purchase_sk(anchored_at: datetime, payment_id: PaymentId) -> str:
    return f"purchase#{anchored_at:%Y-%m-%dT%H:%M:%S}#{payment_id}"
