"""Receipts for banks to read: by the bank's own transaction id, in our format and in Flux's."""

import msgspec
from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.banks import flux_receipts
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, NotFound
from chalicelib.kernel.times import to_text
from chalicelib.network import service as network
from chalicelib.network.access.clients import RECEIPTS_READ
from chalicelib.notices.service import note_of
from chalicelib.purchases import reading
from chalicelib.purchases.comparing import agreements_of
from chalicelib.purchases.history import changes_of, in_words
from chalicelib.purchases.model import Cause, Change, Purchase
from chalicelib.purchases.reading import Missing, NoReceipt
from chalicelib.purchases.refunds import flags_of, refunded, status_of
from chalicelib.receipts.drawing import draw
from chalicelib.receipts.public_shapes import PublicMoney, PublicReceipt
from chalicelib.receipts.rendering import to_public
from chalicelib.runtime import clock

bp = Blueprint(__name__)

TAGS = ("receipts",)
SCOPES = (RECEIPTS_READ,)

_DETAILS = {
    Missing.NOT_SUPPORTED: "No receipt is to be expected for this transaction.",
    Missing.PENDING: "The receipt may still come.",
    Missing.NO_MATCH: "No receipt was found for this transaction.",
}


class TransactionReceipt(msgspec.Struct, omit_defaults=True):
    """The receipt of a transaction. `version` rises with each change.

    `refunded` is what was given back of it so far, never more than was paid. `flags` are
    `over_return` and `no_such_line` (goods taken back that could not be applied), `over_refund`
    (more money came back than was paid) and `other_currency_refund` (what does not count, as it
    came back in another currency). `agreements` are what it was found by, as far as they agree now.
    """

    transaction: str
    version: int
    status: str
    receipt: PublicReceipt
    matched_at: str
    why: str
    agreements: list[str] = []
    flags: list[str] = []
    refunded: PublicMoney | None = None


class ReceiptChange(msgspec.Struct, omit_defaults=True):
    """What made a version. `at` is missing where nobody knows any more."""

    version: int
    cause: Cause
    words: str
    at: str | None = None
    amount: PublicMoney | None = None
    reference: str | None = None


class ReceiptHistory(msgspec.Struct):
    """How the receipt of a transaction came to be what it is, oldest change first.

    At most 50 changes: of more, those after the first are dropped, oldest first.
    """

    transaction: str
    version: int
    changes: list[ReceiptChange]


class BoughtProduct(msgspec.Struct, omit_defaults=True):
    """A product bought: when, where, and for how much (minor units)."""

    description: str
    quantity: str
    amount_minor: int
    currency: str
    retailer: str
    bought_at: str
    transaction: str
    sku: str | None = None
    gtin: str | None = None


class BoughtProducts(msgspec.Struct):
    """Products, newest purchase first."""

    products: list[BoughtProduct]


@operation(
    bp,
    "GET",
    "/v1/transactions/{transaction}/receipt",
    summary="The receipt of a transaction",
    answers={
        200: TransactionReceipt,
        400: Problem,
        401: Problem,
        403: Problem,
        404: Problem,
        503: Problem,
    },
    scopes=SCOPES,
    other_kinds=("text/plain", "text/html"),
    tags=TAGS,
    query={"as": "`text` for the receipt as a till prints it, `page` for a page to print."},
)
def read_receipt(inbound: Inbound) -> Answer:
    """404 says why there is none: `NOT_SUPPORTED`, `PENDING` or `NO_MATCH`."""
    purchase = _find(inbound, inbound.parameters["transaction"])
    form = inbound.query.get("as", "json")
    if form == "json":
        return Answer(_to_answer(purchase))
    sale = purchase.after_returns.sale
    now = clock.now()
    retailer = network.get_retailer(sale.retailer_id, now=now)
    store = network.get_store(sale.store_id, now=now)
    if form == "text":
        text = draw(sale, retailer=retailer, store=store)
        return Answer(text, content_type="text/plain; charset=utf-8")
    if form == "page":
        from chalicelib.receipts.page import draw_page  # Jinja is heavy and rarely needed here.

        page = draw_page(sale, retailer=retailer, store=store)
        return Answer(page, content_type="text/html; charset=utf-8")
    raise Malformed("`as` is `json`, `text` or `page`", field="as", code="shape")


@operation(
    bp,
    "GET",
    "/v1/transactions/{transaction}/receipt/history",
    summary="What happened to the receipt of a transaction",
    answers={200: ReceiptHistory, 401: Problem, 403: Problem, 404: Problem, 503: Problem},
    scopes=SCOPES,
    tags=TAGS,
)
def read_history(inbound: Inbound) -> Answer:
    """Each version with its cause: found, cleared, corrected, goods taken back, money given back.

    404 says why there is no receipt, as for the receipt itself.
    """
    purchase = _find(inbound, inbound.parameters["transaction"])
    return Answer(
        ReceiptHistory(
            transaction=purchase.payment.transaction_id,
            version=purchase.version,
            changes=[_to_change(change) for change in changes_of(purchase)],
        )
    )


@operation(
    bp,
    "GET",
    "/receipts/external/{transaction}",
    summary="The receipt of a transaction, Flux format 2",
    answers={
        200: flux_receipts.FluxReceipt,
        401: Problem,
        403: Problem,
        404: Problem,
        503: Problem,
    },
    scopes=SCOPES,
    tags=TAGS,
)
def read_flux_v2(inbound: Inbound) -> Answer:
    """404 while there is none: try again after ten to fifteen seconds."""
    purchase = _find(inbound, inbound.parameters["transaction"])
    note = note_of(purchase, NoteKind.MATCHED, now=clock.now())
    return Answer(flux_receipts.encode(flux_receipts.render_v2(note)))


@operation(
    bp,
    "GET",
    "/receipts/v2/external",
    summary="The receipt of a transaction, Flux format 1",
    answers={
        200: flux_receipts.FluxReceiptV1,
        400: Problem,
        401: Problem,
        403: Problem,
        404: Problem,
        503: Problem,
    },
    scopes=SCOPES,
    tags=TAGS,
    query={"transactionId!": "The bank's transaction id.", "userId": "The bank's user id."},
)
def read_flux_v1(inbound: Inbound) -> Answer:
    """404 while there is none: try again after ten to fifteen seconds."""
    transaction = inbound.query["transactionId"]
    purchase = _find(inbound, transaction, user=inbound.query.get("userId"))
    note = note_of(purchase, NoteKind.MATCHED, now=clock.now())
    return Answer(flux_receipts.encode(flux_receipts.render_v1(note)))


@operation(
    bp,
    "GET",
    "/v1/me/purchases",
    summary="The products a user bought",
    answers={200: BoughtProducts, 401: Problem, 403: Problem, 404: Problem, 503: Problem},
    scopes=SCOPES,
    tags=TAGS,
)
def list_products(inbound: Inbound) -> Answer:
    """Needs a token narrowed to one user (`scope=user:<id>`)."""
    caller = inbound.known_caller
    connection_id = callers.bank_of(caller)
    if caller.user is None:
        raise callers.NotPermitted("the token is not narrowed to a user")
    now = clock.now()
    found = reading.list_of_user(connection_id, caller.user, now=now)
    if found is None:
        raise NotFound("the user is not a member")
    return Answer(BoughtProducts([one for p in found[1] for one in _products(p)]))


def _find(inbound: Inbound, transaction: str, *, user: str | None = None) -> Purchase:
    caller = inbound.known_caller
    connection_id = callers.bank_of(caller)
    if user is not None:
        callers.check_user(caller, user)
    found = reading.find_receipt(
        connection_id, transaction, of_user=caller.user or user, now=clock.now()
    )
    if isinstance(found, NoReceipt):
        raise NotFound(_DETAILS[found.missing], code=found.missing.value)
    return found


def _to_answer(purchase: Purchase) -> TransactionReceipt:
    now = clock.now()
    applied, back = purchase.after_returns, refunded(purchase)
    sale, reason = applied.sale, purchase.reason
    flags = {flag.kind.value for flag in applied.flags} | flags_of(back)
    return TransactionReceipt(
        transaction=purchase.payment.transaction_id,
        version=purchase.version,
        status=status_of(purchase).value,
        receipt=to_public(
            sale,
            retailer=network.get_retailer(sale.retailer_id, now=now),
            store=network.get_store(sale.store_id, now=now),
        ),
        matched_at=to_text(purchase.matched_at) if purchase.matched_at else "",
        why=reason.why if reason else "",
        agreements=agreements_of(purchase),
        flags=sorted(flags),
        refunded=_money(back.minor, purchase.payment.amount.currency) if back.minor else None,
    )


def _to_change(change: Change) -> ReceiptChange:
    return ReceiptChange(
        version=change.version,
        cause=change.cause,
        words=in_words(change),
        at=to_text(change.at) if change.at else None,
        amount=_money(change.amount_minor, change.currency) if change.currency else None,
        reference=change.reference or None,
    )


def _money(minor: int, currency: str) -> PublicMoney:
    return PublicMoney(minor, currency, Money(minor, currency).to_text())


def _products(purchase: Purchase) -> list[BoughtProduct]:
    sale = purchase.after_returns.sale
    retailer = network.get_retailer(sale.retailer_id, now=clock.now())
    return [
        BoughtProduct(
            description=line.description,
            quantity=str(line.quantity),
            amount_minor=line.amount_minor,
            currency=sale.currency,
            retailer=retailer.name,
            bought_at=to_text(sale.issued_at),
            transaction=purchase.payment.transaction_id,
            sku=line.sku,
            gtin=line.gtin,
        )
        for line in sale.lines
    ]
