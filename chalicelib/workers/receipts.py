"""Receipts: what tills sent, straight to the member who waits for it or onto a page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from chalice import Blueprint

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.network import service as network
from chalicelib.purchases import receiving
from chalicelib.purchases.codes import store as codes
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.versions import ConflictingReceipt
from chalicelib.runtime import clock, observability, queues, settings, wire
from chalicelib.tills.messages import ReceivedReceipts, decode_message, split_messages
from chalicelib.tills.native_shapes import NativeReceipt
from chalicelib.tills.pages import GATHERING_SECONDS
from chalicelib.tills.placing import place
from chalicelib.workers.rim import (
    BATCHING_SECONDS,
    Message,
    all_messages,
    attempt,
    each_message,
    refuse,
)

bp = Blueprint(__name__)

GATHERED_MESSAGES_MAX = 500


@dataclass
class _Batch:
    """Receipts of one store, with the wire form of each and the message it came in."""

    receipts: list[Receipt] = field(default_factory=list)
    wires: dict[int, NativeReceipt] = field(default_factory=dict)
    message_ids: set[str] = field(default_factory=set)


@bp.on_sqs_message(
    queue=settings.queue(queues.RECEIPTS),
    batch_size=10,
    maximum_batching_window_in_seconds=BATCHING_SECONDS,
)
@each_message
def record_receipts(message: Message) -> None:
    """Settle the payments that wait for these receipts; keep or pass on the rest."""
    received = _read(queues.RECEIPTS, message, only_from=_owner_of(message.queue))
    on_pages: list[Receipt] = []
    for store_id, batch in _by_store(queues.RECEIPTS, received, message.message_id).items():
        _receive(store_id, batch, received.retailer_id, on_pages, is_gathered=False)
    codes.record_strips(received.retailer_id, on_pages, now=clock.now())


@bp.on_sqs_message(
    queue=settings.queue(queues.GATHER),
    batch_size=GATHERED_MESSAGES_MAX,
    maximum_batching_window_in_seconds=GATHERING_SECONDS,
)
@all_messages
def gather_receipts(messages: Sequence[Message]) -> Collection[str]:
    """Write the receipts of some minutes as pages, one store at a time."""
    batches: dict[tuple[RetailerId, StoreId], _Batch] = {}
    failed: set[str] = set()
    for message in messages:
        try:
            retailer_id, found = _read_by_store(message)
        except Rejected as refusal:
            refuse(queues.GATHER, message.body, refusal)
            continue
        except TryAgain:  # The stores could not be read: this message comes again, not all 500.
            observability.count("messages_put_off", queue=queues.GATHER)
            failed.add(message.message_id)
            continue
        for store_id, batch in found.items():
            _merge(batches.setdefault((retailer_id, store_id), _Batch()), batch)
    on_pages: dict[RetailerId, list[Receipt]] = {}
    for (retailer_id, store_id), batch in batches.items():
        lying = on_pages.setdefault(retailer_id, [])
        if not _is_received(store_id, batch, retailer_id, lying):
            failed |= batch.message_ids
    for retailer_id, receipts in on_pages.items():
        if not _are_findable(retailer_id, receipts):
            of_retailer = (one for (owner, _), one in batches.items() if owner == retailer_id)
            failed.update(*(batch.message_ids for batch in of_retailer))
    return failed


def _are_findable(retailer_id: RetailerId, receipts: Sequence[Receipt]) -> bool:
    """Whether the codes of what stands on pages lead there now."""
    step = partial(codes.record_strips, retailer_id, receipts, now=clock.now())
    try:
        return attempt(queues.GATHER, retailer_id, step)
    except TryAgain:
        observability.count("messages_put_off", queue=queues.GATHER)
        return False


def _read_by_store(message: Message) -> tuple[RetailerId, dict[StoreId, _Batch]]:
    received = _read(queues.GATHER, message)
    return received.retailer_id, _by_store(queues.GATHER, received, message.message_id)


def _is_received(
    store_id: StoreId, batch: _Batch, retailer_id: RetailerId, on_pages: list[Receipt]
) -> bool:
    """Whether all of one store's receipts are kept; what happens in one store stays there."""
    step = partial(_receive, store_id, batch, retailer_id, on_pages, is_gathered=True)
    try:
        return attempt(queues.GATHER, store_id, step)
    except Rejected as refusal:  # The store itself: each of its receipts has been judged before.
        for wire_receipt in batch.wires.values():
            _refuse_one(queues.GATHER, wire_receipt, refusal, retailer_id)
        return True
    except TryAgain:
        observability.count("messages_put_off", queue=queues.GATHER)
        return False


def _owner_of(queue: str) -> RetailerId | None:
    """The retailer whose own queue it is; SQS lets nobody else send there."""
    owner = queue.removeprefix(queues.DIRECT_RECEIPTS)
    return None if owner == queue else RetailerId(owner)


def _read(queue: str, message: Message, *, only_from: RetailerId | None = None) -> ReceivedReceipts:
    received = decode_message(message.body, now=clock.now(), only_from=only_from)
    for entry in received.reading.refused:
        refuse(queue, entry.body, entry.refusal, sender=received.retailer_id)
    return received


def _by_store(queue: str, received: ReceivedReceipts, message_id: str) -> dict[StoreId, _Batch]:
    batches: dict[StoreId, _Batch] = {}
    for entry in received.reading.taken:
        try:
            receipt = place(entry.receipt, received.retailer_id, now=clock.now())
        except Rejected as refusal:
            _refuse_one(queue, entry.receipt, refusal, received.retailer_id)
            continue
        batch = batches.setdefault(receipt.store_id, _Batch())
        batch.wires[id(receipt)] = entry.receipt
        batch.receipts.append(receipt)
        batch.message_ids.add(message_id)
    return batches


def _refuse_one(
    queue: str, receipt: NativeReceipt, refusal: Rejected, retailer_id: RetailerId
) -> None:
    refuse(queue, wire.to_json(receipt).decode(), refusal, sender=retailer_id)


def _merge(batch: _Batch, other: _Batch) -> None:
    batch.receipts += other.receipts
    batch.wires |= other.wires
    batch.message_ids |= other.message_ids


def _receive(
    store_id: StoreId,
    batch: _Batch,
    retailer_id: RetailerId,
    on_pages: list[Receipt],
    *,
    is_gathered: bool,
) -> None:
    """Receive what came of one store; what stands on pages now is added to `on_pages`."""
    now = clock.now()
    store = network.get_store(store_id, now=now)
    received = receiving.receive(store, batch.receipts, is_gathered=is_gathered, now=now)
    first_stands = ConflictingReceipt("this version came before with other content")
    refused = [(receipt, first_stands) for receipt in received.conflicting]
    for receipt, refusal in (*refused, *received.contradicting):
        _refuse_one(queues.RECEIPTS, batch.wires[id(receipt)], refusal, retailer_id)
    to_gather = [batch.wires[id(receipt)] for receipt in received.to_gather]
    messages = split_messages(to_gather, retailer_id=retailer_id, received_at=now)
    queues.send(queues.GATHER, messages)
    on_pages += received.on_pages
