"""Handing payouts to their rails, and asking what became of them: one payment, whatever dies.

In this order: the order is frozen, the first look is put down, the instruction says `unknown`, the
rail is called, its answer is recorded. Who dies after any of these is followed by somebody who
finds what is written: before the call nothing was paid; from the moment that the instruction says
`unknown` the order is only ever looked up, and sent again only under the same key where the rail
promises that this pays once (docs/decisions/0076-who-may-send-a-payout.md).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Member, MemberStatus, Reference
from chalicelib.payouts import service as payouts
from chalicelib.payouts import store as instructions
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations.envelope import Envelope
from chalicelib.payouts.leavers import service as leavers
from chalicelib.payouts.model import Accepted, Failed, Instruction, Outcome, PayoutState, Unknown
from chalicelib.payouts.orders import store as orders
from chalicelib.payouts.orders.store import LookUp
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.paying import store as paying_store
from chalicelib.payouts.rails.model import (
    NEEDS_DESTINATION,
    Handed,
    Order,
    PayingAccount,
    Rail,
)
from chalicelib.payouts.rails.ports import port_of, said_after_executed
from chalicelib.payouts.states import follow
from chalicelib.runtime import observability, vault

FIRST_LOOK_AFTER = timedelta(minutes=5)
# A worker lives for a minute; until then another may be waiting for the rail's answer.
CALLS_END_WITHIN = timedelta(seconds=90)
POSTPONED_SECONDS_MAX = 12 * 3_600  # What a queue can hold a message back.


@dataclass(frozen=True, slots=True)
class _NotPayable:
    """Why nothing can be asked of a rail; what was to be paid goes back to the member's balance."""

    reason: str


def send(payout_id: str, *, now: datetime) -> Instruction:
    """Hand a payout to its rail, or ask what became of one that a rail may have; returns it.

    :raises NoSuchPayout: there is none. :raises TryAgain: not now; nothing is lost.
    """
    instruction = payouts.get(payout_id, now=now)
    match instruction.state:
        case PayoutState.WRITTEN:
            return _send_first(instruction, now=now)
        case PayoutState.UNKNOWN:
            return look_up(payout_id, now=now)
    return payouts.finish(instruction, now=now)


def look_up(payout_id: str, *, now: datetime) -> Instruction:
    """Ask the rail what became of a payout, also of one that was executed: it may have come back.

    :raises NoSuchPayout: there is none. :raises TryAgain: somebody may be waiting for the answer.
    """
    instruction = payouts.get(payout_id, now=now)
    if instruction.state is PayoutState.WRITTEN:
        return _send_first(instruction, now=now)
    if instruction.state in (PayoutState.FAILED, PayoutState.RETURNED):
        return payouts.finish(instruction, now=now)
    since = instruction.changed_at or instruction.written_at
    if instruction.state is PayoutState.UNKNOWN and now < since + CALLS_END_WITHIN:
        seconds = int(CALLS_END_WITHIN.total_seconds())
        raise TryAgain("the rail is being asked", after_seconds=seconds)
    handed = _prepare(instruction, now=now)
    if isinstance(handed, _NotPayable):
        return _put_off(instruction, handed)
    rail = handed.account.rail
    outcome = port_of(rail).look_up(handed, instruction.provider_id, now=now)
    observability.count("payouts_looked_up", provider=rail.value, outcome=_word(outcome))
    if instruction.state is PayoutState.EXECUTED:
        outcome = said_after_executed(rail, outcome, now=now)
    return payouts.record_outcome(payout_id, outcome, now=now)


def ask_again(instruction: Instruction, named: str, *, now: datetime) -> Instruction:
    """Believe the rail itself about a payout of which a word contradicts what is known.

    `named` is the payment that the word names. A payout that has no name yet is asked for under
    that: it ended already, so nothing may be sent to learn what became of it.

    :raises TryAgain: it does not say for certain now.
    """
    asked = replace(instruction, provider_id=instruction.provider_id or named)
    handed = _prepare(asked, now=now)
    if isinstance(handed, _NotPayable):
        return _put_off(instruction, handed)
    outcome = port_of(handed.account.rail).look_up(handed, asked.provider_id, now=now)
    if isinstance(outcome, Unknown | Accepted):
        raise TryAgain("the rail does not say what became of the payout")
    return payouts.record_outcome(instruction.payout_id, outcome, now=now)


def _put_off(instruction: Instruction, why: _NotPayable) -> Instruction:
    """What is known of it stays."""
    observability.count("payout_looks_put_off", reason=why.reason)
    observability.warn("a payout cannot be looked up", id=instruction.payout_id, reason=why.reason)
    return instruction


def _send_first(instruction: Instruction, *, now: datetime) -> Instruction:
    """Call the rail as the only one: the instruction says `unknown` before, to everybody else."""
    payout_id = instruction.payout_id
    handed = _prepare(instruction, now=now)
    if isinstance(handed, Handed) and not _takes_currency(handed):
        handed = _NotPayable("destination_other_currency")
    if isinstance(handed, _NotPayable):
        observability.count("payouts_not_payable", reason=handed.reason)
        failed = Failed(handed.reason, is_final=True)
        return payouts.record_outcome(payout_id, failed, now=now)
    orders.put_look_up(LookUp(payout_id, now + FIRST_LOOK_AFTER, since=now))
    if not instructions.record_change(follow(instruction, Unknown(), now=now)):
        raise TryAgain("somebody else is sending the payout")
    rail = handed.account.rail
    outcome = port_of(rail).send(handed, now=now)
    observability.count("payouts_sent", provider=rail.value, outcome=_word(outcome))
    after = payouts.record_outcome(payout_id, outcome, now=now)
    if after.state is PayoutState.WRITTEN:
        raise TryAgain("the rail takes nothing now")
    return after


def _takes_currency(handed: Handed) -> bool:
    """Netting knows it mostly; of accounts that were named long ago only the envelope says it."""
    to, amount = handed.destination, handed.order.amount
    return to is None or to.takes(amount.currency)


def _prepare(instruction: Instruction, *, now: datetime) -> Handed | _NotPayable:
    """Everything that the rail needs, the order as it was frozen the first time.

    An order is frozen while nobody was called, and never again: a later one may name another
    account, and its time would open the life of a key that the rail forgot long ago.
    """
    account = _account_of(instruction, now=now)
    key = members.member_key_of(instruction.member_id, now=now)
    if account is None or account.rail.value != instruction.rail:
        return _NotPayable("no_paying_account")
    if key is None:
        return _NotPayable("member_forgotten")
    order: Order | _NotPayable | None = orders.find_order(
        instruction.payout_id, instruction.member_id, key=key, now=now
    )
    if order is None and instruction.state is PayoutState.WRITTEN:
        order = _freeze(instruction, account, key, now=now)
    elif order is None and instruction.provider_id:
        order = _to_ask_by_name(instruction, account)
    if order is None or isinstance(order, _NotPayable):
        return order or _NotPayable("order_forgotten")
    destination = None
    if order.envelope is not None:
        destination = destinations.open_envelope(order.envelope, owner=order.member_id)
    return Handed(order, account, paying_store.secrets_of(account), destination)


def _account_of(instruction: Instruction, *, now: datetime) -> PayingAccount | None:
    """What was handed to a rail stays with it; what was not is paid by the rail of now, if any."""
    place = instruction.connection_id, instruction.amount.currency
    if instruction.state is PayoutState.WRITTEN:
        return paying.find_account(*place, now=now)
    return paying.find_account_of(Rail(instruction.rail), *place, now=now)


def _to_ask_by_name(instruction: Instruction, account: PayingAccount) -> Order:
    """What suffices to ask for a payment by its name, once its order is forgotten.

    It says of nobody where to pay, and is not kept: nothing can be sent from it.
    """
    return Order(
        payout_id=instruction.payout_id,
        member_id=instruction.member_id,
        connection_id=instruction.connection_id,
        amount=instruction.amount,
        idempotency_key=instruction.idempotency_key,
        reference=instruction.reference,
        paid_from=account.account,
        frozen_at=instruction.written_at,
    )


def _freeze(
    instruction: Instruction, account: PayingAccount, key: vault.SealingKey, *, now: datetime
) -> Order | _NotPayable:
    envelope, named = None, None
    if account.rail in NEEDS_DESTINATION:
        envelope = _envelope_of(instruction, now=now)
        if envelope is None:
            return _NotPayable("no_destination")
    else:
        named = _named(members.find_member(instruction.member_id, now=now), now=now)
        if named is None:
            return _NotPayable("member_left")
    order = Order(
        payout_id=instruction.payout_id,
        member_id=instruction.member_id,
        connection_id=instruction.connection_id,
        amount=instruction.amount,
        idempotency_key=instruction.idempotency_key,
        reference=instruction.reference,
        paid_from=account.account,
        frozen_at=now,
        envelope=envelope,
        user_ref=_value_of(named, LinkKind.USER),
        account_ref=_value_of(named, LinkKind.ACCOUNT),
    )
    return orders.freeze(order, key=key, now=now)


def _envelope_of(instruction: Instruction, *, now: datetime) -> Envelope | None:
    """The member's destination, closed. :raises TryAgain: it was changed, and is not used yet."""
    held = destinations.find_held(instruction.member_id, now=now)
    if held is not None and now < held.usable_from:
        seconds = int((held.usable_from - now).total_seconds()) + 1
        raise TryAgain(
            "the destination was changed a short while ago",
            after_seconds=min(seconds, POSTPONED_SECONDS_MAX),
        )
    return None if held is None else held.envelope


def _named(member: Member | None, *, now: datetime) -> Reference | None:
    """The bank's own name of the member, for the rail on which the bank pays."""
    if member is not None and member.status is MemberStatus.LEFT:
        return leavers.open_name(member, now=now)
    return None if member is None else member.anchor


def _value_of(named: Reference | None, kind: LinkKind) -> Personal[str] | None:
    return Personal(named.value) if named is not None and named.kind is kind else None


def _word(outcome: Outcome) -> str:
    return type(outcome).__name__.lower()
