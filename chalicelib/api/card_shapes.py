"""Cards, claims and why a purchase earned, on the wire."""

from datetime import datetime

import msgspec

from chalicelib.kernel.times import to_text
from chalicelib.loyalty.cards.lots import balance_at
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.standing import score_at
from chalicelib.loyalty.claims import codes
from chalicelib.loyalty.claims.service import Claimed
from chalicelib.loyalty.memberships.listing import Part, Standing, part_of
from chalicelib.loyalty.rules import Scheme
from chalicelib.network import service as network
from chalicelib.receipts import code128
from chalicelib.rewards.offer_stories import OfferStory
from chalicelib.rewards.why import SchemeStory
from chalicelib.runtime import clock


class CardAnswer(msgspec.Struct, omit_defaults=True):
    """A member's part in a scheme, and what is on the card. `active` is below nought where units
    are owed. `rewards_waiting` are full cards whose rewards wait until the scheme's budget is
    raised. A `joinable` scheme has neither `joined_at` nor anything on a card.

    In a scheme with tiers, `score` is what counts towards them in the present span, and
    `next_tier_missing` how much more of it leads to `next_tier`; at the top there is none.
    """

    scheme: str
    retailer: str
    name: str
    unit: str
    state: Part
    pending: int
    active: int
    reserved: int
    enrolment_basis: str | None = None
    joined_at: str | None = None
    places: int | None = None
    cards_filled: int = 0
    rewards_waiting: int = 0
    tier: str | None = None
    score: int | None = None
    next_tier: str | None = None
    next_tier_missing: int | None = None
    next_expiry: str | None = None
    next_expiring: int = 0
    left_at: str | None = None
    favourites: tuple[str, ...] = ()


class CardsAnswer(msgspec.Struct):
    """The schemes of a member. Where `is_all` is false, more retailers have schemes than one answer
    looks at: those of a further one are found by naming it.
    """

    cards: list[CardAnswer]
    is_all: bool


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which reward of the scheme's catalogue is claimed."""

    reward: str


class ConfirmBody(msgspec.Struct, forbid_unknown_fields=True):
    """`reference` is the till's own name of the confirming: the same again is the same."""

    reference: str = ""


class RewardClaimAnswer(msgspec.Struct, omit_defaults=True):
    """A claim of a reward; `code` as long as it is to be shown, for eyes, scanners and phones."""

    claim: str
    scheme: str
    state: str
    units: int
    reward: str | None = None
    title: str | None = None
    until: str | None = None
    code: str | None = None
    qr: str | None = None
    code_128_svg: str | None = None


class NothingGiven(msgspec.Struct):
    """A rule that gave nothing, and why."""

    rule: str
    why: str


class EarnedAnswer(msgspec.Struct, omit_defaults=True):
    """What a purchase earned in one scheme, and why: a code, and sentences."""

    scheme: str
    version: int
    units: int
    why: str
    words: tuple[str, ...]
    taken_back: int = 0
    rules: tuple[str, ...] = ()
    nothing: tuple[NothingGiven, ...] = ()


class OfferGaveAnswer(msgspec.Struct, omit_defaults=True):
    """What a purchase got of an offer: `minor` that the member has.

    `why` is `given`, `returned`, `refused`, or `held`, for the reason `held`: somebody looks first.
    """

    offer: str
    currency: str
    minor: int
    why: str
    words: str
    taken_back_minor: int = 0
    held: str = ""


class RewardsAnswer(msgspec.Struct):
    """What a purchase earned in each scheme of its retailer, and what it got of offers."""

    schemes: list[EarnedAnswer]
    offers: list[OfferGaveAnswer]


def to_card(scheme: Scheme, card: Card) -> CardAnswer:
    """The card as it stands now."""
    return to_standing(Standing(scheme, part_of(scheme, card, at=clock.now()), card))


def to_standing(standing: Standing) -> CardAnswer:
    """The scheme, the member's part in it, and the card as it stands now."""
    now, scheme, card = clock.now(), standing.scheme, standing.card
    shown = CardAnswer(
        scheme=scheme.scheme_id,
        retailer=network.get_retailer(scheme.retailer_id, now=now).name,
        name=scheme.name,
        unit=scheme.unit.value,
        state=standing.part,
        pending=0,
        active=0,
        reserved=0,
        places=scheme.card.places if scheme.card else None,
    )
    return shown if card is None else _with_card(shown, scheme, card, now=now)


def _with_card(shown: CardAnswer, scheme: Scheme, card: Card, *, now: datetime) -> CardAnswer:
    balance, score = balance_at(card, now), score_at(card, scheme, now)
    left_at = card.membership.left_at
    return msgspec.structs.replace(
        shown,
        pending=balance.pending,
        active=balance.active,
        reserved=balance.reserved,
        enrolment_basis=card.membership.basis.value,
        joined_at=to_text(card.membership.joined_at),
        cards_filled=card.fills_made - sum(bool(fill.undone_by) for fill in card.fills),
        rewards_waiting=sum(fill.waits for fill in card.fills),
        tier=score.tier.tier_id if score else None,
        score=score.count if score else None,
        next_tier=score.above.tier_id if score and score.above else None,
        next_tier_missing=score.missing if score else None,
        next_expiry=to_text(balance.next_expiry) if balance.next_expiry else None,
        next_expiring=balance.next_expiring,
        left_at=to_text(left_at) if left_at else None,
        favourites=card.favourites,
    )


def to_claim(claimed: Claimed) -> RewardClaimAnswer:
    """A claim, with its code where that is to be shown."""
    claim, code = claimed.claim, claimed.code
    return RewardClaimAnswer(
        claim=claim.claim_id,
        scheme=claimed.scheme.scheme_id,
        state=claim.state.value,
        units=claim.units,
        reward=claim.reward_id or None,
        title=claimed.reward.title if claimed.reward else None,
        until=to_text(claim.until) if claim.until else None,
        code=code,
        qr=codes.qr_of(claimed.scheme.retailer_id, code) if code else None,
        code_128_svg=code128.to_svg(code) if code else None,
    )


def to_offer_gave(story: OfferStory) -> OfferGaveAnswer:
    """What one offer gave."""
    return OfferGaveAnswer(
        offer=story.campaign_id,
        currency=story.currency,
        minor=story.minor,
        why=story.why,
        words=story.words,
        taken_back_minor=story.taken_back_minor,
        held=story.held,
    )


def to_earned(story: SchemeStory) -> EarnedAnswer:
    """What one scheme gave, in fields and words."""
    return EarnedAnswer(
        scheme=story.scheme_id,
        version=story.version,
        units=story.units,
        taken_back=story.taken_back,
        why=story.why,
        words=story.words,
        rules=story.rule_ids,
        nothing=tuple(NothingGiven(rule, why) for rule, why in story.lost),
    )
