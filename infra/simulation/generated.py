"""Histories drawn from a seed: members, payments, receipts, and everything that follows them, in
any order, early, late and twice; and faults anywhere. The same seed gives the same schedule.
"""

import random
from dataclasses import replace

from chalicelib.banks.payments import PaymentEvent, PaymentEventKind
from chalicelib.runtime import queues
from infra.simulation.faults import Fault, Kind
from infra.simulation.history import Ending, History, Input
from infra.simulation.town import (
    CORRECTED,
    PEOPLE,
    Person,
    paid,
    payment_message,
    receipts_message,
    return_of,
    sale,
    then,
)

PREFIX = "seed-"
PAYMENTS_MAX = 4
STRANGERS_MAX = 7
FAULTS_MAX = 6
RUNS_WITH_FAULTS = 14
CALLS_WITH_FAULTS = 10
SPREAD_SECONDS = 240  # Longer than a message is hidden, so that what died comes back in between.
_AWS_FAULTS = tuple(kind for kind in Kind if not kind.value.startswith("bank"))


def generate(seed: int) -> tuple[History, tuple[Fault, ...]]:
    """The history of `seed` and the faults that are put into it."""
    chance = random.Random(seed)
    said: list[tuple[str, str]] = []
    endings: dict[str, Ending] = {}
    for number in range(1, chance.randint(1, PAYMENTS_MAX) + 1):
        told, ending = _purchase(chance, chance.choice(PEOPLE), number)
        said += told
        endings[f"t-{number}"] = ending
    for number in range(chance.randint(0, STRANGERS_MAX)):
        said.append((queues.RECEIPTS, receipts_message(sale(f"S-{number}", minor=9000 + number))))
    said += [one for one in said if chance.random() < 0.2]
    chance.shuffle(said)
    inputs = _spread(chance, said)
    leaver = chance.choice(PEOPLE) if chance.random() < 0.15 else None
    if leaver is not None:
        inputs.append(Input(chance.randint(21, SPREAD_SECONDS), "leaves", leaves=leaver.anchor))
    inputs.sort(key=lambda given: given.at_seconds)
    history = History(f"{PREFIX}{seed}", tuple(inputs), endings, may_differ=leaver is not None)
    return history, _faults(chance)


def _purchase(
    chance: random.Random, person: Person, number: int
) -> tuple[list[tuple[str, str]], Ending]:
    """What is said of one payment, and how it has to end. Amounts differ, so that none is a rival.

    A receipt is corrected or returned in whole, not both: a correction of what was brought back
    says something else in each order.
    """
    minor = 400 + 11 * number
    code = f"C{number}K7Q2" if chance.random() < 0.7 else None
    auth = paid(person, f"t-{number}", minor=minor, code=code)
    events, back = [auth], 0
    if chance.random() < 0.5:
        events.append(then(auth, PaymentEventKind.CLEARED))
    if chance.random() < 0.25:
        events.append(_refund(auth))
        back = minor
    told = [(queues.PAYMENTS, payment_message(event)) for event in events]
    keys = tuple(event.event_key for event in events)
    if chance.random() < 0.15:
        return told, Ending(None, events=keys, refunded_minor=back)
    sold = sale(f"R-{number}", minor=minor, code=code)
    receipts, version, returns = [sold], 1, 0
    match chance.randint(0, 4):
        case 0:
            version = 2
            corrected = sale(sold.reference, minor=minor, code=code, version=2, what=CORRECTED)
            receipts.append(corrected)
        case 1:
            returns = 1
            receipts.append(return_of(sold, f"B-{number}"))
    told += [(queues.RECEIPTS, receipts_message(receipt)) for receipt in receipts]
    ending = Ending(
        f"R-{number}", events=keys, version=version, returns=returns, refunded_minor=back
    )
    return told, ending


def _refund(auth: PaymentEvent) -> PaymentEvent:
    refund = then(auth, PaymentEventKind.REFUNDED)
    return replace(refund, transaction_id=f"{auth.transaction_id}r", refers_to=auth.transaction_id)


def _spread(chance: random.Random, said: list[tuple[str, str]]) -> list[Input]:
    """Each at its time; some of one queue in one breath."""
    return [
        Input(chance.randint(21, SPREAD_SECONDS), f"{queue}-{at}", queue, (body,))
        for at, (queue, body) in enumerate(said)
    ]


def _faults(chance: random.Random) -> tuple[Fault, ...]:
    """Up to six, at places that may or may not be reached; one worker freezes at most."""
    drawn: dict[tuple[int, int], Fault] = {}
    for _ in range(chance.randint(1, FAULTS_MAX)):
        run, call = chance.randint(1, RUNS_WITH_FAULTS), chance.randint(1, CALLS_WITH_FAULTS)
        drawn[run, call] = Fault(run, call, chance.choice(_AWS_FAULTS))
    frozen = [key for key, fault in drawn.items() if fault.kind.value.startswith("paused")]
    for key in frozen[1:]:
        del drawn[key]
    return tuple(sorted(drawn.values(), key=lambda fault: (fault.run, fault.call)))
