"""Every format that is taken over HTTP, with its own names for amount, currency, time and text."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from chalicelib.network.model import Provider
from tests.makers.api import Said
from tests.makers.events import event
from tests.makers.journeys import PAID, TILL, flux_sale, till_receipt, token
from tests.makers.outside import ask
from tests.makers.signed_hooks import EVENT, change_in, signed


@dataclass(frozen=True)
class Format:
    """One format. Field names are dotted, from the entry; `array` says that entries come in one.

    `path_of` is how an answer names a field of the entry.
    """

    name: str
    sample: Any = field(repr=False)
    post: Callable[[bytes], Said]
    amount: str
    currency: str
    time: str
    text: str
    reference: str
    is_array: bool = False
    path_of: str = "{}"

    def changed(self, change: dict[str, Any]) -> Any:
        """The whole body with fields of its entry changed."""
        entry = deepcopy(self.sample)
        change_in(entry, change)
        return [entry] if self.is_array else entry

    def send(self, body: object) -> Said:
        """Post `body`, bytes as they are, signed where the format is."""
        return self.post(body if isinstance(body, bytes) else json.dumps(body).encode())

    def field(self, dotted: str) -> str:
        """How an answer names the field `dotted`."""
        return self.path_of.format(dotted)


def _by_hook(provider: Provider) -> Callable[[bytes], Said]:
    return lambda raw: signed(provider, raw).send(in_base64=True)


def _by_till(path: str) -> Callable[[bytes], Said]:
    def post(raw: bytes) -> Said:
        headers = {"Authorization": f"Bearer {token(TILL)}"}
        return ask("POST", path, headers=headers, body=raw, in_base64=True)

    return post


def _hook(provider: Provider, *names: str, is_array: bool = False, path_of: str = "{}") -> Format:
    whole = json.loads(event(EVENT[provider]))
    amount, currency, time, text, reference = names
    return Format(
        provider.value,
        whole[0] if is_array else whole,
        _by_hook(provider),
        amount,
        currency,
        time,
        text,
        reference,
        is_array,
        path_of,
    )


FLUX_V1 = _hook(
    Provider.FLUX_V1,
    "amount",
    "currency",
    "transactionDate",
    "merchantName",
    "id",
    is_array=True,
    path_of="[0].{}",
)
FLUX_V2 = _hook(
    Provider.FLUX_V2,
    "amount.amount",
    "amount.currency",
    "transactionDate",
    "merchant.transactionNarrative",
    "bankTransactionId",
    is_array=True,
    path_of="[0].{}",
)
MONZO = _hook(
    Provider.MONZO, "data.amount", "data.currency", "data.created", "data.description", "data.id"
)
STARLING = _hook(
    Provider.STARLING,
    "content.amount.minorUnits",
    "content.amount.currency",
    "content.transactionTime",
    "content.reference",
    "content.feedItemUid",
)
FIDEL = _hook(Provider.FIDEL, "amount", "currency", "datetime", "location.address", "id")
STANDARD = _hook(
    Provider.STANDARD,
    "data.amount.minor",
    "data.amount.currency",
    "data.made_at",
    "data.merchant.narrative",
    "data.id",
)
MERCHANT = Format(
    "merchant",
    flux_sale(PAID[Provider.FLUX_V1]),
    _by_till("/merchant"),
    "amount",
    "currency",
    "transactionDate",
    "items.0.description",
    "id",
    is_array=True,
)
NATIVE = Format(
    "native",
    till_receipt(PAID[Provider.FLUX_V1]),
    _by_till("/v1/receipts"),
    "total_minor",
    "currency",
    "issued_at",
    "lines.0.description",
    "reference",
)
FORMATS = (FLUX_V1, FLUX_V2, MONZO, STARLING, FIDEL, STANDARD, MERCHANT, NATIVE)
ARRAYS = (FLUX_V1, FLUX_V2, MERCHANT)


def shows_the_card(text: str) -> bool:
    """Whether the planted card number stands in `text`, together or grouped.

    Four of its digits alone would be found by chance in times and ids.
    """
    return any(f"1111{separator}1111" in text for separator in ("", " ", "-"))
