"""Making up for what could not be given when it was earned: rewards that wait, and runs that died.

Everything is named by what it follows from, so that doing it again changes nothing.
"""

from datetime import datetime

from chalicelib.loyalty import extra_units
from chalicelib.loyalty.cards import effects
from chalicelib.loyalty.cards.archiving import FOLLOWED_UP
from chalicelib.loyalty.cards.model import Card, Claim
from chalicelib.loyalty.cards.paying import Payer
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import cash
from chalicelib.loyalty.claims.claiming import BudgetUsedUp
from chalicelib.loyalty.rules import Scheme
from chalicelib.runtime import observability


def follow_up(card: Card, holder: Holder, scheme: Scheme, *, now: datetime) -> None:
    """Pay the full cards of `card` that waited, where the budget has enough by now, and give the
    money and the units that were claimed in the last days.

    :raises TryAgain: a passing obstacle.
    """
    payer = Payer(holder, scheme, "", now)
    effects.tell_of_fills(payer.pay_waiting(card), holder, scheme, now=now)
    for claim in card.claims:
        if claim.at <= now - FOLLOWED_UP:
            continue
        extra_units.give_claimed(claim, holder, now=now)
        if claim.lease is not None:
            _pay(claim, holder, scheme, now=now)


def _pay(claim: Claim, holder: Holder, scheme: Scheme, *, now: datetime) -> None:
    try:
        cash.pay(claim, holder, scheme, now=now)
    except BudgetUsedUp as refusal:  # Its units are back; nothing was ever given.
        observability.count("claims_dropped", code=refusal.code)
