"""Planted bugs in what is written and told where something is taken back or given back."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.matching.payment import Payment
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.payments.store import PaymentRow
from chalicelib.purchases.store import PurchaseRow
from chalicelib.runtime import vault
from chalicelib.runtime.rows import Row
from infra.simulation.items import Request
from infra.simulation.planting import Bug, Rewriting, Suspect, without_condition
from infra.simulation.stored import keys_in
from infra.simulation.world import World

Written = tuple[type[Row], type[object], Suspect]
_PAYMENT: Written = (PaymentRow, Payment, Suspect("PutItem", "people", "payment"))
_FIRST: Written = (PurchaseRow, Purchase, Suspect("PutItem", "wallets", "purchase#"))
_LATER: Written = (PurchaseRow, Purchase, Suspect("UpdateItem", "wallets", "purchase#"))


class Resealing(Bug):
    """A bug in what is sealed: payments and purchases, or what else is `written` so, are as
    `change` makes them.
    """

    def __init__(
        self,
        world: World,
        name: str,
        what: str,
        shows_in: str,
        change: Callable[[Any], Any],
        *,
        written: Sequence[Written] = (_PAYMENT, _FIRST, _LATER),
    ) -> None:
        super().__init__(name, what, shows_in)
        self._world = world
        self._change = change
        self._written = written

    def rewritten(self, service: str, operation: str, request: Request, /) -> Request | None:
        """The request with other content, where it is such a write."""
        for row_type, as_type, suspect in self._written:
            if service == "dynamodb" and suspect.is_met(operation, request):
                return self._with_content(request, row_type, as_type)
        return request

    def _with_content(self, request: Request, row_type: type[Row], as_type: Any) -> Request:
        field = "Item" if "Item" in request else "ExpressionAttributeValues"
        key = request.get("Item") or request["Key"]
        place = f"{key['pk']['S']}|{key['sk']['S']}"
        written = {
            name: self._resealed(value["B"], row_type, as_type, place) if "B" in value else value
            for name, value in request[field].items()
        }
        return {**request, field: written}

    def _resealed(
        self, sealed: bytes, row_type: type[Row], as_type: Any, place: str
    ) -> dict[str, bytes]:
        for key in keys_in(self._world.aws.tables):
            try:
                opened = vault.open_sealed(sealed, as_type, key=key, place=place)
            except vault.Unreadable:
                continue
            kept = row_type.privacy["sealed"]
            return {"B": vault.seal(self._change(opened), key=key, place=place, kept=kept)}
        raise AssertionError("no key opens what is written")


class NotTellingWithdrawals(Bug):
    """No delivery is queued where a receipt is taken away."""

    def rewritten(self, _service: str, operation: str, request: Request, /) -> Request | None:
        """None for such a delivery."""
        if operation == "SendMessageBatch" and request["QueueUrl"].endswith("-deliveries"):
            notes = {json.loads(entry["MessageBody"])["note"] for entry in request["Entries"]}
            return None if "withdrawn" in notes else request
        return request


def bugs_in_contents(world: World) -> Iterator[Bug]:
    """Each of them, made for `world`."""
    yield Resealing(
        world,
        "refusal_forgotten",
        "that a receipt was taken away is not kept",
        "disowned-ada",
        _forgetful,
    )
    yield NotTellingWithdrawals(
        "withdrawal_not_told", "the bank is not told that a receipt was taken away", "disowned-cleo"
    )
    yield Rewriting(
        "claim_released_blindly",
        "a claim is given back whoever holds it by now",
        "passed_on",
        (),
        suspect=Suspect("DeleteItem", "tills", "part#"),
        change=without_condition,
    )
    yield Resealing(
        world,
        "refund_appended",
        "a refund is added though it is there",
        "return_then_refund",
        _appending,
    )


def _forgetful(written: Payment | Purchase) -> Payment | Purchase:
    if isinstance(written, Payment):
        return replace(written, refused=())
    return replace(written, payment=replace(written.payment, refused=()))


def _appending(written: Payment | Purchase) -> Payment | Purchase:
    if isinstance(written, Payment) or not written.refunds:
        return written
    return replace(written, refunds=(*written.refunds, written.refunds[-1]))
