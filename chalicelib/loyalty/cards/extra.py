"""Units that a full card or a claim of one scheme gives on the member's card of another. Pure.

They stand on the other card as one entry with a lot of its own, called by what gave them
(`naming.py`), so that giving them again, late or by several at once gives nothing more. They come
under no cap, tier or limit of the scheme whose units they are, and wait for no pending window but
that of the stamps which filled the card. They may fill cards of that scheme; such a full card gives
no extra units in its turn.

How far they are is the version of their entry, and only grows: given, then back, then back because
what brought them was never the member's. What came late finds that it is over.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.loyalty.cards import deadlines
from chalicelib.loyalty.cards.applying import Worth, bring_up
from chalicelib.loyalty.cards.eligibility import Barred
from chalicelib.loyalty.cards.filling import Filling, defer, with_entry
from chalicelib.loyalty.cards.model import Basis, Card, Claim, Entry, Fill, Given, Membership
from chalicelib.loyalty.cards.naming import name_of
from chalicelib.loyalty.rewarding import worth_minor
from chalicelib.loyalty.rules import ExtraUnits, FreeText, Scheme

GAVE = "extra"  # In the place of the rule that gave something.


class Stage(Enum):
    """How far extra units are: the version of their entry."""

    GIVEN = 1
    BACK = 2  # the card that gave them is full no more
    WITHDRAWN = 3  # and what had filled it was never the member's: no policy lets them keep it


@dataclass(frozen=True, slots=True)
class Extra:
    """`units` for the member's card of `scheme_id`, called `name`.

    `at` is when they were given, and `active_at` from when they may be spent. What was paid for by
    a claim (`is_claimed`) is given whether or not its member has left the other scheme meanwhile.
    """

    name: str
    scheme_id: str
    units: int
    at: datetime
    active_at: datetime
    stage: Stage = Stage.GIVEN
    is_claimed: bool = False


def of_fill(fill: Fill, gives: ExtraUnits, scheme_id: str, *, is_withdrawn: bool) -> Extra:
    """What the full card of `scheme_id` gives; active when the youngest of its stamps is.

    Where it is full no more, `is_withdrawn` says that the purchase which emptied it was withdrawn.
    """
    back = Stage.WITHDRAWN if is_withdrawn else Stage.BACK
    return Extra(
        name=name_of(fill.cause, scheme_id, fill.name),
        scheme_id=gives.scheme_id,
        units=gives.units,
        at=fill.at,
        active_at=fill.due_at,
        stage=back if fill.undone_by else Stage.GIVEN,
    )


def of_claim(claim: Claim, gives: ExtraUnits, scheme_id: str) -> Extra:
    """What the claim of `scheme_id` gives, at once."""
    name = name_of("", scheme_id, claim.claim_id)
    return Extra(name, gives.scheme_id, gives.units, claim.at, claim.at, is_claimed=True)


def bring_to(card: Card, extra: Extra, scheme: Scheme, *, at: datetime) -> Card:
    """`card` brought up to `extra` under `scheme`, the version of the other scheme that holds for
    it; the same card where it knew.

    Who left that scheme gets nothing, for good: the entry says so.
    """
    known = card.find_entry(extra.name)
    if known is not None and at < known.lot.active_at < extra.active_at:
        card = _deferred(card, known, extra, scheme, at=at)
    held = known.held if known else _bar(card, extra)
    worth = _worth(extra, scheme, held=held)
    return bring_up(card, worth, filling=_filling(scheme), policy=scheme.refund_policy, at=at)


def joined_by(extra: Extra) -> Membership:
    """How somebody takes part in a scheme that is to be chosen, once they are given units of it."""
    return Membership(Basis.ACTIVATION, extra.at)


def is_withheld(entry: Entry) -> bool:
    """Whether its member had left the scheme when the units were to be given."""
    return entry.held == Barred.LEFT_SCHEME.value


def _bar(card: Card, extra: Extra) -> str:
    is_out = not card.membership.is_on and not extra.is_claimed
    return Barred.LEFT_SCHEME.value if is_out else ""


def _worth(extra: Extra, scheme: Scheme, *, held: str) -> Worth:
    units = min(extra.units, scheme.card.most_at_once) if scheme.card else extra.units
    back = 0 if extra.stage is Stage.GIVEN else units
    return Worth(
        payment_id=extra.name,
        sold_at=extra.at,
        version=extra.stage.value,
        scheme=scheme.version,
        sale_print=0,
        given=(Given(GAVE, "", units, back),),
        active_at=extra.active_at,
        expires_at=_expires_at(extra, scheme),
        is_visit=False,
        held=held,
        is_withdrawn=extra.stage is Stage.WITHDRAWN,
    )


def _deferred(card: Card, known: Entry, extra: Extra, scheme: Scheme, *, at: datetime) -> Card:
    """`card`, on which the units may be spent later than was said: they are pending still."""
    expires_at = _expires_at(extra, scheme)
    lot = replace(known.lot, active_at=extra.active_at, expires_at=expires_at)
    return defer(with_entry(card, replace(known, lot=lot)), cause=extra.name, at=at)


def _expires_at(extra: Extra, scheme: Scheme) -> datetime | None:
    """Counted from when they may be spent, so that none expires before."""
    return deadlines.expires_at(extra.active_at, expiry=scheme.expiry, zone=scheme.zone)


def _filling(scheme: Scheme) -> Filling | None:
    """What a card is worth that extra units fill: without a sale, only what is fixed."""
    if scheme.card is None:
        return None
    reward = scheme.card.reward
    filling = Filling(scheme.card.places, worth_minor(reward, None) or 0)
    is_text = isinstance(reward, FreeText)
    return replace(filling, claims=is_text, forfeits_rest=scheme.card.forfeits_rest)
