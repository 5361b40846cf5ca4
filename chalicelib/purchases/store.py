"""Purchases: table `wallets`, in their member's partition, encrypted under the member's key."""

from dataclasses import replace
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import MemberId, PaymentId, ReceiptId
from chalicelib.members.model import KEPT_AFTER_LEAVING
from chalicelib.purchases.model import Purchase, Whereabouts
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

PURCHASES_READ_MAX = 5_000  # A dozen a day for more than a year.
_SALE_TIME = "%Y-%m-%dT%H:%M:%S"

PURCHASES = Retention(
    name="purchases",
    reason="Purchases are kept while you are a member; when you leave, thirty days for returns.",
    ended_by="leaving, and thirty days",
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
        "withdrawals": Category.OPERATION,
        "refunds": Category.TRANSACTION,
        "refund_of": Category.PSEUDONYM,
        "changes": Category.TRANSACTION,
    },
)


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
    held = purchase.receipt.receipt_id if purchase.receipt else None
    actions = [
        PurchaseRow.version.set(purchase.version),
        PurchaseRow.sealed.set(row.sealed),
        PurchaseRow.receipt_id.set(held) if held else PurchaseRow.receipt_id.remove(),
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


def list_purchases(
    member_id: MemberId,
    *,
    key: vault.SealingKey,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = PURCHASES_READ_MAX,
) -> list[Purchase]:
    """The member's purchases, of sales in [since, until] where given; oldest first. Of more than
    `limit`, the newest.
    """
    first = f"purchase#{since:{_SALE_TIME}}" if since else "purchase#"
    last = f"purchase#{until:{_SALE_TIME}}~" if until else "purchase#~"
    found = rows.list_between(
        PurchaseRow, member_id, first, last, now=now, limit=limit, last_first=True
    )
    return [to_purchase(row, key) for row in reversed(found)]


def list_holding(
    member_id: MemberId,
    receipt_id: ReceiptId,
    *,
    since: datetime,
    until: datetime,
    key: vault.SealingKey,
    now: datetime,
) -> list[Purchase]:
    """The member's purchases of [since, until] that hold the receipt; others are not opened."""
    found = rows.list_between(
        PurchaseRow,
        member_id,
        f"purchase#{since:%Y-%m-%dT%H:%M:%S}",
        f"purchase#{until:%Y-%m-%dT%H:%M:%S}~",
        now=now,
        limit=PURCHASES_READ_MAX,
    )
    return [to_purchase(row, key) for row in found if row.receipt_id == receipt_id]


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
        told_reference=purchase.told_reference,
    )
    row.sealed = vault.seal(purchase, key=key, place=f"{row.pk}|{row.sk}", kept=_PURCHASE)
    return row


def to_purchase(row: PurchaseRow, key: vault.SealingKey) -> Purchase:
    """The purchase that the row holds."""
    opened = vault.open_sealed(row.sealed, Purchase, key=key, place=f"{row.pk}|{row.sk}")
    return replace(opened, version=int(row.version), told_reference=row.told_reference)


def _purchase_sk(anchored_at: datetime, payment_id: PaymentId) -> str:
    return f"purchase#{anchored_at:{_SALE_TIME}}#{payment_id}"
