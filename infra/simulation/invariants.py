"""What must hold after every step of every schedule. Numbers are those of the architecture.

I3 what was written in a version, or told in an event, never changes, and versions only grow ·
I4 one payment per provider's id, one purchase per payment · I7 a purchase holds its part of a
receipt by a claim, alone · I14 nothing is stored that the register does not declare · I15 nothing
is kept for longer than its rule allows · I16 what was acknowledged has left its trace · I17 a
receipt that was withdrawn never comes back to its payment by itself · I18 no more is given back
than was paid, and each refund counts once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from chalicelib.budgets.store import OPEN_MAX
from chalicelib.matching.why import BY_HAND
from chalicelib.purchases import messages
from chalicelib.purchases.messages import DeliveryMessage, PaymentMessage
from chalicelib.purchases.model import WithdrawnWhy
from chalicelib.runtime import queues, rows
from infra.simulation.cards import broken_cards
from infra.simulation.earned import broken_earnings
from infra.simulation.erased import broken_by_leaving
from infra.simulation.extras import broken_extras
from infra.simulation.history import History
from infra.simulation.money import broken_money
from infra.simulation.queues import Message
from infra.simulation.reward_town import CAMPAIGN_ID, ENDS_AT
from infra.simulation.standing import Standing, payment_id_of, transaction_of
from infra.simulation.stored import Stored
from infra.simulation.town import LOAF, NOON, PEOPLE
from infra.simulation.world import World

_BY_HAND = frozenset(why.value for why in BY_HAND)
_OF_ANOTHER = (WithdrawnWhy.CONTRADICTED.value, "same_purchase")
_OPENED_LAST = NOON + timedelta(days=900)  # No history is longer.
_SPARE = timedelta(days=1)  # Retention counts from what happened, which may be some time ago.
_IN_CLEAR = (LOAF, *(person.account for person in PEOPLE), *(p.anchor.value for p in PEOPLE))


def broken_by_step(world: World, history: History, standing: Standing) -> tuple[str, ...]:
    """What does not hold now, each as `I7 …`; also a bug that a worker met (`I0`)."""
    return (
        *(f"I0 a worker met a bug: {bug}" for bug in world.bugs),
        *(f"I4 {found}" for found in world.bank.contradictions),
        *_changed(world, history, standing),
        *_doubled(standing),
        *_unheld(standing),
        *_come_back(world, standing),
        *_refunded_too_much(standing),
        *_undeclared(world, standing),
        *_vanished(world, history, standing),
        *broken_money(world),
        *broken_cards(standing.of("CardRow")),
        *broken_earnings(standing),
        *broken_extras(standing),
        *broken_by_leaving(world, history, standing),
    )


def _changed(world: World, history: History, standing: Standing) -> Iterator[str]:
    """I3. What is seen for the first time is remembered in `world.versions`. Only where what is
    past its end was deleted may it be gone.
    """
    seen = world.versions
    for row in standing.of("PurchaseRow"):
        name, version = "|".join(row.key), row.plain["version"]
        if row.content["version"] != version:
            yield f"I3 a purchase of version {version} says it is {row.content['version']}"
        said = f"{row.plain.get('receipt_id')} {row.content!r}"
        if seen.setdefault((name, version), said) != said:
            yield f"I3 version {version} of a purchase changed"
        if any(other > version for (of, other) in seen if of == name):
            yield f"I3 a purchase went back to version {version}"
    standing_names = {"|".join(row.key) for row in standing.of("PurchaseRow")}
    told = {}
    for row in standing.of("PaymentRow"):
        for event in row.content["events"]:
            told[f"{row.key[0]}!{event['transaction_id']}!{event['event_key']}"] = event["digest"]
    for name, digest in told.items():
        seen.setdefault((name, 0), digest)
    if any(given.forgets for given in history.inputs[: world.inputs_done]):
        return
    for (name, version), said in seen.items():
        if version == 0 and told.get(name) != said:
            yield "I3 what a bank told is gone or changed"
        if version > 0 and name not in standing_names:
            yield "I3 a purchase is gone"


def _doubled(standing: Standing) -> Iterator[str]:
    """I4."""
    purchases = Counter(payment_id_of(row) for row in standing.of("PurchaseRow"))
    payments = Counter(row.content["payment_id"] for row in standing.of("PaymentRow"))
    for counted, what in ((purchases, "purchases"), (payments, "payment rows")):
        for payment_id, count in counted.items():
            if count > 1:
                yield f"I4 {payment_id} has {count} {what}"


def _unheld(standing: Standing) -> Iterator[str]:
    """I7."""
    claims = {
        (row.key[0].removeprefix("claim#"), int(row.key[1].removeprefix("part#"))): row
        for row in standing.of("ClaimRow")
    }
    holders: Counter[tuple[str, int]] = Counter()
    for row in standing.of("PurchaseRow"):
        if row.plain.get("receipt_id") is None or row.content["same_as"] is not None:
            continue
        part = (row.plain["receipt_id"], row.content["part"])
        holders[part] += 1
        claim = claims.get(part)
        if claim is None or claim.plain["payment_id"] != payment_id_of(row):
            yield "I7 a purchase holds a receipt without its claim"
    for part, count in holders.items():
        if count > 1:
            yield f"I7 {count} payments hold part {part[1]} of one receipt"


def _come_back(world: World, standing: Standing) -> Iterator[str]:
    """I17. What was taken away is told by the versions that were seen, not by what is refused.

    What leant on another source's word that was contradicted may come back on its own evidence.
    """
    seen: dict[str, dict[int, str]] = {}
    for (name, version), said in world.versions.items():
        seen.setdefault(name, {})[version] = said.partition(" ")[0]
    for row in standing.of("PurchaseRow"):
        held, reason = row.plain.get("receipt_id"), row.content["reason"]
        if held is None or reason["why"] in _BY_HAND:
            continue
        before = seen["|".join(row.key)]
        for withdrawal in row.content["withdrawals"]:
            had = max((v for v in before if v < withdrawal["version"]), default=0)
            is_of_another = (withdrawal["why"], withdrawal["detail"]) == _OF_ANOTHER
            if before.get(had) == held and not is_of_another:
                yield "I17 a withdrawn receipt came back by itself"


def _refunded_too_much(standing: Standing) -> Iterator[str]:
    """I18. Of no history is more given back than was paid, unless something counts twice."""
    for row in standing.of("PurchaseRow"):
        linked = [refund["payment_id"] for refund in row.content["refunds"]]
        if len(linked) != len(set(linked)):
            yield "I18 a refund counts twice in one purchase"
        events = row.content["payment"]["events"]
        paid = [e["amount"]["minor"] for e in events if e["kind"] in ("authorised", "cleared")]
        if paid and sum(refunds_of(row).values()) > max(paid):
            yield "I18 more is given back than was paid"


def refunds_of(row: Stored) -> dict[str, int]:
    """What was given back of a purchase, by the bank's name of each refund, in minor units."""
    events = row.content["payment"]["events"]
    back = {e["transaction_id"]: e["amount"]["minor"] for e in events if e["kind"] == "refunded"}
    found = {one["transaction_id"]: one["amount"]["minor"] for one in row.content["refunds"]}
    return found | back


def _undeclared(world: World, standing: Standing) -> Iterator[str]:
    """I14 and I15. What was judged once is not judged again."""
    latest = rows.epoch(world.now() + _SPARE)
    for row in standing.everything:
        if row.row_type is None:
            yield f"I14 no row type of {row.table} declares {sorted(row.plain)}"
            continue
        if row.is_shut:
            yield f"I14 no key opens a {row.kind}"
        if row.content is not None:
            held = set().union(*(set(kept.holds) for kept in row.row_type.privacy.values()))
            if extra := _fields(row.content) - held:
                yield f"I14 a {row.kind} holds {sorted(extra)}"
        lasts = row.row_type.retention.lasts
        since = max(latest, _day_of(row))
        if lasts is not None and row.plain["expires_at"] > since + lasts.total_seconds():
            yield f"I15 a {row.kind} is kept too long"
        if row.table.rpartition("-")[2] != "network" and _is_in_clear(row.plainly):
            yield f"I14 a {row.kind} says in clear what is to be sealed"


@lru_cache(maxsize=100_000)
def _is_in_clear(said: str) -> bool:
    return any(one in said for one in _IN_CLEAR)


def _day_of(row: Stored) -> int:
    """The day from which keeping counts: on which a card is to be looked at, a gift is due, or a
    campaign is over; a block of a budget without end is open for years at most.
    """
    if row.kind == "LeaseRow":
        return rows.epoch(ENDS_AT if CAMPAIGN_ID in row.key[0] else _OPENED_LAST + OPEN_MAX)
    if row.kind not in ("DueRow", "FoldRow"):
        return 0
    return rows.epoch(datetime.fromisoformat(row.key[0].split("#")[1]).replace(tzinfo=UTC) + _SPARE)


def _fields(content: Any) -> set[str]:
    entries = content if isinstance(content, list) else [content]
    return {name for entry in entries if isinstance(entry, dict) for name in entry}


def _vanished(world: World, history: History, standing: Standing) -> Iterator[str]:
    """I16. Of whoever left, nothing has to be there."""
    left = {given.leaves.value for given in history.inputs if given.leaves is not None}
    traces: str | None = None
    for message in world.aws.queues.done:
        for trace in _traces(message):
            if traces is None:
                kept = (one.body for one in world.aws.queues.waiting.values())
                traces = "\n".join((*(row.text for row in standing.everything), *kept))
            if trace not in traces and not left:
                yield f"I16 acknowledged on {message.queue} and gone: {trace}"
    for message in world.aws.queues.done:
        if message.queue == queues.DELIVERIES and not left:
            yield from _untold(world, message, standing)


def _traces(message: Message) -> Sequence[str]:
    return _traces_of(message.queue, message.body)


@cache
def _traces_of(queue: str, body: str) -> tuple[str, ...]:
    """Words that must stand somewhere once the message is done."""
    if queue == queues.PAYMENTS:
        match messages.decode_payments(body):
            case PaymentMessage(event=event):
                return (event.digest,)
        return ()
    if queue in (queues.RECEIPTS, queues.GATHER):
        parts = body.split('"reference":"')[1:]
        return tuple(part.partition('"')[0] for part in parts)
    return ()


def _untold(world: World, message: Message, standing: Standing) -> Iterator[str]:
    """I10 as far as it holds at every step: an acknowledged delivery has reached its bank."""
    delivery = messages.decode_delivery(message.body)
    for row in standing.of("PurchaseRow"):
        is_its_own = payment_id_of(row) == delivery.payment_id
        if not is_its_own:
            continue
        shown = world.bank.shown.get(transaction_of(row))
        if row.plain["version"] < delivery.version:
            continue  # Nobody wrote that version: a run died before it.
        if row.plain.get("receipt_id") is None:
            is_late = shown is not None and not shown.is_withdrawn
            if is_late and row.content["withdrawals"] and row.plain["version"] == delivery.version:
                yield "I10 a delivery was acknowledged and the bank still shows what was withdrawn"
            continue
        is_behind = shown is None or 0 < shown.version < delivery.version
        if is_behind and not _is_to_be_told(world, delivery):
            yield "I10 a delivery was acknowledged and the bank was not told"


def _is_to_be_told(world: World, delivery: DeliveryMessage) -> bool:
    """Whether the version has a delivery under way: the one before outlasted a run that died, and
    whoever writes the version after all queues another first.
    """
    ways = (m.body for m in world.aws.queues.waiting.values() if m.queue == queues.DELIVERIES)
    others = [messages.decode_delivery(body) for body in ways]
    return any(
        one.payment_id == delivery.payment_id and one.version >= delivery.version for one in others
    )
