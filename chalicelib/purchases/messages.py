"""What the platform says to itself over queues: versioned JSON, unknown fields ignored."""

from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from chalicelib.banks.payments import PaymentEvent
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import MemberId, PaymentId, ReceiptId, StoreId
from chalicelib.kernel.refusals import Malformed
from chalicelib.matching.why import Why
from chalicelib.purchases.model import WithdrawnWhy

M = TypeVar("M")


class PaymentMessage(msgspec.Struct, frozen=True, tag="payment", tag_field="kind"):
    """On `payments`: a bank told `event`, received at `received_at`."""

    event: PaymentEvent
    received_at: datetime
    v: int = 1


class LookAgainMessage(msgspec.Struct, frozen=True, tag="look_again", tag_field="kind"):
    """On `payments`: look again for the receipt of a payment that waits."""

    payment_id: PaymentId
    v: int = 1


class MemberLeftMessage(msgspec.Struct, frozen=True, tag="member_left", tag_field="kind"):
    """On `payments`: a member left; bring what is kept of them onto its last clock."""

    member_id: MemberId
    left_at: datetime
    v: int = 1


class WithdrawMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="withdraw", tag_field="kind"
):
    """On `payments`: see to it that a receipt is taken away from a purchase.

    It is sent before anything is written, and whoever sends it does the same at once: it finishes
    what was begun. `version` is what the purchase had when it was `ordered_at`: a receipt that was
    joined anew after that stays. `store_id` and `issued_at` say where the receipt stands on a page.
    `refuses` says that the two are never joined again by themselves.
    """

    payment_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    version: int
    receipt_id: ReceiptId
    part: int
    store_id: StoreId
    issued_at: datetime
    why: WithdrawnWhy
    ordered_at: datetime
    detail: str = ""
    refuses: bool = True
    note: str | None = None
    v: int = 1


class JoinMessage(msgspec.Struct, frozen=True, omit_defaults=True, tag="join", tag_field="kind"):
    """On `payments`: finish joining a payment with a receipt that a person named.

    It is sent before the part is claimed, and does nothing unless the payment holds the part and
    has no receipt: then whoever claimed it died. `version` is what its purchase had, 0 for none.
    """

    payment_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    version: int
    receipt_id: ReceiptId
    part: int
    store_id: StoreId
    issued_at: datetime
    why: Why
    note: str | None = None
    v: int = 1


PaymentsMessage = (
    PaymentMessage | LookAgainMessage | MemberLeftMessage | WithdrawMessage | JoinMessage
)


class DeliveryMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """On `deliveries`: tell the payment's bank of the newest version of its purchase.

    `version` is the least that must be there: the message is sent just before that is written.
    `member_id` and `anchored_at` say where the purchase lies, so that it is found without asking;
    `first_seen_at` is when its payment was first seen. Messages sent by hand may leave them out.
    """

    payment_id: PaymentId
    note: NoteKind
    version: int
    v: int = 1
    member_id: MemberId | None = None
    anchored_at: datetime | None = None
    first_seen_at: datetime | None = None


class RewardMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """On `rewards`: bring cards, offers and the journal up to the newest version of a purchase.

    `version` is the least that must be there: the message is sent just before that is written.
    """

    payment_id: PaymentId
    member_id: MemberId
    anchored_at: datetime
    version: int
    v: int = 1


def encode(message: msgspec.Struct) -> str:
    """`message` as the body of a queue message."""
    return msgspec.json.encode(message).decode()


def decode_payments(body: str) -> PaymentsMessage:
    """The body of a message on `payments`. :raises Malformed: it is none."""
    return cast(PaymentsMessage, _decode(body, cast(Any, PaymentsMessage)))


def decode_delivery(body: str) -> DeliveryMessage:
    """The body of a message on `deliveries`. :raises Malformed: it is none."""
    return _decode(body, DeliveryMessage)


def decode_reward(body: str) -> RewardMessage:
    """The body of a message on `rewards`. :raises Malformed: it is none."""
    return _decode(body, RewardMessage)


def _decode(body: str, as_type: type[M]) -> M:
    try:
        return msgspec.json.decode(body, type=as_type)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Malformed("the message has not the documented shape") from error
