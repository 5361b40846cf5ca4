"""Tills: receipts over HTTP, in Flux's format and in our own. Checked here, kept by the workers."""

from collections import OrderedDict
from threading import Lock

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import ReceiptId, RetailerId
from chalicelib.kernel.refusals import Conflicting, Misshapen, Rejected
from chalicelib.network import service as network
from chalicelib.network.access.clients import RECEIPTS_WRITE
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.versions import ConflictingReceipt, content_digest
from chalicelib.runtime import clock, observability, quarantine, queues
from chalicelib.tills import flux, native_reading
from chalicelib.tills.entries import BatchAnswer, Format, RefusedEntry, Taken, TillReading, answer
from chalicelib.tills.messages import split_messages
from chalicelib.tills.native_shapes import NativeReceipt
from chalicelib.tills.placing import place

bp = Blueprint(__name__)

TAGS = ("receipts",)
REMEMBERED_RECEIPTS_MAX = 20_000  # Some two megabytes a process: the last minutes of a busy chain.

_remembered: OrderedDict[tuple[ReceiptId, int], str] = OrderedDict()
_remembering = Lock()

_ANSWERS = {
    202: BatchAnswer,
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    409: Problem,
    413: Problem,
    422: Problem,
    503: Problem,
}


@operation(
    bp,
    "POST",
    "/merchant",
    summary="A till sends sales, Flux format",
    takes=list[flux.FluxMerchantEntry],
    answers=_ANSWERS,
    scopes=(RECEIPTS_WRITE,),
    tags=TAGS,
)
def receive_flux_sales(inbound: Inbound) -> Answer:
    """An array of at most 100 sales; of a sale sent twice the first submission counts."""
    reading = flux.read_merchant(inbound.body, now=clock.now())
    return _accept(reading, inbound, flux.FLUX, refuses_conflicts=False)


@operation(
    bp,
    "POST",
    "/v1/receipts",
    summary="A till sends receipts",
    takes=NativeReceipt | list[NativeReceipt],
    answers=_ANSWERS,
    scopes=(RECEIPTS_WRITE,),
    tags=TAGS,
)
def receive_receipts(inbound: Inbound) -> Answer:
    """One receipt or an array of at most 100. Sending one again changes nothing; sending another
    under the same reference and version is refused.
    """
    reading = native_reading.read_batch(inbound.body, now=clock.now())
    return _accept(reading, inbound, native_reading.NATIVE, refuses_conflicts=True)


@operation(
    bp,
    "PUT",
    "/v1/receipts/{reference}",
    summary="A till sends a new version of a receipt",
    takes=NativeReceipt,
    answers=_ANSWERS,
    scopes=(RECEIPTS_WRITE,),
    tags=TAGS,
)
def replace_receipt(inbound: Inbound) -> Answer:
    """The whole receipt with a higher `version`; the bank's copy is updated, never doubled."""
    reading = native_reading.read_batch(inbound.body, now=clock.now())
    entries = [*reading.taken, *reading.refused]
    if len(entries) != 1:
        raise Misshapen("the body is not one receipt", code="shape")
    for taken in reading.taken:
        told, named = taken.receipt.reference, inbound.parameters["reference"]
        if told != named:
            detail = f"the body is of receipt `{told}` and the path names `{named}`"
            raise Misshapen(detail, field="reference")
    return _accept(reading, inbound, native_reading.NATIVE, refuses_conflicts=True)


def _retailer_of(inbound: Inbound) -> RetailerId:
    retailer_id = callers.retailer_of(inbound.known_caller)
    return network.get_retailer(retailer_id, now=clock.now()).retailer_id


def _accept(
    reading: TillReading, inbound: Inbound, till_format: Format, *, refuses_conflicts: bool
) -> Answer:
    """Queue what can be used; answer 4xx only where nothing can."""
    now = clock.now()
    retailer_id = _retailer_of(inbound)
    taken: list[Taken] = []
    refused: list[RefusedEntry] = list(reading.refused)
    receipts: list[Receipt] = []
    for entry in reading.taken:
        try:
            receipt = _check(entry.receipt, retailer_id, refuses_conflicts=refuses_conflicts)
        except Rejected as refusal:
            refused.append(RefusedEntry.of(entry, refusal, till_format))
            continue
        taken.append(entry)
        receipts.append(receipt)
    _set_aside(refused, retailer_id, alone=not taken)
    if refused and not taken:
        raise refused[0].refusal
    messages = split_messages(
        [entry.receipt for entry in taken], retailer_id=retailer_id, received_at=now
    )
    queues.send(queues.RECEIPTS, messages)
    _remember(receipts)
    if reading.unknown_fields:
        observability.count("unknown_fields", by=reading.unknown_fields, sender="till")
    return Answer(
        answer(TillReading(tuple(taken), tuple(refused), reading.unknown_fields)), status=202
    )


def _check(wire: NativeReceipt, retailer_id: RetailerId, *, refuses_conflicts: bool) -> Receipt:
    receipt = place(wire, retailer_id, now=clock.now())
    if refuses_conflicts:
        _refuse_conflict(receipt)
    return receipt


def _set_aside(refused: list[RefusedEntry], retailer_id: RetailerId, *, alone: bool) -> None:
    """Quarantine what was refused among others, and every contradiction; the rest is answered."""
    for entry in refused:
        is_conflict = isinstance(entry.refusal, Conflicting)
        if is_conflict:
            observability.count("conflicts", code=entry.refusal.code)
        if is_conflict or not alone:
            quarantine.keep(
                "tills",
                entry.body,
                entry.refusal,
                sender=retailer_id,
                name=entry.name,
                now=clock.now(),
            )


def _refuse_conflict(receipt: Receipt) -> None:
    """Answer a contradiction at once where this process took the first submission.

    This is a courtesy to the till: the check that counts is the worker's, against what is stored.
    :raises ConflictingReceipt: it took another content under the same reference and version.
    """
    known = _remembered.get((receipt.receipt_id, receipt.version))
    if known is not None and known != content_digest(receipt):
        raise ConflictingReceipt("this version came before with other content", field="version")


def forget() -> None:
    """Drop what this process took. For tests and local stacks."""
    with _remembering:
        _remembered.clear()


def _remember(receipts: list[Receipt]) -> None:
    with _remembering:
        for receipt in receipts:
            _remembered.setdefault((receipt.receipt_id, receipt.version), content_digest(receipt))
        while len(_remembered) > REMEMBERED_RECEIPTS_MAX:
            _remembered.popitem(last=False)
