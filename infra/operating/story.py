"""The story of one payment, told from the rows: what was heard, why it waits, what came of it.

What is told holds ids, codes, counts and the times at which we did something; never what was
bought, where, when or for how much. That is `personal_lines`, for those who have a reason.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.refusals import NotFound
from chalicelib.matching import service as matching
from chalicelib.matching import store as matching_store
from chalicelib.matching.outcome import Matched
from chalicelib.matching.questions import Question
from chalicelib.matching.standing import Waiting
from chalicelib.members import service as members
from chalicelib.network import service as network
from chalicelib.purchases import store as purchases
from chalicelib.purchases.access import active_key_of, ends_waiting_at
from chalicelib.purchases.explaining import Wait, explain_match, explain_wait
from chalicelib.purchases.model import KnownPayment, Purchase, Whereabouts
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import queues
from infra import replaying
from infra.operating import dead_letters


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to the payment, or how it stands; `at` where a row says when."""

    at: datetime | None
    what: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What the rows say of a payment. `known` and `purchase` need the member's key."""

    payment_id: PaymentId
    steps: tuple[Step, ...]
    known: KnownPayment | None
    purchase: Purchase | None


def story_of(payment_id: PaymentId, transaction_id: str | None, *, now: datetime) -> Story:
    """Everything the rows, quarantine and the dead letters say of the payment.

    Nothing is written. :raises NotFound: nothing is known of it anywhere: it was never recorded, or
    is none of ours and was dropped.
    """
    names = tuple(name for name in (payment_id, transaction_id) if name)
    where = payments.find_whereabouts(payment_id, now=now)
    if where is None:
        aside = (*_quarantined(names, now=now), *_dead(names))
        if not aside:
            raise NotFound("nothing is known of that payment: it never came, or was not kept")
        return Story(payment_id, (Step(None, "not recorded"), *aside), None, None)
    key = active_key_of(where.member_id, now=now)
    known = payments.find_payment(payment_id, key=key, now=now) if key else None
    purchase = purchases.find_purchase(where, key=key, now=now) if key else None
    steps = (
        *_received(where, known, now=now),
        *(_waited(known, now=now) if known and not _has_receipt(purchase) else ()),
        *(_became(purchase, now=now) if purchase else ()),
        *_quarantined(names, now=now),
        *_dead(names),
    )
    return Story(payment_id, steps, known, purchase)


def _has_receipt(purchase: Purchase | None) -> bool:
    return purchase is not None and purchase.receipt is not None


def _received(where: Whereabouts, known: KnownPayment | None, *, now: datetime) -> Iterator[Step]:
    yield Step(where.first_seen_at, "first seen", f"member {where.member_id}")
    member = members.find_member(where.member_id, now=now)
    if member is None:
        yield Step(None, "member forgotten", "nothing of it can be read any more")
    elif known is None:
        yield Step(None, f"member {member.status.value}", "nothing of it is read or told")
    if known is not None:
        payment = known.payment
        kinds = ", ".join(event.kind.value for event in payment.events)
        yield Step(None, "heard from the bank", kinds)
        yield Step(None, f"payment {payment.state.value}", f"connection {payment.connection_id}")


def _waited(known: KnownPayment, *, now: datetime) -> Iterator[Step]:
    """At which stores it waits, and what a look at this moment would say."""
    payment = known.payment
    stores = network.find_stores(payment.merchant, now=now)
    if not stores:
        yield Step(None, "shop no longer in the network")
    waiting: Waiting | None = None
    for store in stores:
        for one in matching_store.list_waiting_around(
            store.store_id, payment.anchored_at, payment.anchored_at, now=now, consistent=False
        ):
            waiting = one if one.signals.payment_id == payment.payment_id else waiting
    if waiting is None:
        yield Step(None, "not on a waiting list")
        return
    until = ends_waiting_at(known, stores, now=now)
    yield Step(waiting.waits_since, "waits", f"until {until:%Y-%m-%d %H:%M}")
    question = Question(waiting.signals, waiting.anchored_at, tuple(stores))
    decision = matching.find_match(question, claim_stands=lambda _: True, now=now, consistent=False)
    word = "would match" if isinstance(decision, Matched) else "would wait"
    yield Step(now, f"a look now {word}", decision.why.value)
    told = explain_wait(payment, None, Wait(waiting.waits_since, until, None, decision))
    yield Step(None, "why", told.words)
    for hint in told.would_decide:
        yield Step(None, "would decide it", hint.words)


def _became(purchase: Purchase, *, now: datetime) -> Iterator[Step]:
    for one in purchase.withdrawals:
        yield Step(one.matched_at, "matched before", one.matched_why)
        detail = f" ({one.detail})" if one.detail else ""
        yield Step(one.at, f"withdrawn, version {one.version}", f"{one.why}{detail}")
    if purchase.receipt is None and purchase.ending is None:
        return
    if purchase.receipt is None:
        yield Step(None, "ended", purchase.ending.value if purchase.ending else "")
        return
    reason = purchase.reason
    if reason is not None:
        agreed = ", ".join(reason.agreements)
        why = f"{reason.why} by {reason.model}: {agreed}; {reason.seconds_apart} s apart"
        yield Step(purchase.matched_at, "matched", why)
        yield Step(None, "why", explain_match(purchase).words)
        for clue in explain_match(purchase).evidence:
            if clue.stand == "differs":
                yield Step(None, f"{clue.code} differs", clue.words)
    receipt = purchase.receipt
    holders = {
        claim.part: claim.hold.payment_id
        for claim in matching_store.list_claims(receipt.receipt_id, now=now)
    }
    mine = (
        "held by it"
        if holders.get(purchase.part) == purchase.payment.payment_id
        else (f"held by {purchase.same_as}" if purchase.same_as else "NOT held by it")
    )
    yield Step(None, "claim", f"part {purchase.part} of receipt {receipt.receipt_id}: {mine}")
    returns = f", {len(purchase.returns)} returns" if purchase.returns else ""
    yield Step(None, "purchase", f"version {purchase.version}{returns}")
    if purchase.told_reference:
        yield Step(None, "receipt told", "the bank gave it a name")


def _quarantined(names: tuple[str, ...], *, now: datetime) -> Iterator[Step]:
    """What of it is set aside: a message or entry that names the payment or the transaction."""
    for area in (queues.PAYMENTS, queues.DELIVERIES, "hooks"):
        for one in replaying.select(replaying.Wanted(area=area), now=now):
            if one.name in names or any(f'"{name}"' in one.body for name in names):
                yield Step(
                    one.kept_at, f"in quarantine, {area}", f"{one.reason}: {one.quarantine_id}"
                )


def _dead(names: tuple[str, ...]) -> Iterator[Step]:
    for queue in (queues.PAYMENTS, queues.DELIVERIES):
        with closing(dead_letters.look(queue)) as letters:
            for letter in letters:
                if any(f'"{name}"' in letter.body for name in names):
                    yield Step(letter.sent_at, f"dead letter of {queue}", letter.message_id)


def personal_lines(story: Story) -> Iterator[str]:
    """What was paid and bought, for who has a reason to see it."""
    for event in story.known.payment.events if story.known else ():
        merchant = ", ".join(f"{one.kind.value} {one.value}" for one in event.merchant)
        amount = f"{event.amount.to_text()} {event.amount.currency}"
        yield f"{event.occurred_at:%Y-%m-%d %H:%M:%S}  {event.kind.value}  {amount}  {merchant}"
    for one in story.purchase.withdrawals if story.purchase else ():
        if one.note:
            yield f"{one.at:%Y-%m-%d %H:%M:%S}  withdrawn by staff: {one.note}"
    reason = story.purchase.reason if story.purchase else None
    if reason is not None and reason.note:
        yield f"  joined by staff: {reason.note}"
    receipt = story.purchase.receipt if story.purchase else None
    if receipt is None:
        return
    yield f"{receipt.issued_at:%Y-%m-%d %H:%M:%S}  {receipt.store_id}  {receipt.reference}"
    for line in receipt.lines:
        yield f"  {line.amount_minor:>8}  {line.description}"
    yield f"  {receipt.total_minor:>8}  {receipt.currency} in minor units"
