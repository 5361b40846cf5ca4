"""What banks say of their members and are answered, as JSON."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=200)]
FourDigits = Annotated[str, Meta(pattern="^[0-9]{4}$")]
Email = Annotated[str, Meta(max_length=254, pattern="^[^@\\s]+@[^@\\s]+$")]


class Terms(msgspec.Struct):
    """What the person accepted. `accepted_at` is RFC 3339; without it, it is now."""

    version: Text
    channel: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")] = "bank_app"
    accepted_at: Text | None = None


class AccountBody(msgspec.Struct, omit_defaults=True):
    """An account by the bank's own id, and the last four digits of its number."""

    id: Text
    last_four: FourDigits | None = None


class CardToken(msgspec.Struct, omit_defaults=True):
    """A provider's token for a card. `connection` is the bank's own where it is left out."""

    value: Text
    connection: Text | None = None


class CardBody(msgspec.Struct, omit_defaults=True):
    """A card, never by its number. A wallet's device number ends in other digits than the card."""

    last_four: FourDigits | None = None
    last_four_kind: Literal["card", "device", "account", "unknown"] = "card"
    scheme: Text | None = None
    token: CardToken | None = None


class MemberBody(msgspec.Struct, omit_defaults=True):
    """Everything the bank says of a member; what is left out is removed. Terms have to be there."""

    terms: Terms | None = None
    accounts: Annotated[list[AccountBody], Meta(max_length=20)] = []
    cards: Annotated[list[CardBody], Meta(max_length=20)] = []
    email: Email | None = None


class FluxAccountBody(msgspec.Struct, omit_defaults=True):
    """Flux's body. `email` is for support only."""

    email: Email | None = None


class PreferencesBody(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Services to switch on or off; what is left out stays. A service that there is not is refused:
    somebody would believe that it is off.
    """

    receipts: bool | None = None
    stamps: bool | None = None
    offers: bool | None = None


class MemberAnswer(msgspec.Struct, omit_defaults=True):
    """A member as the bank may know them. Accounts and cards are counted, not repeated."""

    member_id: str
    status: str
    programme: str
    terms: Terms
    services: dict[str, bool]
    accounts: int
    cards: int
    activated_at: str
