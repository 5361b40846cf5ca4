"""What opens a member's purchases, and for how long a payment may find its receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import ConnectionId, MemberId, payment_id_of
from chalicelib.matching.standing import WAITING_DAYS
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Member, MemberStatus
from chalicelib.network import service as network
from chalicelib.network.habits import habits_of
from chalicelib.network.model import Store
from chalicelib.purchases.model import KnownPayment, Whereabouts
from chalicelib.purchases.patience import patience_of
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault

WAITS = timedelta(days=WAITING_DAYS)


def ends_waiting_at(known: KnownPayment, stores: Sequence[Store], *, now: datetime) -> datetime:
    """When a payment that finds no receipt at `stores` ends, by habits of its bank and shops."""
    habits = habits_of(network.get_connection(known.payment.connection_id, now=now))
    patience = patience_of(
        known.payment, stores, habits, first_seen_at=known.first_seen_at, waits_max=WAITS
    )
    return patience.ends_at


@dataclass(frozen=True, slots=True)
class Own:
    """A payment that the caller may know of: where it lies, whose it is, and what opens it."""

    where: Whereabouts
    member: Member
    key: vault.SealingKey

    @property
    def first_seen_at(self) -> datetime:
        """When its first event reached us."""
        return self.where.first_seen_at or self.where.anchored_at


def find_own(
    connection_id: ConnectionId, transaction_id: str, *, of_user: str | None, now: datetime
) -> Own | None:
    """The payment that the bank calls `transaction_id`; None where it is none of the caller's.

    `of_user` narrows it to one of the bank's users. What was never recorded cannot be told from
    what belongs to somebody else, or to somebody who left.
    """
    where = payments.find_whereabouts(payment_id_of(connection_id, transaction_id), now=now)
    if where is None:
        return None
    member = members.find_member(where.member_id, now=now)
    key = _key_of(member)
    if member is None or key is None:
        return None
    own = Own(where, member, key)
    is_theirs = of_user is None or _is_of_user(own, connection_id, of_user, now=now)
    return own if is_theirs else None


def _is_of_user(own: Own, connection_id: ConnectionId, user: str, *, now: datetime) -> bool:
    """Whether the bank's `user` may know of the payment: the member by name, or else who made it.

    Where an account was switched on, and nobody by name, the payment says whose it is: who else
    holds the account sees nothing. One that names no user is the account's, by the account's own
    name, unless that is somebody else's.
    """
    member = own.member
    known = members.find_member_of_user(connection_id, user, now=now)
    if known == member.member_id:
        return True
    if member.anchor is None or member.anchor.kind is not LinkKind.ACCOUNT:
        return False
    told = payments.find_payment(own.where.payment_id, key=own.key, now=now)
    if told is None:
        return False
    refs = told.payment.first_ref
    if refs.user_ref is not None:
        return refs.user_ref == user
    return known is None and refs.account_ref == user


def active_key_of(
    member_id: MemberId, *, now: datetime, consistent: bool = True
) -> vault.SealingKey | None:
    """The key of a member for whom the programme is on; None for one who left or is forgotten.

    Not `consistent`, at half the price, it may still be there for a moment after they left; that
    there is none is always read consistently.
    """
    if not consistent:
        key = _key_of(members.find_member(member_id, now=now, consistent=False))
        if key is not None:
            return key
    return _key_of(members.find_member(member_id, now=now))


def _key_of(member: Member | None) -> vault.SealingKey | None:
    if member is None or member.status is not MemberStatus.ACTIVE or member.salt is None:
        return None
    return vault.member_key(member.salt)
