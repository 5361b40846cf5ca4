"""A payment whose match staff correct: how it is found, and how it stands afterwards."""

from datetime import datetime

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.refusals import NotFound
from chalicelib.network import service as network
from chalicelib.purchases import standing
from chalicelib.purchases.access import Own, find_own


def get_own(connection_id: ConnectionId, transaction_id: str, *, now: datetime) -> Own:
    """The payment that the bank calls `transaction_id`.

    :raises NotFound: it was never recorded, is none of ours, or its member left.
    """
    network.get_connection(connection_id, now=now)
    own = find_own(connection_id, transaction_id, of_user=None, now=now)
    if own is None:
        raise NotFound("nothing is known of that payment, or its member left")
    return own


def standing_lines(own: Own, *, now: datetime) -> list[tuple[str, str]]:
    """How the payment stands, in the words that its bank is told; nothing of what was bought."""
    told = standing.standing_of(own, now=now)
    if told is None:
        return [("forgotten", "")]
    return [
        (f"{told.state.value}: {told.reason}", told.words),
        *((f"{clue.code} {clue.stand}", clue.words) for clue in told.evidence),
        *(("would decide it", hint.words) for hint in told.would_decide),
    ]
