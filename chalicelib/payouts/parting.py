"""What becomes of the account of somebody who left: it is deleted when nothing is owed any more.
So is what the bank calls them, where the bank pays (`payouts.leavers`).

Asked when somebody leaves, when a payment of theirs was executed, and in nights in which their
money moved; at the latest it expires thirty days after the leaving. A payment that comes back later
is not tried again: the account has refused it, and nobody is there to name another
(docs/decisions/0094-the-account-of-somebody-who-left.md).
"""

from datetime import datetime

from chalicelib.kernel.ids import MemberId
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Balances
from chalicelib.members import service as members
from chalicelib.members.model import MemberStatus
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.leavers import service as leavers


def forget_account_when_paid(member_id: MemberId, *, now: datetime) -> bool:
    """Delete where a member who left was paid, if nothing is owed; returns whether that is so.

    Of anybody else, nothing. Again it changes nothing.

    :raises TryAgain: DynamoDB did not answer.
    """
    member = members.find_member(member_id, now=now)
    if member is None or member.status is not MemberStatus.LEFT:
        return False
    if any(is_owed(one) for one in ledger.balances_of(member_id, now=now)):
        return False
    destinations.forget_all(member)
    leavers.forget_name(member)
    return True


def is_owed(balances: Balances) -> bool:
    """Whether something may still be paid: pending, available, or on its way."""
    return balances.pending > 0 or balances.available > 0 or balances.in_payment > 0
