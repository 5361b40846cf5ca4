"""Members as values: who switched a programme on, and by which accounts and cards they are known.

A member is known inside by a pseudonym. What the bank calls the person, the accounts and the cards
are references; they travel as `Personal` and are found again by keyed hashes only.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.kernel.cards import NO_DIGITS, KnownDigits, LastFour
from chalicelib.kernel.ids import PROVIDER_ID_LENGTH_MAX, ConnectionId, MemberId
from chalicelib.kernel.pan import CardNumberFound, holds_issued_number
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Misshapen
from chalicelib.members.choices import NOTHING_CHOSEN, NoticeChoices
from chalicelib.members.devices import Device
from chalicelib.members.switching import Switch
from chalicelib.network.programmes import Service

KEPT_AFTER_LEAVING = timedelta(days=30)  # Time to return what was bought.
ACCOUNTS_MAX = 20
CARDS_MAX = 20  # With 20 accounts, every link of a member can change in one transaction.

_CARRIED = re.compile(f"[!-~]{{1,{PROVIDER_ID_LENGTH_MAX}}}")  # By the events of every bank.


class LinkKind(Enum):
    """What a reference names at its bank or provider."""

    USER = "user"
    ACCOUNT = "account"
    CARD = "card"


@dataclass(frozen=True, slots=True, repr=False)
class Reference:
    """A bank's or provider's name for a person, an account or a card. It prints as dots.

    :raises Malformed: empty or over 200 characters. :raises CardNumberFound: a card number.
    """

    kind: LinkKind
    connection_id: ConnectionId
    value: str

    def __post_init__(self) -> None:
        if not 0 < len(self.value) <= PROVIDER_ID_LENGTH_MAX or not self.value.isprintable():
            raise Misshapen("the id has not 1 to 200 printable characters", field=self.kind.value)
        if holds_issued_number(self.value):
            raise CardNumberFound("the id holds a card number", field=self.kind.value)

    def __repr__(self) -> str:
        return f"<{self.kind.value} •••>"


def payable_reference(
    kind: LinkKind, connection_id: ConnectionId, value: str, *, at: str
) -> Reference:
    """The reference to an account or a card that payments will name, which stands `at` a field.

    :raises Malformed: no payment could carry it. :raises CardNumberFound: a card number.
    """
    if not _CARRIED.fullmatch(value):
        raise Misshapen("the id has not 1 to 200 visible ASCII characters", field=at)
    if holds_issued_number(value):
        raise CardNumberFound("the id holds a card number", field=at)
    return Reference(kind, connection_id, value)


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account of a member. `linked_at`: earlier payments on it are not ours to know."""

    reference: Reference
    last_four: LastFour | None
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a member: what may be known of it, and a provider's token for it, if there is one.

    The token may be another connection's than the bank's (a card-linking provider's).
    """

    last_four: LastFour | None
    scheme: str | None
    reference: Reference | None
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class TermsAcceptance:
    """Which terms the person accepted, when, and where (`bank_app`, `flux`, …)."""

    version: str
    accepted_at: datetime
    channel: str


class MemberStatus(Enum):
    """Whether the programme is on for the member."""

    ACTIVE = "active"
    REVOKED = "revoked"  # the person took the consent back at the bank: nothing leads here now
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Member:
    """A person who switched a programme on at one bank.

    `anchor` is the reference under which the bank switched it on and switches it off: its user, or
    in Flux's format an account. `version` counts changes, `switches` say when `services` were
    switched. `devices` were learned from receipts (`devices`). After leaving, `anchor` is None, and
    accounts, cards, devices and email are gone.
    """

    member_id: MemberId
    connection_id: ConnectionId
    programme: str
    status: MemberStatus
    anchor: Reference | None
    terms: TermsAcceptance
    services: frozenset[Service]
    accounts: tuple[Account, ...]
    cards: tuple[Card, ...]
    email: Personal[str] | None
    salt: bytes | None
    activated_at: datetime
    left_at: datetime | None = None
    version: int = 1
    choices: NoticeChoices = NOTHING_CHOSEN
    switches: tuple[Switch, ...] = ()
    devices: tuple[Device, ...] = ()

    @property
    def kept_until(self) -> datetime | None:
        """Until when a member who left is remembered, and what they left behind is readable."""
        return None if self.left_at is None else self.left_at + KEPT_AFTER_LEAVING

    @property
    def digits(self) -> KnownDigits:
        """The digits that payments of this member may show, each once, in order."""
        known = [card.last_four for card in self.cards]
        known += [account.last_four for account in self.accounts]
        registered = tuple(dict.fromkeys(one for one in known if one is not None))
        return KnownDigits(registered, tuple(d.digits for d in self.devices if d.is_believed))


@dataclass(frozen=True, slots=True)
class Link:
    """A reference that leads to a member, with what is asked of the member when a payment comes.

    `payer` is the keyed name of the bank's user behind the link, where the bank named one: it tells
    the holders of a joint account apart. `since` is when the link was made. `salt` is the member's,
    for as long as the link lives, so that a payment needs one read; None on links made before.
    """

    member_id: MemberId
    since: datetime
    digits: KnownDigits = NO_DIGITS
    payer: str | None = None
    salt: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """The member whose payment it is. Payments before `activated_at` are not ours to know.

    `salt` is the member's, where the link that led here has it.
    """

    member_id: MemberId
    activated_at: datetime
    digits: KnownDigits = NO_DIGITS
    salt: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NotHeld:
    """Why a payment is no member's: `not_a_member`, `joint_holder` or `ambiguous_holder`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """The pseudonym and salt that a new member gets, both random."""

    member_id: MemberId
    salt: bytes
