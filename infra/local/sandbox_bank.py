"""The sandbox bank: Monzo, Starling, and an endpoint for every bank that is told by webhook.

All of them answer at one URL, by path. What a person would see or do in the bank is under
`/sandbox`: `GET /sandbox/receipts` shows every receipt that some customer's app holds, `GET
/sandbox/notices` every notice of rewards that it shows,
`POST /sandbox/transactions` books a Monzo transaction and fires its webhooks,
`POST /sandbox/feed-items` books a Starling feed item, and `GET /sandbox/feed` shows the cashback
that arrived, by account. `POST /payments` is what the rail `sandbox` pays by.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from chalicelib.network.model import Provider
from infra.local.calling import call_json
from infra.local.sandbox_endpoint import SandboxEndpoint
from infra.local.sandbox_monzo import SandboxMonzo
from infra.local.sandbox_payments import SandboxPayments
from infra.local.sandbox_starling import SandboxStarling
from infra.local.serving import LoopbackServer, Reply, Request
from infra.new_keys import SECRET_BYTES, whsec

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


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A notice as a customer's app shows it. `account` is the bank's own name of the account;
    `name` the notice's id, which Monzo is not told.
    """

    provider: Provider
    account: str
    title: str
    text: str
    name: str = ""


class SandboxBank:
    """All the bank's servers. `secrets` here are made at start and die with it."""

    def __init__(self, *, now: Callable[[], datetime], learns: bool = False) -> None:
        """`learns` takes receipts for payments that the bank never booked itself."""
        self.monzo_secret = secrets.token_urlsafe(32)
        self.starling_token = secrets.token_urlsafe(32)
        self.webhook_secrets = {
            provider: whsec(secrets.token_bytes(SECRET_BYTES)) for provider in TOLD_BY_STANDARD
        }
        self.monzo = SandboxMonzo(now=now, clients={MONZO_CLIENT: self.monzo_secret}, learns=learns)
        self.starling = SandboxStarling(api_token=self.starling_token, learns=learns)
        self.payments_token = secrets.token_urlsafe(32)
        self.payments = SandboxPayments(now=now, token=self.payments_token)
        by_name = {provider.value: key for provider, key in self.webhook_secrets.items()}
        self.endpoint = SandboxEndpoint(now=now, secrets=by_name)
        self._front = LoopbackServer(self._answer)

    @property
    def url(self) -> str:
        """Where all of the bank answers."""
        return self._front.url

    def told_at_url(self, provider: Provider) -> str:
        """Where `provider`'s bank wants to be told of receipts; empty for those with an API."""
        is_told = provider in TOLD_BY_STANDARD + TOLD_BY_JWS
        return f"{self.url}/told/{provider.value}" if is_told else ""

    def stop(self) -> None:
        """Stop all servers."""
        for sandbox in (self._front, self.monzo, self.starling, self.endpoint):
            sandbox.stop()

    def _answer(self, request: Request) -> Reply:
        match request.parts:
            case ["sandbox", *what]:
                return self._control(request, what)
            case ["api", *_]:
                return self.starling.answer(request)
            case ["told", *_]:
                return self.endpoint.answer(request)
            case ["payments", *_]:
                return self.payments.answer(request)
        return self.monzo.answer(request)

    def _control(self, request: Request, what: list[str]) -> Reply:
        match (request.method, *what):
            case ("GET", "receipts"):
                held = [asdict(one) | {"provider": one.provider.value} for one in self.delivered()]
                return Reply(200, {"receipts": held, "refused": self.refused()})
            case ("GET", "notices"):
                shown = [asdict(one) | {"provider": one.provider.value} for one in self.notices()]
                return Reply(200, {"notices": shown})
            case ("POST", "transactions"):
                transaction = request.json()
                self.monzo.enter(transaction)
                event = {"type": "transaction.created", "data": transaction}
                urls = self.monzo.hook_urls(transaction["account_id"])
                return Reply(200, {"hooks": [call_json("POST", url, event).status for url in urls]})
            case ("GET", "feed"):
                return Reply(200, {"feed": self.payments.books.feed})
            case ("POST", "feed-items"):
                self.starling.enter(request.json())
                return Reply(200, {})
        return Reply(404)

    def refused(self) -> list[str]:
        """Why receipts or messages were turned away, everywhere."""
        endpoint = self.endpoint.books.unverified
        return self.monzo.books.refused + self.starling.books.refused + endpoint

    def delivered(self) -> list[Delivered]:
        """Every receipt that some bank holds now, in its newest version."""
        return [*self._at_monzo(), *self._at_starling(), *self._at_endpoint()]

    def notices(self) -> list[ShownNotice]:
        """Every notice of rewards that some app shows: a webhook's once, whatever was repeated."""
        fed = (
            ShownNotice(
                Provider.MONZO,
                item["account_id"],
                item["params[title]"],
                item.get("params[body]", ""),
            )
            for item in self.monzo.books.feed
        )
        heard = {
            one.body["data"]["id"]: ShownNotice(
                Provider(one.endpoint),
                one.body["data"].get("account", ""),
                one.body["data"]["title"],
                one.body["data"]["text"],
                one.body["data"]["id"],
            )
            for one in self.endpoint.books.told
            if _is_notice(one.body)
        }
        return [*fed, *heard.values()]

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
            if _is_notice(told.body):
                continue
            body = told.body.get("data", told.body)
            name = body.get("transaction") or body.get("bankTransactionId")
            count = newest.get((told.endpoint, name), ({}, 0))[1]
            newest[told.endpoint, name] = (body, count + 1)
        for (endpoint, name), (body, count) in newest.items():
            yield _told(Provider(endpoint), name, body, count)


def _is_notice(body: dict[str, Any]) -> bool:
    return str(body.get("type", "")).startswith("reward.")


def _told(provider: Provider, name: str, body: dict[str, object], count: int) -> Delivered:
    """What a webhook's receipt says, in the platform's own shape or in Flux's."""
    shown: dict = body.get("receipt") or body  # type: ignore[type-arg,assignment]
    if provider in TOLD_BY_JWS:
        lines = tuple((i["description"]["label"], i["amount"]["amount"]) for i in shown["items"])
        return Delivered(provider, name, shown["total"]["amount"], lines, updates=count - 1)
    lines = tuple((line["description"], line["amount"]["minor"]) for line in shown["lines"])
    return Delivered(provider, name, shown["total"]["minor"], lines, updates=count - 1)
