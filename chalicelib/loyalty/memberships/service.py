"""Taking part in a scheme, as a member asks for it through their bank."""

from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty.cards import desk
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims.catalogue import find_reward
from chalicelib.loyalty.memberships import joining, store
from chalicelib.loyalty.memberships.store import Usage
from chalicelib.loyalty.rules import Scheme
from chalicelib.runtime import observability

JOINED, VIEWED, LEFT = "joined", "viewed", "left"


def join(holder: Holder, scheme: Scheme, taker: Taker, *, now: datetime) -> Card:
    """Take part from now on; again is the same. Each joining is one usage event."""
    before, after = desk.change_card(
        holder,
        scheme,
        lambda opened: joining.join(opened.card, taker.joined, scheme.rejoin, at=now),
        now=now,
    )
    card = _written(after)
    if before.card is not card:
        _remember(holder, JOINED, at=now)
    return card


def leave(holder: Holder, scheme: Scheme, taker: Taker, *, now: datetime) -> Card:
    """Take part no more, at once; again is the same. Each leaving is one usage event.

    :raises joining.NotInScheme: the member does not take part.
    """
    before, after = desk.change_card(
        holder,
        scheme,
        lambda opened: joining.leave(opened.card, taker.joined, at=now),
        now=now,
    )
    card = _written(after)
    if before.card is not card:
        _remember(holder, LEFT, at=now)
    return card


def view(holder: Holder, scheme: Scheme, taker: Taker, *, now: datetime) -> Card:
    """The member's card, empty where nothing is on it yet; looking at it is one usage event.

    :raises joining.NotInScheme: the member does not take part.
    """
    card = desk.open_card(holder, scheme, now=now).card
    if card is None and taker.joined is not None:
        card = desk.new_card(taker.joined)
    if card is None:
        raise joining.NotInScheme("the member does not take part in this scheme")
    _remember(holder, VIEWED, at=now)
    return card


def set_favourite(
    holder: Holder, scheme: Scheme, taker: Taker, *, reward_id: str, is_wanted: bool, now: datetime
) -> Card:
    """Mark a reward as a favourite, or no longer; again is the same.

    :raises NoSuchReward: the scheme has none such. :raises joining.NotInScheme: see `view`.
    """
    find_reward(scheme, reward_id)

    def change(opened: desk.Opened) -> Card:
        card = opened.card
        if card is None and taker.joined is not None:
            card = desk.new_card(taker.joined)
        if card is None:
            raise joining.NotInScheme("the member does not take part in this scheme")
        if (reward_id in card.favourites) == is_wanted:
            return card
        others = tuple(one for one in card.favourites if one != reward_id)
        return replace(card, favourites=(*others, reward_id) if is_wanted else others)

    _, after = desk.change_card(holder, scheme, change, now=now)
    return _written(after)


def _written(opened: desk.Opened) -> Card:
    if opened.card is None:
        raise joining.NotInScheme("the member does not take part in this scheme")
    return opened.card


def _remember(holder: Holder, what: str, *, at: datetime) -> None:
    store.record_usage(holder.member_id, Usage(holder.scheme_id, what, at))
    observability.count("scheme_usage", kind=what)
