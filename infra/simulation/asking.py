"""What a bank's app asks over the API, and asks again until it has an answer.

The handlers are called behind the gateway and the check of tokens, which asks nobody. An app that
gets no answer, or is told to try again, sends the same a while later. So it does for some time
where the answer is that there is nothing of the kind: its user may be faster than the till.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from chalicelib.api import matches
from chalicelib.api.callers import Caller
from chalicelib.api.rim import Answer, Inbound
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.network.access.clients import MATCHES_WRITE
from chalicelib.network.model import ClientKind
from infra.resources import Queue

ASKS = "asks"
ASKED_AGAIN_AFTER = timedelta(seconds=500)  # Five times outlast two failures of any queue.
REFUSED_MAX = 5  # Then the user is told so. As often as one may name a receipt in a day.
APPS = Queue(ASKS, visibility_seconds=int(ASKED_AGAIN_AFTER.total_seconds()), receives_max=8)
HANDLERS: Mapping[str, Callable[[Inbound], Answer]] = {
    "say_not_mine": matches.say_not_mine,
    "say_this_is_mine": matches.say_this_is_mine,
}


class Asked(msgspec.Struct, frozen=True):
    """A request: which handler, on behalf of which bank's which user, of which transaction."""

    handler: str
    bank: str
    user: str
    transaction: str
    json: str

    def to_body(self) -> str:
        """As it waits to be sent."""
        return msgspec.json.encode(self).decode()


def answer_app(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer each request; those that the app sends again count as failed, as in a batch."""
    again = [one["messageId"] for one in event["Records"] if _is_asked_again(one)]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in again]}


def _is_asked_again(record: Mapping[str, Any]) -> bool:
    asked = msgspec.json.decode(record["body"], type=Asked)
    try:
        HANDLERS[asked.handler](_inbound(asked))
    except TryAgain:
        return True
    except Rejected:
        return int(record["attributes"]["ApproximateReceiveCount"]) < REFUSED_MAX
    return False


def _inbound(asked: Asked) -> Inbound:
    caller = Caller("app", ClientKind.BANK, asked.bank, (MATCHES_WRITE,), asked.user)
    return Inbound(
        body=asked.json.encode(),
        headers={},
        query={},
        parameters={"transaction": asked.transaction},
        method="POST",
        path="",
        caller=caller,
    )
