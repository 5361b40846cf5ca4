"""A sandbox that speaks Starling's API v2: feed items, receipts, and its signed webhooks.

Shapes follow the Starling developer SDK. A receipt without `receiptUid` is a new one, even for a
feed item that has one already: that is how a real bank app comes to show a receipt twice.
"""

import base64
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from infra.local.monzo_rules import RuleBroken
from infra.local.moods import Moods
from infra.local.serving import LoopbackServer, Reply, Request

KEY_BITS = 2048
DECIMALS_MAX = 2  # Sterling; a sandbox bank in yen would need none.


@dataclass(slots=True)
class StarlingBooks:
    """Feed items by uid, and every receipt by feed item, in the order they came."""

    feed_items: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    receipt_puts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


class SandboxStarling:
    """The server, its books, and the key that signs its webhooks."""

    def __init__(self, *, api_token: str, learns: bool = False) -> None:
        """`learns` takes receipts for feed items that it never booked: for clients that send the
        hooks themselves.
        """
        self._learns = learns
        self.books = StarlingBooks()
        self.moods = Moods()
        self._token = api_token
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        self._lock = threading.RLock()
        self.server = LoopbackServer(self.answer)

    @property
    def url(self) -> str:
        """The API's base URL."""
        return self.server.url

    @property
    def public_key(self) -> str:
        """The key that its portal shows: base64 of the X.509 SubjectPublicKeyInfo."""
        spki = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(spki).decode()

    @property
    def private_key(self) -> str:
        """The signing key in PEM, for tools that send as this sandbox would."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def sign(self, body: bytes) -> str:
        """`X-Hook-Signature`: base64 of RSASSA-PKCS1-v1_5 with SHA-512 over the raw body."""
        return base64.b64encode(self._key.sign(body, padding.PKCS1v15(), hashes.SHA512())).decode()

    def stop(self) -> None:
        """Stop serving."""
        self.server.stop()

    def enter(self, feed_item: dict[str, Any]) -> None:
        """Book a feed item, or a new state of one."""
        with self._lock:
            self.books.feed_items[feed_item["feedItemUid"]] = feed_item

    def answer(self, request: Request) -> Reply:
        """Answer one request, as the real API would."""
        if request.bearer != self._token:
            return _error(403, "invalid_token")
        with self._lock:
            match request.parts:
                case ["api", "v2", "feed", "account", account, "category", category, item, *what]:
                    return self._feed(request, (account, category, item), what)
        return _error(404, "NOT_FOUND")

    def _feed(self, request: Request, names: tuple[str, str, str], what: list[str]) -> Reply:
        account, category, uid = names
        item = self.books.feed_items.get(uid)
        if item is None and self._learns:
            item = {"feedItemUid": uid, "accountUid": account, "categoryUid": category}
        if item is None or (item["accountUid"], item["categoryUid"]) != (account, category):
            return _error(404, "FEED_ITEM_NOT_FOUND")
        match (request.method, *what):
            case ("GET",):
                return Reply(200, item)
            case ("GET", "receipts" | "receipt"):
                return Reply(200, {"receipts": list(self.books.receipts.get(uid, {}).values())})
            case ("PUT", "receipt"):
                return self.moods.next() or self._put_receipt(request, uid)
        return _error(404, "NOT_FOUND")

    def _put_receipt(self, request: Request, feed_item_uid: str) -> Reply:
        try:
            receipt = json.loads(request.body, parse_float=Decimal)
            check_receipt(receipt)
        except ValueError:
            return _error(400, "UNPARSEABLE")
        except RuleBroken as broken:
            self.books.refused.append(str(broken))
            return _error(400, str(broken))
        held = self.books.receipts.setdefault(feed_item_uid, {})
        receipt_uid = receipt.get("receiptUid") or str(uuid.uuid4())
        if receipt.get("receiptUid") and receipt_uid not in held:
            self.books.refused.append("receiptUid: is one of this feed item's")
            return _error(404, "RECEIPT_NOT_FOUND")
        held[receipt_uid] = receipt | {"receiptUid": receipt_uid, "feedItemUid": feed_item_uid}
        self.books.receipt_puts[feed_item_uid] = self.books.receipt_puts.get(feed_item_uid, 0) + 1
        return Reply(200, {"receiptUid": receipt_uid})


def check_receipt(receipt: Any) -> None:
    """Check a `PUT …/receipt` body; amounts are decimals in major units.

    Its required fields are those of the smallest body that is known to be accepted; that the items
    sum to the total is the sandbox's own demand.

    :raises RuleBroken: naming the place.
    """
    if not isinstance(receipt, dict):
        raise RuleBroken("body", "is not an object")
    total = _decimal(receipt, "totalAmount", "totalAmount")
    if total <= 0:
        raise RuleBroken("totalAmount", "is positive")
    if not isinstance(receipt.get("currencyCode"), str):
        raise RuleBroken("currencyCode", "is required")
    items = receipt.get("items")
    if not isinstance(items, list) or not items:
        raise RuleBroken("items", "is required")
    amounts = [_item(item, f"items[{at}]", inner="subItems") for at, item in enumerate(items)]
    if sum(amounts) != total:
        raise RuleBroken("totalAmount", "is the sum of the items")


def _item(item: Any, place: str, *, inner: str | None) -> Decimal:
    if not isinstance(item, dict):
        raise RuleBroken(place, "is not an object")
    if not isinstance(item.get("description"), str) or not item["description"].strip():
        raise RuleBroken(f"{place}.description", "is required")
    if type(item.get("quantity")) is not int:
        raise RuleBroken(f"{place}.quantity", "is a whole number")
    for at, sub in enumerate((item.get(inner) or []) if inner else []):
        _item(sub, f"{place}.{inner}[{at}]", inner=None)
    return _decimal(item, "amount", f"{place}.amount")


def _decimal(value: Mapping[str, Any], name: str, place: str) -> Decimal:
    amount = value.get(name)
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise RuleBroken(place, "is a decimal number")
    exact = Decimal(amount)
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DECIMALS_MAX:
        raise RuleBroken(place, "is no finer than the currency's minor unit")
    return exact


def _error(status: int, message: str) -> Reply:
    return Reply(status, {"errors": [{"message": message}], "success": False})
