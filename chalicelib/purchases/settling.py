"""Settling one payment: look for its receipt, claim it, join the two, or let the payment wait.

Every step may run twice, at once with itself, or die after any line. The claim is exclusive, the
purchase takes one receipt, and whoever finds a purchase that another run has written brings it up
to what this one knows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.cards import KnownDigits
from chalicelib.kernel.ids import MemberId, receipt_id_of
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching import service as matching
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import MatchDecision, Matched, NotYet
from chalicelib.matching.questions import Near, Question, claim_of
from chalicelib.matching.shares import to_share
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.standing import Claim, Waiting
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.matching.timekeeping.votes import vote_of
from chalicelib.matching.why import BY_HAND
from chalicelib.network import service as network
from chalicelib.network.model import Store
from chalicelib.network.places import near_told
from chalicelib.network.programmes import get_programme
from chalicelib.purchases import devices, facts, outbox, store
from chalicelib.purchases.access import active_key_of
from chalicelib.purchases.catching_up import catch_up, share_changes, update
from chalicelib.purchases.codes import store as codes
from chalicelib.purchases.history import noted
from chalicelib.purchases.model import KnownPayment, Purchase, Whereabouts, joined
from chalicelib.purchases.versions import with_early
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.returns import codes_of
from chalicelib.runtime import vault

JOINS_MAX = 3  # A purchase that ended is joined at the second try; more is a bug or a crowd.
# After a claim its purchase is written in seconds; a message that failed comes again in minutes.
JOINED_WITHIN = timedelta(hours=1)
LIVE_TILL_SECONDS_MAX = 60  # Stores that take longer send batches, and payments come before those.


def settle(
    known: KnownPayment,
    purchase: Purchase | None,
    *,
    stores: Sequence[Store],
    digits: KnownDigits,
    key: vault.SealingKey,
    now: datetime,
    waiting: Waiting | None = None,
    near: Near | None = None,
) -> MatchDecision | None:
    """Look for the receipt of a payment that has none, join it, or let the payment wait.

    Unless it is written down as waiting already (`waiting`), it is before the second look, so that
    of a payment and a page that arrive together at least one sees the other. `near` is what the
    caller has read around the payment, after the payment was written down.
    """
    if not stores:
        return None
    question = asked(known, stores, digits, now=now)
    signals = question.signals
    is_written = waiting is not None and waiting.signals == signals
    decision = None
    if is_written or _may_be_here(known, stores, now=now):
        decision = _look(question, consistent=is_written, near=near, now=now)
    if not isinstance(decision, Matched) and not is_written:
        written = Waiting(signals, question.anchored_at, known.first_seen_at)
        matching_store.keep_waiting(written)
        decision = _look(question, consistent=True, now=now)
    if isinstance(decision, Matched):
        join(question, known, purchase, decision, key=key, now=now)
    elif decision is not None:
        if isinstance(decision, NotYet):
            outbox.look_again(signals.payment_id, delay=decision.look_again_at - now)
        facts.waits(known, decision)
    return decision


def asked(
    known: KnownPayment, stores: Sequence[Store], digits: KnownDigits, *, now: datetime
) -> Question:
    """What is looked for at `stores`, as surely as the programme of the payment's bank wants it."""
    connection = network.get_connection(known.payment.connection_id, now=now)
    threshold = get_programme(connection.programme).match_threshold
    signals = signals_of(known, stores, digits)
    return Question(signals, known.payment.anchored_at, tuple(stores), threshold)


def _may_be_here(known: KnownPayment, stores: Sequence[Store], *, now: datetime) -> bool:
    """Whether a first look is worth its price; if not, there is one look, after writing."""
    within = max(store.receipts_within_seconds for store in stores)
    is_live = within <= LIVE_TILL_SECONDS_MAX
    return is_live or now >= known.payment.made_at + timedelta(seconds=within)


def _look(
    question: Question, *, consistent: bool, now: datetime, near: Near | None = None
) -> MatchDecision:
    return matching.look(
        question,
        claim_stands=lambda claim: claim_stands(claim, now=now),
        now=now,
        consistent=consistent,
        near=near,
    )


def claim_stands(claim: Claim, *, now: datetime) -> bool:
    """False where a crash left the claim behind: its payment holds another receipt, or none at all
    though every run that could have joined the two has long ended.
    """
    hold = claim.hold
    where = Whereabouts(hold.payment_id, MemberId(hold.member_id), claim.anchored_at)
    held = store.find_held_receipt(where, now=now)
    if held is not None:
        return held == claim.receipt_id
    return not _is_left_behind(claim, where, now=now)


def _is_left_behind(claim: Claim, where: Whereabouts, *, now: datetime) -> bool:
    """Whether a payment that still waits would have taken the receipt, if it still wanted it.

    Of a payment that ended, or whose member left, nobody knows; the receipt stays theirs. A run
    that comes later has to claim anew.
    """
    if claim.claimed_at is None or now < claim.claimed_at + JOINED_WITHIN:
        return False
    key = active_key_of(where.member_id, now=now)
    if key is None:
        return False
    purchase = store.find_purchase(where, key=key, now=now)
    return purchase is None or claim.receipt_id in purchase.payment.refused


def join(
    question: Question,
    known: KnownPayment,
    ended: Purchase | None,
    matched: Matched,
    *,
    key: vault.SealingKey,
    now: datetime,
    note: str | None = None,
) -> None:
    """Write the purchase of `matched`; one that another run has written is brought up to date.

    Whoever calls this has claimed the part. `note` is what staff said who joined the two by hand.
    :raises TryAgain: the purchase keeps changing underneath.
    """
    sale = matched.part.receipt
    codes.record_codes(sale, now=now)  # Before returns are read: one that comes now sees it.
    early = _changes_before(sale, now=now)
    for _ in range(JOINS_MAX):
        if ended is not None:
            _check_not_refused(question, matched, ended, now=now)
        threshold = to_share(question.threshold)
        joining = joined(known, matched, before=ended, now=now, threshold=threshold, note=note)
        purchase = with_early(noted(ended, joining, now=now) if ended else joining, early)
        codes.lead_back(purchase.returns, sale.receipt_id, now=now)
        # The delivery is queued before the purchase is written: it waits for that version to
        # appear, so no crash between the two loses it.
        outbox.tell(purchase, NoteKind.MATCHED, first_seen_at=known.first_seen_at, now=now)
        if store.record_purchase(purchase, key=key):
            _count(question, known, matched, now=now)
            catch_up(purchase, key=key, now=now)
            break
        standing = store.find_purchase(where_of(known), key=key, now=now)
        if standing is not None and standing.receipt is not None:
            _go_on_with(standing, question, known, matched, key=key, now=now)
            break
        ended = standing
    else:
        raise TryAgain("the purchase changed underneath")
    matching_store.stop_waiting(question.signals)


def _check_not_refused(
    question: Question, matched: Matched, before: Purchase, *, now: datetime
) -> None:
    """Give the claim back where the receipt was taken away after the payment was read, unless
    somebody claimed it for the payment since.

    Whoever reads the payment anew knows. What a person says since is not asked about.
    :raises TryAgain: it was.
    """
    if matched.why not in BY_HAND and matched.part.receipt_id in before.payment.refused:
        matching_store.release_claim(claim_of(question, matched), taken_until=now)
        raise TryAgain("the receipt was taken away from the payment meanwhile")


def _changes_before(sale: Receipt, *, now: datetime) -> list[Receipt]:
    """What changed `sale` before anybody held it, under whatever code it is named by."""
    names = [receipt_id_of(sale.retailer_id, code) for code in codes_of(sale)]
    of = sale.receipt_id
    return [one for name in names for one in matching_store.list_changes(name, of=of, now=now)]


def _count(question: Question, known: KnownPayment, matched: Matched, *, now: datetime) -> None:
    """Count the match; one that the matcher was sure of says where its till's clock stands, and may
    tell of a device that its member pays with.
    """
    facts.matched(known, matched, now=now)
    vote = vote_of(matched, known.payment.made_at)
    if vote is not None:
        timekeeping.vote(matched.part.receipt.store_id, vote, now=now)
        devices.learn(question.signals, matched, now=now)


def _go_on_with(
    standing: Purchase,
    question: Question,
    known: KnownPayment,
    matched: Matched,
    *,
    key: vault.SealingKey,
    now: datetime,
) -> None:
    """The payment has a purchase already: give back the claim on another receipt, if it was that,
    and add what the payment's later events say.
    """
    if standing.receipt is not None and standing.receipt.receipt_id != matched.part.receipt_id:
        matching_store.release_claim(claim_of(question, matched), taken_until=now)
    standing = share_changes(standing, key=key, now=now)
    update(standing, known.payment, key=key, now=now)


def signals_of(known: KnownPayment, stores: Sequence[Store], digits: KnownDigits) -> PaymentSignals:
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
        known_last_fours=digits.registered,
        device_digits=digits.devices,
        identifiers=payment.merchant,
        refused=payment.refused,
        near=near_told(payment.merchant, stores),
        taken=payment.taken,
    )


def where_of(known: KnownPayment) -> Whereabouts:
    """Where the payment's purchase lies."""
    payment = known.payment
    return Whereabouts(payment.payment_id, known.member_id, payment.anchored_at)
