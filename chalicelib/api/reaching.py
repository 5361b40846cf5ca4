"""Reaching a member: the user that a path or a token names, of the caller's own bank only."""

from datetime import datetime

from chalicelib.api import callers
from chalicelib.api.rim import Inbound
from chalicelib.kernel.refusals import NotFound
from chalicelib.members import service as members
from chalicelib.members.model import Holder, LinkKind, Member, Reference
from chalicelib.runtime import vault


def member_of(inbound: Inbound, *, now: datetime) -> Member:
    """The member whose bank calls them `user` in the path.

    :raises NotFound: there is none, or the token is narrowed to another user.
    :raises callers.NotPermitted: the caller is no bank.
    """
    return member_named(inbound, inbound.parameters["user"], now=now)


def member_named(inbound: Inbound, user: str, *, now: datetime) -> Member:
    """The member whose bank calls them `user`; as `member_of`."""
    connection_id = callers.bank_of(inbound.known_caller)
    callers.check_user(inbound.known_caller, user)
    return members.get_member(Reference(LinkKind.USER, connection_id, user), now=now)


def member_of_account(inbound: Inbound, account: str, *, now: datetime) -> Member:
    """The member who switched the bank's `account` on.

    :raises callers.NotPermitted: the caller is no bank, or its token is narrowed to a user.
    :raises NotFound: nobody has that account switched on.
    """
    connection_id = callers.bank_of(inbound.known_caller)
    if inbound.known_caller.user is not None:
        raise callers.NotPermitted("a token for one user does not reach accounts")
    holder = members.find_holder(connection_id, account_ref=account, now=now)
    member = None
    if isinstance(holder, Holder):
        member = members.find_member(holder.member_id, now=now)
    if member is None:
        raise NotFound("there is no such account")
    return member


def key_of(member: Member) -> vault.SealingKey:
    """What opens the member's rows. :raises NotFound: they have left, and nothing does."""
    if member.salt is None:
        raise NotFound("there is no such member")
    return vault.member_key(member.salt)
