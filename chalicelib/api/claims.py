""" "My stamp is missing": banks say so for their users, and see what became of it."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.claim_shapes import ClaimAnswer, ClaimsAnswer, to_answer
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.refusals import NotFound
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.access.clients import CLAIMS_WRITE, MEMBERS_READ, RECEIPTS_READ
from chalicelib.notices.rendering import transaction_of
from chalicelib.purchases.access import Own, find_own
from chalicelib.purchases.reading import Missing
from chalicelib.rewards.inquiries import service, store
from chalicelib.runtime import clock

bp = Blueprint(__name__)
TAGS = ("rewards",)


@operation(
    bp,
    "POST",
    "/v1/transactions/{transaction}/rewards/claims",
    summary="The payer says that a stamp or reward is missing",
    answers={
        200: ClaimAnswer,
        201: ClaimAnswer,
        404: Problem,
        422: Problem,
        429: Problem,
    },
    scopes=(CLAIMS_WRITE,),
    tags=TAGS,
)
def claim_reward(inbound: Inbound) -> Answer:
    """Have it looked into: 201 the first time, 200 with how it stands after that.

    Most end by themselves, when a late receipt comes or the payer names it. 422 `rewards_off`,
    `nothing_was_bought`, `too_long_ago` (over sixty days). 429 `too_many_claims`: five a day.
    """
    now = clock.now()
    inquiry, is_new = service.open_inquiry(_own(inbound, now=now), now=now)
    answer = to_answer(inquiry, inbound.parameters["transaction"])
    return Answer(answer, 201 if is_new else 200)


@operation(
    bp,
    "GET",
    "/v1/transactions/{transaction}/rewards/claims",
    summary="How it stands that a reward was said to be missing",
    answers={200: ClaimAnswer, 404: Problem},
    scopes=(RECEIPTS_READ,),
    tags=TAGS,
)
def get_claim(inbound: Inbound) -> Answer:
    """404 where nothing was said to be missing of this transaction."""
    now = clock.now()
    inquiry = service.find_inquiry(_own(inbound, now=now), now=now)
    return Answer(to_answer(inquiry, inbound.parameters["transaction"]))


@operation(
    bp,
    "GET",
    "/v1/members/{user}/rewards/claims",
    summary="What a member said is missing",
    answers={200: ClaimsAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=TAGS,
)
def list_claims(inbound: Inbound) -> Answer:
    """Newest first, at most a hundred, for thirteen months."""
    now = clock.now()
    user = inbound.parameters["user"]
    connection_id = callers.bank_of(inbound.known_caller)
    callers.check_user(inbound.known_caller, user)
    member = members.get_member(Reference(LinkKind.USER, connection_id, user), now=now)
    connection = network.get_connection(connection_id, now=now)
    found = store.list_inquiries(member.member_id, now=now)
    named = [(one, transaction_of(one.payment_id, member, connection, now=now)) for one in found]
    return Answer(ClaimsAnswer(tuple(to_answer(one, name) for one, name in named if name)))


def _own(inbound: Inbound, *, now: datetime) -> Own:
    """The payment that the caller may know of; all others look alike."""
    caller = inbound.known_caller
    transaction = inbound.parameters["transaction"]
    own = find_own(callers.bank_of(caller), transaction, of_user=caller.user, now=now)
    if own is None:
        raise NotFound(
            "No receipt is to be expected for this transaction.",
            code=Missing.NOT_SUPPORTED.value,
        )
    return own
