"""Joining a scheme, leaving it, and coming back. Pure."""

from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.cards import lots
from chalicelib.loyalty.cards.applying import lapse
from chalicelib.loyalty.cards.model import Basis, Card, Lot, Membership
from chalicelib.loyalty.terms import Rejoin


class NotInScheme(NotFound):
    """The member does not take part in the scheme."""

    code = "not_in_scheme"


def join(card: Card | None, joined: Membership | None, rejoin: Rejoin, *, at: datetime) -> Card:
    """The card of somebody who takes part from `at` on; the same where they do already.

    `joined` is how those take part who never chose to. Coming back, somebody finds what they left,
    or, where the scheme says so, a card that begins anew.
    """
    if card is None:
        return Card(joined or Membership(Basis.EXPLICIT, at))
    if card.membership.is_on:
        return card
    back = replace(card, membership=Membership(Basis.EXPLICIT, at))
    return _anew(back, at=at) if rejoin is Rejoin.RESET else back


def leave(card: Card | None, joined: Membership | None, *, at: datetime) -> Card:
    """The card of somebody who takes part no more; the same where they had left before.

    Nothing of it is lost yet: what they find when they come back is the scheme's to say.

    :raises NotInScheme: they never did.
    """
    if card is None and joined is None:
        raise NotInScheme("the member does not take part in this scheme")
    card = card or Card(joined or Membership(Basis.EXPLICIT, at))
    if not card.membership.is_on:
        return card
    return replace(card, membership=replace(card.membership, left_at=at))


def _anew(card: Card, *, at: datetime) -> Card:
    """`card` without anything that is left on it; its entries stay, so that none earns again."""
    card = lapse(card, at)
    base = tuple(_emptied(lot) for lot in card.base)
    entries = tuple(
        replace(one, lot=_emptied(one.lot), forfeited=one.forfeited + one.lot.free)
        for one in card.entries
    )
    emptied = replace(
        card,
        entries=entries,
        counts=(),
        reset_at=at,
        reset_past=card.archived,
        forfeited=lots.free_of((*card.forfeited, *card.base)),
    )
    return lots.with_lots(emptied, (*base, *(one.lot for one in entries)))


def _emptied(lot: Lot) -> Lot:
    return replace(lot, units=lot.drawn)
