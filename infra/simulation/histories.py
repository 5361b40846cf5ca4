"""Histories: what is said to the platform, in which order, and what has to stand at the end.

Each is small, so that every fault and every pair of faults can be put into it. `orders` gives the
same inputs in other orders; whatever the order, the same has to stand at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import permutations

from chalicelib.banks.payments import PaymentEventKind
from chalicelib.ledger.model import Balances
from chalicelib.members.model import Reference
from chalicelib.runtime import queues
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


@dataclass(frozen=True, slots=True)
class Input:
    """What comes at `at_seconds` after noon: messages on `queue`, or a member who `leaves`.

    What `is_redrive` brings back what was given up on, as an operator does.
    """

    at_seconds: int
    name: str
    queue: str = ""
    bodies: tuple[str, ...] = ()
    leaves: Reference | None = None
    is_redrive: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """What has to stand of one payment at the end.

    - `receipt`: the reference of the receipt it holds, None for none.
    - `version`: of that receipt. `events`: what the bank told, by kind. `returns`: how many.
    - `refunded_minor`: what came back of what was paid, each refund once, in minor units.
    - `ended`: why it ended without a receipt; None where that is not asked about.
    """

    receipt: str | None
    events: tuple[str, ...] = ("authorised",)
    version: int = 1
    returns: int = 0
    refunded_minor: int = 0
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A history. `endings` is by transaction; where it `may_differ`, what ends there depends on
    who comes first, and only what may never be is checked.

    `quarantined` are the reasons for which messages of it belong into quarantine. Where it
    `may_settle_late`, it may end so only after the daily look.

    Of a history about rewards, `opens` is what the town has for it beside its receipts (given the
    time), and `owned` what members have in the journal at the end, by name, and `stamps`
    what is left on their cards. Faults come to the
    workers of the queues `disturbed` alone (none named: to all), and where it `is_ordered`, its
    inputs come in the given order only. Where `owners_differ`, who comes first has it.
    """

    name: str
    inputs: tuple[Input, ...]
    endings: Mapping[str, Ending]
    quarantined: frozenset[str] = frozenset()
    may_differ: bool = False
    may_settle_late: bool = False
    opens: Callable[[datetime], None] | None = None
    owned: Mapping[str, Balances] = field(default_factory=dict)
    stamps: Mapping[str, int] = field(default_factory=dict)
    disturbed: frozenset[str] = frozenset()
    is_ordered: bool = False
    owners_differ: bool = False

    def is_disturbed(self, queue: str) -> bool:
        """Whether the worker of `queue` may meet faults."""
        return not self.disturbed or queue in self.disturbed


def in_order(history: History, order: Sequence[int]) -> History:
    """`history` with its inputs in another order, at the same times."""
    times = [given.at_seconds for given in history.inputs]
    moved = (replace(history.inputs[i], at_seconds=at) for i, at in zip(order, times, strict=True))
    name = "-".join(history.inputs[i].name for i in order)
    return replace(history, name=f"{history.name}/{name}", inputs=tuple(moved))


def orders(history: History) -> Iterator[History]:
    """`history` in every order of its inputs, the order as given first."""
    if history.is_ordered:
        yield history
        return
    for order in permutations(range(len(history.inputs))):
        yield in_order(history, order)


def both_orders(history: History) -> Iterator[History]:
    """`history` as given, and the other way round."""
    if history.is_ordered:
        yield history
        return
    count = len(history.inputs)
    yield in_order(history, range(count))
    yield in_order(history, range(count - 1, -1, -1))


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
