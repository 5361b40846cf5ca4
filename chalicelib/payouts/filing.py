"""Making the payment files of a day from the orders that stand in it.

Nothing is stored: the orders are frozen and the file follows from them, so whoever makes it again
makes the same bytes. Account numbers are in the clear there. It is made where it is handed on.
"""

from datetime import date, datetime

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.refusals import NotFound
from chalicelib.members import service as members
from chalicelib.payouts import service as payouts
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.model import PayoutState
from chalicelib.payouts.orders import store
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails import iso_orders, pain001
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.rails.pain001 import PaymentFile, Transfer


def make_files(
    connection_id: ConnectionId, currency: str, day: date, *, now: datetime
) -> tuple[PaymentFile, ...]:
    """The files of `day`, ten thousand payments each; none where nothing is to be paid.

    Also where another rail pays by now: what stands in a file stays in it.

    A payout whose member was forgotten since then is left out: its order cannot be read any more.
    So is one that ended already, by a bank's word or a person's.

    :raises FileStillOpen: orders may still join it.
    :raises NotFound: no members are paid by file there, nor were.
    """
    account = paying.find_account_of(Rail.ISO20022, connection_id, currency, now=now)
    if account is None:
        raise NotFound("no account here pays by file; if one did before, add it again")
    iso_orders.check_closed(day, now=now)
    entries = store.list_in_file(connection_id, currency, day, now=now)
    return pain001.make_files(
        account,
        day,
        [
            [one for entry in part if (one := _transfer_of(*entry, now=now)) is not None]
            for part in pain001.parts_of(entries)
        ],
    )


def _transfer_of(payout_id: str, member_id: MemberId, *, now: datetime) -> Transfer | None:
    instruction = payouts.get(payout_id, now=now)
    key = members.member_key_of(member_id, now=now)
    if key is None or instruction.state not in (PayoutState.SENT, PayoutState.UNKNOWN):
        return None
    order = store.find_order(payout_id, member_id, key=key, now=now)
    if order is None or order.envelope is None:
        return None
    to = destinations.open_envelope(order.envelope, owner=member_id)
    return Transfer(payout_id, order.amount, to, order.reference)
