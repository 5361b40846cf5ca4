"""Members' cards, for their banks: balances, joining and leaving, claims; and tills that redeem."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.api import callers, reaching
from chalicelib.api.card_shapes import (
    CardAnswer,
    CardsAnswer,
    ClaimBody,
    ConfirmBody,
    RewardClaimAnswer,
    RewardsAnswer,
    to_card,
    to_claim,
    to_earned,
    to_offer_gave,
    to_standing,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty import service as loyalty
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import service as claims
from chalicelib.loyalty.memberships import listing
from chalicelib.loyalty.memberships import service as memberships
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.network.access.clients import (
    CLAIMS_CONFIRM,
    MEMBERS_READ,
    MEMBERS_WRITE,
    RECEIPTS_READ,
)
from chalicelib.purchases.access import find_own
from chalicelib.purchases.reading import Missing
from chalicelib.rewards import offer_stories, why
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)
TAGS = ("rewards",)
_CARD = "/v1/members/{user}/schemes/{scheme}"
_SAID = {404: Problem, 409: Problem, 422: Problem}


@operation(
    bp,
    "GET",
    "/v1/members/{user}/schemes",
    summary="The schemes of a member, with what is on the cards",
    answers={200: CardsAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
    query={"retailer": "The schemes of one retailer only, by its id."},
)
def list_cards(inbound: Inbound) -> Answer:
    """`joined` schemes, also those with nothing on their card yet; `joinable` ones, which are to be
    chosen; and the cards of those that were `left` or have `ended`. In order of id.
    """
    now = clock.now()
    member = reaching.member_of(inbound, now=now)
    retailer = inbound.query.get("retailer")
    listed = listing.list_standings(
        member,
        key=reaching.key_of(member),
        retailer_id=RetailerId(retailer) if retailer else None,
        now=now,
    )
    return Answer(CardsAnswer([to_standing(one) for one in listed.found], listed.is_all))


@operation(
    bp,
    "GET",
    _CARD,
    summary="One card of a member",
    answers={200: CardAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
)
def view_card(inbound: Inbound) -> Answer:
    """What is on it now. Looking at it is remembered as one use of the scheme."""
    now = clock.now()
    holder, scheme, taker = _holder(inbound, now=now)
    return Answer(to_card(scheme, memberships.view(holder, scheme, taker, now=now)))


@operation(
    bp,
    "PUT",
    _CARD + "/membership",
    summary="Join a scheme",
    answers={200: CardAnswer, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def join_scheme(inbound: Inbound) -> Answer:
    """Purchases from now on earn. Coming back, a member finds the card kept, or begun anew, as the
    scheme says. The same again changes nothing.
    """
    now = clock.now()
    holder, scheme, taker = _holder(inbound, now=now)
    return Answer(to_card(scheme, memberships.join(holder, scheme, taker, now=now)))


@operation(
    bp,
    "DELETE",
    _CARD + "/membership",
    summary="Leave a scheme",
    answers={200: CardAnswer, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def leave_scheme(inbound: Inbound) -> Answer:
    """Nothing earns in it from now on; other schemes go on. The same again changes nothing."""
    now = clock.now()
    holder, scheme, taker = _holder(inbound, now=now)
    return Answer(to_card(scheme, memberships.leave(holder, scheme, taker, now=now)))


@operation(
    bp,
    "POST",
    _CARD + "/favourites/{reward}",
    summary="Mark a reward as a favourite",
    answers={200: CardAnswer, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def add_favourite(inbound: Inbound) -> Answer:
    """The same again changes nothing."""
    return _favour(inbound, is_wanted=True)


@operation(
    bp,
    "DELETE",
    _CARD + "/favourites/{reward}",
    summary="Mark a reward as a favourite no longer",
    answers={200: CardAnswer, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def remove_favourite(inbound: Inbound) -> Answer:
    """The same again changes nothing."""
    return _favour(inbound, is_wanted=False)


@operation(
    bp,
    "PUT",
    _CARD + "/claims/{claim}",
    summary="Reserve a reward",
    takes=ClaimBody,
    answers={200: RewardClaimAnswer, 400: Problem, **_SAID},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def reserve_reward(inbound: Inbound) -> Answer:
    """`claim` is the bank's own name of it: the same again is the same claim, with the same code.

    409 `INSUFFICIENT_POINTS`: the reward costs more than is active. 409 `too_many_claims`: five are
    reserved. Money of a fixed amount, and units of another scheme, are given at once,
    and have no code.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), ClaimBody)
    holder, scheme, _ = _holder(inbound, now=now)
    name = inbound.parameters["claim"]
    claimed = claims.reserve(holder, scheme, name=name, reward_id=body.reward, now=now)
    return Answer(to_claim(claimed))


@operation(
    bp,
    "GET",
    _CARD + "/claims/{claim}",
    summary="How a claim of a reward stands",
    answers={200: RewardClaimAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
)
def read_reward_claim(inbound: Inbound) -> Answer:
    """By the bank's own name of it, or by the `claim` of an answer, also long after it ended.

    For a bank that lost the answer of reserving: 404 means that nothing was reserved, or that the
    money was gone and the points are back.
    """
    now = clock.now()
    holder, scheme, _ = _holder(inbound, now=now)
    return Answer(to_claim(claims.find(holder, scheme, inbound.parameters["claim"], now=now)))


@operation(
    bp,
    "DELETE",
    _CARD + "/claims/{claim}",
    summary="Give a reserved reward up",
    answers={200: RewardClaimAnswer, **_SAID},
    scopes=(MEMBERS_WRITE,),
    tags=TAGS,
)
def cancel_claim(inbound: Inbound) -> Answer:
    """Its units go back to where they came from. 409 `claim_not_open`: it was redeemed."""
    now = clock.now()
    holder, scheme, _ = _holder(inbound, now=now)
    claim_id = claims.claim_id_of(holder.member_id, inbound.parameters["claim"])
    return Answer(to_claim(claims.cancel(holder, scheme, claim_id, now=now)))


@operation(
    bp,
    "POST",
    "/v1/claims/{code}/confirm",
    summary="A till redeems what a member shows",
    takes=ConfirmBody,
    answers={200: RewardClaimAnswer, 400: Problem, **_SAID},
    scopes=(CLAIMS_CONFIRM,),
    tags=TAGS,
)
def confirm_claim(inbound: Inbound) -> Answer:
    """Once: 409 `claim_not_open` where it was redeemed or cancelled before, or its time is over.

    With a `reference` of the till's own, the same request again is answered the same.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), ConfirmBody)
    retailer_id = callers.retailer_of(inbound.known_caller)
    code = inbound.parameters["code"]
    claimed = claims.confirm(retailer_id, code, confirmation=body.reference, now=now)
    return Answer(to_claim(claimed))


@operation(
    bp,
    "GET",
    "/v1/transactions/{transaction}/rewards",
    summary="What a transaction earned, and why",
    answers={200: RewardsAnswer, 404: Problem},
    scopes=(RECEIPTS_READ,),
    tags=TAGS,
)
def tell_rewards(inbound: Inbound) -> Answer:
    """In codes and in plain words: each scheme of its shop, why nothing too, and each offer."""
    now = clock.now()
    caller, transaction = inbound.known_caller, inbound.parameters["transaction"]
    own = find_own(callers.bank_of(caller), transaction, of_user=caller.user, now=now)
    if own is None:
        reason = Missing.NOT_SUPPORTED.value
        raise NotFound("No receipt is to be expected for this transaction.", code=reason)
    schemes_told = [to_earned(one) for one in why.tell(own, now=now)]
    offers_told = [to_offer_gave(one) for one in offer_stories.tell_offers(own, now=now)]
    return Answer(RewardsAnswer(schemes_told, offers_told))


def _favour(inbound: Inbound, *, is_wanted: bool) -> Answer:
    now = clock.now()
    holder, scheme, taker = _holder(inbound, now=now)
    reward_id = inbound.parameters["reward"]
    card = memberships.set_favourite(
        holder, scheme, taker, reward_id=reward_id, is_wanted=is_wanted, now=now
    )
    return Answer(to_card(scheme, card))


def _holder(inbound: Inbound, *, now: datetime) -> tuple[Holder, Scheme, Taker]:
    member = reaching.member_of(inbound, now=now)
    scheme = schemes.get_valid(inbound.parameters["scheme"], at=now, now=now)
    holder = loyalty.holder_of(member, scheme.scheme_id, reaching.key_of(member))
    return holder, scheme, loyalty.taker_of(member, scheme, now=now)
