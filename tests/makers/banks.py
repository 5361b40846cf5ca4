"""Connections, requests, receipts and notes for tests of banks. Everybody in them is invented."""

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from chalicelib.banks.payments import HookRequest
from chalicelib.banks.telling import NoteKind, ReceiptNote, WithdrawnNote
from chalicelib.kernel.cards import CardFacts, LastFour, LastFourKind
from chalicelib.kernel.ids import ConnectionId, PaymentId, RetailerId, StoreId
from chalicelib.kernel.personal import Personal
from chalicelib.network.model import (
    Connection,
    ConnectionKey,
    KeyUse,
    Provider,
    Retailer,
    Store,
)
from chalicelib.receipts import canonical

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONNECTION_ID = ConnectionId("conn-test")


def event_bytes(name: str) -> bytes:
    """The file `events/<name>.json`, byte for byte."""
    return (ROOT / "events" / f"{name}.json").read_bytes()


def event_json(name: str) -> Any:
    """The file `events/<name>.json`, decoded; decimals exact."""
    return json.loads(event_bytes(name), parse_float=Decimal)


def vector(name: str) -> Any:
    """The file `tests/vectors/<name>.json`, decoded."""
    return json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())


@lru_cache(maxsize=4)
def rsa_pem(_name: str = "first") -> str:
    """A real RSA private key in PEM, one per name and run."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@lru_cache(maxsize=4)
def spki(pem: str) -> str:
    """The public half of `pem` as base64 SPKI, as Starling's portal shows it."""
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def whsec(byte: int = 1) -> str:
    """A Standard Webhooks secret."""
    return "whsec_" + base64.b64encode(bytes([byte]) * 32).decode()


def key(use: KeyUse, value: str, *, until: datetime | None = None) -> ConnectionKey:
    """One key of a connection."""
    return ConnectionKey(use, Personal(value), until)


def connection(provider: Provider, *keys: ConnectionKey, **fields: Any) -> Connection:
    """A connection to an invented bank."""
    return Connection(
        connection_id=CONNECTION_ID,
        programme="FLUX",
        provider=provider,
        name="Heron Bank",
        hook="h" * 40,
        keys=keys,
        **fields,
    )


def request(body: bytes, **fields: Any) -> HookRequest:
    """A request with `body`."""
    return HookRequest(**{"body": body, "headers": {}, "query": {}, **fields})


RETAILER = Retailer(
    RetailerId("bean-leaf"), "Bean & Leaf", vat_number="GB123456782", website="https://bl.example"
)
STORE = Store(
    StoreId("bean-leaf-leeds"),
    RetailerId("bean-leaf"),
    reference="0042",
    name="Leeds Mill Yard",
    zone="Europe/London",
    address="4 Mill Yard, Leeds",
    postcode="LS1 4ZZ",
    phone="0113 496 0000",
)


def receipt(**fields: Any) -> canonical.Receipt:
    """A lunch of £17.45: modifiers with and without a price, a weighed line, a discount, a service
    charge, rounding, paid by card and cash with change.
    """
    vat = canonical.Tax(75, code="S", rate=Decimal("0.20"), description="VAT 20%")
    made = canonical.Receipt(
        reference="0042-2026-11-20-1187",
        version=1,
        kind=canonical.ReceiptKind.SALE,
        retailer_id=RetailerId("bean-leaf"),
        store_id=StoreId("bean-leaf-leeds"),
        issued_at=datetime(2026, 11, 20, 11, 41, 3, tzinfo=UTC),
        currency="GBP",
        total_minor=1745,
        lines=(
            canonical.Line(
                "1",
                "Flat white",
                450,
                modifiers=(
                    canonical.Modifier("Oat milk", 50),
                    canonical.Modifier("Extra hot"),
                ),
                taxes=(vat,),
            ),
            canonical.Line("2", "Cheese", 1096, Decimal("0.274"), unit="kg", unit_price_minor=4000),
            canonical.Line(
                "3", "Scone", 300, Decimal(2), modifiers=(canonical.Modifier("Warmed"),)
            ),
        ),
        discounts=(canonical.Discount("Happy hour", 200),),
        charges=(canonical.Charge(canonical.ChargeKind.SERVICE, "Service", 100),),
        taxes=(vat,),
        rounding_minor=-1,
        change_minor=255,
        tenders=(
            canonical.Tender(
                canonical.TenderKind.CARD,
                1000,
                CardFacts("visa", LastFour("1881", LastFourKind.CARD), "K4821A"),
                mid="MID-BL-0042",
                tid="T0420001",
                aid="A0000000031010",
            ),
            canonical.Tender(canonical.TenderKind.CASH, 1000),
        ),
        collection_number="87",
        return_reference="R-1187",
        return_by=date(2026, 12, 20),
        barcode=canonical.Barcode("code_128", "00421187"),
        notes=("Thank you",),
    )
    return replace(made, **fields)


def note(kind: NoteKind = NoteKind.MATCHED, **fields: Any) -> ReceiptNote:
    """A receipt on its way to a bank."""
    made = ReceiptNote(
        kind=kind,
        external_id="cf-receipt-77",
        payment_id=PaymentId("payment-77"),
        transaction_id="tx-77",
        version=1,
        receipt=receipt(),
        retailer=RETAILER,
        store=STORE,
        at=datetime(2026, 11, 20, 11, 59, tzinfo=UTC),
        account_ref="acc-77",
        user_ref="user-77",
        told_through=(("category_uid", "cat-77"),),
        access_token=Personal("member-token"),
    )
    return replace(made, **fields)


def withdrawn(**fields: Any) -> WithdrawnNote:
    """The bank is told to show that receipt no more, in its third version."""
    made = WithdrawnNote(
        external_id="cf-receipt-77",
        payment_id=PaymentId("payment-77"),
        transaction_id="tx-77",
        version=3,
        currency="GBP",
        at=datetime(2026, 11, 20, 11, 59, tzinfo=UTC),
        account_ref="acc-77",
        user_ref="user-77",
        told_through=(("category_uid", "cat-77"),),
        access_token=Personal("member-token"),
    )
    return replace(made, **fields)
