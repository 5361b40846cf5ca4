"""What a history about rewards says has to stand at the end: of cards, answers and notices."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from chalicelib.loyalty.cards.lots import Balance, balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.offers.participation.model import Participation
from chalicelib.rewards.inquiries.model import InquiryState
from infra.simulation.history import History
from infra.simulation.reward_town import SCHEME_ID
from infra.simulation.said import announced_in
from infra.simulation.standing import Standing
from infra.simulation.town import PEOPLE
from infra.simulation.world import World

_NOTHING = Balance(pending=0, active=0, reserved=0, expired=0)


def broken_promises(world: World, history: History, standing: Standing) -> Iterator[str]:
    """What does not hold of `history` when all is quiet."""
    yield from _holding(world, history, standing)
    yield from _heard(world, history)
    yield from _told(world, history)
    yield from _open_cases(standing)
    yield from _open_holds(standing)


def _holding(world: World, history: History, standing: Standing) -> Iterator[str]:
    """I5: a card says of itself what the history says."""
    rows = [row for row in standing.of("CardRow") if row.key[1] == f"card#{SCHEME_ID}"]
    cards = {row.key[0]: msgspec.convert(row.content, Card) for row in rows}
    names = {person.name: person.member_id for person in PEOPLE}
    for name, wanted in history.holding.items():
        card = cards.get(names[name])
        held = balance_at(card, world.now()) if card else _NOTHING
        found = replace(held, next_expiry=None, next_expiring=0)
        if found != wanted:
            yield f"I5 the card of {name} holds {found}"


def _heard(world: World, history: History) -> Iterator[str]:
    """I10: whoever asked got the answer that the history says, however often they had to ask."""
    last = {name: answers[-1] for name, answers in world.apps.heard.items()}
    for name, wanted in history.heard.items():
        if last.get(name) != wanted:
            yield f"I10 to {name} the answer was {last.get(name)}"


def _told(world: World, history: History) -> Iterator[str]:
    """I10: banks heard as many notices of a kind as there were reasons, each once."""
    if not history.told:
        return
    announced = {one.notice_id: one for one in announced_in(world)}
    told: Counter[str] = Counter()
    for notice_id in world.bank.notices:
        said = announced.get(notice_id)
        if said is not None:
            told[said.kind] += 1
            told[f"{said.kind} on {said.on}"] += 1
            told[f"{said.kind} {said.reason}"] += 1
    for kind, count in history.told.items():
        if told[kind] != count:
            yield f"I10 banks heard {told[kind]} times of {kind}"


def _open_cases(standing: Standing) -> Iterator[str]:
    """I16: a case that ended is looked at no more, and one that did not is."""
    still = {row.key[1].partition("#")[2] for row in standing.of("OpenInquiryRow")}
    resolved = InquiryState.RESOLVED.value
    for row in standing.of("InquiryRow"):
        payment_id = row.key[1].partition("#")[2]
        if (row.plain["state"] == resolved) == (payment_id in still):
            yield f"I16 a case is {row.plain['state']}, and looked at: {payment_id in still}"


def _open_holds(standing: Standing) -> Iterator[str]:
    """I16: what an offer gave and holds is looked at, and nothing else of it is."""
    rows = [msgspec.convert(row.content, Participation) for row in standing.of("OfferRow")]
    waits = {
        (row.campaign_id, one.purchase_id)
        for row in rows
        for one in row.redemptions
        if one.is_waiting
    }
    still = {
        (row.plain["subject"], row.plain["purchase_id"])
        for row in standing.of("OpenHoldRow")
        if row.plain.get("currency")
    }
    if waits != still:
        yield f"I16 {len(waits)} rewards are held, and {len(still)} are looked at"
