"""Deliveries reach their bank: late, again, out of order and after refusals, as one receipt."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.privacy import leaving
from chalicelib.purchases.messages import DeliveryMessage, encode
from chalicelib.runtime import clock, quarantine, queues
from chalicelib.workers.rim import BACK_OFF_SECONDS
from infra import replaying
from infra.local import queue_time
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.calls import hearing_parameters
from tests.makers.journeys import NOON, PAID, flux_sale, open_town, send_receipts, till_receipt
from tests.makers.outside import Counted, dead_on, put_on, run_worker, waiting_on, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

OK = (200, {}, b"")
AWAY = (500, {}, b"")
GONE = (410, {}, b"")
BANK = ConnectionId("standard")
PAYER = PAID[Provider.STANDARD]
PAYMENT_ID = payment_id_of(BANK, PAYER.transaction)


@pytest.fixture
def skippable(embedded_aws: None) -> Iterator[None]:
    """The queues' time can be skipped."""
    restore = queue_time.rule()
    yield
    restore()


def matched(bank: BankServer, provider: Provider = Provider.STANDARD) -> None:
    """A purchase of the provider's member is joined; its delivery waits."""
    open_town(bank.url, providers=(provider,))
    signed(provider).send()
    send_receipts(till_receipt(PAID[provider]))
    work()
    assert waiting_on(queues.DELIVERIES) == 1


def deliver() -> int:
    """Run the worker once; how many messages failed."""
    return len(run_worker(queues.DELIVERIES).failed)


def told(bank: BankServer) -> list[tuple[str, int]]:
    """Type and version of what a Standard Webhooks bank heard."""
    bodies = [json.loads(one.body) for one in bank.heard]
    return [(body["type"], body["data"]["version"]) for body in bodies]


def reasons() -> list[str]:
    return [one.reason for one in quarantine.list_day(NOON.date(), now=NOON)]


def update() -> None:
    """The till corrects its receipt: version 2."""
    body = till_receipt(PAYER, version=2, notes=["Corrected"])
    assert send_receipts(body, path="/v1/receipts/R-1", method="PUT").status == 202
    work()


@pytest.mark.requirement("RCP-10")
def test_a_bank_that_is_away_is_asked_again_later_and_later(skippable: None) -> None:
    with bank_server(AWAY, AWAY, AWAY, OK) as bank:
        matched(bank)
        with hearing_parameters("sqs", "ChangeMessageVisibility") as postponed:
            failed = []
            for _ in range(4):
                failed.append(deliver())
                queue_time.skip(200)

    assert failed == [1, 1, 1, 0]
    waits = [one["VisibilityTimeout"] for one in postponed]
    for wait, base in zip(waits, BACK_OFF_SECONDS[:3], strict=True):
        assert base <= wait <= base * 1.2
    assert len(bank.heard) == 4
    assert len({one.headers["webhook-id"] for one in bank.heard}) == 1
    assert waiting_on(queues.DELIVERIES) == 0


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ((429, {"Retry-After": "77"}, b""), 77),
        ((503, {"Retry-After": "Fri, 20 Nov 2026 12:10:00 GMT"}, b""), 600),
        ((429, {"Retry-After": "99999999"}, b""), 43_000),
    ],
)
def test_waits_as_long_as_the_bank_says(
    embedded_aws: None, answer: tuple[int, dict[str, str], bytes], seconds: int
) -> None:
    with bank_server(answer) as bank:
        matched(bank)
        with hearing_parameters("sqs", "ChangeMessageVisibility") as postponed:
            assert deliver() == 1

    assert [one["VisibilityTimeout"] for one in postponed] == [seconds]


def test_a_bank_that_is_gone_is_told_no_more_until_an_operator_resumes(
    embedded_aws: None, counted: Counted
) -> None:
    with bank_server(GONE, OK) as bank:
        matched(bank)
        gone = deliver()
        update()
        later = deliver()

        assert (gone, later, len(bank.heard)) == (0, 0, 1)
        kept = quarantine.list_day(NOON.date(), now=NOON)
        assert [(one.reason, one.sender) for one in kept] == [("endpoint_gone", BANK)] * 2
        assert network.get_connection(BANK, now=NOON).told_until == NOON

        network.resume_telling(BANK, now=NOON)
        replayed = replaying.replay_quarantine(NOON.date(), None, body=None, now=NOON)
        assert deliver() == 0

    assert (len(replayed.sent), replayed.refused) == (2, ())
    assert told(bank)[1:] == [("receipt.updated", 2)] * 2
    assert len({one.headers["webhook-id"] for one in bank.heard[1:]}) == 1
    assert reasons() == []


def test_a_bank_that_refuses_for_good_leaves_the_delivery_to_a_person(embedded_aws: None) -> None:
    with bank_server((422, {}, b"")) as bank:
        matched(bank)

        assert deliver() == 0

    assert reasons() == ["bank_refused"]
    assert waiting_on(queues.DELIVERIES) == 0


@pytest.mark.requirement("RCP-10")
def test_what_is_never_taken_ends_among_the_dead(skippable: None) -> None:
    with bank_server(AWAY) as bank:
        matched(bank)
        attempts = 0
        while ran := run_worker(queues.DELIVERIES).failed:
            attempts += len(ran)
            queue_time.skip(43_200)

    assert attempts == len(bank.heard) == 12
    assert (waiting_on(queues.DELIVERIES), dead_on(queues.DELIVERIES)) == (0, 1)


def test_a_slow_older_delivery_is_followed_by_the_newest_version(embedded_aws: None) -> None:
    with bank_server(OK) as bank:
        matched(bank)
        bank.holds_first = True
        slow = threading.Thread(target=deliver)
        slow.start()
        assert bank.holding.wait(10)
        update()  # Version 2 is written and told while version 1 is still on its way.
        assert deliver() == 0
        overtaken = told(bank)
        bank.go_on.set()
        slow.join(10)

    assert overtaken == [("receipt.updated", 2)]
    assert told(bank) == [
        ("receipt.updated", 2),
        ("receipt.matched", 1),
        ("receipt.updated", 2),
    ]


@pytest.mark.requirement("RCP-10")
@pytest.mark.parametrize("provider", list(Provider), ids=lambda one: one.value)
def test_the_same_delivery_twice_makes_one_receipt(embedded_aws: None, provider: Provider) -> None:
    with bank_server(OK) as bank:
        matched(bank, provider)
        deliver()
        paid = PAID[provider]
        replaying.replay_delivery(ConnectionId(paid.connection_id), paid.transaction, now=NOON)

        assert deliver() == 0

    first, again = bank.heard
    assert (first.method, first.target, first.body) == (again.method, again.target, again.body)
    assert first.headers.get("webhook-id") == again.headers.get("webhook-id")


def test_an_update_is_told_under_the_same_name(embedded_aws: None) -> None:
    with bank_server(OK) as bank:
        matched(bank)
        deliver()
        update()
        deliver()

    bodies = [json.loads(one.body) for one in bank.heard]
    assert told(bank) == [("receipt.matched", 1), ("receipt.updated", 2)]
    assert len({body["data"]["id"] for body in bodies}) == 1
    assert len({one.headers["webhook-id"] for one in bank.heard}) == 2


def test_starlings_own_name_of_the_receipt_goes_back_with_an_update(embedded_aws: None) -> None:
    answer = (200, {}, b'{"receiptUid": "b7d1a5ac-6a52-4a5a-8a55-f9d1e2c3b4a5"}')
    with bank_server(answer) as bank:
        matched(bank, Provider.STARLING)
        deliver()
        settled = changed(
            Provider.STARLING,
            {"content.status": "SETTLED", "content.settlementTime": "2026-11-20T11:58:00Z"},
        )
        signed(Provider.STARLING, settled).send()
        work()
        assert deliver() == 0

    first, update_told = (json.loads(one.body) for one in bank.heard)
    assert "receiptUid" not in first
    assert update_told["receiptUid"] == "b7d1a5ac-6a52-4a5a-8a55-f9d1e2c3b4a5"


def test_monzos_token_is_refreshed_once_and_the_receipt_told(embedded_aws: None) -> None:
    token = {"access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 21_600}
    answers = [(401, {}, b"{}"), (200, {}, json.dumps(token).encode()), OK]
    with bank_server(*answers) as bank:
        matched(bank, Provider.MONZO)

        assert deliver() == 0

    asked = [(one.method, one.target, one.headers.get("authorization")) for one in bank.heard]
    assert asked == [
        ("PUT", "/transaction-receipts", "Bearer access-1"),
        ("POST", "/oauth2/token", None),
        ("PUT", "/transaction-receipts", "Bearer access-2"),
    ]
    assert b"refresh_token=refresh-1" in bank.heard[1].body


@pytest.mark.requirement("LNK-14")
def test_a_consent_taken_back_at_monzo_keeps_the_delivery_for_later(
    embedded_aws: None, counted: Counted
) -> None:
    """The token is refused and so is its refresh: the person revoked us at the bank."""
    refused = (401, {}, b"{}")
    with bank_server(refused) as bank:
        matched(bank, Provider.MONZO)
        deliver()
        heard = len(bank.heard)
        paid = PAID[Provider.MONZO]
        payment_id = payment_id_of(ConnectionId("monzo"), paid.transaction)
        put_on(queues.DELIVERIES, encode(DeliveryMessage(payment_id, NoteKind.UPDATED, 1)))
        deliver()

    assert (heard, len(bank.heard)) == (2, 2)
    assert sorted(reasons()) == ["consent_suspended", "not_connected"]
    assert {one.sender for one in quarantine.list_day(NOON.date(), now=NOON)} == {"monzo"}
    assert counted["deliveries_dropped"] == 0


def test_what_is_told_follows_from_how_the_purchase_stands(embedded_aws: None) -> None:
    """A message of a withdrawal, replayed when the purchase has found another receipt."""
    with bank_server(OK) as bank:
        matched(bank)
        update()
        run_worker(queues.DELIVERIES)
        bank.heard.clear()
        put_on(queues.DELIVERIES, encode(DeliveryMessage(PAYMENT_ID, NoteKind.WITHDRAWN, 1)))

        assert deliver() == 0

    assert told(bank) == [("receipt.updated", 2)]


def test_a_delivery_waits_for_the_version_that_it_was_queued_for(skippable: None) -> None:
    """It is queued just before the purchase is written, so that no crash between loses it."""
    with bank_server(OK) as bank:
        matched(bank)
        run_worker(queues.DELIVERIES)
        bank.heard.clear()
        put_on(queues.DELIVERIES, encode(DeliveryMessage(PAYMENT_ID, NoteKind.UPDATED, 2)))
        early = deliver()
        update()
        queue_time.skip(60)

        assert (early, bank.heard) == (1, [])
        assert deliver() == 0
        assert set(told(bank)) == {("receipt.updated", 2)}


def test_a_member_who_left_is_told_of_no_more(embedded_aws: None, counted: Counted) -> None:
    with bank_server(OK) as bank:
        matched(bank)
        leaving.switch_off(Reference(LinkKind.USER, BANK, PAYER.user), now=NOON)

        assert deliver() == 0

    assert bank.heard == []
    assert counted["deliveries_dropped:member_left"] == 1


def _mend(found: dict[str, Any], **changes: Any) -> str:
    return json.dumps(found | changes)


@pytest.mark.parametrize("path", ["/v1/receipts", "/merchant"])
def test_a_mended_entry_of_a_till_goes_on_as_if_it_had_been_good(
    embedded_aws: None, path: str
) -> None:
    open_town(providers=(Provider.STANDARD,))
    flux = path == "/merchant"
    make = flux_sale if flux else till_receipt
    amount = "amount" if flux else "total_minor"
    good, bad = make(PAYER, "R-1"), make(PAYER, "R-2", **{amount: 1})
    assert send_receipts([good, bad], path=path).body["taken"] == 1
    work()
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)

    as_it_is = replaying.replay_quarantine(NOON.date(), None, body=None, now=NOON)
    body = _mend(json.loads(kept.body), **{amount: PAYER.minor})
    mended = replaying.replay_quarantine(NOON.date(), kept.quarantine_id, body=body, now=NOON)
    (message,) = run_worker(queues.RECEIPTS).bodies

    assert [refusal.code for _, refusal in as_it_is.refused] == ["total_mismatch"]
    assert (as_it_is.sent, len(mended.sent), reasons()) == ((), 1, [])
    assert '"R-2"' in message


def test_a_mended_entry_of_a_bank_becomes_its_payment(embedded_aws: None) -> None:
    open_town(providers=(Provider.FLUX_V1,))
    signed(Provider.FLUX_V1, changed(Provider.FLUX_V1, {"currency": "XAU"})).send()
    work()
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)

    still_bad = replaying.replay_quarantine(NOON.date(), None, body=None, now=NOON)
    body = _mend(json.loads(kept.body), currency="GBP")
    clock.use(lambda: NOON + timedelta(hours=1))
    mended = replaying.replay_quarantine(NOON.date(), kept.quarantine_id, body=body, now=NOON)

    assert [refusal.code for _, refusal in still_bad.refused] == ["unknown_currency"]
    assert still_bad.sent == ()
    assert (len(mended.sent), reasons()) == (1, [])
    assert waiting_on(queues.PAYMENTS) == 1
