"""The sandbox bank: Monzo, Starling, and an endpoint for every bank that is told by webhook."""

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.network.model import Provider
from infra.local.sandbox_endpoint import SandboxEndpoint
from infra.local.sandbox_monzo import SandboxMonzo
from infra.local.sandbox_starling import SandboxStarling

MONZO_CLIENT = "oauth2client_counterfoil_local"
TOLD_BY_STANDARD = (Provider.STANDARD, Provider.FIDEL)
TOLD_BY_JWS = (Provider.FLUX_V1, Provider.FLUX_V2)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A receipt as a bank holds it. `lines` are descriptions with minor units, in order.

    `updates` counts how often it was told after the first time.
    """

    provider: Provider
    transaction_id: str
    total_minor: int
    lines: tuple[tuple[str, int], ...]
    copies: int = 1
    updates: int = 0


class SandboxBank:
    """All the bank's servers. `secrets` here are made at start and die with it."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self.monzo_secret = secrets.token_urlsafe(32)
        self.starling_token = secrets.token_urlsafe(32)
        self.webhook_secrets = {
            provider: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
            for provider in TOLD_BY_STANDARD
        }
        self.monzo = SandboxMonzo(now=now, clients={MONZO_CLIENT: self.monzo_secret})
        self.starling = SandboxStarling(api_token=self.starling_token)
        by_name = {provider.value: key for provider, key in self.webhook_secrets.items()}
        self.endpoint = SandboxEndpoint(now=now, secrets=by_name)

    def told_at_url(self, provider: Provider) -> str:
        """Where `provider`'s bank wants to be told of receipts; empty for those with an API."""
        is_told = provider in TOLD_BY_STANDARD + TOLD_BY_JWS
        return f"{self.endpoint.url}/told/{provider.value}" if is_told else ""

    def stop(self) -> None:
        """Stop all servers."""
        for sandbox in (self.monzo, self.starling, self.endpoint):
            sandbox.stop()

    def refused(self) -> list[str]:
        """Why receipts or messages were turned away, everywhere."""
        endpoint = self.endpoint.books.unverified
        return self.monzo.books.refused + self.starling.books.refused + endpoint

    def delivered(self) -> list[Delivered]:
        """Every receipt that some bank holds now, in its newest version."""
        return [*self._at_monzo(), *self._at_starling(), *self._at_endpoint()]

    def _at_monzo(self) -> Iterator[Delivered]:
        by_transaction: dict[str, list[str]] = {}
        books = self.monzo.books
        for external_id, receipt in books.receipts.items():
            by_transaction.setdefault(receipt["transaction_id"], []).append(external_id)
        for transaction_id, names in by_transaction.items():
            receipt = books.receipts[names[-1]]
            yield Delivered(
                Provider.MONZO,
                transaction_id,
                receipt["total"],
                tuple((item["description"], item["amount"]) for item in receipt["items"]),
                copies=len(names),
                updates=books.receipt_puts[names[-1]] - 1,
            )

    def _at_starling(self) -> Iterator[Delivered]:
        books = self.starling.books
        for feed_item, receipts in books.receipts.items():
            receipt = list(receipts.values())[-1]
            yield Delivered(
                Provider.STARLING,
                feed_item,
                round(receipt["totalAmount"] * 100),
                tuple(
                    (item["description"], round(item["amount"] * 100)) for item in receipt["items"]
                ),
                copies=len(receipts),
                updates=books.receipt_puts[feed_item] - len(receipts),
            )

    def _at_endpoint(self) -> Iterator[Delivered]:
        newest: dict[tuple[str, str], tuple[dict[str, object], int]] = {}
        for told in self.endpoint.books.told:
            body = told.body.get("data", told.body)
            name = body.get("transaction") or body.get("bankTransactionId")
            count = newest.get((told.endpoint, name), ({}, 0))[1]
            newest[told.endpoint, name] = (body, count + 1)
        for (endpoint, name), (body, count) in newest.items():
            yield _told(Provider(endpoint), name, body, count)


def _told(provider: Provider, name: str, body: dict[str, object], count: int) -> Delivered:
    """What a webhook's receipt says, in the platform's own shape or in Flux's."""
    shown: dict = body.get("receipt") or body  # type: ignore[type-arg,assignment]
    if provider in TOLD_BY_JWS:
        lines = tuple((i["description"]["label"], i["amount"]["amount"]) for i in shown["items"])
        return Delivered(provider, name, shown["total"]["amount"], lines, updates=count - 1)
    lines = tuple((line["description"], line["amount"]["minor"]) for line in shown["lines"])
    return Delivered(provider, name, shown["total"]["minor"], lines, updates=count - 1)
