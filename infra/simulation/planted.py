"""Planted bugs: what the simulation has to find, or it proves nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.simulation.faults import ENDS_THE_RUN, PAUSES, Kind
from infra.simulation.items import Request
from infra.simulation.planted_cards import bugs_in_cards
from infra.simulation.planted_contents import bugs_in_contents
from infra.simulation.planted_money import bugs_in_money
from infra.simulation.planting import Bug, Rewriting, Suspect, without_condition
from infra.simulation.world import World


class TellingAfterWriting(Bug):
    """The delivery is queued after the purchase is written, not before: a crash between loses it.

    The message is held back until the call after the next write to `wallets`.
    """

    def __init__(
        self, world: World, name: str, what: str, shows_in: str, shows_by: tuple[Kind, ...]
    ) -> None:
        super().__init__(name, what, shows_in, shows_by, "dynamodb.PutItem wallets")
        self._world = world
        self._held: list[Mapping[str, Any]] = []
        self._is_written = False

    def rewritten(self, _service: str, operation: str, request: Request, /) -> Request | None:
        """Hold a delivery back, or let it go."""
        if self._is_written:
            self.run_ended()
        if operation == "SendMessageBatch" and request["QueueUrl"].endswith("-deliveries"):
            self._held.append(request)
            return None
        if operation in ("PutItem", "UpdateItem") and request["TableName"].endswith("-wallets"):
            self._is_written = True
        return request

    def run_begins(self) -> None:
        """What the run before held back died with it."""
        self._held, self._is_written = [], False

    def run_ended(self) -> None:
        """Send what was held back."""
        held, self._held, self._is_written = self._held, [], False
        for request in held:
            self._world.aws.queues.answer("SendMessageBatch", request)


class AcknowledgingEarly(Bug):
    """Messages are deleted before they are worked on."""

    acknowledges_early = True


class HidingFailures(Bug):
    """The worker names nothing as failed."""

    hides_failures = True


class ReadingCarelessly(Bug):
    """No read is consistent."""

    drops_consistency = True


def _without_revision(_operation: str, request: Request) -> Request:
    """Only where a known payment is written again: there the condition is its revision."""
    if "attribute_not_exists" in request.get("ConditionExpression", ""):
        return request
    return without_condition(_operation, request)


def _added(_operation: str, request: Request) -> Request:
    """`SET version = n` as `ADD version 1`."""
    names = {name: token for token, name in request["ExpressionAttributeNames"].items()}
    token = names["version"]
    expression = request["UpdateExpression"].removeprefix("SET ")
    kept = [part for part in expression.split(", ") if not part.startswith(f"{token} =")]
    return {
        **without_condition(_operation, request),
        "UpdateExpression": f"SET {', '.join(kept)} ADD {token} :one",
        "ExpressionAttributeValues": {**request["ExpressionAttributeValues"], ":one": {"N": "1"}},
    }


def _never(_operation: str, _request: Request) -> None:
    return None


_CLAIM = Suspect("PutItem", "tills", "part#")
_PURCHASE = Suspect("PutItem", "wallets", "purchase#")
_VERSION = Suspect("UpdateItem", "wallets", "purchase#")
_EVENT = Suspect("PutItem", "people", "payment")
_WAITING = Suspect("PutItem", "tills", "wait#")


def bugs(world: World) -> tuple[Bug, ...]:
    """Every planted bug, made for `world`."""
    return (
        *_careless_purchases(),
        *_careless_records(),
        *_careless_order(world),
        *bugs_in_contents(world),
        *bugs_in_money(),
        *bugs_in_cards(world),
        HidingFailures(
            "failures_hidden_for_days",
            "what a broken worker does not settle is never settled",
            "rewards_redriven",
        ),
    )


def _careless_purchases() -> Iterator[Bug]:
    """Bugs in how a receipt is taken and its purchase written."""
    yield Rewriting(
        "claim_without_condition",
        "whoever claims a receipt gets it",
        "rivals",
        PAUSES,
        suspect=_CLAIM,
        change=without_condition,
    )
    yield Rewriting(
        "purchase_without_condition",
        "the first version of a purchase is written over whatever stands there",
        "cleared",
        PAUSES,
        suspect=_PURCHASE,
        change=without_condition,
    )
    yield Rewriting(
        "version_without_condition",
        "a version is written over whichever stands there",
        "busy",
        PAUSES,
        suspect=_VERSION,
        change=without_condition,
    )
    yield Rewriting(
        "version_added",
        "the version is counted up by ADD",
        "corrected-ada",
        (Kind.ANSWER_LOST,),
        suspect=_VERSION,
        change=_added,
    )


def _careless_records() -> Iterator[Bug]:
    """Bugs in what is kept of a payment."""
    yield Rewriting(
        "event_without_condition",
        "a payment's events are written over others that came meanwhile",
        "busy",
        PAUSES,
        suspect=_EVENT,
        change=_without_revision,
    )
    yield Rewriting(
        "waiting_not_written",
        "a payment looks again without being written down as waiting",
        "lone-ada",
        (),
        suspect=_WAITING,
        change=_never,
    )


def _careless_order(world: World) -> Iterator[Bug]:
    """Bugs in when things are done."""
    yield TellingAfterWriting(
        world,
        "told_after_written",
        "the delivery is queued after the purchase is written",
        "lone-ada",
        ENDS_THE_RUN,
    )
    yield AcknowledgingEarly(
        "acknowledged_before_done",
        "a message is deleted before it is done",
        "lone-ada",
        ENDS_THE_RUN,
    )
    yield HidingFailures(
        "failures_hidden",
        "a worker never says that a message failed",
        "lone-ada",
        (Kind.REQUEST_LOST,),
    )
    yield ReadingCarelessly(
        "reads_not_consistent", "no read is consistent", "lone-ada", (Kind.STALE,)
    )
