"""Support joins and parts matches by hand: with a reason, written down first and kept."""

from collections.abc import Iterator

import pytest

from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.network.model import Provider
from chalicelib.purchases import reading
from chalicelib.purchases.model import Purchase
from chalicelib.purchases.reading import Missing, NoReceipt
from infra.local import queue_time
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.operating import WHY, accesses, operate
from tests.makers.outside import stored_rows, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BANK = ConnectionId("standard")
PAYMENT_ID = payment_id_of(BANK, PAYER.transaction)
OF_IT = ("--connection=standard", f"--transaction={PAYER.transaction}")
FORCE = ("force-match", *OF_IT, "--store=wharf-lane", "--reference=R-1")
REASON = WHY.removeprefix("--reason=")


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> Iterator[None]:
    restore = queue_time.rule()
    open_town(providers=(Provider.STANDARD,))
    yield
    restore()


def read(transaction: str = PAYER.transaction) -> Purchase | NoReceipt:
    return reading.find_receipt(BANK, transaction, now=NOON)


def purchase() -> Purchase:
    found = read()
    assert isinstance(found, Purchase)
    return found


def waits() -> None:
    """The till's clock is days off, the sum another, and the card too: nothing would join them."""
    signed(Provider.STANDARD).send()
    paper = till_receipt(PAYER, issued_at="2026-11-18T08:00:00Z")
    paper["tenders"][0]["auth_code"] = "Z9Y8X7"
    send_receipts(paper)
    work()
    work("gather")


@pytest.mark.requirement("SEC-06")
def test_joins_by_force_what_the_evidence_does_not_and_keeps_why() -> None:
    waits()

    done = operate(*FORCE, WHY)

    assert (done.exit_code, "matched: forced" in done.output) == (0, True), done.output
    reason = purchase().reason
    assert reason is not None
    assert (reason.why, reason.note, reason.probability) == ("forced", REASON, None)
    assert [(clue.what, clue.stand) for clue in reason.evidence] == [("auth_code", "differs")]
    assert accesses() == [("force-match", PAYMENT_ID, REASON)]


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize("reason", [(), ("--reason=because",)])
def test_does_nothing_without_a_reason(reason: tuple[str, ...]) -> None:
    waits()
    stored = stored_rows("tills", "wallets", "people", "cases")

    forced = operate(*FORCE, *reason)
    withdrawn = operate("withdraw-match", *OF_IT, *reason)

    assert (forced.exit_code, withdrawn.exit_code) == (1, 1)
    assert stored_rows("tills", "wallets", "people", "cases") == stored


def test_forced_again_it_is_the_same() -> None:
    waits()
    operate(*FORCE, WHY)
    stored = stored_rows("wallets", "tills")

    again = operate(*FORCE, WHY)

    assert again.exit_code == 0
    assert stored_rows("wallets", "tills") == stored


def test_no_hand_takes_what_another_payment_holds() -> None:
    waits()
    operate(*FORCE, WHY)
    other = changed(Provider.STANDARD, {"data.id": "ob-other"})
    signed(Provider.STANDARD, other, message_id="msg-2").send()
    work()
    stored = stored_rows("wallets", "tills")

    taken = operate(
        "force-match",
        "--connection=standard",
        "--transaction=ob-other",
        "--store=wharf-lane",
        "--reference=R-1",
        WHY,
    )

    assert (taken.exit_code, "belongs to another payment" in taken.output) == (1, True), (
        taken.output
    )
    assert stored_rows("wallets", "tills") == stored
    assert read("ob-other") == NoReceipt(Missing.PENDING)


def test_says_that_a_store_has_no_such_receipt() -> None:
    waits()

    unknown = operate("force-match", *OF_IT, "--store=wharf-lane", "--reference=R-404", WHY)

    assert (unknown.exit_code, "has no such receipt" in unknown.output) == (1, True), unknown.output


def test_a_payment_that_was_taken_back_gets_none() -> None:
    waits()
    back = changed(Provider.STANDARD, {"type": "payment.reversed"})
    signed(Provider.STANDARD, back, message_id="msg-2").send()
    work()

    refused = operate(*FORCE, WHY)

    assert (refused.exit_code, "is a refund" in refused.output) == (1, True), refused.output


def test_parts_what_is_wrong_and_keeps_why() -> None:
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()

    done = operate("withdraw-match", *OF_IT, WHY)
    again = operate("withdraw-match", *OF_IT, WHY)

    assert (done.exit_code, "waiting: not_mine" in done.output) == (0, True), done.output
    assert read() == NoReceipt(Missing.PENDING)
    assert (again.exit_code, "has no receipt" in again.output) == (1, True)
    assert [command for command, *_ in accesses()] == ["withdraw-match", "withdraw-match"]


def test_the_story_tells_of_both_and_shows_the_words_of_staff_for_a_reason_only() -> None:
    signed(Provider.STANDARD).send()
    send_receipts(till_receipt(PAYER))
    work()
    operate("withdraw-match", *OF_IT, "--reason=case 12: two people, one card")
    operate(*FORCE, "--reason=case 13: it was theirs after all")

    told = operate("trace", *OF_IT).output
    personal = operate("trace", *OF_IT, "--personal", WHY).output

    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "2026-11-20 12:00:00 withdrawn, version 2 by_staff" in lines
    assert "- why Support joined the two by hand." in lines
    assert "case 1" not in told
    assert "withdrawn by staff: case 12: two people, one card" in personal
    assert "joined by staff: case 13: it was theirs after all" in personal
