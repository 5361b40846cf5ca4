"""How a payment stands at this moment: what is kept of it, and what a look now would say.

A payment that waits keeps no reason: what it waits for changes with every receipt that comes, and
writing it each time would cost more than the rare question does
(docs/decisions/0052-why-is-asked-not-kept.md). Nothing is written here.
"""

from datetime import datetime

from chalicelib.kernel.cards import KnownDigits
from chalicelib.kernel.ids import ConnectionId
from chalicelib.matching import service as matching
from chalicelib.matching.outcome import MatchDecision
from chalicelib.matching.payment import PaymentState
from chalicelib.matching.questions import Question
from chalicelib.matching.shares import to_share
from chalicelib.network import service as network
from chalicelib.purchases import store
from chalicelib.purchases.access import WAITS, Own, ends_waiting_at, find_own
from chalicelib.purchases.explaining import (
    MatchStory,
    Wait,
    explain_end,
    explain_match,
    explain_wait,
)
from chalicelib.purchases.model import KnownPayment
from chalicelib.purchases.payments import store as payments
from chalicelib.purchases.reading import waits
from chalicelib.purchases.service import STORES_PER_PAYMENT_MAX
from chalicelib.purchases.settling import asked


def find_standing(
    connection_id: ConnectionId, transaction_id: str, *, of_user: str | None = None, now: datetime
) -> MatchStory | None:
    """How the bank's transaction stands, and why; None where it is none of the caller's.

    :raises TryAgain: a passing obstacle.
    """
    own = find_own(connection_id, transaction_id, of_user=of_user, now=now)
    return standing_of(own, now=now) if own else None


def standing_of(own: Own, *, now: datetime) -> MatchStory | None:
    """How `own` stands, and why; None where its payment is forgotten and never had a receipt."""
    purchase = store.find_purchase(own.where, key=own.key, now=now)
    if purchase is not None and purchase.receipt is not None:
        return explain_match(purchase)
    known = payments.find_payment(own.where.payment_id, key=own.key, now=now)
    if known is None:
        return explain_end(purchase.payment, purchase) if purchase else None
    until = known.first_seen_at + WAITS
    if now >= until or known.payment.is_given_up or not waits(own, purchase, now=now):
        return explain_end(known.payment, purchase)
    return explain_wait(known.payment, purchase, wait_of(known, own.member.digits, now=now))


def wait_of(known: KnownPayment, digits: KnownDigits, *, now: datetime) -> Wait:
    """Since when and until when a payment without a receipt waits, and what a look now says."""
    question = question_of(known, digits, now=now)
    decision: MatchDecision | None = None
    complete_at = None
    if question.stores and known.payment.state is not PaymentState.REFUND_ONLY:
        complete_at = known.payment.made_at + question.patience
        decision = matching.find_match(
            question, claim_stands=lambda _: True, now=now, consistent=False
        )
    return Wait(
        since=known.first_seen_at,
        until=ends_waiting_at(known, question.stores, now=now),
        complete_at=complete_at,
        decision=decision,
        threshold=to_share(question.threshold),
    )


def question_of(known: KnownPayment, digits: KnownDigits, *, now: datetime) -> Question:
    """What is looked for, as a look at this moment would ask."""
    stores = network.find_stores(known.payment.merchant, now=now)[:STORES_PER_PAYMENT_MAX]
    return asked(known, stores, digits, now=now)
