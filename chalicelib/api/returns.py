"""Returns: a till asks what of a receipt may still come back."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from chalice import Blueprint
from msgspec import Meta

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotFound
from chalicelib.kernel.times import to_text
from chalicelib.network import service as network
from chalicelib.network.access.clients import RETURNS_VERIFY
from chalicelib.purchases.codes import service as codes
from chalicelib.receipts.canonical import Line, LineKind, ReceiptKind, TenderKind
from chalicelib.receipts.limits import TEXT_LENGTH_MAX
from chalicelib.receipts.rendering import return_by
from chalicelib.receipts.returns import Returned, returnable_quantity, tidy_code
from chalicelib.runtime import clock, observability, wire

bp = Blueprint(__name__)


class VerifyReturn(msgspec.Struct, frozen=True):
    """What was scanned or typed: the receipt's reference, return reference, or barcode."""

    code: Annotated[str, Meta(min_length=1, max_length=TEXT_LENGTH_MAX, examples=["PK-5-1001"])]


class VerifiedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line sold. `remaining` of `quantity` may still come back; `remaining_minor` is what that
    cost, and `unit_paid_minor` one unit of it, rounded to the minor unit (half to even).
    """

    line_id: str
    description: str
    quantity: Decimal
    returned: Decimal
    remaining: Decimal
    amount_minor: int
    unit_paid_minor: int
    remaining_minor: int
    unit: str | None = None
    gtin: str | None = None
    sku: str | None = None
    serial: str | None = None
    returnable_until: date | None = None


class VerifiedTender(msgspec.Struct, frozen=True):
    """How a part was paid. Nothing of a card."""

    kind: TenderKind
    amount_minor: int


class VerifiedReceipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may still come back. `return_by` is the last day, by the calendar of the store.

    `flags`: `over_return` and `no_such_line`, where a return that came could not be applied.
    """

    reference: str
    kind: ReceiptKind
    store: str
    sold_at: str
    currency: str
    total_minor: int
    return_by: date
    lines: tuple[VerifiedLine, ...]
    tenders: tuple[VerifiedTender, ...]
    flags: tuple[str, ...] = ()


@operation(
    bp,
    "POST",
    "/v1/returns/verify",
    summary="What of a receipt may still come back",
    takes=VerifyReturn,
    answers={
        200: VerifiedReceipt,
        400: Problem,
        401: Problem,
        403: Problem,
        404: Problem,
        413: Problem,
        422: Problem,
        503: Problem,
    },
    scopes=(RETURNS_VERIFY,),
    tags=("receipts",),
)
def verify_return(inbound: Inbound) -> Answer:
    """By a code on the receipt alone, for the caller's own receipts. Nothing says who bought it.
    After a week only receipts of members are still known: what answers is one of a member.

    404: no such receipt, another retailer's, one that was voided or is forgotten, or a code that
    several receipts have.
    """
    retailer_id = callers.retailer_of(inbound.known_caller)
    asked = wire.convert(inbound.json(), VerifyReturn)
    found = None
    if tidy_code(asked.code):
        found = codes.find_sale(retailer_id, asked.code, now=clock.now())
    outcome = "found" if found is not None else "unknown"
    observability.count("returns_verified", retailer=retailer_id, outcome=outcome)
    if found is None:
        raise NotFound("there is no receipt with that code")
    return Answer(_to_answer(found, retailer_id))


def _to_answer(found: Returned, retailer_id: RetailerId) -> VerifiedReceipt:
    now = clock.now()
    sale = found.sale
    retailer = network.get_retailer(retailer_id, now=now)
    store = network.get_store(sale.store_id, now=now)
    return VerifiedReceipt(
        reference=sale.reference,
        kind=sale.kind,
        store=store.reference,
        sold_at=to_text(sale.issued_at),
        currency=sale.currency,
        total_minor=sale.total_minor,
        return_by=return_by(sale, retailer=retailer, store=store),
        lines=tuple(_line(line) for line in sale.lines if line.kind is LineKind.SALE),
        tenders=tuple(VerifiedTender(one.kind, one.amount_minor) for one in sale.tenders),
        flags=tuple(sorted({flag.kind.value for flag in found.flags})),
    )


def _line(line: Line) -> VerifiedLine:
    remaining = returnable_quantity(line)
    return VerifiedLine(
        line_id=line.line_id,
        description=line.description,
        quantity=line.quantity,
        returned=line.returned_quantity,
        remaining=remaining,
        amount_minor=line.amount_minor,
        unit_paid_minor=_share(line, Decimal(1)),
        remaining_minor=_share(line, remaining),
        unit=line.unit,
        gtin=line.gtin,
        sku=line.sku,
        serial=line.serial,
        returnable_until=line.returnable_until,
    )


def _share(line: Line, quantity: Decimal) -> int:
    """What `quantity` of the line cost, to the minor unit, half to even."""
    if line.quantity == 0:
        return 0
    return round(line.amount_minor * quantity / line.quantity)
