"""What banks say and are told of payouts."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ShortText = Annotated[str, Meta(min_length=1, max_length=200)]


class DestinationBody(msgspec.Struct, omit_defaults=True):
    """Where a member is paid: `sort_code` and `account_number`, or `iban`; never both.

    `holder` is the name of the account's holder, as the bank knows it.
    """

    holder: ShortText
    sort_code: ShortText | None = None
    account_number: ShortText | None = None
    iban: ShortText | None = None


class DestinationAnswer(msgspec.Struct):
    """What is ever shown of a destination: its last four digits. `usable_from`: when it is used."""

    last_four: str
    changed_at: str
    usable_from: str


class AcknowledgementBody(msgspec.Struct, omit_defaults=True):
    """What the bank did with a payout that it was asked to make.

    `id` is the bank's own name of this acknowledgement: the same again changes nothing, with
    another `status` it is refused. `at` is when it happened (RFC 3339), not before the payout was
    ordered. `payment` is the bank's id of the payment that was `paid`; `reason` its word for a
    refusal or a return.
    """

    id: ShortText
    status: Literal["paid", "refused", "returned"]
    at: ShortText
    payment: ShortText | None = None
    reason: ShortText | None = None


class Taken(msgspec.Struct):
    """How many statements were taken, and how many are none of ours."""

    taken: int
    ignored: int = 0
