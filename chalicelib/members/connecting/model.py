"""A consent at a bank, as values: the token that it gave, and what is left to do when it ends."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal


class TokenState(Enum):
    """How far a member's consent at the bank has come."""

    PENDING_APPROVAL = "pending_approval"  # the person has still to approve in the bank's app
    CONNECTED = "connected"
    LOST = "lost"  # the bank takes neither token any more; the person has to connect again


@dataclass(frozen=True, slots=True)
class BankToken:
    """A token as the bank gave it. Without `refresh` it ends at `expires_at` for good."""

    access: Personal[str]
    refresh: Personal[str] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A bank's token for a member, as it is stored. `webhooks` are the bank's ids of our hooks."""

    member_id: MemberId
    connection_id: ConnectionId
    token: BankToken
    state: TokenState
    scope: str
    webhooks: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who left, and the token that is to be revoked, if there was one.

    `version` is the token's, so that a token that came late is a departure of its own.
    """

    member_id: MemberId
    connection_id: ConnectionId
    left_at: datetime
    token: BankToken | None = None
    webhooks: tuple[str, ...] = ()
    version: int = 0


def departure_of(held: HeldToken, *, left_at: datetime) -> Departure:
    """The departure of a member who held a token."""
    return Departure(
        held.member_id, held.connection_id, left_at, held.token, held.webhooks, held.version
    )
