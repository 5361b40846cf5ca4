"""Matches, for banks: why a transaction has its receipt or none, and what its payer says of it."""

from datetime import datetime

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.match_shapes import MatchAnswer, NotMineBody, ThisIsMineBody, to_answer
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.refusals import Misshapen, NotFound
from chalicelib.network.access.clients import MATCHES_WRITE, RECEIPTS_READ
from chalicelib.purchases import standing
from chalicelib.purchases.access import Own, find_own
from chalicelib.purchases.correcting import service as correcting
from chalicelib.purchases.correcting.paper import Paper
from chalicelib.purchases.reading import Missing
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)

TAGS = ("matches",)


@operation(
    bp,
    "GET",
    "/v1/transactions/{transaction}/match",
    summary="Why a transaction has its receipt, waits for one, or has none",
    answers={200: MatchAnswer, 404: Problem},
    scopes=(RECEIPTS_READ,),
    tags=TAGS,
)
def read_match(inbound: Inbound) -> Answer:
    """In fields and in plain words, with what would decide it and what became of it so far.

    404 with the code `NOT_SUPPORTED`: no receipt is to be expected for this transaction.
    """
    now = clock.now()
    return _standing(_own(inbound, now=now), now=now)


@operation(
    bp,
    "POST",
    "/v1/transactions/{transaction}/match/not-mine",
    summary="The payer says that the receipt is not theirs",
    takes=NotMineBody,
    answers={200: MatchAnswer, 400: Problem, 404: Problem, 422: Problem},
    scopes=(MATCHES_WRITE,),
    tags=TAGS,
)
def say_not_mine(inbound: Inbound) -> Answer:
    """Take the receipt away at once; the two are never joined again by themselves.

    `version` says which receipt was meant, so the same request again changes nothing: neither does
    it take away one that was found since. 422 `nothing_to_withdraw`: there is none of that version.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), NotMineBody)
    own = _own(inbound, now=now)
    correcting.say_not_mine(own, version=body.version, now=now)
    return _standing(own, now=now)


@operation(
    bp,
    "POST",
    "/v1/transactions/{transaction}/match/this-is-mine",
    summary="The payer names the receipt from its paper",
    takes=ThisIsMineBody,
    answers={200: MatchAnswer, 400: Problem, 404: Problem, 422: Problem, 429: Problem},
    scopes=(MATCHES_WRITE,),
    tags=TAGS,
)
def say_this_is_mine(inbound: Inbound) -> Answer:
    """Join the two if shop, day, amount and card do not contradict it. The same again is the same.

    422 `receipt_not_confirmed`: it cannot be, and why is not said: a number that is made up, and
    the receipt of somebody else, look alike. 422 `has_a_receipt`: another one is there; say of
    that one first that it is not theirs. 429 `too_many_attempts`: five a day for a transaction,
    twenty for a user.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), ThisIsMineBody)
    paper = Paper(_tidied(body.reference), _tidied(body.barcode))
    if (paper.reference is None) == (paper.barcode is None):
        raise Misshapen("either `reference` or `barcode` is needed", code="shape")
    own = _own(inbound, now=now)
    correcting.say_mine(own, paper, now=now)
    return _standing(own, now=now)


def _own(inbound: Inbound, *, now: datetime) -> Own:
    """The payment that the caller may know of; what is never heard of, of another bank or user, or
    of somebody who left, looks alike.
    """
    caller = inbound.known_caller
    transaction = inbound.parameters["transaction"]
    own = find_own(callers.bank_of(caller), transaction, of_user=caller.user, now=now)
    if own is None:
        raise _not_supported()
    return own


def _standing(own: Own, *, now: datetime) -> Answer:
    told = standing.standing_of(own, now=now)
    if told is None:
        raise _not_supported()
    return Answer(to_answer(told))


def _tidied(number: str | None) -> str | None:
    """As printed, without the blanks that a person types around it."""
    return " ".join(number.split()) or None if number else None


def _not_supported() -> NotFound:
    return NotFound(
        "No receipt is to be expected for this transaction.", code=Missing.NOT_SUPPORTED.value
    )
