"""The words of the privacy register: what each stored attribute is, why it is here, and until when.

Each row type declares these beside its attributes (see `rows.py`); `privacy/register.py` collects
them. The expiry of a row and what may be sealed in it follow from these declarations; their
reasons are written as sentences for a privacy notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


class Category(Enum):
    """What kind of data an attribute holds."""

    KEY = "key"  # where a row is found; pseudonymous at most
    PSEUDONYM = "pseudonym"
    REFERENCE = "reference"  # a bank's or provider's name for a person's account or card
    TRANSACTION = "transaction"
    RECEIPT = "receipt"
    CARD_FACTS = "card_facts"
    CONSENT = "consent"
    CREDENTIAL = "credential"
    CONTACT = "contact"
    CONFIGURATION = "configuration"  # about organisations, not people
    OPERATION = "operation"  # versions, counters, expiry
    STAFF = "staff"  # who of the operator's own staff did something


class Purpose(Enum):
    """Why an attribute is stored."""

    RECEIPTS = "receipts"
    MATCHING = "matching"
    MEMBERSHIP = "membership"
    DELIVERY = "delivery"
    REWARDS = "rewards"
    SUPPORT = "support"
    SECURITY = "security"
    SERVICE_OPERATION = "service_operation"
    OFFERS = "offers"
    ACCOUNTING = "accounting"


class Erasure(Enum):
    """What happens to the attribute when its person asks to be forgotten."""

    DELETE = "delete"
    SHRED = "shred"  # unreadable once the member's salt is deleted
    EXPIRE = "expire"  # not findable by person; forgotten on its own clock in days
    UNLINK = "unlink"  # kept for the accounts, under a pseudonym that leads to nobody any more
    KEEP = "keep"  # says nothing about a person


@dataclass(frozen=True, slots=True)
class Kept:
    """The declaration of one attribute. `holds` names the fields inside an encrypted attribute."""

    category: Category
    purpose: Purpose
    erasure: Erasure
    encrypted: bool = False
    holds: Mapping[str, Category] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a row is kept: `lasts` after `since`, or, without `lasts`, until `ended_by`.

    `reason` is the sentence a privacy notice can use.
    """

    name: str
    reason: str
    lasts: timedelta | None = None
    since: str = "written"
    ended_by: str | None = None

    def __post_init__(self) -> None:
        if (self.lasts is None) == (self.ended_by is None):
            raise ValueError(f"retention {self.name} needs either a length or an end")


CONFIGURED = Retention(
    name="while_configured",
    reason="Configuration of an organisation, kept until an operator removes it.",
    ended_by="removed by an operator",
)
