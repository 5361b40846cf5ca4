"""Paying invented members: a connection, a paying account, destinations, and orders to pay."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.kernel.personal import Personal
from chalicelib.ledger import moving
from chalicelib.ledger.giving import give
from chalicelib.members import service as members
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Connection, ConnectionKey, KeyUse
from chalicelib.payouts import store as instructions
from chalicelib.payouts.destinations import service as destinations
from chalicelib.payouts.destinations.accounts import Destination, SortCodeAccount
from chalicelib.payouts.model import Instruction, new_instruction, payout_id_of
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import PayingAccount, PayingSecrets, Rail
from infra.local.sandbox_payments import SandboxPayments
from infra.local.sandbox_truelayer import SandboxTrueLayer
from infra.local.serving import LoopbackServer
from infra.local.tl_keys import new_pem, public_pem_of
from tests.makers.ledger import BOUGHT_AT, make_gift
from tests.makers.members import make_activation, numbered
from tests.makers.network import BANK, make_connection

PAID_ON = date(2026, 12, 2)
PAYING_AT = datetime(2026, 12, 2, 4, 30, tzinfo=UTC)
SOON = PAYING_AT + timedelta(minutes=5)
GIVEN_AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SORT_CODE, ACCOUNT_NUMBER = "102030", "12345678"
TOKEN = "a-token-of-the-sandbox-bank"
CLIENT_ID, CLIENT_SECRET, KEY_ID = "counterfoil", "a-secret-of-a-client", "our-key-1"
MERCHANT = "merchant-account-1"
WEBHOOK_SECRET = "whsec_" + "QmFua3Mgb2YgdGhlIHJpdmVyIGFyZSBncmVlbi4="


@cache
def signing_pem() -> str:
    """One P-521 key for a whole run of tests."""
    return new_pem()


def make_payee(
    name: str = "ada", number: int = 1, *, account_number: str = ACCOUNT_NUMBER
) -> Member:
    """A member of the bank who may be paid to an account in the United Kingdom."""
    member = make_member(name, number)
    set_destination(member, account_number=account_number)
    return member


def make_member(
    name: str = "ada", number: int = 1, *, connection: Connection | None = None
) -> Member:
    """A member of the bank who named no account yet."""
    found = make_activation(name, accounts=(f"acc-{name}",), connection=connection)
    return members.activate(found, fresh=numbered(number), now=GIVEN_AT).member


def set_destination(
    member: Member, *, account_number: str = ACCOUNT_NUMBER, now: datetime = GIVEN_AT
) -> None:
    """Pay the member to an account of the sort code 10-20-30."""
    account = SortCodeAccount(SORT_CODE, account_number)
    destinations.set_destination(member, Destination(account, "Ada Wren"), now=now)


def make_key() -> None:
    """Make the key of the envelopes."""
    destinations.make_envelope_key(lambda: bytes(range(32)), now=GIVEN_AT)


def make_account(rail: Rail, **fields: str) -> PayingAccount:
    """A paying account of the bank in pounds, by `rail`."""
    return PayingAccount(connection_id=ConnectionId(BANK), currency="GBP", rail=rail, **fields)


def record_paying(account: PayingAccount, *, connection: Connection | None = None) -> None:
    """Write a connection and from where its members are paid, with every secret of any rail."""
    network.record_connection(connection or make_connection(), now=GIVEN_AT)
    secrets = PayingSecrets(
        Personal(TOKEN if account.rail is Rail.SANDBOX else CLIENT_SECRET),
        Personal(signing_pem()),
    )
    paying.record_account(account, secrets, now=GIVEN_AT)
    make_key()


def write_order(member: Member, minor: int, rail: Rail) -> Instruction:
    """Give the member `minor` pence, set them aside, and write the order to pay them."""
    gift = make_gift(1, minor, member_id=member.member_id, available_at=BOUGHT_AT)
    give(gift, now=BOUGHT_AT)
    payout_id = payout_id_of(member.member_id, "GBP", PAID_ON)
    midnight = datetime.combine(PAID_ON, time(), UTC)
    moving.instruct(
        member.member_id,
        "GBP",
        payout_id,
        minor_min=1,
        originated_at=midnight,
        now=PAYING_AT,
    )
    instruction = new_instruction(
        payout_id,
        member_id=member.member_id,
        connection_id=member.connection_id,
        amount=Money(minor, "GBP"),
        rail=rail.value,
        now=PAYING_AT,
    )
    return instructions.record_new(instruction, now=PAYING_AT)


@contextmanager
def sandbox_payments() -> Iterator[tuple[SandboxPayments, PayingAccount]]:
    """The sandbox bank's paying side, listening, and the account that pays there."""
    bank = SandboxPayments(now=lambda: SOON, token=TOKEN)
    with LoopbackServer(bank.answer) as server:
        yield bank, make_account(Rail.SANDBOX, api_url=server.url)


@contextmanager
def sandbox_truelayer(*, executes: bool = True) -> Iterator[tuple[SandboxTrueLayer, PayingAccount]]:
    """The sandbox TrueLayer, listening, and the account that pays there."""
    sandbox = SandboxTrueLayer(
        now=lambda: SOON,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_keys={KEY_ID: public_pem_of(signing_pem())},
        executes=executes,
    )
    account = make_account(
        Rail.TRUELAYER,
        api_url=f"{sandbox.url}/v3",
        auth_url=sandbox.url,
        client_id=CLIENT_ID,
        key_id=KEY_ID,
        account=MERCHANT,
        webhook_keys_url=sandbox.webhook_keys_url,
    )
    try:
        yield sandbox, account
    finally:
        sandbox.stop()


def told_connection(url: str) -> Connection:
    """The bank's connection where it is told by signed webhook."""
    key = ConnectionKey(KeyUse.SIGN, Personal(WEBHOOK_SECRET))
    return make_connection(told_at_url=url, keys=(key,))
