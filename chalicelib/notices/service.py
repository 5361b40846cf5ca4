"""Telling a bank of a purchase: once or many times, in any order, it ends with the newest version.

Nothing is written for a delivery. The message says which payment; the purchase is read, told, and
read again: if it changed meanwhile, the newer version is told too. So an older version that was
slow cannot stand at the bank for good, and a replay only repeats what the bank knows by the same
name.
"""

from datetime import datetime

from chalicelib.banks import monzo_oauth
from chalicelib.banks.http import AccessRefused
from chalicelib.banks.providers import adapter_for
from chalicelib.banks.telling import (
    EndpointGone,
    Note,
    NoteKind,
    ReceiptNote,
    Told,
    WithdrawnNote,
    is_told,
)
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected, TryAgain, concerning
from chalicelib.members import service as members
from chalicelib.members.model import MemberStatus
from chalicelib.network import service as network
from chalicelib.network.access import keys
from chalicelib.network.model import Connection, Provider
from chalicelib.purchases import facts, store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.messages import DeliveryMessage
from chalicelib.purchases.model import Purchase, Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import observability

AWAITED_MAX = 8  # Receives of one delivery: hours, where a purchase is written within seconds.
ROUNDS_MAX = 3  # A purchase that changes faster than it can be told is left to the next message.


class ConsentSuspended(Rejected):
    """The member took the consent back at the bank. Given anew, the delivery can be replayed."""

    code = "consent_suspended"


def deliver(message: DeliveryMessage, *, now: datetime, receives: int = 1) -> None:
    """Tell the payment's bank of the newest version of its purchase.

    `receives` counts how often the message came. A version that is not there after many was never
    written: its run died, and whoever writes it after all queues a delivery of its own first.

    :raises EndpointGone: the bank no longer listens. :raises BankRefused: it never takes this one.
    :raises ConsentSuspended: the member's consent has to be given anew first.
    :raises TryAgain: the bank is busy or away, or the purchase is not written yet.
    """
    where = _whereabouts(message, now=now)
    key = active_key_of(where.member_id, now=now, consistent=False) if where else None
    if where is None or key is None:
        _refuse_if_suspended(where, now=now)
        return observability.count("deliveries_dropped", reason="member_left")
    # The first version told may be one before the newest: it is read again after it was told.
    purchase = store.find_purchase(where, key=key, now=now, consistent=False)
    if purchase is None or purchase.version < message.version:
        purchase = store.find_purchase(where, key=key, now=now)
    told_version = 0
    for _ in range(ROUNDS_MAX):
        if purchase is None or purchase.version < message.version:
            if receives > AWAITED_MAX:
                return observability.count("deliveries_dropped", reason="never_written")
            raise TryAgain("the purchase is not written yet")
        if purchase.version == told_version:
            return None
        if purchase.receipt is None and not purchase.is_withdrawn:
            # Ended. If it finds one still, that has its own message.
            return observability.count("deliveries_dropped", reason="no_receipt")
        with concerning(purchase.payment.connection_id):
            _tell(purchase, first_seen_at=where.first_seen_at or now, now=now)
        told_version = purchase.version
        purchase = store.find_purchase(where, key=key, now=now)
    if purchase is not None and purchase.version == told_version:
        return None
    raise TryAgain("the purchase changes faster than it can be told")


def _whereabouts(message: DeliveryMessage, *, now: datetime) -> Whereabouts | None:
    """Where the purchase lies, as the message says, or as the payment's row does."""
    if message.member_id is None or message.anchored_at is None:
        return payments.find_whereabouts(message.payment_id, now=now)
    return Whereabouts(
        message.payment_id, message.member_id, message.anchored_at, message.first_seen_at
    )


def _refuse_if_suspended(where: Whereabouts | None, *, now: datetime) -> None:
    member = members.find_member(where.member_id, now=now) if where else None
    if member is not None and member.status is MemberStatus.REVOKED:
        with concerning(member.connection_id):
            raise ConsentSuspended("the member's consent at the bank is suspended")


def _kind_of(purchase: Purchase) -> NoteKind:
    """What is to be told follows from how the purchase stands, not from why the message was sent.

    A message that is late would else tell of a receipt that was withdrawn, or the reverse.
    """
    if purchase.receipt is None:
        return NoteKind.WITHDRAWN
    return NoteKind.MATCHED if purchase.version == 1 else NoteKind.UPDATED


def _tell(purchase: Purchase, *, first_seen_at: datetime, now: datetime) -> None:
    connection = network.get_connection(purchase.payment.connection_id, now=now)
    if not is_told(connection):
        return observability.count("deliveries_dropped", reason="connection_not_told")
    if connection.told_until is not None:
        raise EndpointGone("the bank said before that it no longer listens")
    kind = _kind_of(purchase)
    try:
        told = _tell_with_access(purchase, network.with_keys(connection), now=now)
    except EndpointGone:
        network.stop_telling(connection.connection_id, now=now)
        raise
    if told.reference is not None and told.reference != purchase.told_reference:
        store.record_told(purchase, told.reference)
    facts.told(purchase, connection, kind, lag=now - first_seen_at)
    return None


def _tell_with_access(purchase: Purchase, connection: Connection, *, now: datetime) -> Told:
    """Tell; where the member's token at the bank has run out, renew it once."""
    tell = adapter_for(connection.provider, signing_key=_signing_key(connection, now=now)).tell
    if tell is None:
        raise TypeError(f"{connection.provider} cannot be told")
    if connection.provider is not Provider.MONZO:
        return tell(_note_of(purchase, None, now=now), connection, now=now)
    token = monzo_oauth.access_token(purchase.member_id, connection, now=now)
    try:
        return tell(_note_of(purchase, token, now=now), connection, now=now)
    except AccessRefused:
        token = monzo_oauth.access_token(purchase.member_id, connection, refused=token, now=now)
        return tell(_note_of(purchase, token, now=now), connection, now=now)


def _signing_key(connection: Connection, *, now: datetime) -> Personal[str] | None:
    """The platform's own key, with which Flux banks know us (published at the JWKS)."""
    if connection.provider not in (Provider.FLUX_V1, Provider.FLUX_V2):
        return None
    return keys.get_signing_key(now=now).private_pem


def _note_of(purchase: Purchase, access_token: Personal[str] | None, *, now: datetime) -> Note:
    if purchase.receipt is not None:
        return note_of(purchase, _kind_of(purchase), access_token=access_token, now=now)
    payment = purchase.payment
    refs = payment.first_ref
    return WithdrawnNote(
        external_id=purchase.external_id,
        payment_id=payment.payment_id,
        transaction_id=payment.transaction_id,
        version=purchase.version,
        currency=payment.amount.currency,
        at=now,
        account_ref=refs.account_ref,
        user_ref=refs.user_ref,
        told_through=refs.told_through,
        told_reference=purchase.told_reference,
        access_token=access_token,
    )


def note_of(
    purchase: Purchase,
    kind: NoteKind,
    *,
    now: datetime,
    access_token: Personal[str] | None = None,
) -> ReceiptNote:
    """What the bank is told of `purchase`, which must have a receipt."""
    sale = purchase.after_returns.sale
    payment = purchase.payment
    refs = payment.first_ref
    return ReceiptNote(
        kind=kind,
        external_id=purchase.external_id,
        payment_id=payment.payment_id,
        transaction_id=payment.transaction_id,
        version=purchase.version,
        receipt=sale,
        retailer=network.get_retailer(sale.retailer_id, now=now),
        store=network.get_store(sale.store_id, now=now),
        at=now,
        account_ref=refs.account_ref,
        user_ref=refs.user_ref,
        told_through=refs.told_through,
        told_reference=purchase.told_reference,
        access_token=access_token,
    )
