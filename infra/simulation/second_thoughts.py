"""Histories in which what was joined is taken back, named by hand, or given back for money.

What people say of a match comes over the API (`asking`), whatever comes of it: a bank's app that
gets no answer, or hears that there is no such receipt, asks again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.kernel.cards import CardFacts
from chalicelib.runtime import queues
from infra.simulation.asking import ASKS, Asked
from infra.simulation.histories import SECONDS_APART
from infra.simulation.history import Ending, History, Input
from infra.simulation.town import (
    ADA,
    BELA,
    NOON,
    Person,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
    then,
)

OURS, OF_ANOTHER = "4K7Q2X", "9Z1B4C"
_OFF = timedelta(hours=1)  # As far as a till's clock is off whose receipts nothing matches.
_GATHERED_SECONDS = 400  # By then whatever was sent has been seen, and what fits by time is joined.


def _history(
    name: str, endings: Mapping[str, Ending], *given: Input, afterwards: Sequence[Input] = ()
) -> History:
    """What is `given` comes soon after the sale; `afterwards`, once all receipts have been seen."""
    soon = [at * SECONDS_APART + 21 for at in range(len(given))]
    later = [_GATHERED_SECONDS + at * SECONDS_APART for at in range(len(afterwards))]
    times = zip((*given, *afterwards), (*soon, *later), strict=True)
    placed = (replace(one, at_seconds=at) for one, at in times)
    return History(name, tuple(placed), endings)


def _told(name: str, event: PaymentEvent) -> Input:
    return Input(0, name, queues.PAYMENTS, (payment_message(event),))


def _sent(name: str, message: str) -> Input:
    return Input(0, name, queues.RECEIPTS, (message,))


def _asked(
    name: str, person: Person, handler: str, body: Mapping[str, object], transaction: str = "t-1"
) -> Input:
    asked = Asked(
        handler,
        person.bank,
        {"transaction": transaction},
        json=json.dumps(body),
        user=person.anchor.value,
    )
    return Input(0, name, ASKS, (asked.to_body(),))


def not_mine(person: Person = ADA) -> Input:
    """The bank's app says that the receipt of `t-1` is not its user's."""
    return _asked("not_mine", person, "say_not_mine", {"version": 1})


def not_mine_of(person: Person, number: int) -> Input:
    """The bank's app says so of `t-<number>`."""
    return _asked(f"not_mine{number}", person, "say_not_mine", {"version": 1}, f"t-{number}")


def _mine(person: Person = ADA) -> Input:
    return _asked("mine", person, "say_this_is_mine", {"reference": "R-1"})


def contradicted() -> History:
    """A match on time and amount, until the clearing says that it was another card's: the receipt
    goes to the payment whose card it names. What a worker claimed before it died stands an hour.
    """
    auth = paid(ADA, "t-1")
    clearing = replace(then(auth, PaymentEventKind.CLEARED), card=CardFacts(auth_code=OF_ANOTHER))
    history = _history(
        "contradicted",
        {
            "t-1": Ending(None, events=("authorised", "cleared")),
            "t-2": Ending("R-1"),
        },
        _told("auth", auth),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        afterwards=(_told("bela", paid(BELA, "t-2", code=OURS)), _told("clearing", clearing)),
    )
    return replace(history, may_settle_late=True)


def disowned(person: Person = ADA) -> History:
    """Who paid says that the receipt is not theirs; it stays away, whatever agrees."""
    return _history(
        f"disowned-{person.name}",
        {"t-1": Ending(None)},
        _told("auth", paid(person, "t-1", code=OURS)),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        not_mine(person),
    )


def passed_on() -> History:
    """Who got the receipt first says that it is not theirs; the next gets it."""
    return _history(
        "passed_on",
        {"t-1": Ending(None), "t-2": Ending("R-1")},
        _told("auth", paid(ADA, "t-1")),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        afterwards=(_told("bela", paid(BELA, "t-2", code=OURS)), not_mine()),
    )


def said_mine(person: Person = ADA) -> History:
    """A till's clock is an hour off: nothing matches its receipt, until who paid names it."""
    return _history(
        f"said_mine-{person.name}",
        {"t-1": Ending("R-1")},
        _told("auth", paid(person, "t-1")),
        _sent("receipt", receipts_message(sale("R-1", at=NOON + _OFF))),
        _mine(person),
    )


def changed_mind() -> History:
    """Who paid says that it is not theirs, and then that it is. Who says so last is right."""
    history = _history(
        "changed_mind",
        {"t-1": Ending("R-1")},
        _told("auth", paid(ADA, "t-1", code=OURS)),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        not_mine(),
        _mine(),
    )
    return replace(history, may_differ=True)


def refunded() -> History:
    """A payment, its receipt, and the money given back, as the bank says by itself."""
    auth = paid(ADA, "t-1", code=OURS)
    refund = replace(then(auth, PaymentEventKind.REFUNDED), transaction_id="t-1r", refers_to="t-1")
    return _history(
        "refunded",
        {"t-1": Ending("R-1", events=("authorised", "refunded"), refunded_minor=420)},
        _told("auth", auth),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        _told("refund", refund),
    )


def given_back(*, is_return_first: bool) -> History:
    """A sale, a return of it, and its money, of which the bank does not say what it is for."""
    auth, sold = paid(ADA, "t-1", code=OURS), sale("R-1", code=OURS)
    returned = _sent("return", receipts_message(return_of(sold, "B-1")))
    refund = _told("refund", _refund(auth))
    last = (returned, refund) if is_return_first else (refund, returned)
    return _history(
        "return_then_refund" if is_return_first else "refund_then_return",
        {
            "t-1": Ending("R-1", returns=1, refunded_minor=420),
            "t-1r": Ending(None, events=("refunded",), ended="refund_linked"),
        },
        _told("auth", auth),
        _sent("receipt", receipts_message(sold)),
        *last,
    )


def refund_named_late() -> History:
    """The bank tells of one refund twice: first without the purchase it gives back, then with."""
    auth = paid(ADA, "t-1", code=OURS)
    refund = _refund(auth)
    named = replace(refund, refers_to="t-1", digest=f"{refund.digest} named")
    return _history(
        "refund_named_late",
        {
            "t-1": Ending("R-1", events=("authorised", "refunded"), refunded_minor=420),
            "t-1r": Ending(None, events=("refunded",), ended="refund_linked"),
        },
        _told("auth", auth),
        _sent("receipt", receipts_message(sale("R-1", code=OURS))),
        _told("refund", refund),
        _told("named", named),
    )


def _refund(auth: PaymentEvent) -> PaymentEvent:
    """All of it comes back, as a transaction of its own. A refund says nothing of an auth code."""
    refund = then(auth, PaymentEventKind.REFUNDED)
    made_at = auth.made_at + timedelta(seconds=20)
    return replace(
        refund,
        transaction_id=f"{auth.transaction_id}r",
        made_at=made_at,
        occurred_at=made_at,
        digest=f"{refund.digest} alone",
        card=CardFacts(),
    )
