"""What is said over the queue `payouts`: versioned JSON, unknown fields ignored."""

from datetime import datetime
from typing import Any, Literal, cast

import msgspec

from chalicelib.kernel.refusals import Malformed
from chalicelib.payouts.model import Accepted, Executed, Failed, Outcome, Returned


class SendPayoutMessage(msgspec.Struct, frozen=True, tag="send", tag_field="kind"):
    """Hand the payout to its rail. Sent after the instruction was written."""

    payout_id: str
    v: int = 1


class ReportMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="report", tag_field="kind"
):
    """A rail or a bank told what became of a payout.

    `event_id` is the teller's own name of what it told: the same again changes nothing. `provider`
    is the rail's name of the payment. `at` is when it happened. `rail` and `connection` say for
    whom the teller may speak; empty in messages of earlier releases.
    """

    payout_id: str
    event_id: str
    outcome: Literal["accepted", "executed", "failed", "returned"]
    at: datetime
    provider: str = ""
    reason: str = ""
    v: int = 1
    rail: str = ""
    connection: str = ""


PayoutsMessage = SendPayoutMessage | ReportMessage


def encode(message: msgspec.Struct) -> str:
    """`message` as the body of a queue message."""
    return msgspec.json.encode(message).decode()


def decode_payouts(body: str) -> PayoutsMessage:
    """The body of a message on `payouts`. :raises Malformed: it is none."""
    try:
        return cast(PayoutsMessage, msgspec.json.decode(body, type=cast(Any, PayoutsMessage)))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Malformed("the message has not the documented shape") from error


def outcome_of(message: ReportMessage) -> Outcome:
    """The outcome that a report tells of."""
    match message.outcome:
        case "accepted":
            return Accepted(message.provider)
        case "executed":
            return Executed(message.provider, message.at)
        case "failed":
            return Failed(message.reason, is_final=True)
        case "returned":
            return Returned(message.reason, message.at)


def report_of(
    payout_id: str, event_id: str, outcome: Outcome, *, provider_id: str = "", now: datetime
) -> ReportMessage:
    """The message that tells of `outcome`.

    :raises Malformed: it is one that nobody reports: unknown, or a failure that may pass.
    """
    match outcome:
        case Accepted(provider_id=named):
            return ReportMessage(payout_id, event_id, "accepted", now, named)
        case Executed(provider_id=named, at=at):
            return ReportMessage(payout_id, event_id, "executed", at, named)
        case Failed(reason=reason, is_final=True):
            return ReportMessage(payout_id, event_id, "failed", now, provider_id, reason)
        case Returned(reason=reason, at=at):
            return ReportMessage(payout_id, event_id, "returned", at, provider_id, reason)
    raise Malformed("nobody reports this of a payout")


def spoken_for(report: ReportMessage, *, rail: str, connection: str) -> ReportMessage:
    """`report`, told by somebody who may speak for payouts of `rail` and `connection` only."""
    return msgspec.structs.replace(report, rail=rail, connection=connection)
