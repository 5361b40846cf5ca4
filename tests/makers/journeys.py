"""A town to make journeys in: one bakery, whose shop every sample event points to, and one member
per provider.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from chalicelib.kernel.ids import MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.members import service as members
from chalicelib.members.activation import Activation, GivenAccount, GivenCard
from chalicelib.members.connecting import tokens
from chalicelib.members.connecting.model import BankToken, TokenState
from chalicelib.members.model import LinkKind, Reference, TermsAcceptance
from chalicelib.network import service as network
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import (
    ClientKind,
    Connection,
    ConnectionKey,
    KeyUse,
    Provider,
)
from chalicelib.runtime import clock
from tests.makers.api import Said, make_client, token_of
from tests.makers.banks import rsa_pem, spki, whsec
from tests.makers.members import numbered
from tests.makers.network import BAKERY, make_connection, make_retailer, make_store
from tests.makers.outside import ask

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

OPENED_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

TILL = "till-client"

FIDEL_SECRET = "fidel-secret-of-the-hook"

FIDEL_URL = "https://api.counterfoil.test/hooks/hook-of-fidel?event={event}"

FLUX_SECRET = "flux-request-secret"

SHOP = make_store("wharf-lane", reference="0042")

NAMES = (
    Identifier(IdentifierKind.MID, "MID-BL-0042"),
    Identifier(IdentifierKind.MID, "MT0000000012"),
    Identifier(IdentifierKind.MID, "PC-PAR-3"),
    Identifier(IdentifierKind.MONZO_MERCHANT, "merch_0000BeanLeeds"),
    Identifier(IdentifierKind.NARRATIVE, "HARBOUR WOOLLENS 17 YORK"),
)


@dataclass(frozen=True)
class Paid:
    """What a provider's sample event says of a purchase at the shop, as its till would see it."""

    provider: Provider
    transaction: str
    account: str
    user: str
    minor: int
    issued_at: str
    auth_code: str | None = None
    card_token: str | None = None

    @property
    def connection_id(self) -> str:
        """The connection the event comes in by."""
        return self.provider.value.replace("_", "-")


PAID = {
    paid.provider: paid
    for paid in (
        Paid(
            Provider.FLUX_V1,
            "fx1-7f3a0c",
            "acc-aster-104",
            "usr-aster-104",
            745,
            "2026-11-20T11:41:05Z",
            "K4821A",
        ),
        Paid(
            Provider.FLUX_V2,
            "fx2-51b8",
            "acc-cedar-31",
            "cedar",
            1899,
            "2026-11-20T10:15:02Z",
            "771204",
        ),
        Paid(
            Provider.MONZO,
            "tx_0000Bq7Lm2cFq",
            "acc_0000Aq1Rivers",
            "user_0000Aq1Wren",
            745,
            "2026-11-20T11:41:05Z",
        ),
        Paid(
            Provider.STARLING,
            "5b1f7f7c-66c2-4f0e-9a11-2f6f0e6d9d01",
            "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
            "0f0d6a5e-1b77-4a5c-8f7e-7d4c2b9a1e55",
            4510,
            "2026-11-20T11:43:08Z",
            "Q7P2M1",
        ),
        Paid(
            Provider.FIDEL,
            "9c1e7a44-03a7-4d9f-8f1f-6a2b7c9d0e31",
            "",
            "lily",
            1840,
            "2026-11-20T11:30:00Z",
            "B20417",
            "card-token-7d20",
        ),
        Paid(
            Provider.STANDARD,
            "ob-20261120-0009",
            "acct-hazel",
            "person-hazel",
            2130,
            "2026-11-20T11:41:06Z",
            "C55D10",
        ),
    )
}


def open_town(bank_url: str = "", *, providers: tuple[Provider, ...] = tuple(Provider)) -> None:
    """The bakery, its shop and its till's client; for each provider a connection and a member."""
    clock.use(lambda: NOON)
    network.forget()
    network.record_retailer(make_retailer())
    network.record_store(SHOP, NAMES, now=OPENED_AT)
    make_client(TILL, BAKERY, ClientKind.RETAILER)
    for number, provider in enumerate(providers, start=1):
        connection = connection_of(provider, bank_url)
        network.record_connection(connection, now=OPENED_AT)
        make_client(f"client-{connection.connection_id}", connection.connection_id)
        switch_on(PAID[provider], connection, number=number)


def connection_of(provider: Provider, bank_url: str = "") -> Connection:
    """How the provider's bank is connected; receipts go to `bank_url` where there is one."""
    keys = {
        Provider.FLUX_V1: [(KeyUse.VERIFY, FLUX_SECRET)],
        Provider.FLUX_V2: [(KeyUse.VERIFY, FLUX_SECRET)],
        Provider.MONZO: [(KeyUse.CLIENT, "our-secret-at-the-bank")],
        Provider.STARLING: [(KeyUse.VERIFY, spki(rsa_pem())), (KeyUse.API, "starling-api-key")],
        Provider.FIDEL: [(KeyUse.VERIFY, FIDEL_SECRET), (KeyUse.SIGN, whsec(2))],
        Provider.STANDARD: [(KeyUse.VERIFY, whsec(1)), (KeyUse.SIGN, whsec(2))],
    }[provider]
    is_api = provider in (Provider.MONZO, Provider.STARLING)
    name = PAID[provider].connection_id
    return make_connection(
        name,
        provider=provider,
        keys=tuple(ConnectionKey(use, Personal(value)) for use, value in keys),
        registered_url=FIDEL_URL if provider is Provider.FIDEL else "",
        api_url=bank_url if is_api else "",
        client_id="oauth2client_1" if provider is Provider.MONZO else "",
        told_at_url=f"{bank_url}/receipts" if bank_url and not is_api else "",
    )


def switch_on(paid: Paid, connection: Connection, *, number: int) -> MemberId:
    """Switch the purchase's payer on; a Monzo member is connected too."""
    home = connection.connection_id
    accounts = (
        (GivenAccount(Reference(LinkKind.ACCOUNT, home, paid.account)),) if paid.account else ()
    )
    token = Reference(LinkKind.CARD, home, paid.card_token) if paid.card_token else None
    activation = Activation(
        connection,
        Reference(LinkKind.USER, home, paid.user),
        TermsAcceptance("2026-01", OPENED_AT, "bank_app"),
        accounts,
        (GivenCard(reference=token),) if token else (),
    )
    activated = members.activate(activation, fresh=numbered(number), now=OPENED_AT)
    if connection.provider is Provider.MONZO:
        held = BankToken(
            Personal("access-1"), Personal("refresh-1"), datetime(2026, 11, 21, tzinfo=UTC)
        )
        member_id = activated.member.member_id
        tokens.keep(member_id, home, held, state=TokenState.CONNECTED, now=OPENED_AT)
    return activated.member.member_id


def till_receipt(paid: Paid, reference: str = "R-1", **more: Any) -> dict[str, Any]:
    """The native receipt of `paid`: two of one thing and one of another."""
    loaf = paid.minor - 600
    tender = {"kind": "card", "amount_minor": paid.minor}
    if paid.auth_code:
        tender["auth_code"] = paid.auth_code
    return {
        "reference": reference,
        "store": "0042",
        "issued_at": paid.issued_at,
        "currency": "GBP",
        "total_minor": paid.minor,
        "lines": [
            {
                "line_id": "1",
                "description": "Flat white",
                "amount_minor": 600,
                "quantity": "2",
                "unit_price_minor": 300,
            },
            {"line_id": "2", "description": "Rye loaf", "amount_minor": loaf},
        ],
        "tenders": [tender],
        **more,
    }


def flux_sale(paid: Paid, name: str = "R-1", **more: Any) -> dict[str, Any]:
    """`till_receipt` as a Flux till sends it."""
    sale: dict[str, Any] = {
        "id": name,
        "storeId": "0042",
        "transactionDate": paid.issued_at,
        "amount": paid.minor,
        "currency": "GBP",
        "items": [
            {"description": "Flat white", "quantity": 2, "price": 600},
            {"description": "Rye loaf", "quantity": 1, "price": paid.minor - 600},
        ],
        **more,
    }
    return sale | ({"authCode": paid.auth_code} if paid.auth_code else {})


def send_receipts(body: object, *, path: str = "/v1/receipts", method: str = "POST") -> Said:
    """The till sends `body` with its token."""
    headers = {"Authorization": f"Bearer {token(TILL)}"}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(method, path, headers=headers, body=raw)


@cache
def token(client_id: str, scope: str = "") -> str:
    """A client's token, asked for once a run: the signing key and the time are always the same."""
    return token_of(client_id, scope)


def as_bank(provider: Provider, method: str, path: str, scope: str = "") -> Said:
    """The bank of `provider` asks with its token."""
    bearer = token(f"client-{PAID[provider].connection_id}", scope)
    return ask(method, path, headers={"Authorization": f"Bearer {bearer}"})
