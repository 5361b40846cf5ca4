"""One bad entry or message spoils nothing but itself, and a person can find it."""

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, quarantine, queues, settings
from chalicelib.runtime.rows import RowMeta
from chalicelib.workers.deliveries import deliver_receipt
from infra.local.lambda_events import sqs_event
from tests.makers.bad_input import FLUX_V1, FLUX_V2, MERCHANT, NATIVE, Format, shows_the_card
from tests.makers.journeys import (
    NOON,
    PAID,
    as_bank,
    flux_sale,
    open_town,
    send_receipts,
    till_receipt,
)
from tests.makers.network import BAKERY
from tests.makers.outside import (
    Counted,
    context,
    everything_stored,
    put_on,
    run_worker,
    stored_rows,
    waiting_on,
    work,
)
from tests.makers.signed_hooks import change_in, changed, signed

pytestmark = pytest.mark.stores

CARD = "4111 1111 1111 1111"
PAYER = PAID[Provider.STANDARD]


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town(providers=(Provider.FLUX_V1, Provider.FLUX_V2, Provider.STANDARD))


def quarantined() -> list[quarantine.Quarantined]:
    return quarantine.list_day(NOON.date(), now=NOON)


def numbered(form: Format, count: int) -> list[dict[str, Any]]:
    """As many entries, each with its own reference."""
    entries = [deepcopy(form.sample) for _ in range(count)]
    for index, entry in enumerate(entries):
        change_in(entry, {form.reference: f"name-{index}"})
    return entries


@pytest.mark.parametrize("form", [FLUX_V1, FLUX_V2, MERCHANT, NATIVE], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("bad", "code"),
    [("a card number", "card_number"), ("a currency", "unknown_currency"), ("a shape", "shape")],
)
def test_takes_99_of_100_and_names_the_bad_one(
    form: Format, bad: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    entries = numbered(form, 100)
    wrong: dict[str, Any] = {
        "a card number": {form.text: CARD},
        "a currency": {form.currency: "XAU"},
        "a shape": {form.time: 12},
    }[bad]
    change_in(entries[41], wrong)

    said = form.send(entries)

    assert (said.status // 100, said.body["taken"]) == (2, 99)
    (refused,) = said.body["refused"]
    assert (refused["index"], refused["code"], refused["name"]) == (41, code, "name-41")
    field = next(iter(wrong))
    assert refused["field"].endswith(field.rpartition(".")[2])
    (kept,) = quarantined()
    assert (kept.reason, kept.name, kept.field) == (code, "name-41", refused["field"])
    assert json.loads(kept.body)  # The entry alone, whole.
    logged = "".join(repr(record.__dict__) for record in caplog.records)
    assert not shows_the_card(everything_stored() + logged + kept.body + json.dumps(said.body))


@pytest.mark.parametrize("form", [FLUX_V1, MERCHANT, NATIVE], ids=lambda one: one.name)
def test_ignores_and_counts_unknown_fields(form: Format, counted: Counted) -> None:
    sender = "till" if form in (MERCHANT, NATIVE) else "flux_v1"

    said = form.send(form.changed({"colour": "green", "later": {"may": "come"}}))

    assert (said.status // 100, said.body["taken"]) == (2, 1)
    assert counted[f"unknown_fields:{sender}"] == 2


def test_counts_the_unknown_fields_of_a_signed_hook(counted: Counted) -> None:
    signed(Provider.STANDARD).send()
    known = counted["unknown_fields:standard"]

    said = signed(Provider.STANDARD, changed(Provider.STANDARD, {"data.colour": "green"})).send()

    assert said.status == 200
    assert counted["unknown_fields:standard"] == known + 1


def test_of_two_flux_sales_of_one_name_the_first_wins_and_the_other_is_kept(
    counted: Counted,
) -> None:
    first, other = flux_sale(PAYER), flux_sale(PAYER)
    other["items"][0]["description"] = "Something else"

    answers = [send_receipts([sale], path="/merchant") for sale in (first, other)]
    work()
    signed(Provider.STANDARD).send()
    work()

    assert [(said.status, said.body["taken"]) for said in answers] == [(202, 1)] * 2
    (kept,) = quarantined()
    assert (kept.reason, kept.sender) == ("conflicting_receipt", BAKERY)
    assert counted["conflicts:conflicting_receipt"] == 1
    read = as_bank(Provider.STANDARD, "GET", f"/v1/transactions/{PAYER.transaction}/receipt")
    assert read.body["receipt"]["lines"][0]["description"] == "Flat white"


def test_another_native_receipt_of_the_same_name_is_a_conflict(counted: Counted) -> None:
    send_receipts(till_receipt(PAYER))

    said = send_receipts(till_receipt(PAYER, notes=["Not what it was"]))

    assert (said.status, said.body["code"], said.body["field"]) == (
        409,
        "conflicting_receipt",
        "version",
    )
    assert [one.reason for one in quarantined()] == ["conflicting_receipt"]
    assert counted["conflicts:conflicting_receipt"] == 1
    assert waiting_on(queues.RECEIPTS) == 1


def test_another_event_of_the_same_name_is_kept_and_counted(counted: Counted) -> None:
    signed(Provider.STANDARD).send()
    work()

    said = signed(Provider.STANDARD, changed(Provider.STANDARD, {"data.amount.minor": 99})).send()
    work()

    assert said.status == 200
    (kept,) = quarantined()
    assert (kept.area, kept.reason, kept.sender) == ("payments", "conflicting_payment", "standard")
    assert counted["conflicts:conflicting_payment"] == 1


def test_of_two_flux_payments_of_one_name_the_first_wins_and_the_other_is_kept(
    counted: Counted,
) -> None:
    signed(Provider.FLUX_V1).send()
    work()

    said = signed(Provider.FLUX_V1, changed(Provider.FLUX_V1, {"amount": 99})).send()
    work()

    assert (said.status, said.body["taken"]) == (200, 2)
    assert [one.reason for one in quarantined()] == ["conflicting_payment"]
    assert counted["conflicts:conflicting_payment"] == 1


def receipts_message(*receipts: object, retailer: str = BAKERY) -> str:
    return json.dumps(
        {
            "v": 1,
            "retailer_id": retailer,
            "received_at": "2026-11-20T12:00:00Z",
            "receipts": receipts,
        }
    )


POISON = [
    "",
    "{",
    "[]",
    '{"v":1}',
    '{"v":2,"retailer_id":"x","received_at":"2026-11-20T12:00:00Z","receipts":[]}',
    '{"kind":"nothing we know"}',
    '{"payment_id":7}',
    "\ufffd\ufffd",
]


@pytest.mark.parametrize("name", [queues.PAYMENTS, queues.RECEIPTS, queues.DELIVERIES])
def test_poison_goes_to_quarantine_and_the_rest_of_its_batch_succeeds(name: str) -> None:
    good = {
        queues.PAYMENTS: '{"kind":"look_again","payment_id":"nobody"}',
        queues.RECEIPTS: receipts_message(till_receipt(PAYER)),
        queues.DELIVERIES: '{"payment_id":"nobody","note":"matched","version":1}',
    }[name]
    poison = [one for one in POISON if one]
    put_on(name, *poison[:3], good, *poison[3:])

    ran = run_worker(name)

    assert (len(ran.bodies), ran.failed) == (len(poison) + 1, ())
    assert sorted(one.body for one in quarantined()) == sorted(poison)
    assert {one.area for one in quarantined()} == {name}


def test_poison_among_gathered_receipts_goes_to_quarantine() -> None:
    put_on(queues.GATHER, POISON[1], receipts_message(till_receipt(PAYER)), POISON[3])

    ran = run_worker(queues.GATHER)

    assert (len(ran.bodies), ran.failed) == (3, ())
    assert sorted(one.body for one in quarantined()) == sorted((POISON[1], POISON[3]))
    assert len([row for row in stored_rows("tills") if "page#" in row]) == 1


def test_a_gathered_receipt_whose_store_cannot_be_read_now_comes_again(counted: Counted) -> None:
    put_on(queues.GATHER, receipts_message(till_receipt(PAYER)), POISON[1])
    network.forget()  # A cold start: who takes part has to be read first.

    def nobody_answers(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")

    events = RowMeta.row_types[0]._get_connection().connection.client.meta.events
    events.register_first("before-send.dynamodb.Query", nobody_answers)
    try:
        ran = run_worker(queues.GATHER)
    finally:
        events.unregister("before-send.dynamodb.Query", nobody_answers)

    assert ran.failed == (receipts_message(till_receipt(PAYER)),)
    assert counted["messages_put_off:gather"] == 1
    assert [one.body for one in quarantined()] == [POISON[1]]
    assert stored_rows("tills") == []


@pytest.mark.requirement("SEC-05")
def test_a_card_number_straight_on_a_queue_is_masked_and_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = till_receipt(PAYER, "R-2", notes=[f"card {CARD}"])
    put_on(queues.RECEIPTS, receipts_message(till_receipt(PAYER), bad))
    put_on(queues.PAYMENTS, json.dumps({"kind": "payment", "note": CARD}))

    ran = run_worker(queues.RECEIPTS), run_worker(queues.PAYMENTS)

    assert [(len(one.bodies), one.failed) for one in ran] == [(1, ()), (1, ())]
    assert sorted(one.reason for one in quarantined()) == ["card_number", "malformed"]
    assert waiting_on(queues.GATHER) == 1
    logged = "".join(repr(record.__dict__) for record in caplog.records)
    kept = "".join(repr(one) for one in quarantined())
    assert not shows_the_card(everything_stored() + logged + kept)


def broken_page() -> None:
    """A page that does not open, as a bug or a damaged row would leave it."""
    dynamodb = aws.client("dynamodb")
    name = settings.table("tills")
    (page,) = [
        row for row in dynamodb.scan(TableName=name)["Items"] if row["sk"]["S"].startswith("page#")
    ]
    dynamodb.put_item(TableName=name, Item={**page, "sealed": {"B": b"\x01garbage"}})


def test_a_bug_in_one_message_fails_that_message_alone() -> None:
    put_on(queues.GATHER, receipts_message(till_receipt(PAYER, "R-0")))
    run_worker(queues.GATHER)
    broken_page()
    met = receipts_message(*(till_receipt(PAYER, f"R-{n}") for n in range(1, 6)))
    later = (NOON - timedelta(days=2)).isoformat().replace("+00:00", "Z")
    unmet = receipts_message(*(till_receipt(PAYER, f"R-1{n}", issued_at=later) for n in range(5)))
    put_on(queues.RECEIPTS, unmet, met, "{")

    ran = run_worker(queues.RECEIPTS)

    assert (len(ran.bodies), ran.failed) == (3, (met,))
    assert [one.body for one in quarantined()] == ["{"]
    assert len([row for row in stored_rows("tills") if "page#" in row]) == 2


def test_a_message_that_cannot_be_put_off_fails_alone() -> None:
    """The delivery waits for a purchase that is not there, and its visibility cannot be changed."""
    signed(Provider.STANDARD).send()
    work()
    payment_id = payment_id_of(ConnectionId("standard"), PAYER.transaction)
    bodies = [
        f'{{"payment_id":"{payment_id}","note":"matched","version":1}}',
        '{"payment_id":"nobody","note":"matched","version":1}',
    ]
    messages = [
        {
            "MessageId": f"m-{index}",
            "ReceiptHandle": "a handle that has run out",
            "Body": body,
            "MD5OfBody": "",
            "Attributes": {"ApproximateReceiveCount": "1"},
        }
        for index, body in enumerate(bodies)
    ]

    answer = deliver_receipt(
        sqs_event(settings.queue(queues.DELIVERIES), messages, region="eu-west-2"),
        context("deliver_receipt"),
    )

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}


def test_a_return_that_contradicts_an_earlier_one_does_not_stop_its_batch(
    counted: Counted,
) -> None:
    """The second comes under the same name hours later, so no page shows the first."""
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()
    back = {
        "reference": "RET-1",
        "kind": "return",
        "store": "0042",
        "issued_at": "2026-11-20T11:50:00Z",
        "currency": "GBP",
        "total_minor": 300,
        "refers_to": "R-1",
        "lines": [
            {
                "kind": "return",
                "description": "Flat white",
                "amount_minor": 300,
                "refers_to": {"receipt": "R-1", "line_id": "1"},
            }
        ],
        "tenders": [{"kind": "card", "amount_minor": 300}],
    }
    put_on(queues.GATHER, receipts_message(back))
    run_worker(queues.GATHER)
    other = deepcopy(back) | {"issued_at": "2026-11-20T08:00:00Z", "notes": ["Another one"]}
    put_on(queues.GATHER, receipts_message(other), receipts_message(till_receipt(PAYER, "R-9")))

    ran = run_worker(queues.GATHER)

    assert (len(ran.bodies), ran.failed) == (2, ())
    assert [one.reason for one in quarantined()] == ["conflicting_receipt"]
    assert counted["conflicts:conflicting_receipt"] == 1
