"""Every reader of what outsiders send, with true samples of it: one list for all fuzzing.

A reader that is not in `READERS` fails `tests/unit/house/test_house_fuzzed_readers.py`.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from chalicelib.api.competition_shapes import CompetitionBody, read_competition
from chalicelib.api.oauth import read_form
from chalicelib.banks.payments import HookRequest
from chalicelib.banks.providers import adapter_for
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import Rejected
from chalicelib.members.announcing import from_message
from chalicelib.members.messages import NoticeMessage
from chalicelib.network.model import Connection, ConnectionKey, KeyUse, Provider
from chalicelib.notices import messages as notice_messages
from chalicelib.payouts import messages as payout_messages
from chalicelib.payouts.rails import tl_hooks
from chalicelib.purchases import messages
from chalicelib.runtime import wire
from chalicelib.tills import flux, native_reading
from chalicelib.tills.messages import decode_message
from infra.importing import files
from infra.importing.csv_rows import MissingColumns
from tests.makers.banks import NOON, connection, rsa_pem, spki, whsec
from tests.makers.events import event

Read = Callable[[bytes], object]

LATER = NOON + timedelta(days=3)  # Samples of tills are dated up to the day after.
TOKEN_FORM = (
    b"grant_type=client_credentials&client_id=a-bank&client_secret=s%20s&scope=user%3Aada+receipts"
)
CSV = (
    b"reference,store,issued_at,currency,total_minor,description,amount_minor,quantity\n"
    b'R-1,0042,2026-11-20T09:17:02Z,GBP,600,"Flat white, large",300,1\n'
    b"R-1,0042,2026-11-20T09:17:02Z,GBP,600,Rye loaf,300,1\n"
    b"R-2,0042,2026-11-20T09:18:02Z,GBP,250,Tea,250,1\n"
)
QUEUED = {
    "payment": b'{"kind":"payment","event":{"connection_id":"harbour","transaction_id":"t-1",'
    b'"event_key":"authorised","kind":"authorised","made_at":"2026-11-20T12:00:00Z","occurred_at":'
    b'"2026-11-20T12:00:00Z","amount":{"minor":420,"currency":"GBP"},"digest":"d","merchant":[{'
    b'"kind":"mid","value":"10001"}],"card":{"auth_code":"4K7Q2X"}},"received_at":'
    b'"2026-11-20T12:00:01Z","v":1}',
    "look_again": b'{"kind":"look_again","payment_id":"p1","v":1}',
    "member_left": b'{"kind":"member_left","member_id":"m1","left_at":"2026-11-20T12:00:00Z"}',
    "delivery": b'{"payment_id":"p1","note":"matched","version":1,"v":1}',
    "payout": b'{"kind":"report","payout_id":"p1","event_id":"e1","outcome":"executed",'
    b'"at":"2026-11-20T12:00:00Z"}',
    "notice": b'{"message":"notice","notice_id":"n1","kind":"reward_paid","member_id":"m1","at":'
    b'"2026-11-20T12:00:00Z","subject":"s1","minor":120,"currency":"GBP","on":"2026-11-21","v":1}',
    "tell_page": b'{"message":"tell_page","connection_id":"harbour","page":'
    b'"2026-11-20T12:00:00.000000Z_p1","left":[0,2]}',
    "replay": b'{"message":"replay","connection_id":"harbour","after":'
    b'"2026-11-20T12:00:00.000000Z","until":"2026-11-20T13:00:00Z"}',
    "reward": b'{"payment_id":"p1","member_id":"m1","anchored_at":"2026-11-20T12:00:00Z",'
    b'"version":1}',
}


@dataclass(frozen=True)
class Reader:
    """A function that takes what an outsider wrote.

    - `covers`: the dotted names of the functions that it goes through;
    - `read`: raises `Rejected`, or returns what was read;
    - `samples`: bytes that it reads without a refusal;
    - `is_json`: whether samples can be spoilt as JSON trees, else only byte by byte;
    - `is_ours`: only we write there, and card numbers were refused on the way in.
    """

    name: str
    covers: tuple[str, ...]
    read: Read
    samples: tuple[bytes, ...]
    is_json: bool = True
    is_ours: bool = False


EVENTS_BY_PROVIDER = {
    Provider.FLUX_V1: ("bank_flux_v1",),
    Provider.FLUX_V2: ("bank_flux_v2",),
    Provider.MONZO: (
        "monzo_transaction_created",
        "monzo_refund",
        "monzo_peer_payment",
        "monzo_top_up",
        "monzo_transaction_declined",
    ),
    Provider.STARLING: (
        "starling_feed_item_pending",
        "starling_feed_item_settled",
        "starling_feed_item_refund",
        "starling_feed_item_declined",
        "starling_payment_order",
    ),
    Provider.FIDEL: ("fidel_transaction_auth",),
    Provider.STANDARD: (
        "standard_payment_authorised",
        "standard_payment_cleared",
        "standard_payment_renamed",
        "standard_payment_refunded",
        "standard_payment_reversed",
    ),
}
TILL_EVENTS = (
    "till_native_receipt",
    "till_native_return",
    "till_native_exchange",
    "till_native_batch_one_bad",
)


def _events(*names: str) -> tuple[bytes, ...]:
    return tuple(event(name) for name in names)


@cache
def keyed(provider: Provider) -> Connection:
    """A connection with every key that its provider verifies with."""
    verify = spki(rsa_pem()) if provider is Provider.STARLING else whsec(1)
    url = "https://api.counterfoil.test/hooks/h?event={event}"
    return connection(provider, ConnectionKey(KeyUse.VERIFY, Personal(verify)), registered_url=url)


def _bank(provider: Provider) -> Reader:
    names = EVENTS_BY_PROVIDER[provider]
    return _bank_reader(provider.value, provider, "transaction.auth", *names)


def _bank_reader(name: str, provider: Provider, event_name: str, *samples: str) -> Reader:
    return Reader(
        f"bank {name}",
        (f"chalicelib.banks.{provider.value}.read",),
        partial(_read_event, provider, event_name),
        _events(*samples),
    )


def _read_event(provider: Provider, event_name: str, raw: bytes) -> object:
    headers = {"webhook-id": "msg-1", "fidel-message-id": "msg-1"}
    request = HookRequest(body=raw, headers=headers, query={"event": event_name})
    return adapter_for(provider).read(request, keyed(provider), now=NOON)


def _proof(provider: Provider) -> Reader:
    """The check of a request's proof; its sample is the request as JSON, headers and all."""
    names = (
        "x-hook-signature x-fidel-signature x-fidel-timestamp webhook-id webhook-timestamp "
        "webhook-signature x-request-signature authorization host"
    ).split()
    headers = dict.fromkeys(names, "v1,aGVsbG8= t=1795168800")
    headers |= {"webhook-timestamp": str(int(NOON.timestamp())), "x-fidel-timestamp": "1795168800"}
    sample = {"headers": headers, "query": {"event": "transaction.auth"}, "body": "{}"}
    return Reader(
        f"proof {provider.value}",
        (f"chalicelib.banks.{provider.value}.verify",),
        partial(_verify, provider),
        (json.dumps(sample).encode(),),
    )


def _verify(provider: Provider, raw: bytes) -> object:
    """Whatever does not parse here is no request at all, and is sent as a body."""
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError):
        sent = {"body": raw.decode("utf-8", "replace")}
    request = HookRequest(
        body=json.dumps(_part(sent, "body")).encode(),
        headers=_texts(_part(sent, "headers")),
        query=_texts(_part(sent, "query")),
        path="/hooks/h",
    )
    adapter_for(provider).verify(request, keyed(provider), now=NOON)
    return None


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else value


def _texts(value: Any) -> dict[str, str]:
    """Headers as a gateway would hand them on: texts."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: inner if isinstance(inner, str) else str(inner) for name, inner in pairs}


def _read_file(suffix: str, raw: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"day.{suffix}")
        path.write_bytes(raw)
        try:
            return tuple(files.read_file(path, after_line=0, now=LATER))
        except MissingColumns:  # The file as a whole is refused, to whoever started the import.
            return ()


def _flux_till(raw: bytes) -> object:
    return flux.read_merchant(raw, now=LATER)


def _native_till(raw: bytes) -> object:
    return native_reading.read_batch(raw, now=LATER)


def _receipts_message(raw: bytes) -> object:
    return decode_message(raw.decode("utf-8", "surrogateescape"), now=LATER)


def _payments_message(raw: bytes) -> object:
    return messages.decode_payments(raw.decode("utf-8", "surrogateescape"))


def _delivery_message(raw: bytes) -> object:
    return messages.decode_delivery(raw.decode("utf-8", "surrogateescape"))


def _reward_message(raw: bytes) -> object:
    return messages.decode_reward(raw.decode("utf-8", "surrogateescape"))


def _payouts_message(raw: bytes) -> object:
    return payout_messages.decode_payouts(raw.decode("utf-8", "surrogateescape"))


def _notices_message(raw: bytes) -> object:
    read = notice_messages.decode_notices(raw.decode("utf-8", "surrogateescape"))
    return from_message(read) if isinstance(read, NoticeMessage) else read


def _competition(raw: bytes) -> object:
    body = wire.convert(wire.read_json(raw), CompetitionBody)
    return read_competition(body, retailer_id=RetailerId("bean-and-leaf"), reference="hamper")


def readers() -> Iterator[Reader]:
    """All of them."""
    for provider in Provider:
        yield _bank(provider)
        yield _proof(provider)
    for kind in ("clearing", "refund"):  # Fidel says in the URL what its body tells of.
        sample = f"fidel_transaction_{kind}"
        yield _bank_reader(f"fidel {kind}", Provider.FIDEL, f"transaction.{kind}", sample)
    till_events = _events(*TILL_EVENTS)
    read_merchant = "chalicelib.tills.flux.read_merchant"
    yield Reader("till flux", (read_merchant,), _flux_till, _events("till_flux_merchant"))
    yield Reader(
        "till native", ("chalicelib.tills.native_reading.read_batch",), _native_till, till_events
    )
    one_line = tuple(json.dumps(json.loads(sample)).encode() for sample in till_events)
    read_files = ("infra.importing.files.read_file",)
    yield Reader("file jsonl", read_files, partial(_read_file, "jsonl"), one_line)
    yield Reader("file csv", read_files, partial(_read_file, "csv"), (CSV,), is_json=False)
    yield Reader(
        "queue receipts",
        ("chalicelib.tills.messages.decode_message",),
        _receipts_message,
        _events("queue_receipts_message"),
    )
    yield Reader(
        "competition",
        ("chalicelib.api.competition_shapes.read_competition",),
        _competition,
        _events("competition_put"),
    )
    yield from _readers_of_ours()
    yield Reader(
        "payouts truelayer",
        ("chalicelib.payouts.rails.tl_hooks.read",),
        partial(tl_hooks.read, now=NOON),
        _events("payout_truelayer_executed"),
    )
    yield Reader(
        "form token",
        ("chalicelib.api.oauth.read_form",),
        read_form,
        (TOKEN_FORM,),
        is_json=False,
    )
    yield Reader("json", ("chalicelib.runtime.wire.read_json",), wire.read_json, (b'{"a":[1]}',))


def _readers_of_ours() -> Iterator[Reader]:
    """Of what the platform says to itself over queues."""
    yield Reader(
        "queue payments",
        ("chalicelib.purchases.messages.decode_payments",),
        _payments_message,
        tuple(QUEUED[name] for name in ("payment", "look_again", "member_left")),
        is_ours=True,
    )
    yield Reader(
        "queue deliveries",
        ("chalicelib.purchases.messages.decode_delivery",),
        _delivery_message,
        (QUEUED["delivery"],),
        is_ours=True,
    )
    yield Reader(
        "queue rewards",
        ("chalicelib.purchases.messages.decode_reward",),
        _reward_message,
        (QUEUED["reward"],),
        is_ours=True,
    )
    yield Reader(
        "queue notices",
        ("chalicelib.notices.messages.decode_notices",),
        _notices_message,
        tuple(QUEUED[name] for name in ("notice", "tell_page", "replay")),
        is_ours=True,
    )
    yield Reader(
        "queue payouts",
        ("chalicelib.payouts.messages.decode_payouts",),
        _payouts_message,
        (QUEUED["payout"],),
        is_ours=True,
    )


READERS = {reader.name: reader for reader in readers()}


def ending(reader: Reader, raw: bytes) -> object:
    """What was read in `raw`, or the refusal; anything else that is raised is a bug."""
    try:
        return reader.read(raw)
    except Rejected as refusal:
        assert refusal.code
        assert refusal.detail
        return refusal
