"""Flux's promotions, for apps that were written for them: a member's offers and cards, and
switching them on.
"""

from chalice import Blueprint

from chalicelib.api import reaching
from chalicelib.api.offer_shapes import ActivationAnswer, FluxActivation
from chalicelib.api.promotion_shapes import (
    FluxPromotion,
    FluxPromotions,
    encode,
    to_card,
    to_offer,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.refusals import Malformed, Misshapen
from chalicelib.kernel.times import to_text
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.memberships import listing as joined
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.memberships.listing import Part, Standing
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.access.clients import OFFERS_READ, OFFERS_WRITE
from chalicelib.offers.listing import service as offers
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)

TAGS = ("flux",)
_SHOWN = (Part.JOINED, Part.JOINABLE)


@operation(
    bp,
    "GET",
    "/promotions",
    summary="A member's offers and cards (Flux)",
    answers={200: FluxPromotions, 400: Problem, 404: Problem, 422: Problem},
    scopes=(OFFERS_READ,),
    tags=TAGS,
    query={
        "userId": "The bank's user. Not needed with a token that is narrowed to one.",
        "accountId": "An account of theirs, instead.",
    },
)
def list_promotions(request: Inbound) -> Answer:
    """Offers first, best for the member first, then cards: those the member has and those that may
    be joined. What has to be switched on is `PENDING_ACTIVATION`. A service that the member has
    switched off has nothing here.
    """
    now = clock.now()
    member = _member(request)
    key = reaching.key_of(member)
    listed = offers.list_offers(member, key=key, place=None, now=now)
    standings = joined.list_standings(member, key=key, retailer_id=None, now=now).found
    shown = [one for one in standings if one.is_open and one.part in _SHOWN]
    items = (*map(to_offer, listed), *(_card(one, member) for one in shown))
    return Answer(encode(FluxPromotions(len(items), items)))


@operation(
    bp,
    "POST",
    "/offers/activations/{account_id}",
    summary="Switch an offer or a card on for an account (Flux)",
    takes=FluxActivation,
    answers={200: ActivationAnswer, 404: Problem, 409: Problem, 422: Problem},
    scopes=(OFFERS_WRITE,),
    tags=TAGS,
)
def activate_flux_offer(request: Inbound) -> Answer:
    """As Flux's banks did it, by the account that was switched on. A card is joined by its id."""
    now = clock.now()
    body = wire.convert(request.json(), FluxActivation)
    member = reaching.member_of_account(request, request.parameters["account_id"], now=now)
    if schemes.is_scheme_id(body.offer_id):
        return Answer(_joined(member, body.offer_id))
    key = reaching.key_of(member)
    taken = offers.activate(member, body.offer_id, key=key, now=now)
    return Answer(ActivationAnswer(body.offer_id, to_text(taken.activated_at or now)))


def _joined(member: Member, scheme_id: str) -> ActivationAnswer:
    now = clock.now()
    scheme = schemes.get_valid(scheme_id, at=now, now=now)
    holder = loyalty.holder_of(member, scheme_id, reaching.key_of(member))
    taker = loyalty.taker_of(member, scheme, now=now)
    card = memberships.join(holder, scheme, taker, now=now)
    return ActivationAnswer(scheme_id, to_text(card.membership.joined_at))


def _card(standing: Standing, member: Member) -> FluxPromotion:
    now, scheme = clock.now(), standing.scheme
    holder = loyalty.holder_of(member, scheme.scheme_id, reaching.key_of(member))
    claimed = claims.list_claims(holder, scheme, standing.card, now=now) if standing.card else ()
    retailer = network.get_retailer(scheme.retailer_id, now=now)
    return to_card(standing, retailer, claimed, now=now)


def _member(request: Inbound) -> Member:
    now = clock.now()
    user, account = request.query.get("userId"), request.query.get("accountId")
    if account is not None and user is not None:
        raise Misshapen("give the user or an account, not both", field="accountId")
    if account is not None:
        return reaching.member_of_account(request, account, now=now)
    user = user or request.known_caller.user
    if user is None:
        raise Malformed("the query parameter `userId` is missing", field="userId", code="missing")
    return reaching.member_named(request, user, now=now)
