"""Payments: table `people`, found by the provider's own transaction id, encrypted under the key of
the member who paid.

A row holds every event the bank told, and says which member's partition has the purchase. A bank
may change a payment's id while it lives: then the row of the other id `continues` the payment, and
who asks by either finds the one payment.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.banks.payments import PaymentEvent
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.payment import Payment, add_event, first_of, named_alone
from chalicelib.purchases.model import KnownPayment, Whereabouts
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

PAYMENTS = Retention(
    name="payment_references",
    reason="A bank may ask for the receipt of a payment up to thirteen months after it.",
    lasts=timedelta(days=400),
    since="made",
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
        "refused": Category.RECEIPT,
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
        "continues": Kept(Category.KEY, Purpose.RECEIPTS, Erasure.EXPIRE),
        "sealed": _PAYMENT,
    }
    retention = PAYMENTS

    member_id = UnicodeAttribute()
    anchored_at = UnicodeAttribute()
    first_seen_at = UnicodeAttribute()
    revision = NumberAttribute()
    continues = UnicodeAttribute(null=True)
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


def record_name(
    event: PaymentEvent, standing: KnownPayment, *, key: vault.SealingKey, now: datetime
) -> bool:
    """Let the payment `standing` be found by the id that `event` has, too.

    False: another payment stands under that id.
    """
    alone = replace(named_alone(event), anchored_at=standing.payment.anchored_at)
    seen_at = standing.first_seen_at.isoformat()
    row = _payment_row(standing.member_id, alone, key=key, first_seen_at=seen_at)
    row.continues = standing.payment.payment_id
    free = (
        PaymentRow.pk.does_not_exist()
        | (PaymentRow.expires_at <= rows.epoch(now))
        | (PaymentRow.continues == row.continues)
    )
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return False
    return True


def _merge_event(
    member_id: MemberId, event: PaymentEvent, *, key: vault.SealingKey, now: datetime
) -> KnownPayment:
    row = _find_row(event.payment_id, now=now)
    if row is None:
        raise TryAgain("the payment changed underneath")
    if row.member_id != member_id:
        return KnownPayment(first_of(event), MemberId(row.member_id), now)
    return _rewrite(row, lambda payment: add_event(payment, event), key=key)


def change_payment(
    payment_id: PaymentId,
    change: Callable[[Payment], Payment],
    *,
    key: vault.SealingKey,
    now: datetime,
) -> KnownPayment | None:
    """Write what `change` makes of the payment, unless that is the same; None for no such payment.

    :raises TryAgain: the payment changed underneath.
    """
    row = _find_row(payment_id, now=now)
    return _rewrite(row, change, key=key) if row else None


def _rewrite(
    row: PaymentRow, change: Callable[[Payment], Payment], *, key: vault.SealingKey
) -> KnownPayment:
    member_id, known = MemberId(row.member_id), _open_payment(row, key)
    after = change(known)
    if after is not known:
        changed = _payment_row(member_id, after, key=key, first_seen_at=row.first_seen_at)
        changed.revision = int(row.revision) + 1
        try:
            rows.put(changed, condition=PaymentRow.revision == row.revision)
        except rows.ConditionFailed as error:
            raise TryAgain("the payment changed underneath") from error
    return KnownPayment(after, member_id, datetime.fromisoformat(row.first_seen_at))


def _find_row(
    payment_id: PaymentId, *, now: datetime, consistent: bool = True
) -> PaymentRow | None:
    """The row of the payment, by whichever of its names; a name never leads to another name."""
    row = rows.find(PaymentRow, f"payment#{payment_id}", "payment", now=now, consistent=consistent)
    if row is None or row.continues is None:
        return row
    return rows.find(
        PaymentRow, f"payment#{row.continues}", "payment", now=now, consistent=consistent
    )


def find_whereabouts(payment_id: PaymentId, *, now: datetime) -> Whereabouts | None:
    """Whose payment this is and where its purchase lies, or None.

    `payment_id` of the result is the payment's own, whichever of its names was asked for.
    """
    row = _find_row(payment_id, now=now)
    if row is None:
        return None
    return Whereabouts(
        PaymentId(row.pk.removeprefix("payment#")),
        MemberId(row.member_id),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        first_seen_at=datetime.fromisoformat(row.first_seen_at),
    )


def find_payment(
    payment_id: PaymentId, *, key: vault.SealingKey, now: datetime, consistent: bool = True
) -> KnownPayment | None:
    """The payment with all its events, or None.

    Not `consistent`, at half the price, its last event may be missing; that there is no payment is
    always read consistently.
    """
    row = None if consistent else _find_row(payment_id, now=now, consistent=False)
    row = row or _find_row(payment_id, now=now)
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
