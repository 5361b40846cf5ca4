"""Launches, and invented members who want to hear of them."""

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.personal import Personal
from chalicelib.members import service as members
from chalicelib.members.choices import Topic, with_topic
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Connection, ConnectionKey, KeyUse, Provider, Retailer
from tests.makers.bank_server import BankServer
from tests.makers.journeys import NOON
from tests.makers.members import make_activation, numbered
from tests.makers.network import BAKERY, BANK, make_connection
from tests.makers.paying import WEBHOOK_SECRET

NAME = f"partner_joined#{BAKERY}#{BANK}"
BANK_ID = ConnectionId(BANK)


def open_bank(bank: BankServer, connection_id: str = BANK) -> Connection:
    """A bank that is told by signed webhook, and the bakery, which is new."""
    network.record_retailer(Retailer(BAKERY, "Hearth & Rye"))
    key = ConnectionKey(KeyUse.SIGN, Personal(WEBHOOK_SECRET))
    connection = make_connection(
        connection_id, provider=Provider.STANDARD, told_at_url=bank.url, keys=(key,)
    )
    network.record_connection(connection, now=NOON)
    return connection


def join(name: str, number: int, *topics: Topic, connection: Connection | None = None) -> Member:
    """A member who consented to `topics`."""
    found = make_activation(name, accounts=(f"acc-{name}",), connection=connection)
    member = members.activate(found, fresh=numbered(number), now=NOON).member
    for topic in topics:
        member = consent(member, topic)
    return member


def consent(member: Member, topic: Topic, *, is_wanted: bool = True) -> Member:
    """The member gives the consent, or takes it back."""
    assert member.anchor is not None
    return members.change_choices(
        member.anchor,
        lambda choices: with_topic(choices, topic, is_wanted=is_wanted, now=NOON),
        now=NOON,
    )
