"""What must stand when all is quiet: I10, and that nothing was left lying about."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from chalicelib.banks import monzo_receipts, standard_receipts
from chalicelib.banks.telling import NoteKind
from chalicelib.kernel.ids import MemberId
from chalicelib.notices.service import note_of
from chalicelib.purchases import store as purchases_store
from chalicelib.purchases.access import active_key_of
from infra.simulation.cards import broken_cards_at_end
from infra.simulation.earned import broken_earnings_at_end
from infra.simulation.extras import broken_extras_at_end
from infra.simulation.history import History
from infra.simulation.invariants import refunds_of
from infra.simulation.money_endings import broken_money_at_end
from infra.simulation.notice_endings import broken_notices_at_end
from infra.simulation.reward_endings import broken_promises
from infra.simulation.standing import Standing, payment_id_of, transaction_of
from infra.simulation.stored import Stored
from infra.simulation.town import HARBOUR, PEOPLE, Person
from infra.simulation.world import World

_numbers = msgspec.json.Encoder(decimal_format="number")


def broken_at_end(world: World, history: History, standing: Standing) -> tuple[str, ...]:
    """What does not hold at the end of a schedule of `history`, after the sweep."""
    matched = {row.content["payment"]["payment_id"] for row in _with_receipt(standing)}
    waits = {row.content["signals"]["payment_id"] for row in standing.of("WaitingRow")}
    still = ("I10 a payment still waits though it is matched",) if waits & matched else ()
    return (
        *broken_when_quiet(world, replace(history, may_settle_late=False), standing),
        *still,
        *(() if history.may_differ else _unsettled(history, standing)),
    )


def broken_when_quiet(world: World, history: History, standing: Standing) -> tuple[str, ...]:
    """What does not hold when no message is left, though no sweep was needed for it."""
    is_open = history.may_differ or history.may_settle_late
    return (
        *(f"I16 given up on {message.queue}" for message in world.aws.queues.dead),
        *_left_lying(history, standing),
        *(() if history.may_settle_late else _unneeded(history, standing)),
        *_untold(world, standing),
        *_endless(history, standing),
        *broken_money_at_end(world, history, standing),
        *broken_notices_at_end(world, history, standing),
        *broken_cards_at_end(history, standing.of("CardRow")),
        *broken_earnings_at_end(world, history, standing),
        *broken_extras_at_end(history, standing),
        *broken_promises(world, history, standing),
        *(() if is_open else _otherwise(world, history, standing)),
    )


def _left_lying(history: History, standing: Standing) -> Iterator[str]:
    reasons = {row.plain["reason"] for row in standing.of("QuarantineRow")}
    if extra := reasons - history.quarantined:
        yield f"I16 quarantined without need: {sorted(extra)}"


def _unneeded(history: History, standing: Standing) -> Iterator[str]:
    """I7: each claim has its purchase.

    One that a worker took before it died may stay where the payment was then reversed, or where its
    member then left: nobody asks for that receipt again. And one that was taken again while its
    receipt was being withdrawn gives way to whoever asks for it after an hour (decision 0058).
    """
    left = {person.member_id for person in PEOPLE if _leaves(person, history)}
    held, ended = set(), set()
    for row in standing.of("PurchaseRow"):
        payment_id = row.content["payment"]["payment_id"]
        held.add((row.plain.get("receipt_id"), payment_id))
        if row.content["ending"] is not None and row.content["receipt"] is None:
            ended.add(payment_id)
        held |= {(refused, payment_id) for refused in row.content["payment"]["refused"]}
    for row in standing.of("ClaimRow"):
        payment_id = row.plain["payment_id"]
        is_over = payment_id in ended or row.plain["member_id"] in left
        if (row.key[0].removeprefix("claim#"), payment_id) not in held and not is_over:
            yield "I7 a claim was left that no purchase needs"


def _endless(history: History, standing: Standing) -> Iterator[str]:
    """I15: of a member who left, everything that is kept has an end."""
    left = {person.member_id for person in PEOPLE if _leaves(person, history)}
    for row in (*standing.of("PurchaseRow"), *standing.of("HeadRow")):
        if row.key[0] in left and "expires_at" not in row.plain:
            yield f"I15 a {row.kind} of a member who left has no end"


def _leaves(person: Person, history: History) -> bool:
    return any(given.leaves == person.anchor for given in history.inputs)


def _unsettled(history: History, standing: Standing) -> Iterator[str]:
    """I18: what came back has found what it was paid for. The daily look is the last to find it."""
    yield from _counted_twice(standing)
    purchases = {transaction_of(row): row for row in standing.of("PurchaseRow")}
    for transaction, ending in history.endings.items():
        row = purchases.get(transaction)
        back = sum(refunds_of(row).values()) if row is not None else 0
        if ending.receipt is not None and back != ending.refunded_minor:
            yield f"I18 of {transaction} {back} is given back"
        ended = row.content["ending"] if row is not None else None
        if ending.ended is not None and ended != ending.ended:
            yield f"I18 {transaction} ended as {ended}"


def _counted_twice(standing: Standing) -> Iterator[str]:
    """I18: a refund is of one purchase, and both say so; one that found its own waits no more."""
    places = Counter(
        refund["payment_id"]
        for row in standing.of("PurchaseRow")
        for refund in row.content["refunds"]
    )
    for payment_id, count in places.items():
        if count > 1:
            yield f"I18 the refund {payment_id} counts {count} times"
    of = {payment_id_of(row): row.content["refund_of"] for row in standing.of("PurchaseRow")}
    for row in standing.of("PurchaseRow"):
        for refund in row.content["refunds"]:
            said = of.get(refund["payment_id"])
            if said is None or said["payment_id"] != payment_id_of(row):
                yield "I18 a refund does not say of which purchase it is"
    for row in standing.of("RefundWaitingRow"):
        if of.get(row.key[1].partition("#")[2]) is not None:
            yield "I18 a refund waits though its purchase is found"


def _otherwise(world: World, history: History, standing: Standing) -> Iterator[str]:
    """Where it did not end as the history has to end."""
    if missing := history.quarantined - {r.plain["reason"] for r in standing.of("QuarantineRow")}:
        yield f"I16 not quarantined: {sorted(missing)}"
    payments = {payment_of(row): row for row in standing.of("PaymentRow")}
    purchases = {transaction_of(row): row for row in standing.of("PurchaseRow")}
    for transaction, ending in history.endings.items():
        if transaction not in payments:
            yield f"I16 the payment {transaction} was not recorded"
            continue
        told = sorted(event["event_key"] for event in payments[transaction].content["events"])
        if told != sorted(ending.events):
            yield f"I16 of {transaction} stands {told}"
        purchase = purchases.get(transaction)
        if purchase is not None and purchase.plain.get("receipt_id") is not None:
            known = purchase.content["payment"]["events"]
            if sorted(event["event_key"] for event in known) != told:
                yield f"I10 the purchase {transaction} does not know all that the bank told"
        found = _ending_of(purchase)
        if found != (ending.receipt, ending.version, ending.returns):
            yield f"I10 {transaction} ended with {found}"
        shown = world.bank.shown.get(transaction)
        if ending.receipt is None and shown is not None and not shown.is_withdrawn:
            yield f"I10 the bank shows a receipt of {transaction}"


def payment_of(row: Stored) -> str:
    """What the bank calls the payment of a payment row."""
    first = row.content["events"][0]
    return str(first["refers_to"] or first["transaction_id"])


def _ending_of(purchase: Stored | None) -> tuple[str | None, int, int]:
    """The receipt's reference and version, and how many returns; nothing is version 1."""
    receipt = purchase.content["receipt"] if purchase else None
    if purchase is None or receipt is None:
        return (None, 1, 0)
    return receipt["reference"], receipt["version"], len(purchase.content["returns"])


def _with_receipt(standing: Standing) -> list[Stored]:
    return [row for row in standing.of("PurchaseRow") if row.plain.get("receipt_id") is not None]


def _untold(world: World, standing: Standing) -> Iterator[str]:
    """I10: the bank shows the newest version of every purchase, to the letter, and of one whose
    receipt was withdrawn nothing.
    """
    for row in _withdrawn(world, standing):
        last = world.bank.shown.get(transaction_of(row))
        if last is not None and not last.is_withdrawn:
            yield "I10 the bank shows a receipt that was withdrawn"
    for row in _with_receipt(standing):
        wanted = _wanted(world, row)
        if wanted is None:  # The member left: what the bank has is the bank's.
            continue
        shown = world.bank.shown.get(transaction_of(row))
        if shown is None or shown.is_withdrawn:
            yield "I10 the bank was never told"
        elif json.loads(shown.said) != wanted:
            yield "I10 the bank shows something else than the newest version"


def _withdrawn(world: World, standing: Standing) -> list[Stored]:
    """The purchases that lost their receipt, of members who are there to be told of."""
    now = world.now()
    return [
        row
        for row in standing.of("PurchaseRow")
        if row.content["withdrawals"]
        and row.plain.get("receipt_id") is None
        and active_key_of(MemberId(row.key[0]), now=now) is not None
    ]


def _wanted(world: World, row: Stored) -> Any:
    """What the bank has to show of the purchase."""
    now = world.now()
    key = active_key_of(MemberId(row.key[0]), now=now)
    if key is None:
        return None
    wanted = [
        one
        for one in purchases_store.list_purchases(MemberId(row.key[0]), key=key, now=now)
        if one.payment.payment_id == row.content["payment"]["payment_id"]
    ]
    if not wanted:
        return None
    note = note_of(wanted[0], NoteKind.MATCHED, now=now)
    if wanted[0].payment.connection_id == HARBOUR:
        return json.loads(standard_receipts.render(note))["data"]
    return json.loads(_numbers.encode(monzo_receipts.render(note)))
