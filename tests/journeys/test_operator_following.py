"""A payment is followed from the hook to the bank's app by its id and its trace, and measured."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, clock, queues, tracing
from chalicelib.workers import retention, waiting
from infra.local.lambda_events import scheduled_event
from tests.makers.bank_server import bank_server
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.network import BAKERY
from tests.makers.observing import observing
from tests.makers.outside import context, put_on, run_worker, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BANK = ConnectionId("standard")
PAYMENT_ID = payment_id_of(BANK, PAYER.transaction)
OF_THE_HOOK = "1-67891233-abcdef012345678912345678"
OF_THE_TILL = "1-67891300-fedcba987654321098765432"
NEVER_LOGGED = ("acct-hazel", "person-hazel", "Rye loaf", "Flat white", PAYER.transaction, "C55D10")
SCHEDULED = scheduled_event("r", at=NOON, event_id="1", region="eu-west-2")


@contextmanager
def traced_by_aws(trace: str) -> Iterator[None]:
    """AWS says, as Lambda does, which trace the invocation belongs to."""
    os.environ["_X_AMZN_TRACE_ID"] = f"Root={trace};Parent=53995c3f42cd8ad8;Sampled=0"
    try:
        yield
    finally:
        del os.environ["_X_AMZN_TRACE_ID"]


def at(seconds: float) -> None:
    """Let it be `seconds` after noon."""
    clock.use(lambda: NOON + timedelta(seconds=seconds))


def test_a_payment_is_followed_from_hook_to_delivery_without_personal_values(
    embedded_aws: None,
) -> None:
    with bank_server() as bank, observing() as seen:
        open_town(bank.url, providers=(Provider.STANDARD,))
        with traced_by_aws(OF_THE_HOOK):
            signed(Provider.STANDARD).send()
        at(2)
        work()
        with traced_by_aws(OF_THE_TILL):
            send_receipts(till_receipt(PAYER, till="T-3"))
        at(42)
        work()
        at(45.25)
        run_worker(queues.DELIVERIES)

    assert seen.of_payment(PAYMENT_ID) == [
        ("payment waits", {"reason": "no_receipt_yet", "trace": OF_THE_HOOK}),
        ("payment matched", {}),
        ("bank told", {"kind": "matched"}),
    ]
    assert seen.observed("match_lag_seconds") == [({}, 40.0)]
    assert seen.observed("clock_skew_seconds") == [({"retailer": BAKERY}, -1)]
    assert seen.observed("delivery_lag_seconds") == [({"provider": "standard"}, 43.2)]
    assert seen.counted("connection_events") == [
        ({"connection": "standard", "outcome": "taken"}, 1),
        ({"connection": "standard", "outcome": "told"}, 1),
    ]
    written = json.dumps([seen.lines, seen.counts, seen.values], default=str)
    assert [value for value in NEVER_LOGGED if value in written] == []


def test_a_match_at_the_first_look_leads_back_to_the_hook(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    send_receipts(till_receipt(PAYER, till="T-3"))
    work()

    with observing() as seen:
        with traced_by_aws(OF_THE_HOOK):
            signed(Provider.STANDARD).send()
        work()

    assert seen.of_payment(PAYMENT_ID) == [("payment matched", {"trace": OF_THE_HOOK})]


def test_a_look_that_finds_nothing_new_writes_no_line(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    signed(Provider.STANDARD).send()
    work()

    with observing() as seen:
        waiting.look_again(SCHEDULED, context("look_again"))

    assert seen.counted("payments_waiting") == [({"reason": "no_receipt_yet"}, 1)]
    assert seen.of_payment(PAYMENT_ID) == []


def test_a_passing_obstacle_is_logged_with_the_trace_of_its_message(embedded_aws: None) -> None:
    with bank_server((500, {}, b"")) as bank, observing() as seen:
        open_town(bank.url, providers=(Provider.STANDARD,))
        send_receipts(till_receipt(PAYER))
        work()
        with traced_by_aws(OF_THE_HOOK):
            signed(Provider.STANDARD).send()
        work()
        run_worker(queues.DELIVERIES)

    (put_off,) = [keys for sentence, keys in seen.lines if sentence == "message put off"]
    assert (put_off["queue"], put_off["trace"]) == ("deliveries", OF_THE_HOOK)


def test_a_trace_that_somebody_else_put_on_a_message_is_not_believed(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    aws.client("sqs").send_message(
        QueueUrl=queues.url(queues.DELIVERIES),
        MessageBody="not a message",
        MessageAttributes={"trace": {"DataType": "String", "StringValue": "ada@example.test"}},
    )

    with observing() as seen:
        run_worker(queues.DELIVERIES)

    (kept,) = [keys for sentence, keys in seen.lines if sentence == "message quarantined"]
    assert tracing.is_trace(kept["trace"])


def test_a_stranger_leaves_counts_and_no_line(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    stranger = changed(
        Provider.STANDARD, {"data.account": "acct-nobody", "data.user": "person-nobody"}
    )

    with observing() as seen:
        signed(Provider.STANDARD, stranger).send()
        work()

    assert seen.counted("payments_dropped") == [({"reason": "not_a_member"}, 1)]
    sentences = {sentence for sentence, _ in seen.lines}
    assert sentences == {"counted", "observed"}


def test_measures_how_late_a_banks_event_came(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))

    with observing() as seen:
        signed(Provider.STANDARD).send()
        at(100)
        work()

    occurred = "2026-11-20T11:41:08Z"  # By the sample event; it came at noon.
    assert seen.observed("connection_lag_seconds") == [({"connection": "standard"}, 1132.0)]
    assert occurred in json.dumps(changed(Provider.STANDARD, {}))


def test_counts_what_a_connection_sends_by_outcome(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    declined = changed(Provider.STANDARD, {"type": "payment.declined"})
    broken = changed(Provider.STANDARD, {"data.amount": "much"})

    with observing() as seen:
        forged = signed(Provider.STANDARD).send(webhook_signature="v1,AAAA")
        ignored = signed(Provider.STANDARD, declined).send()
        refused = signed(Provider.STANDARD, broken).send()

    assert [forged.status, ignored.status, refused.status] == [401, 200, 422]
    assert seen.counted("connection_events") == [
        ({"connection": "standard", "outcome": "refused"}, 1),
        ({"connection": "standard", "outcome": "dropped"}, 1),
        ({"connection": "standard", "outcome": "refused"}, 1),
    ]


def test_warns_of_a_till_whose_clock_is_off(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    late = till_receipt(PAYER, till="T-3", issued_at="2026-11-20T11:49:06Z")

    with observing() as seen:
        signed(Provider.STANDARD).send()
        send_receipts(late)
        work()

    warned = [keys for sentence, keys in seen.lines if sentence == "a till's clock is off"]
    assert [keys | {"trace": ""} for keys in warned] == [
        {"store": "wharf-lane", "till": "T-3", "seconds": 479, "trace": ""}
    ]
    assert seen.observed("clock_skew_seconds") == [({"retailer": BAKERY}, 479)]


def test_a_message_that_comes_again_is_counted_once(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    signed(Provider.STANDARD).send()
    aws.client("sqs").receive_message(
        QueueUrl=queues.url(queues.PAYMENTS), VisibilityTimeout=0
    )  # A worker had it and died.

    with observing() as seen:
        run_worker(queues.PAYMENTS)

    assert len(seen.counted("payments_received")) == 1
    assert seen.counted("connection_events") == []
    assert seen.observed("connection_lag_seconds") == []


def test_a_schedule_that_came_to_its_end_is_counted(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))

    with observing() as seen:
        waiting.look_again(SCHEDULED, context("look_again"))

    assert seen.counted("schedules_done") == [({"job": "look_again"}, 1)]


def test_says_hourly_how_much_waits_in_quarantine(embedded_aws: None) -> None:
    open_town(providers=(Provider.STANDARD,))
    send_receipts([till_receipt(PAYER), till_receipt(PAYER, "R-2", total_minor=1)])
    put_on(queues.DELIVERIES, "not a message")
    run_worker(queues.DELIVERIES)
    at(30 * 24 * 3600 - 60)

    with observing() as seen:
        retention.sweep_retention(SCHEDULED, context("sweep_retention"))
        at(30 * 24 * 3600 + 60)
        retention.sweep_retention(SCHEDULED, context("sweep_retention"))

    sizes = [(dimensions["area"], value) for dimensions, value in seen.observed("quarantine_size")]
    areas = ["hooks", "tills", *queues.NAMES]
    assert sizes[:9] == [(a, int(a in ("tills", "deliveries"))) for a in areas]
    assert sizes[9:] == [(area, 0) for area in areas]
