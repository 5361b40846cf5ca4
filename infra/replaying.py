"""Replaying: what was set aside or already told goes back on its queue, mended where it must be.

What is in quarantine stands there as it came: a whole message of a queue, or one entry of a request
or message. An entry is read again as its sender's format and goes on as if it had been good.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.banks.payments import HookRequest
from chalicelib.banks.providers import adapter_for
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import ConnectionId, RetailerId, payment_id_of
from chalicelib.kernel.refusals import Malformed, NotFound, Rejected
from chalicelib.network import service as network
from chalicelib.purchases import store as purchases
from chalicelib.purchases.messages import DeliveryMessage, PaymentMessage, encode
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import quarantine, queues, wire
from chalicelib.runtime.quarantine import Quarantined
from chalicelib.tills import flux, native, native_reading
from chalicelib.tills.messages import split_messages
from chalicelib.tills.native_shapes import NativeReceipt

SELECTED_MAX = 20_000  # As many as fit in memory; what is left is selected the next time.
_ENTRY_AREAS = ("tills", queues.RECEIPTS, queues.GATHER)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Which messages of quarantine went back, and which cannot as they stand, with the rule."""

    sent: tuple[Quarantined, ...] = ()
    refused: tuple[tuple[Quarantined, Rejected], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of quarantine is meant; None means any. `since` and `until` are UTC days, inclusive."""

    quarantine_id: str | None = None
    since: date | None = None
    until: date | None = None
    area: str | None = None
    code: str | None = None

    def has(self, one: Quarantined) -> bool:
        """Whether `one`, of a day and area that are meant, is meant itself."""
        return self.quarantine_id in (None, one.quarantine_id) and self.code in (None, one.reason)


def replay_delivery(connection_id: ConnectionId, transaction_id: str, *, now: datetime) -> None:
    """Tell the bank again of its transaction's receipt, in the newest version.

    :raises NotFound: there is no such transaction, or it has no receipt.
    """
    payment_id = payment_id_of(connection_id, transaction_id)
    where = payments.find_whereabouts(payment_id, now=now)
    if where is None or purchases.find_held_receipt(where, now=now) is None:
        raise NotFound("the connection has no transaction of that id with a receipt")
    message = DeliveryMessage(where.payment_id, NoteKind.MATCHED, version=1)
    queues.send(queues.DELIVERIES, [encode(message)])


def replay_quarantine(
    day: date, quarantine_id: str | None, *, body: str | None, now: datetime
) -> Replayed:
    """Put what was quarantined on the UTC `day` back, all or one, `body` in its place if given.

    :raises NotFound: nothing of that id was quarantined that day.
    """
    chosen = [one for one in _walk_day(day, now=now) if quarantine_id in (None, one.quarantine_id)]
    if quarantine_id is not None and not chosen:
        raise NotFound("nothing of that id was quarantined that day")
    return replay(chosen, body=body, now=now)


def replay(
    chosen: Sequence[Quarantined],
    *,
    body: str | None = None,
    now: datetime,
    report: Callable[[], None] = lambda: None,
) -> Replayed:
    """Put the messages back on their queues, `body` in the place of each if given.

    What was sent leaves quarantine; if it fails again, it comes back there. `report` is called once
    for each.
    """
    sent: list[Quarantined] = []
    refused: list[tuple[Quarantined, Rejected]] = []
    for one in chosen:
        refusal = _refusal_of(one if body is None else replace(one, body=body), now=now)
        if refusal is None:
            quarantine.release(one)
            sent.append(one)
        else:
            refused.append((one, refusal))
        report()
    return Replayed(tuple(sent), tuple(refused))


def _refusal_of(one: Quarantined, *, now: datetime) -> Rejected | None:
    """None where it stands on its queue now, else the rule that it breaks."""
    try:
        queue, messages = messages_of(one, now=now)
    except Rejected as refusal:
        return refusal
    queues.send(queue, messages)
    return None


def select(wanted: Wanted, *, now: datetime) -> list[Quarantined]:
    """What is in quarantine and `wanted`, oldest day first, at most 20,000."""
    first = wanted.since or (now - quarantine.KEPT).date()
    last = min(wanted.until or now.date(), now.date())
    found: list[Quarantined] = []
    for days in range(max((last - first).days + 1, 0)):
        for one in _walk_day(first + timedelta(days=days), area=wanted.area, now=now):
            if wanted.has(one):
                found.append(one)
            if len(found) >= SELECTED_MAX:
                return found
    return found


def get_quarantined(quarantine_id: str, *, now: datetime) -> Quarantined:
    """What is kept under that id. :raises NotFound: nothing is."""
    found = select(Wanted(quarantine_id=quarantine_id), now=now)
    if not found:
        raise NotFound("nothing of that id is in quarantine")
    return found[0]


def _walk_day(day: date, *, now: datetime, area: str | None = None) -> Iterator[Quarantined]:
    """Everything of the UTC `day`, page by page."""
    after: Quarantined | None = None
    while page := quarantine.list_day(day, area=area, after=after, now=now):
        yield from page
        after = page[-1]


def messages_of(kept: Quarantined, *, now: datetime) -> tuple[str, Sequence[str]]:
    """The queue that `kept` goes to, and the messages that carry it.

    :raises Rejected: it breaks a rule still, or came a way that nothing can be replayed on.
    """
    is_direct = kept.area.startswith(queues.DIRECT_RECEIPTS)
    if is_direct or kept.area in (queues.PAYMENTS, queues.DELIVERIES):
        return kept.area, [kept.body]
    value = wire.read_json(kept.body.encode())
    if kept.area in _ENTRY_AREAS and _is_message(value):
        return kept.area, [kept.body]
    if kept.area in _ENTRY_AREAS:
        retailer_id = RetailerId(kept.sender)
        receipt = _receipt(value)
        native.check_unplaced(receipt, now=now)
        return queues.RECEIPTS, split_messages(
            [receipt], retailer_id=retailer_id, received_at=kept.kept_at
        )
    if kept.area == "hooks":
        return queues.PAYMENTS, _payments(value, ConnectionId(kept.sender), kept.kept_at, now=now)
    raise Malformed("nothing that came this way can be replayed")


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and "receipts" in value


def _receipt(entry: Any) -> NativeReceipt:
    """One entry in whichever of the tills' two formats it came."""
    if isinstance(entry, dict) and "transactionDate" in entry:
        return flux.read_one(entry)[0]
    return native_reading.read_one(entry)[0]


def _payments(
    entry: Any, connection_id: ConnectionId, received_at: datetime, *, now: datetime
) -> list[str]:
    """One entry of a bank's array; only those are taken apart before they reach a queue."""
    connection = network.get_connection(connection_id, now=now)
    body = json.dumps([entry], default=str).encode()
    request = HookRequest(body=body, headers={}, query={})
    reading = adapter_for(connection.provider).read(request, connection, now=now)
    if reading.refused:
        raise reading.refused[0].refusal
    return [encode(PaymentMessage(event, received_at)) for event in reading.events]
