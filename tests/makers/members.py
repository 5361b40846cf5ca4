"""Makers of activations: invented people with accounts and cards."""

import base64
from datetime import UTC, datetime

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.members.activation import Activation, GivenAccount, GivenCard
from chalicelib.members.model import Fresh, LinkKind, Reference, TermsAcceptance
from chalicelib.network.model import Connection
from tests.makers.network import BANK, make_connection

ACCEPTED_AT = datetime(2026, 11, 20, 11, 59, tzinfo=UTC)
TERMS = TermsAcceptance("2026-01", ACCEPTED_AT, "bank_app")


def numbered(number: int) -> Fresh:
    """A pseudonym and salt that differ for every `number` up to 255."""
    name = base64.b32encode(bytes([number]) * 17).decode().lower()[:26]
    return Fresh(MemberId(name), bytes([number]) * 16)


def user(name: str, connection_id: str = BANK) -> Reference:
    """What a bank calls a person."""
    return Reference(LinkKind.USER, ConnectionId(connection_id), name)


def account(name: str, connection_id: str = BANK) -> Reference:
    """What a bank calls an account."""
    return Reference(LinkKind.ACCOUNT, ConnectionId(connection_id), name)


def card_token(name: str, connection_id: str = BANK) -> Reference:
    """What a provider calls a card."""
    return Reference(LinkKind.CARD, ConnectionId(connection_id), name)


def card_four(digits: str) -> LastFour:
    """The end of a plastic card's number."""
    return LastFour(digits, LastFourKind.CARD)


def make_activation(
    name: str = "ada",
    *,
    accounts: tuple[str, ...] = ("acc-1",),
    cards: tuple[GivenCard, ...] = (),
    connection: Connection | None = None,
    terms: TermsAcceptance = TERMS,
) -> Activation:
    """A bank switches `name` on."""
    connection = connection or make_connection()
    home = connection.connection_id
    given = tuple(GivenAccount(account(one, home)) for one in accounts)
    return Activation(connection, user(name, home), terms, given, cards)
