"""What banks must have heard of rewards when all is quiet (I10).

Everything that was announced was told, and nothing else. What was told of a purchase adds up to
what it left: units on a card, money of an offer, money of full cards. So nothing was told twice
under two names, and nothing that changed was left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.loyalty.cards.model import WAITING
from chalicelib.loyalty.cards.naming import payment_of
from chalicelib.members.messages import NoticeMessage
from infra.simulation.history import History
from infra.simulation.said import announced_in
from infra.simulation.standing import Standing, worth_minor
from infra.simulation.town import PEOPLE
from infra.simulation.world import World

_OF_UNITS = ("stamp_earned", "points_earned", "adjusted")
_OF_OFFERS = ("offer_redeemed", "adjusted")
_OF_CARDS = ("card_complete", "adjusted")
_Sums = Counter[tuple[str, str, str]]  # By member, by scheme or campaign, by purchase.


def broken_notices_at_end(world: World, history: History, standing: Standing) -> Iterator[str]:
    """What does not hold of notices. Whoever left hears no more."""
    left = {one.member_id for one in PEOPLE if one.anchor.value in history.leavers}
    announced = {one.notice_id: one for one in announced_in(world)}
    yield from _untold(world, announced, left)
    told = [announced[name] for name in world.bank.notices if name in announced]
    yield from _not_adding_up("points", _units_told(told), _units_left(standing), left)
    for what, kinds, stands in (
        ("of offers", _OF_OFFERS, _offers_left(standing)),
        ("of full cards", _OF_CARDS, _fills_left(standing)),
    ):
        subjects = {subject for _, subject, _ in stands}
        heard: _Sums = Counter()
        for said in told:
            if said.kind in kinds and said.subject in subjects:
                about = "" if kinds is _OF_CARDS else said.payment_id
                heard[said.member_id, said.subject, about] += said.minor
        yield from _not_adding_up(f"pence {what}", heard, stands, left)


def _untold(world: World, announced: Mapping[str, NoticeMessage], left: set[Any]) -> Iterator[str]:
    for notice_id, said in announced.items():
        if notice_id not in world.bank.notices and said.member_id not in left:
            yield f"I10 the bank was never told of {said.kind}"
    heard = [announced[name] for name in world.bank.notices if name in announced]
    paid = {_about(said) for said in heard if said.kind == "reward_paid"}
    for said in heard:
        if said.kind == "reward_returned" and _about(said) not in paid:
            yield "I10 the bank heard that money came back, and not that it was paid"
    if len(heard) < len(world.bank.notices):
        yield "I10 the bank heard what nobody announced"


def _about(said: NoticeMessage) -> tuple[str, str]:
    return said.member_id, said.subject


def _not_adding_up(what: str, told: _Sums, stands: _Sums, left: set[Any]) -> Iterator[str]:
    for key in sorted({*told, *stands}):
        if told[key] != stands[key] and key[0] not in left:
            yield f"I10 the bank heard of {told[key]} {what}, where {stands[key]} are left"


def _units_told(told: list[NoticeMessage]) -> _Sums:
    heard: _Sums = Counter()
    for said in told:
        if said.kind in _OF_UNITS:
            heard[said.member_id, said.subject, said.payment_id] += said.units
    return heard


def _units_left(standing: Standing) -> _Sums:
    """What counts on cards, by the purchase that it follows from, the history included."""
    entries: dict[tuple[str, str, str], int] = {}
    for kind in ("PastRow", "CardRow"):
        for row in standing.of(kind):
            for entry in row.content["entries"]:
                place = (row.key[0], row.key[1].split("#")[1], entry["payment_id"])
                entries[place] = entry["lot"]["units"]
    stands: _Sums = Counter()
    for (member_id, scheme_id, name), units in entries.items():
        stands[member_id, scheme_id, payment_of(name)] += units
    return stands


def _offers_left(standing: Standing) -> _Sums:
    stands: _Sums = Counter()
    for row in standing.of("OfferRow"):
        for redemption in row.content["redemptions"]:
            kept = sum(gift["given_minor"] - sum(gift["taken"]) for gift in redemption["gifts"])
            campaign_id, purchase_id = row.content["campaign_id"], redemption["purchase_id"]
            stands[row.key[0], campaign_id, purchase_id] += 0 if redemption["held"] else kept
    return stands


def _fills_left(standing: Standing) -> _Sums:
    fills: dict[tuple[str, str, int], int] = {}
    for kind in ("PastRow", "CardRow"):
        for row in standing.of(kind):
            for fill in row.content["fills"]:
                is_given = not fill["undone_by"] and fill["lease"] != WAITING
                place = (row.key[0], row.key[1].split("#")[1], fill["number"])
                fills[place] = worth_minor(fill) if is_given else 0
    stands: _Sums = Counter()
    for (member_id, scheme_id, _), minor in fills.items():
        stands[member_id, scheme_id, ""] += minor
    return stands
