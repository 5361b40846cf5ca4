"""The operator's command line: what was set aside is seen, mended and replayed."""

import json
from pathlib import Path

import pytest

from chalicelib.kernel.ids import ConnectionId
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.runtime import quarantine, queues
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.network import BAKERY
from tests.makers.operating import operate
from tests.makers.outside import run_worker, waiting_on, work
from tests.makers.signed_hooks import signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
DAY = "--day=2026-11-20"


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town("http://127.0.0.1:9", providers=(Provider.STANDARD,))


def bad_entry() -> quarantine.Quarantined:
    """One of two receipts has a wrong total and is set aside."""
    bad = till_receipt(PAYER, "R-2", total_minor=1)
    send_receipts([till_receipt(PAYER), bad])
    (kept,) = quarantine.list_day(NOON.date(), now=NOON)
    return kept


def test_lists_what_was_set_aside_without_what_was_in_it() -> None:
    kept = bad_entry()

    done = operate("list-quarantine", DAY)
    with_bodies = operate("list-quarantine", DAY, "--bodies", "--reason=ticket 4711, wrong totals")

    facts = f"{kept.quarantine_id}  tills  total_mismatch  total_minor  {BAKERY}  R-2\n"
    assert (done.exit_code, done.stdout) == (0, facts)
    assert "1 in quarantine on 2026-11-20." in done.stderr
    assert "Rye loaf" in with_bodies.stdout
    assert operate("list-quarantine", "--day=2026-11-19").stdout == ""


def test_replays_a_mended_message(tmp_path: Path) -> None:
    kept = bad_entry()
    work()
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(json.loads(kept.body) | {"total_minor": PAYER.minor}))

    refused = operate("replay-quarantine", DAY)
    done = operate("replay-quarantine", DAY, "--id", kept.quarantine_id, "--body", str(mended))

    assert (refused.exit_code, done.exit_code) == (1, 0)
    assert f"{kept.quarantine_id}: total_mismatch (total_minor)" in refused.stderr
    assert "0 replayed, 1 refused." in refused.stderr
    assert "1 replayed, 0 refused." in done.stderr
    (message,) = run_worker(queues.RECEIPTS).bodies
    assert json.loads(message)["receipts"][0]["reference"] == "R-2"
    assert quarantine.list_day(NOON.date(), now=NOON) == []


def test_a_mended_message_is_for_one_id(tmp_path: Path) -> None:
    mended = tmp_path / "mended.json"
    mended.write_text("{}")

    done = operate("replay-quarantine", DAY, "--body", str(mended))
    unknown = operate("replay-quarantine", DAY, "--id", "nobody")

    assert (done.exit_code, unknown.exit_code) == (2, 1)
    assert "nothing like that is in quarantine on 2026-11-20" in unknown.stderr


def test_replays_a_delivery_of_a_receipt_that_is_there() -> None:
    transaction = f"--transaction={PAYER.transaction}"
    signed(Provider.STANDARD).send()
    work()
    too_early = operate("replay-delivery", "--connection=standard", transaction)
    send_receipts(till_receipt(PAYER))
    work()
    assert waiting_on(queues.DELIVERIES) == 1

    done = operate("replay-delivery", "--connection=standard", transaction)
    foreign = operate("replay-delivery", "--connection=monzo", transaction)

    assert (too_early.exit_code, done.exit_code, foreign.exit_code) == (1, 0, 1)
    assert "no transaction of that id with a receipt" in too_early.stderr
    assert waiting_on(queues.DELIVERIES) == 2


def test_resumes_telling_a_bank() -> None:
    network.stop_telling(ConnectionId("standard"), now=NOON)

    done = operate("resume-telling", "--connection=standard")
    unknown = operate("resume-telling", "--connection=nobody")

    assert (done.exit_code, unknown.exit_code) == (0, 1)
    assert network.get_connection(ConnectionId("standard"), now=NOON).told_until is None
