"""What the platform says to itself over queues: versioned JSON, unknown fields ignored."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from chalicelib.banks.payments import PaymentEvent
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import MemberId, PaymentId
from chalicelib.kernel.refusals import Malformed

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class PaymentMessage:
    """On `payments`: a bank told `event`, received at `received_at`."""

    event: PaymentEvent
    received_at: datetime
    v: int = 1
    kind: str = "payment"


@dataclass(frozen=True, slots=True)
class LookAgainMessage:
    """On `payments`: look again for the receipt of a payment that waits."""

    payment_id: PaymentId
    v: int = 1
    kind: str = "look_again"


@dataclass(frozen=True, slots=True)
class MemberLeftMessage:
    """On `payments`: a member left; bring what is kept of them onto its last clock."""

    member_id: MemberId
    left_at: datetime
    v: int = 1
    kind: str = "member_left"


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """On `deliveries`: tell the payment's bank of the newest version of its purchase."""

    payment_id: PaymentId
    note: NoteKind
    version: int
    v: int = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str = "payment"


def encode(message: object) -> str:
    """`message` as the body of a queue message."""
    return msgspec.json.encode(message).decode()


def decode(body: str, as_type: type[M]) -> M:
    """The body of a queue message as `as_type`. :raises Malformed: it is not one."""
    try:
        return msgspec.json.decode(body, type=as_type)
    except msgspec.DecodeError as error:
        raise Malformed("the message has not the documented shape") from error


def kind_of(body: str) -> str:
    """Which of the kinds on `payments` the body is. :raises Malformed: none."""
    return decode(body, _Kind).kind
