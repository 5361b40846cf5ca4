"""How a member stands in each scheme: which they take part in, and which they might join."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.kernel.ids import RetailerId
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.cards import desk, store
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.model import Retailer, RetailerStatus
from chalicelib.runtime import vault

RETAILERS_MAX = 100  # Whose schemes are looked at in one request: two reads each at most.


class Part(Enum):
    """What part a member has in a scheme. The words are part of the API."""

    JOINED = "joined"
    JOINABLE = "joinable"
    LEFT = "left"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """A scheme and the member's part in it. `card` is None only where they might join.

    `is_open`: stamps are switched on, by the member and for the bank.
    """

    scheme: Scheme
    part: Part
    card: Card | None
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Standings:
    """What was found, in order of scheme id. `is_all` is False where more retailers have schemes
    than one request looks at: those of the first hundred were, by id.
    """

    found: tuple[Standing, ...]
    is_all: bool


def list_standings(
    member: Member, *, key: vault.SealingKey, retailer_id: RetailerId | None, now: datetime
) -> Standings:
    """The schemes in which `member` has a card, takes part without one yet, or might take part;
    of one retailer only, where one is named.

    Who has stamps switched off is shown the cards that they have, and nothing to join.
    """
    cards = store.list_cards(member.member_id, key=key, now=now)
    open_to, is_all = _open_schemes(retailer_id, now=now)
    of_cards = (
        schemes.get_valid(one, at=now, now=now)
        for one in cards
        if retailer_id in (None, schemes.retailer_of(one))
    )
    by_id = {scheme.scheme_id: scheme for scheme in (*of_cards, *open_to)}
    found = (
        _standing(
            by_id[one], cards.get(one), loyalty.taker_of(member, by_id[one], now=now), now=now
        )
        for one in sorted(by_id)
    )
    return Standings(tuple(one for one in found if one is not None), is_all)


def part_of(scheme: Scheme, card: Card, *, at: datetime) -> Part:
    """What part somebody has in `scheme` who has a card."""
    if scheme.ends_at is not None and scheme.ends_at <= at:
        return Part.ENDED
    return Part.JOINED if card.membership.is_on else Part.LEFT


def _standing(scheme: Scheme, card: Card | None, taker: Taker, *, now: datetime) -> Standing | None:
    if card is not None:
        return Standing(scheme, part_of(scheme, card, at=now), card, taker.has_stamps)
    if not taker.has_stamps:
        return None
    if taker.joined is None:
        return Standing(scheme, Part.JOINABLE, None)
    return Standing(scheme, Part.JOINED, desk.new_card(taker.joined))


def _open_schemes(
    retailer_id: RetailerId | None, *, now: datetime
) -> tuple[tuple[Scheme, ...], bool]:
    """The schemes in which something may be earned now, and whether that is all of them."""
    retailers = [
        one
        for one in network.list_retailers(now=now)
        if _may_have_schemes(one) and retailer_id in (None, one.retailer_id)
    ]
    looked_at = retailers[:RETAILERS_MAX]
    found = tuple(
        scheme
        for one in looked_at
        for scheme in schemes.list_valid(one.retailer_id, at=now, now=now)
    )
    return found, len(looked_at) == len(retailers)


def _may_have_schemes(retailer: Retailer) -> bool:
    return retailer.rewards and retailer.status is RetailerStatus.LIVE
