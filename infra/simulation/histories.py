"""Histories: what is said to the platform, in which order, and what has to stand at the end.

Each is small, so that every fault and every pair of faults can be put into it. `orders` gives the
same inputs in other orders; whatever the order, the same has to stand at the end.
"""

from dataclasses import replace

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.runtime import queues
from infra.simulation.history import Ending, History, Input
from infra.simulation.town import (
    ADA,
    BELA,
    CLEO,
    CORRECTED,
    Person,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
    then,
)

SECONDS_APART = 2


def _inputs(*given: tuple[str, str, tuple[str, ...]]) -> tuple[Input, ...]:
    return tuple(
        Input(at * SECONDS_APART + 21, name, queue, bodies)
        for at, (name, queue, bodies) in enumerate(given)
    )


def lone(person: Person = ADA) -> History:
    """A payment with an auth code and its receipt, alone."""
    auth, sold = paid(person, "t-1", code="4K7Q2X"), sale("R-1", code="4K7Q2X")
    return History(
        f"lone-{person.name}",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sold),)),
        ),
        {"t-1": Ending("R-1")},
    )


def batch() -> History:
    """A payment and a batch of six receipts, five of them strangers'."""
    strangers = [sale(f"S-{n}", minor=500 + n) for n in range(5)]
    history = lone()
    receipts = receipts_message(*strangers, sale("R-1", code="4K7Q2X"))
    batched = replace(history.inputs[1], bodies=(receipts,))
    return replace(history, name="batch", inputs=(history.inputs[0], batched))


def cleared() -> History:
    """A payment that is authorised and then cleared, and its receipt."""
    auth = paid(ADA, "t-1", code="4K7Q2X")
    clearing = then(auth, PaymentEventKind.CLEARED)
    return History(
        "cleared",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("clearing", queues.PAYMENTS, (payment_message(clearing),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1", code="4K7Q2X")),)),
        ),
        {"t-1": Ending("R-1", events=("authorised", "cleared"))},
    )


def corrected(person: Person = ADA) -> History:
    """A payment, its receipt, and a corrected version of that."""
    auth = paid(person, "t-1", code="4K7Q2X")
    first = sale("R-1", code="4K7Q2X")
    second = sale("R-1", code="4K7Q2X", version=2, what=CORRECTED)
    return History(
        f"corrected-{person.name}",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("receipt", queues.RECEIPTS, (receipts_message(first),)),
            ("corrected", queues.RECEIPTS, (receipts_message(second),)),
        ),
        {"t-1": Ending("R-1", version=2)},
    )


def returned() -> History:
    """A payment, its receipt, and everything brought back."""
    sold = sale("R-1", code="4K7Q2X")
    return History(
        "returned",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(paid(ADA, "t-1", code="4K7Q2X")),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sold),)),
            ("return", queues.RECEIPTS, (receipts_message(return_of(sold, "R-2")),)),
        ),
        {"t-1": Ending("R-1", returns=1)},
    )


def reversed_soon() -> History:
    """A payment that is reversed, and its receipt. Reversed first, it ends without one."""
    auth = paid(ADA, "t-1", code="4K7Q2X")
    reversal = then(auth, PaymentEventKind.REVERSED)
    return History(
        "reversed",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1", code="4K7Q2X")),)),
            ("reversal", queues.PAYMENTS, (payment_message(reversal),)),
        ),
        {"t-1": Ending("R-1", events=("authorised", "reversed"))},
        may_differ=True,
    )


def leaving(person: Person = ADA) -> History:
    """A payment, its receipt, and the member leaves.

    A delivery that is under way then finds no access to Monzo's API any more.
    """
    history = lone(person)
    left = Input(2 * SECONDS_APART + 21, "leaves", leaves=person.anchor)
    inputs = (*history.inputs, left)
    return replace(
        history,
        name=f"leaving-{person.name}",
        inputs=inputs,
        quarantined=frozenset({"not_connected"}),
        may_differ=True,
    )


def busy() -> History:
    """Everything at once: cleared, corrected and refunded within seconds."""
    auth = paid(ADA, "t-1", code="4K7Q2X")
    refund = replace(then(auth, PaymentEventKind.REFUNDED), transaction_id="t-1r", refers_to="t-1")
    clearing = then(auth, PaymentEventKind.CLEARED)
    second = sale("R-1", code="4K7Q2X", version=2, what=CORRECTED)
    return History(
        "busy",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1", code="4K7Q2X")),)),
            ("clearing", queues.PAYMENTS, (payment_message(clearing),)),
            ("refund", queues.PAYMENTS, (payment_message(refund),)),
            ("corrected", queues.RECEIPTS, (receipts_message(second),)),
        ),
        {
            "t-1": Ending(
                "R-1",
                events=("authorised", "cleared", "refunded"),
                version=2,
                refunded_minor=420,
            )
        },
    )


def repeated() -> History:
    """Everything said twice, and the second time in one breath."""
    history = lone()
    auth, receipt = history.inputs
    again = replace(auth, name="auths", bodies=auth.bodies * 2)
    twice = replace(receipt, name="receipts", bodies=receipt.bodies * 2)
    return replace(history, name="repeated", inputs=(again, twice))


def weak() -> History:
    """A payment and a receipt without card facts: it has to wait until no other can come."""
    return History(
        "weak",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(paid(ADA, "t-1")),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1")),)),
        ),
        {"t-1": Ending("R-1")},
    )


def rivals() -> History:
    """Two members' payments that one receipt fits alike."""
    return History(
        "rivals",
        _inputs(
            ("ada", queues.PAYMENTS, (payment_message(paid(ADA, "t-1", code="4K7Q2X")),)),
            ("bela", queues.PAYMENTS, (payment_message(paid(BELA, "t-2", code="4K7Q2X")),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1", code="4K7Q2X")),)),
        ),
        {"t-1": Ending(None), "t-2": Ending(None)},
        may_differ=True,
    )


def conflicting() -> History:
    """The bank tells the same event with another amount, the till the same receipt."""
    auth = paid(ADA, "t-1", code="4K7Q2X")
    other = replace(paid(ADA, "t-1", minor=999, code="4K7Q2X"), digest="another digest")
    return History(
        "conflicting",
        _inputs(
            ("auth", queues.PAYMENTS, (payment_message(auth),)),
            ("receipt", queues.RECEIPTS, (receipts_message(sale("R-1", code="4K7Q2X")),)),
            ("other", queues.PAYMENTS, (payment_message(other),)),
        ),
        {"t-1": Ending("R-1")},
        quarantined=frozenset({"conflicting_payment"}),
        may_differ=True,
    )


def two() -> History:
    """Two members, two payments, two receipts in one batch."""
    sales = (sale("R-1", code="4K7Q2X"), sale("R-2", minor=777, code="9Z1B4C"))
    return History(
        "two",
        _inputs(
            ("ada", queues.PAYMENTS, (payment_message(paid(ADA, "t-1", code="4K7Q2X")),)),
            (
                "cleo",
                queues.PAYMENTS,
                (payment_message(paid(CLEO, "t-2", minor=777, code="9Z1B4C")),),
            ),
            ("receipts", queues.RECEIPTS, (receipts_message(*sales),)),
        ),
        {"t-1": Ending("R-1"), "t-2": Ending("R-2")},
    )
