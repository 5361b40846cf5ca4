"""What a bank's app, a till, or an operator asks, and asks again until there is an answer.

The handlers are called behind the gateway and the check of tokens, which asks nobody. Whoever gets
no answer, or is told to try again, sends the same a while later. So they do for some time where
they are patient and the answer is no: an app's user may be faster than the till.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from chalicelib.api import cards, claims, matches, payouts
from chalicelib.api.callers import Caller
from chalicelib.api.rim import Answer, Inbound
from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.refusals import Rejected, TooOften, TryAgain
from chalicelib.loyalty.claims.codes import code_of
from chalicelib.loyalty.claims.service import claim_id_of
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.holding.model import HoldOutcome
from chalicelib.network.model import ClientKind
from chalicelib.runtime import clock
from infra.resources import Queue

ASKS = "asks"
DONE = "done"
ASKED_AGAIN_AFTER = timedelta(seconds=500)  # Five times outlast two failures of any queue.
REFUSED_MAX = 5  # Then the user is told so. As often as one may name a receipt in a day.
APPS = Queue(ASKS, visibility_seconds=int(ASKED_AGAIN_AFTER.total_seconds()), receives_max=8)


def _decide_hold(asked: Inbound) -> Answer:
    """What an operator's command does."""
    outcome = HoldOutcome(asked.parameters["outcome"])
    holding.decide_hold(asked.parameters["hold"], outcome, now=clock.now())
    return Answer(DONE)


HANDLERS: Mapping[str, Callable[[Inbound], Answer]] = {
    "say_not_mine": matches.say_not_mine,
    "say_this_is_mine": matches.say_this_is_mine,
    "claim_reward": claims.claim_reward,
    "reserve_reward": cards.reserve_reward,
    "cancel_claim": cards.cancel_claim,
    "confirm_claim": cards.confirm_claim,
    "set_destination": payouts.put_payout_destination,
    "decide_hold": _decide_hold,
}


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request: which handler, on behalf of whom (a bank's user, or a retailer's till).

    `name` is what the answer is remembered by; `patience` how often somebody hears a refusal before
    it is one. A till that confirms what a `member` claimed shows the code of that claim.
    """

    handler: str
    subject: str
    parameters: dict[str, str]
    json: str = "{}"
    user: str = ""
    member: str = ""
    name: str = ""
    patience: int = REFUSED_MAX

    def to_body(self) -> str:
        """As it waits to be sent."""
        return msgspec.json.encode(self).decode()


class Apps:
    """Everybody who asks. `heard` is what they were answered, by the name of what they asked: done,
    or the code of the refusal. Whoever asked too often today asks again when they may (`postpone`
    takes the handle of a message, and seconds).
    """

    def __init__(self, postpone: Callable[[str, int], object]) -> None:
        self.heard: dict[str, tuple[str, ...]] = {}
        self._postpone = postpone

    def answer(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """Answer each request; those that are sent again count as failed, as in a batch."""
        again = [one["messageId"] for one in event["Records"] if self._is_asked_again(one)]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in again]}

    def _is_asked_again(self, record: Mapping[str, Any]) -> bool:
        asked = msgspec.json.decode(record["body"], type=Asked)
        try:
            HANDLERS[asked.handler](_inbound(asked))
        except TryAgain:
            return True
        except TooOften as refusal:
            self._hear(asked.name, refusal.code)
            self._postpone(record["receiptHandle"], refusal.after_seconds)
            return True
        except Rejected as refusal:
            self._hear(asked.name, refusal.code)
            return int(record["attributes"]["ApproximateReceiveCount"]) < asked.patience
        self._hear(asked.name, DONE)
        return False

    def _hear(self, name: str, said: str) -> None:
        if name:
            self.heard[name] = (*self.heard.get(name, ()), said)


def _inbound(asked: Asked) -> Inbound:
    kind = ClientKind.BANK if asked.user else ClientKind.RETAILER
    parameters = dict(asked.parameters)
    if asked.member:
        member_id = MemberId(asked.member)
        claim_id = claim_id_of(member_id, parameters["claim"])
        parameters["code"] = code_of(member_id, parameters["scheme"], claim_id)
    return Inbound(
        body=asked.json.encode(),
        headers={},
        query={},
        parameters=parameters,
        method="POST",
        path="",
        caller=Caller("asker", kind, asked.subject, (), asked.user or None),
    )
