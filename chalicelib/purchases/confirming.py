"""Confirming what an unsigned hook said: asking the bank itself before believing it.

Monzo signs nothing. Where the connection says so, the hook only names a transaction, and what
counts is what the bank answers when the transaction is fetched with the member's own token.
"""

from datetime import datetime

from chalicelib.banks import monzo, monzo_oauth
from chalicelib.banks.http import AccessRefused
from chalicelib.banks.payments import HookRequest, PaymentEvent
from chalicelib.kernel.ids import MemberId
from chalicelib.members.connecting.tokens import NotConnected
from chalicelib.network.model import Connection, Provider


def confirmed(
    event: PaymentEvent, member_id: MemberId, connection: Connection, *, now: datetime
) -> PaymentEvent | None:
    """`event` as the bank tells it, or None where the bank does not: unknown, declined, or not
    theirs.

    Connections that sign, or that trust their secret path, are believed as they are.
    :raises TryAgain: the bank is away.
    """
    if connection.provider is not Provider.MONZO or not connection.refetch:
        return event
    try:
        request = _fetch(event.transaction_id, member_id, connection, now=now)
    except (monzo.TransactionUnknown, NotConnected):
        return None
    for told in monzo.read(request, connection, now=now).events:
        if told.transaction_id == event.transaction_id and told.account_ref == event.account_ref:
            return told
    return None


def _fetch(
    transaction_id: str, member_id: MemberId, connection: Connection, *, now: datetime
) -> HookRequest:
    """The transaction, with the member's token renewed once where the bank no longer takes it."""
    token = monzo_oauth.access_token(member_id, connection, now=now)
    try:
        return monzo.refetch(transaction_id, connection, token, now=now)
    except AccessRefused:
        token = monzo_oauth.access_token(member_id, connection, refused=token, now=now)
        return monzo.refetch(transaction_id, connection, token, now=now)
