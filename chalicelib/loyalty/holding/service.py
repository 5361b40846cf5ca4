"""Holding an award, and bringing what a person decided of it to its purchase.

Whoever awards calls `hold` before it writes the award as held, and asks `find_decision` whenever
the purchase is settled anew while its award is held. A decision is written first and then settles
the purchase by the same message as any new version of it; decided again in the same way, it only
sends that message again. So whoever dies between the two repeats the command.
"""

from contextlib import suppress
from datetime import datetime

from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.refusals import Conflicting, NotFound, TryAgain
from chalicelib.loyalty.claimants import judge_claimant
from chalicelib.loyalty.holding import store
from chalicelib.loyalty.holding.model import (
    Held,
    HoldDecision,
    HoldOutcome,
    decide,
    hold_id_of,
)
from chalicelib.loyalty.watching import PASS, Verdict
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.purchases.messages import RewardMessage, encode
from chalicelib.runtime import observability, queues
from chalicelib.runtime.emf import Unit


class DecidedOtherwise(Conflicting):
    """The hold was decided before, and not like this."""

    code = "decided_otherwise"


def hold(held: Held, *, now: datetime) -> HoldDecision | None:
    """Let `held` wait for a person; what was decided of it before, if it was. Again is the same.

    :raises TryAgain: a passing obstacle; nothing may be written as held yet.
    """
    decision = store.find_decision(held.hold_id, now=now)
    if decision is None:
        store.record_open(held)
        observability.count("awards_held", reason=held.reason.value)
    return decision


def drop(held: Held) -> None:
    """Let nobody look at `held`: nothing is left of it. :raises TryAgain: a passing obstacle."""
    store.remove_open(held)


def find_decision(subject: str, purchase_id: PaymentId, *, now: datetime) -> HoldDecision | None:
    """What was decided of the award that `subject` holds for the purchase, or None."""
    return store.find_decision(hold_id_of(subject, purchase_id), now=now)


def judge_new_member(member: Member, *, now: datetime) -> Verdict:
    """Whether somebody else registered one of the member's cards before. Asked once per new card
    of stamps: it reads once for each bank card with a token, and not at all without.
    """
    if not any(card.reference for card in member.cards):
        return PASS
    return judge_claimant(member.member_id, members.list_card_holders(member, now=now))


def get_open(hold_id: str, *, now: datetime) -> Held:
    """The hold that waits. :raises NotFound: none of that name waits."""
    for held in store.list_open(now=now):
        if held.hold_id == hold_id:
            return held
    raise NotFound("no award of that name is held")


def decide_hold(hold_id: str, outcome: HoldOutcome, *, now: datetime) -> MemberId:
    """Release the award or refuse it, for good; decided again in the same way, it is sent again.

    Returns whose award it is.

    :raises NotFound: none of that name is or was held. :raises DecidedOtherwise: it was, before.
    :raises TryAgain: a passing obstacle; decide it again.
    """
    decision = store.find_decision(hold_id, now=now)
    if decision is None:
        held = get_open(hold_id, now=now)
        decision = decide(held, outcome, now=now)
        if not store.record_decision(held, decision):
            raise TryAgain("somebody else decided it in the same moment")
        observability.count("holds_decided", outcome=outcome.value)
    if decision.outcome is not outcome:
        raise DecidedOtherwise(f"it was {decision.outcome.value} before")
    _settle(decision)
    return decision.member_id


def end_old_holds(*, now: datetime) -> int:
    """Release what nobody decided in thirty days, and observe how many wait and since when.

    Returns how many it took off the list. What meets a passing obstacle is left to the next run.
    """
    waiting = store.list_open(now=now)
    released = 0
    for held in waiting:
        if held.held_at + store.DECIDED_WITHIN > now:
            continue
        try:
            _end(held, now=now)
        except TryAgain:
            observability.count("looks_put_off")
            continue
        released += 1
    oldest = min((held.held_at for held in waiting), default=now)
    observability.observe("holds_open", len(waiting), Unit.COUNT)
    observability.observe("oldest_hold_seconds", (now - oldest).total_seconds(), Unit.SECONDS)
    return released


def _end(held: Held, *, now: datetime) -> None:
    """Release `held`. One that was decided in the moment it was held again is on the list still."""
    with suppress(DecidedOtherwise):
        decide_hold(held.hold_id, HoldOutcome.RELEASED, now=now)
    store.remove_open(held)


def _settle(decision: HoldDecision) -> None:
    message = RewardMessage(
        payment_id=decision.purchase_id,
        member_id=decision.member_id,
        anchored_at=decision.anchored_at,
        version=decision.version,
    )
    queues.send(queues.REWARDS, [encode(message)])
