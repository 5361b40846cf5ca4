"""A deployment in the middle of it all: today's code on the rows and messages of a release before.

And the other way round: rows and messages of a later release, which know more than today's code.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import aws, clock, quarantine, queues, settings
from infra import replaying
from tests.makers import frozen
from tests.makers.bank_server import BankServer, bank_server
from tests.makers.frozen import ask_as, captured, kinds, live, read_release, restored
from tests.makers.journeys import NOON, PAID
from tests.makers.outside import Counted, dead_on, put_on, run_worker, waiting_on, work

pytestmark = pytest.mark.stores

every_release = pytest.mark.parametrize("release", frozen.RELEASES, ids=lambda path: path.stem)

ALL_QUEUES = (queues.PAYMENTS, queues.RECEIPTS, queues.GATHER)


def receipt_of(provider: Provider) -> str:
    """The reference of the receipt that the provider's bank gets, or why there is none."""
    said = ask_as(provider, "GET", f"/v1/transactions/{PAID[provider].transaction}/receipt")
    reference: str = said.body["receipt"]["reference"] if said.status == 200 else said.body["code"]
    return reference


def reconnect(bank: BankServer) -> None:
    """Let every connection of the release reach its bank, which is not where it was."""
    for paid in PAID.values():
        connection = network.get_connection(ConnectionId(paid.connection_id), now=NOON)
        at = {
            name: getattr(connection, name).replace(frozen.BANK_AWAY, bank.url)
            for name in ("api_url", "told_at_url")
        }
        network.record_connection(replace(connection, **at), now=NOON)
    network.forget()


def test_the_frozen_release_holds_every_kind_of_row_and_message(embedded_aws: None) -> None:
    live()
    now_written = captured()
    if os.environ.get("FREEZE_RELEASE"):
        text = json.dumps(now_written, indent=1, sort_keys=True)
        frozen.NEWEST.write_text(text + "\n")

    assert kinds(now_written) == kinds(read_release())


@every_release
def test_goes_on_where_the_release_before_stopped(
    embedded_aws: None, counted: Counted, release: Path
) -> None:
    clock.use(lambda: NOON)
    restored(read_release(release))
    before = {provider: receipt_of(provider) for provider in Provider}

    with bank_server() as bank:
        reconnect(bank)
        work(*ALL_QUEUES)
        after = {provider: receipt_of(provider) for provider in Provider}
        while run_worker(queues.DELIVERIES).bodies:
            pass

    had = {frozen.MATCHED, frozen.SETTLED}
    assert {p for p, found in before.items() if found == f"R-{p.value}"} == had
    assert {found for p, found in before.items() if p not in had} == {"PENDING", "NOT_SUPPORTED"}
    assert after == {provider: f"R-{provider.value}" for provider in Provider}
    assert len(bank.heard) == len(Provider)
    assert [dead_on(name) for name in (*ALL_QUEUES, queues.DELIVERIES)] == [0] * 4
    assert (waiting_on(queues.DELIVERIES), counted["quarantined"]) == (0, 0)


@every_release
def test_knows_returns_members_and_quarantine_of_the_release_before(
    embedded_aws: None, release: Path
) -> None:
    clock.use(lambda: NOON)
    restored(read_release(release))
    work(*ALL_QUEUES)

    early = ask_as(
        frozen.RETURNED_EARLY,
        "GET",
        f"/v1/transactions/{PAID[frozen.RETURNED_EARLY].transaction}/receipt",
    )
    member = ask_as(frozen.MATCHED, "GET", f"/v1/members/{PAID[frozen.MATCHED].user}")
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)
    body = json.dumps(json.loads(kept.body) | {"total_minor": PAID[frozen.MATCHED].minor})
    mended = replaying.replay_quarantine(NOON.date(), kept.quarantine_id, body=body, now=NOON)
    left = ask_as(frozen.MATCHED, "DELETE", f"/v1/members/{PAID[frozen.MATCHED].user}")

    assert early.body["receipt"]["lines"][0]["returned_quantity"] == "1"
    assert (member.status, member.body["accounts"]) == (200, 1)
    assert (kept.reason, len(mended.sent)) == ("total_mismatch", 1)
    assert left.status == 204
    assert receipt_of(frozen.MATCHED) == "NOT_SUPPORTED"


def of_a_later_release(release: dict[str, Any]) -> dict[str, Any]:
    """The same as a later release writes it: an attribute more in each row, a field in each
    message.
    """
    tables = {
        table: [item | {"mood": {"S": "sunny"}, "weather": {"N": "21"}} for item in items]
        for table, items in release["tables"].items()
    }
    queued = {
        name: [json.dumps(json.loads(body) | {"mood": "sunny", "trace": {"a": [1]}}) for body in at]
        for name, at in release["queues"].items()
    }
    return release | {"tables": tables, "queues": queued}


def test_reads_rows_and_messages_that_know_more_than_this_code(
    embedded_aws: None, counted: Counted
) -> None:
    clock.use(lambda: NOON)
    restored(of_a_later_release(read_release()))

    work(*ALL_QUEUES)

    assert {p: receipt_of(p) for p in Provider} == {p: f"R-{p.value}" for p in Provider}
    assert counted["quarantined"] == 0


def moody(table: str, sk: str) -> set[bool]:
    """Whether rows of `table` whose sort key begins with `sk` kept what a later release wrote."""
    items = aws.client("dynamodb").scan(TableName=settings.table(table))["Items"]
    return {"mood" in item for item in items if item["sk"]["S"].startswith(sk)}


def moody_purchases() -> set[str]:
    """The sort keys of the purchases that kept it."""
    items = aws.client("dynamodb").scan(TableName=settings.table("wallets"))["Items"]
    purchases = {item["sk"]["S"] for item in items if "mood" in item}
    return {sk for sk in purchases if sk.startswith("purchase#")}


def test_what_a_change_keeps_and_what_a_rewrite_forgets(embedded_aws: None) -> None:
    """Why a field is written one release after all code knows it: see decision 0037.

    A purchase is changed in place. A payment and a member's head are written whole.
    """
    clock.use(lambda: NOON)
    restored(of_a_later_release(read_release()))
    paid = PAID[frozen.MATCHED]
    cleared = frozen.clearing_of(frozen.MATCHED)
    before = moody("wallets", "purchase#"), moody("wallets", "head"), moody("people", "payment")
    purchases = moody_purchases()

    cleared.send()
    work(queues.PAYMENTS)
    switched = ask_as(frozen.MATCHED, "DELETE", f"/v1/members/{paid.user}")

    assert before == ({True}, {True}, {True})
    assert switched.status == 204
    assert len(purchases) > 0
    assert moody_purchases() == purchases
    assert moody("wallets", "head") == {True, False}
    assert moody("people", "payment") == {True, False}


@pytest.mark.parametrize("kind", ["a_word_of_tomorrow", "payment_"])
def test_a_message_of_a_kind_that_this_code_does_not_know_is_kept_for_the_next(
    embedded_aws: None, kind: str
) -> None:
    clock.use(lambda: NOON)
    body = json.dumps({"kind": kind, "v": 2, "payment_id": "p-1"})
    put_on(queues.PAYMENTS, body)

    ran = run_worker(queues.PAYMENTS)
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)
    replayed = replaying.replay_quarantine(NOON.date(), kept.quarantine_id, body=None, now=NOON)

    assert (ran.failed, kept.body, kept.reason) == ((), body, "malformed")
    assert (len(replayed.sent), waiting_on(queues.PAYMENTS)) == (1, 1)
