"""Recording payments and joining them with receipts.

Every function here may run twice, at once with itself, late, or die after any line. What makes that
safe: the payment row is keyed by the provider's name, the claim is exclusive, the purchase row
takes one receipt, and the message that asked is deleted only when all of it is done.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.cards import LastFour
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import service as matching
from chalicelib.matching import store as matching_store
from chalicelib.matching.decision import Ambiguous, MatchDecision, Matched, NothingNear, NotYet
from chalicelib.matching.payment import Payment, PaymentState
from chalicelib.matching.service import Question
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.store import Claim, Waiting
from chalicelib.members import service as members
from chalicelib.members.model import MemberStatus, NotHeld
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.purchases import facts, outbox, store
from chalicelib.purchases.confirming import confirmed
from chalicelib.purchases.model import Ending, KnownPayment, Purchase, Whereabouts, joined
from chalicelib.purchases.versions import with_payment, with_returns
from chalicelib.runtime import observability, vault

WAITS = timedelta(days=matching_store.WAITING_DAYS)
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
    key = active_key_of(holder.member_id, now=now)
    if key is None:
        return facts.dropped(event.payment_id, "not_a_member")
    told = confirmed(event, holder.member_id, connection, now=now)
    if told is None:
        return facts.dropped(event.payment_id, "not_confirmed")
    known = store.record_event(holder.member_id, told, key=key, now=now)
    if known.member_id != holder.member_id:
        return facts.dropped(event.payment_id, "of_former_member")
    return _carry_on(known, key=key, last_fours=holder.last_fours, now=now)


def _follows_known(event: PaymentEvent, *, now: datetime) -> bool:
    """Whether the event, though its merchant is unknown, continues a payment we have."""
    if event.kind is PaymentEventKind.AUTHORISED:
        return False
    return store.find_whereabouts(event.payment_id, now=now) is not None


def _carry_on(
    known: KnownPayment, *, key: vault.SealingKey, last_fours: tuple[LastFour, ...], now: datetime
) -> None:
    """Bring the purchase up to the payment's events, or look for its receipt."""
    purchase = None if known.is_new else store.find_purchase(_where(known), key=key, now=now)
    if purchase is not None and purchase.receipt is not None:
        return _update(purchase, known.payment, key=key, now=now)
    stores = network.find_stores(known.payment.merchant, now=now)[:STORES_PER_PAYMENT_MAX]
    ending = _ending_at_once(known.payment)
    if ending is not None:
        return end(known, purchase, ending, stores=stores, key=key, now=now)
    settle(known, purchase, stores=stores, last_fours=last_fours, key=key, now=now)
    return None


def _ending_at_once(payment: Payment) -> Ending | None:
    if payment.state is PaymentState.REFUND_ONLY:
        return Ending.REFUND_UNLINKED
    if payment.state is PaymentState.REVERSED:
        return Ending.PAYMENT_REVERSED
    return None


def settle(
    known: KnownPayment,
    purchase: Purchase | None,
    *,
    stores: Sequence[Store],
    last_fours: tuple[LastFour, ...],
    key: vault.SealingKey,
    now: datetime,
    waiting: Waiting | None = None,
) -> MatchDecision | None:
    """Look for the receipt of a payment that has none, join it, or let the payment wait.

    Unless it is written down as waiting already (`waiting`), it is before the second look, so that
    of a payment and a page that arrive together at least one sees the other.
    """
    if not stores:
        return None
    signals = signals_of(known, stores, last_fours)
    question = Question(signals, known.payment.anchored_at, tuple(stores))
    is_written = waiting is not None and waiting.signals == signals
    decision = _look(question, consistent=is_written, now=now)
    if not isinstance(decision, Matched) and not is_written:
        written = Waiting(signals, question.anchored_at, known.first_seen_at)
        matching_store.keep_waiting(written)
        decision = _look(question, consistent=True, now=now)
    match decision:
        case Matched():
            _join(question, known, purchase, decision, key=key, now=now)
        case NotYet(look_again_at=at):
            outbox.look_again(signals.payment_id, delay=at - now)
            facts.waits(known, decision)
        case Ambiguous() | NothingNear():
            facts.waits(known, decision)
    return decision


def _look(question: Question, *, consistent: bool, now: datetime) -> MatchDecision:
    decision = matching.find_match(
        question,
        claim_stands=lambda claim: _claim_stands(claim, now=now),
        now=now,
        consistent=consistent,
    )
    if isinstance(decision, Matched):
        return matching.claim_part(question, decision, now=now)
    return decision


def _claim_stands(claim: Claim, *, now: datetime) -> bool:
    """False where the claim's payment holds another receipt: a crash left the claim behind."""
    hold = claim.hold
    where = Whereabouts(hold.payment_id, MemberId(hold.member_id), claim.anchored_at)
    held = store.find_held_receipt(where, now=now)
    return held is None or held == claim.receipt_id


def _join(
    question: Question,
    known: KnownPayment,
    ended: Purchase | None,
    matched: Matched,
    *,
    key: vault.SealingKey,
    now: datetime,
) -> None:
    version = ended.version + 1 if ended else 1
    purchase = with_returns(
        joined(known.member_id, known.payment, matched, version=version, now=now),
        matching_store.list_returns(matched.part.receipt_id, now=now),
    )
    # The delivery is queued before the purchase is written: it waits for that version to appear, so
    # no crash between the two loses it.
    outbox.tell(purchase, NoteKind.MATCHED, now=now)
    if not store.record_purchase(purchase, key=key, now=now):
        matching_store.release_claim(matching.claim_of(question, matched))
        raise TryAgain("the payment found another receipt meanwhile")
    matching_store.stop_waiting(question.signals, anchored_at=question.anchored_at)
    facts.matched(known, matched, now=now)


def _update(purchase: Purchase, payment: Payment, *, key: vault.SealingKey, now: datetime) -> None:
    """Bring a joined purchase up to its payment's events."""
    changed = with_payment(purchase, payment)
    if changed is purchase:
        return
    outbox.tell(changed, NoteKind.UPDATED, now=now)
    if not store.record_version(changed, key=key):
        raise TryAgain("the purchase changed underneath")
    facts.updated(payment.payment_id, payment.state.value, version=changed.version)


def settle_waiting(waiting: Waiting, *, now: datetime) -> None:
    """Look again for the receipt of a payment that waits."""
    signals = waiting.signals
    key = active_key_of(MemberId(signals.member_id), now=now)
    known = store.find_payment(signals.payment_id, key=key, now=now) if key else None
    if key is None or known is None:
        return matching_store.stop_waiting(signals, anchored_at=waiting.anchored_at)
    purchase = store.find_purchase(_where(known), key=key, now=now)
    if purchase is not None and purchase.receipt is not None:
        return matching_store.stop_waiting(signals, anchored_at=waiting.anchored_at)
    stores = [network.get_store(store_id, now=now) for store_id in signals.stores]
    decision = settle(
        known,
        purchase,
        stores=stores,
        last_fours=signals.known_last_fours,
        key=key,
        now=now,
        waiting=waiting,
    )
    if waiting.waits_since + WAITS <= now and not isinstance(decision, Matched):
        stayed = isinstance(decision, Ambiguous)
        ending = Ending.STAYED_AMBIGUOUS if stayed else Ending.NO_RECEIPT_CAME
        end(known, purchase, ending, stores=stores, key=key, now=now)
    return None


def look_again(payment_id: PaymentId, *, now: datetime) -> None:
    """Look again for the receipt of the payment `payment_id`, if it still waits."""
    where = store.find_whereabouts(payment_id, now=now)
    member = members.find_member(where.member_id, now=now) if where else None
    key = active_key_of(member.member_id, now=now) if member else None
    known = store.find_payment(payment_id, key=key, now=now) if key else None
    if member is None or key is None or known is None:
        return
    _carry_on(known, key=key, last_fours=member.last_fours, now=now)


def active_key_of(member_id: MemberId, *, now: datetime) -> vault.SealingKey | None:
    """The key of a member for whom the programme is on; None for one who left or is forgotten."""
    member = members.find_member(member_id, now=now)
    if member is None or member.status is not MemberStatus.ACTIVE or member.salt is None:
        return None
    return vault.member_key(member.salt)


def end(
    known: KnownPayment,
    purchase: Purchase | None,
    ending: Ending,
    *,
    stores: Sequence[Store],
    key: vault.SealingKey,
    now: datetime,
) -> None:
    """Let a payment end without a receipt, with its reason."""
    if purchase is None:
        alone = Purchase(known.member_id, known.payment, version=1, ending=ending)
        store.record_purchase(alone, key=key, now=now)
        facts.ended(known.payment.payment_id, ending)
    if stores:
        signals = signals_of(known, stores, ())
        matching_store.stop_waiting(signals, anchored_at=known.payment.anchored_at)


def signals_of(
    known: KnownPayment, stores: Sequence[Store], last_fours: tuple[LastFour, ...]
) -> PaymentSignals:
    """What the payment says that a receipt may agree with."""
    payment = known.payment
    return PaymentSignals(
        payment_id=payment.payment_id,
        member_id=known.member_id,
        connection_id=payment.connection_id,
        made_at=payment.made_at,
        amounts=payment.amounts,
        stores=tuple(s.store_id for s in stores),
        card=payment.card,
        known_last_fours=last_fours,
        identifiers=payment.merchant,
    )


def _where(known: KnownPayment) -> Whereabouts:
    payment = known.payment
    return Whereabouts(payment.payment_id, known.member_id, payment.anchored_at)
