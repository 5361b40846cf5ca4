"""Recording payments, and looking for their receipts now and later.

Every function here may run twice, at once with itself, late, or die after any line. What makes that
safe: the payment row is keyed by the provider's name, settling is safe (`settling`), and the
message that asked is deleted only when all of it is done.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import NO_DIGITS, KnownDigits
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import MODEL, Ambiguous, MatchDecision, Matched
from chalicelib.matching.payment import Payment
from chalicelib.matching.questions import Near
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.standing import Waiting
from chalicelib.members import service as members
from chalicelib.members.model import Holder, NotHeld
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import facts, store
from chalicelib.purchases.access import active_key_of, ends_waiting_at
from chalicelib.purchases.catching_up import share_changes, update
from chalicelib.purchases.confirming import confirmed
from chalicelib.purchases.continuing import record_told
from chalicelib.purchases.model import Ending, KnownPayment, Purchase, Reason
from chalicelib.purchases.patience import ending_at_once
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.settling import settle, signals_of, where_of
from chalicelib.runtime import observability, vault

STORES_PER_PAYMENT_MAX = 50  # A narrative may name a brand; more stores than this say nothing.


def record_payment(event: PaymentEvent, *, now: datetime) -> None:
    """Record what a bank told, and look for the receipt.

    Two cheap questions come before anything is stored: does the shop take part, is the payer a
    member? If not, the event is counted and dropped.

    :raises ConflictingPayment: the bank told this event before with other content.
    :raises TryAgain: a passing obstacle; the message will come again.
    """
    connection = network.get_connection(event.connection_id, now=now)
    observability.count("payments_received", provider=connection.provider.value)
    stores = network.find_stores(event.merchant, now=now)
    if not stores and not _follows_known(event, now=now):
        return facts.dropped(event.payment_id, "not_in_network")
    if not connection.receipts:
        return facts.dropped(event.payment_id, "receipts_off")
    holder = members.find_holder(
        event.connection_id,
        account_ref=event.account_ref,
        user_ref=event.user_ref,
        card_ref=event.card_ref,
        now=now,
    )
    if isinstance(holder, NotHeld):
        return facts.dropped(event.payment_id, holder.reason)
    if event.made_at < holder.activated_at:
        return facts.dropped(event.payment_id, "before_activation")
    key = _key_of(holder, now=now)
    if key is None:
        return facts.dropped(event.payment_id, "not_a_member")
    told = confirmed(event, holder.member_id, connection, now=now)
    if told is None:
        return facts.dropped(event.payment_id, "not_confirmed")
    known = record_told(told, holder.member_id, connection, stores, key=key, now=now)
    if known.member_id != holder.member_id:
        return facts.dropped(event.payment_id, "of_former_member")
    _carry_on(known, key=key, digits=holder.digits, now=now)
    return _end_guess(event, known, key=key, now=now)


def _end_guess(
    event: PaymentEvent, known: KnownPayment, *, key: vault.SealingKey, now: datetime
) -> None:
    """Where the bank says what a refund gives back, what was guessed of it before ends."""
    if event.kind is PaymentEventKind.REFUNDED and event.refers_to is not None:
        from chalicelib.purchases.refunding import service as refunding  # Refunds are rare.

        refunding.yield_to_bank(event, known, key=key, now=now)


def _key_of(holder: Holder, *, now: datetime) -> vault.SealingKey | None:
    """The holder's key. A link is there only while its member is active, so its salt will do."""
    if holder.salt is not None:
        return vault.member_key(holder.salt)
    return active_key_of(holder.member_id, now=now)


def _follows_known(event: PaymentEvent, *, now: datetime) -> bool:
    """Whether the event, though its merchant is unknown, continues a payment we have."""
    if event.kind is PaymentEventKind.AUTHORISED:
        return False
    return payments.find_whereabouts(event.payment_id, now=now) is not None


def _carry_on(
    known: KnownPayment, *, key: vault.SealingKey, digits: KnownDigits, now: datetime
) -> None:
    """Bring the purchase up to the payment's events, or look for its receipt."""
    if known.payment.names_no_sale:
        from chalicelib.purchases.refunding import service as refunding  # As above.

        refunding.settle(known, key=key, now=now)
        return
    purchase = None if known.is_new else store.find_purchase(where_of(known), key=key, now=now)
    stores = _stop_waiting_elsewhere(known, now=now)
    if purchase is not None and purchase.receipt is not None:
        purchase = share_changes(purchase, key=key, now=now)
        if not update(purchase, known.payment, key=key, now=now):
            # A repeat: the run before may have died before it did this.
            signals = signals_of(known, stores, digits)
            matching_store.stop_waiting(signals)
        return
    ending = ending_at_once(known.payment)
    if ending is not None:
        end(known, purchase, ending, stores=stores, key=key)
    else:
        settle(known, purchase, stores=stores, digits=digits, key=key, now=now)
    _stop_waiting_then(known.payment, stores)


def _stop_waiting_elsewhere(known: KnownPayment, *, now: datetime) -> tuple[Store, ...]:
    """The stores that all events together mean; the payment no longer waits at any other.

    Each event may name the shop better than those before it. A list that a payment is left on by
    mistake makes it a rival of payments it has nothing to do with.
    """
    payment = known.payment
    meant = network.find_stores(payment.merchant, now=now)[:STORES_PER_PAYMENT_MAX]
    named = (network.find_stores(event.merchant, now=now) for event in payment.events)
    once = {store.store_id for stores in named for store in stores[:STORES_PER_PAYMENT_MAX]}
    elsewhere = sorted(once - {store.store_id for store in meant})
    for at in (payment.made_at, *sorted(payment.once_made_at)) if elsewhere else ():
        matching_store.stop_waiting_at(elsewhere, payment.payment_id, made_at=at)
    return meant


def _stop_waiting_then(payment: Payment, stores: Sequence[Store]) -> None:
    """The payment no longer waits at a time that another event tells better. It does at the right
    one before this: on neither list, it would be nobody's rival.
    """
    for at in sorted(payment.once_made_at):
        named = (place.store_id for place in stores)
        matching_store.stop_waiting_at(named, payment.payment_id, made_at=at)


def settle_waiting(
    waiting: Waiting,
    *,
    now: datetime,
    near: Near | None = None,
    endings: list[Callable[[], None]] | None = None,
) -> MatchDecision | None:
    """Look again for the receipt of a payment that waits.

    `near` is what was read around it just now. Returns the decision; None where the payment does
    not wait any more. Whoever looks at many gives `endings` and calls what is put there when all
    are decided: a payment that has ended is nobody's rival any more.
    """
    signals = waiting.signals
    known, key = _open_waiting(signals, now=now)
    if key is None or known is None:
        matching_store.stop_waiting(signals)
        return None
    stores = _stop_waiting_elsewhere(known, now=now) or tuple(
        network.get_store(store_id, now=now) for store_id in signals.stores
    )
    decision = settle(
        known,
        None,
        stores=stores,
        digits=signals.digits,
        key=key,
        now=now,
        waiting=waiting,
        near=near,
    )
    _stop_waiting_then(known.payment, stores)
    if not isinstance(decision, Matched):
        decision = _join_parcel(known, stores, key=key, now=now) or decision
    is_over = ends_waiting_at(known, stores, now=now) <= now
    if is_over and not isinstance(decision, Matched):
        ending = partial(_end_waiting, known, decision, stores=stores, key=key, now=now)
        ending() if endings is None else endings.append(ending)
    return decision


def _join_parcel(
    known: KnownPayment, stores: Sequence[Store], *, key: vault.SealingKey, now: datetime
) -> MatchDecision | None:
    if not any(place.online for place in stores):
        return None
    from chalicelib.purchases import parcels  # Few shops send parcels.

    return parcels.join_parcel(known, None, stores=stores, key=key, now=now)


def _open_waiting(
    signals: PaymentSignals, *, now: datetime
) -> tuple[KnownPayment | None, vault.SealingKey | None]:
    """A payment that waits and what opens it, as of a moment ago: whoever joins it reads what came
    since, and whoever ends it.
    """
    key = active_key_of(MemberId(signals.member_id), now=now, consistent=False)
    if key is None:
        return None, None
    return payments.find_payment(signals.payment_id, key=key, now=now, consistent=False), key


def _end_waiting(
    known: KnownPayment,
    decision: MatchDecision | None,
    *,
    stores: Sequence[Store],
    key: vault.SealingKey,
    now: datetime,
) -> None:
    """End a payment for which nothing comes any more, with what the last look said."""
    newest = payments.find_payment(known.payment.payment_id, key=key, now=now)
    if newest is not None and newest.payment != known.payment:
        return  # What came since is looked at first; its own run does, and the next look.
    stayed = isinstance(decision, Ambiguous)
    ending = Ending.STAYED_AMBIGUOUS if stayed else Ending.NO_RECEIPT_CAME
    end(known, None, ending, stores=stores, key=key, last_word=decision)


def look_again(payment_id: PaymentId, *, now: datetime) -> None:
    """Look again for the receipt of the payment `payment_id`, if it still waits."""
    where = payments.find_whereabouts(payment_id, now=now)
    member = members.find_member(where.member_id, now=now) if where else None
    key = active_key_of(member.member_id, now=now) if member else None
    known = payments.find_payment(payment_id, key=key, now=now) if key else None
    if member is None or key is None or known is None:
        return
    _carry_on(known, key=key, digits=member.digits, now=now)


def end(
    known: KnownPayment,
    purchase: Purchase | None,
    ending: Ending,
    *,
    stores: Sequence[Store],
    key: vault.SealingKey,
    last_word: MatchDecision | None = None,
) -> bool:
    """Let a payment end without a receipt, with its reason; whether it had not ended before.

    `last_word` is what the last look for its receipt said, if there was one.
    """
    is_new = False
    if purchase is None:
        reason = Reason(last_word.why.value, MODEL, (), 0) if last_word else None
        alone = Purchase(known.member_id, known.payment, version=1, ending=ending, reason=reason)
        is_new = store.record_purchase(alone, key=key)
        if is_new:
            facts.ended(known.payment.payment_id, ending)
    if stores:
        signals = signals_of(known, stores, NO_DIGITS)
        matching_store.stop_waiting(signals)
    return is_new
