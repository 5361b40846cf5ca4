"""What is written between the steps: one packed row for each line that was read.

A row stands as a MessagePack array in a bucket's file. `offset` is where its line begins in the
file (of a compressed file: in what it holds): it names the line and gives the order. `line` counts
within the part of the file that was read in one go, from 1.
"""

from typing import NamedTuple

import msgspec


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What every row begins with."""

    offset: int
    line: int

    @property
    def content(self) -> tuple[object, ...]:
        """All that the line says, without where it stands."""
        return tuple(getattr(self, name) for name in self.__struct_fields__[2:])


class PaymentRow(Packed, array_like=True, frozen=True, gc=False):
    """One line of the payments file. `at` is UNIX seconds."""

    id: str
    member: str
    store: str
    at: float
    amount_minor: int
    currency: str
    last_four: str | None
    last_four_kind: str
    auth_code: str | None
    scheme: str | None
    kind: str


class JoinedRow(Packed, array_like=True, frozen=True, gc=False):
    """One payment: all that the lines with its id say. `amounts` has the newest word first."""

    id: str
    member: str
    store: str
    at: float
    amounts: tuple[tuple[int, str], ...]
    last_four: str | None
    last_four_kind: str
    auth_code: str | None
    scheme: str | None
    kind: str


class ReceiptRow(Packed, array_like=True, frozen=True, gc=False):
    """One line of the receipts file. `total_minor` is never negative; `is_return` says the way."""

    id: str
    store: str
    at: float
    total_minor: int
    currency: str
    till: str | None
    last_four: str | None
    last_four_kind: str
    auth_code: str | None
    scheme: str | None
    tip_minor: int
    is_return: bool
    refers_to: str | None


class AnswerRow(Packed, array_like=True, frozen=True, gc=False):
    """What was decided of the payment whose first line is at `offset`."""

    payment_id: str
    receipt_id: str | None
    probability: float
    reason: str


class ClaimRow(Packed, array_like=True, frozen=True, gc=False):
    """A payment that was given a receipt which other portions of its store see, too.

    `is_same_purchase`: as the clearing of another, which has the receipt; both keep or lose it.
    """

    receipt_offset: int
    is_same_purchase: bool = False


class RefusedRow(Packed, array_like=True, frozen=True, gc=False):
    """A line that cannot be used: the rule's code, the field, and a sentence without its values."""

    code: str
    field: str | None
    detail: str


class Source(NamedTuple):
    """One of the two files, by the name under which its lines are spread and refused."""

    name: str
    path: str


PAYMENTS = "payments"
RECEIPTS = "receipts"
