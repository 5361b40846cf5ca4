"""The story of a payment and another look at a day, at the operator's terminal."""

from datetime import timedelta

import pytest

from chalicelib.kernel.ids import ConnectionId, payment_id_of
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.model import Provider
from chalicelib.privacy import leaving
from chalicelib.purchases.messages import DeliveryMessage, NoteKind, encode
from chalicelib.runtime import clock, quarantine, queues
from chalicelib.tills import native_reading
from chalicelib.tills import service as tills
from chalicelib.tills.placing import place
from tests.makers.calls import counting_aws_calls
from tests.makers.journeys import NOON, PAID, open_town, send_receipts, till_receipt
from tests.makers.network import BAKERY
from tests.makers.operating import WHY, accesses, bury, operate
from tests.makers.outside import waiting_on, work
from tests.makers.signed_hooks import changed, signed

pytestmark = pytest.mark.stores

PAYER = PAID[Provider.STANDARD]
BANK = ConnectionId("standard")
PAYMENT_ID = payment_id_of(BANK, PAYER.transaction)
TRACE = ("trace", "--connection=standard", f"--transaction={PAYER.transaction}")
USER = Reference(LinkKind.USER, BANK, PAYER.user)
PERSONAL = ("Rye loaf", "Flat white", "21.30", "MID-BL-0042", "BEAN & LEAF", PAYER.transaction)
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "SendMessageBatch"}


@pytest.fixture(autouse=True)
def town(embedded_aws: None) -> None:
    open_town("http://127.0.0.1:9", providers=(Provider.STANDARD,))


def member_id() -> str:
    return members.get_member(USER, now=NOON).member_id


def steps(*more: str) -> list[list[str]]:
    """What the command tells, cell by cell."""
    done = operate(*TRACE, *more)
    assert done.exit_code == 0, done.stderr
    return [line.split("  ") for line in done.stdout.splitlines()]


RECEIVED = [
    ["-", "heard from the bank", "authorised"],
    ["-", "payment authorised", "connection standard"],
]


def test_tells_of_a_payment_that_waits_what_a_look_would_say() -> None:
    signed(Provider.STANDARD).send()
    work()
    clock.use(lambda: NOON + timedelta(hours=1))

    with counting_aws_calls() as made:
        told = steps()

    assert told == [
        ["2026-11-20 12:00:00", "first seen", f"member {member_id()}"],
        *RECEIVED,
        ["2026-11-20 12:00:00", "waits", "until 2026-11-27 12:00"],
        ["2026-11-20 13:00:00", "a look now would wait", "no_receipt_yet"],
        ["-", "why", "No receipt that fits has come."],
        ["-", "would decide it", "The receipt, once the shop sends it."],
        [
            "-",
            "would decide it",
            "The number or barcode on the paper receipt, from the person who paid.",
        ],
    ]
    assert WRITES & set(made) == set()


def test_tells_of_a_match_why_and_what_holds_it() -> None:
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()

    told = steps()

    assert told[1:3] == RECEIVED
    matched, why, claim, purchase = told[3:]
    assert matched[:2] == ["2026-11-20 12:00:00", "matched"]
    assert matched[2].startswith("card_facts_agree by posterior-1: ")
    assert matched[2].endswith("; -1 s apart")
    assert why == ["-", "why", "What the bank and the till say of the card is the same."]
    assert claim[2].endswith(": held by it")
    assert purchase == ["-", "purchase", "version 1"]


def test_finds_what_of_it_is_set_aside_or_dead() -> None:
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()
    delivery = encode(DeliveryMessage(PAYMENT_ID, NoteKind.MATCHED, 1))
    other = encode(DeliveryMessage(payment_id_of(BANK, "another"), NoteKind.MATCHED, 1))
    refusal = NotAllowed("it is gone", code="endpoint_gone")
    for body in (delivery, other):
        kept = quarantine.keep("deliveries", body, refusal, sender="deliveries", now=NOON)
    letter, _ = bury(queues.DELIVERIES, delivery, other)
    kept = quarantine.keep("deliveries", delivery, refusal, sender="deliveries", now=NOON)

    told = steps()[7:]

    assert told[0] == ["2026-11-20 12:00:00", "in quarantine, deliveries", f"endpoint_gone: {kept}"]
    assert [step[1:] for step in told[1:]] == [["dead letter of deliveries", letter]]


def test_tells_of_an_entry_that_never_became_a_payment() -> None:
    broken = changed(Provider.STANDARD, {"data.amount": "much"})
    signed(Provider.STANDARD, broken).send()
    refusal = NotAllowed("it breaks a rule", code="shape")
    kept = quarantine.keep(
        "hooks", "{}", refusal, sender="standard", name=PAYER.transaction, now=NOON
    )

    told = steps()

    assert told == [
        ["-", "not recorded", "-"],
        ["2026-11-20 12:00:00", "in quarantine, hooks", f"shape: {kept}"],
    ]


def test_tells_nothing_of_who_left_but_that_they_did() -> None:
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()
    left = member_id()
    leaving.switch_off(USER, now=NOON)

    told = steps()

    assert told == [
        ["2026-11-20 12:00:00", "first seen", f"member {left}"],
        ["-", "member left", "nothing of it is read or told"],
    ]


@pytest.mark.requirement("SEC-06")
def test_shows_nothing_personal_but_for_a_reason() -> None:
    send_receipts(till_receipt(PAYER))
    signed(Provider.STANDARD).send()
    work()

    plain = operate(*TRACE)
    refused = operate(*TRACE, "--personal")
    shown = operate(*TRACE, "--personal", WHY)

    said = plain.stdout + plain.stderr + refused.stdout + refused.stderr
    assert [value for value in PERSONAL if value in said] == []
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert [value for value in PERSONAL if value not in shown.stdout] == [PAYER.transaction]
    assert accesses() == [("trace", PAYMENT_ID, WHY.removeprefix("--reason="))]


def test_finds_a_payment_by_the_id_that_logs_give() -> None:
    signed(Provider.STANDARD).send()
    work()

    done = operate("trace", f"--payment={PAYMENT_ID}")

    assert done.stdout == operate(*TRACE).stdout
    assert f'filter keys.payment = "{PAYMENT_ID}"' in done.stderr


def test_says_plainly_that_nothing_is_known() -> None:
    unknown = operate("trace", "--connection=standard", "--transaction=nobody")
    unsaid = operate("trace", "--connection=standard")

    assert (unknown.exit_code, unsaid.exit_code) == (1, 2)
    assert "nothing is known of that payment" in unknown.stderr


def pay(transaction: str, minor: int) -> None:
    body = changed(
        Provider.STANDARD,
        {"data.id": transaction, "data.amount.minor": minor, "data.local_amount": None},
    )
    signed(Provider.STANDARD, body, message_id=transaction).send()


def put_on_a_page(minor: int) -> None:
    """A receipt of `minor` lies on its page, and nobody was told."""
    sold = till_receipt(PAYER, total_minor=minor)
    sold["lines"] = [{"line_id": "1", "description": "Rye loaf", "amount_minor": minor}]
    sold["tenders"] = [{"kind": "card", "amount_minor": minor, "auth_code": PAYER.auth_code}]
    receipt = place(native_reading.read_one(sold)[0], BAKERY, now=NOON)
    tills.keep_on_pages(network.get_store(receipt.store_id, now=NOON), [receipt], now=NOON)


def test_looks_again_at_a_day_and_says_what_came_of_it() -> None:
    pay("t-1", 700)
    pay("t-2", 900)
    work(queues.PAYMENTS)
    put_on_a_page(700)

    done = operate("rematch", "--store=wharf-lane", "--day=2026-11-20")

    assert done.exit_code == 0
    assert sorted(done.stdout.splitlines()) == [
        "matched  card_facts_agree  1",
        "waits  receipt_taken  1",
    ]
    assert "1 of 2 payments found their receipt." in done.stderr
    assert waiting_on(queues.DELIVERIES) == 1


def test_says_plainly_that_nothing_waits() -> None:
    no_store = operate("rematch", "--store=nowhere", "--day=2026-11-20")
    no_day = operate("rematch", "--store=wharf-lane", "--day=2026-11-20")

    assert (no_store.exit_code, no_day.exit_code) == (1, 1)
    assert "there is no such store" in no_store.stderr
    assert "no payment of 2026-11-20 waits at wharf-lane" in no_day.stderr
