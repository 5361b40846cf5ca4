"""Whom a bank that pays by itself is told to pay, when its member left and is still owed something.

The bank knows its own user, so on the rail `bank` no account is named. But leaving wipes the bank's
name of the user too, and without it nobody could be paid any more. So it is put aside before, where
only those who pay can read it, and goes as a leaver's account does (`payouts.parting`).
"""

from datetime import datetime

from chalicelib.members.model import Member, Reference
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.leavers import store
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import Rail
from chalicelib.runtime import vault


def keep_name(member: Member, *, now: datetime) -> None:
    """Put aside what the bank calls a member who is about to leave, where the bank pays.

    Again changes nothing but the time. Without an envelope key nothing can be put aside.
    """
    is_bank_paying = any(
        one.rail is Rail.BANK and one.connection_id == member.connection_id
        for one in paying.list_accounts(now=now)
    )
    if not is_bank_paying or member.anchor is None or member.salt is None:
        return
    envelope = destinations.close_name(member.anchor, owner=member.member_id, now=now)
    if envelope is not None:
        key = vault.member_key(member.salt)
        store.record_name(member.member_id, envelope, key=key, left_at=now)


def has_name(member: Member, *, now: datetime) -> bool:
    """Whether it is known what the bank calls a member who left."""
    if member.salt is None:
        return False
    key = vault.member_key(member.salt)
    return store.find_name(member.member_id, key=key, now=now) is not None


def open_name(member: Member, *, now: datetime) -> Reference | None:
    """What the bank calls a member who left, or None. Only for those who pay."""
    if member.salt is None:
        return None
    key = vault.member_key(member.salt)
    envelope = store.find_name(member.member_id, key=key, now=now)
    if envelope is None:
        return None
    return destinations.open_name(envelope, owner=member.member_id)


def forget_name(member: Member) -> None:
    """Nothing is owed any more."""
    store.remove_name(member.member_id)
