"""The sandbox tills: receipts printed by clocks that are off, sent in three ways."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from chalicelib.runtime import queues
from infra.local.calling import Answered, call_form, call_json
from infra.local.town import Route

TOKEN_RENEWED_BEFORE = timedelta(minutes=5)
Native = dict[str, Any]


@dataclass(slots=True)
class Login:
    """An OAuth client of the platform; keeps its token until shortly before it runs out."""

    base_url: str
    client_id: str
    client_secret: str
    now: Callable[[], datetime]
    kind: str
    subject: str
    scopes: tuple[str, ...]
    _token: str = ""
    _until: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def token(self) -> str:
        """A bearer token that is good now. :raises PermissionError: the client is not known."""
        with self._lock:
            if self._until is None or self.now() >= self._until:
                self._renew()
            return self._token

    def _renew(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        answer = call_form("POST", f"{self.base_url}/auth/oauth/token", form)
        if answer.status != 200:
            raise PermissionError(f"no token: the answer was {answer.status}")
        granted = answer.json()
        self._token = granted["access_token"]
        lasts = timedelta(seconds=int(granted["expires_in"]))
        self._until = self.now() + lasts - TOKEN_RENEWED_BEFORE

    def headers(self) -> dict[str, str]:
        """The authorisation header."""
        return {"Authorization": f"Bearer {self.token()}"}


def send_receipts(
    route: Route, login: Login, receipts: Sequence[Native], *, retailer_id: str, now: datetime
) -> Answered:
    """Send a batch by its retailer's route. What goes straight to the queue is answered as 202."""
    match route:
        case Route.FLUX:
            url = f"{login.base_url}/merchant"
            entries = [to_flux(receipt) for receipt in receipts]
            return call_json("POST", url, entries, headers=login.headers())
        case Route.NATIVE:
            url = f"{login.base_url}/v1/receipts"
            return call_json("POST", url, list(receipts), headers=login.headers())
        case Route.QUEUE:
            message = {
                "v": 1,
                "retailer_id": retailer_id,
                "received_at": now.isoformat(timespec="seconds"),
                "receipts": list(receipts),
            }
            queues.send(queues.RECEIPTS, [json.dumps(message, separators=(",", ":"))])
            return Answered(202)


def to_flux(receipt: Native) -> Native:
    """A native sale as an entry of Flux's `POST /merchant`, in which prices are line prices."""
    tender = receipt["tenders"][0]
    entry: Native = {
        "id": receipt["reference"],
        "storeId": receipt["store"],
        "merchantId": receipt["mid"],
        "terminalId": receipt["tid"],
        "transactionDate": receipt["issued_at"],
        "amount": receipt["total_minor"],
        "currency": receipt["currency"],
        "items": [
            {
                "description": line["description"],
                "sku": line.get("sku"),
                "quantity": int(line.get("quantity", "1")),
                "price": line["amount_minor"],
            }
            for line in receipt["lines"]
        ],
    }
    if "auth_code" in tender:
        entry["authCode"] = tender["auth_code"]
    if "last_four" in tender:
        entry["card"] = {"scheme": tender["scheme"], "lastFour": tender["last_four"]}
    return entry
