"""Schemes, for the retailers whose they are: written, read, and asked what a basket would earn."""

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.api.scheme_shapes import (
    BasketBody,
    SchemeAnswer,
    SchemesAnswer,
    VersionsAnswer,
    WhatIfAnswer,
    read_document,
    to_answer,
    to_lines,
    to_version,
    to_what_if,
)
from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.refusals import NotFound
from chalicelib.kernel.times import parse_instant
from chalicelib.loyalty.earning import Standing
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.schemes import service
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.service import Kept, scheme_id_of
from chalicelib.loyalty.what_if import WhatIf, basket_of, what_if
from chalicelib.network import service as network
from chalicelib.network.access.clients import SCHEMES_READ, SCHEMES_WRITE
from chalicelib.network.model import Store
from chalicelib.runtime import clock, wire

bp = Blueprint(__name__)

VERSION_DIGITS_MAX = 6
_READ = {401: Problem, 403: Problem, 404: Problem, 503: Problem}
_ASKED = {400: Problem, 413: Problem, 422: Problem, **_READ}


@operation(
    bp,
    "PUT",
    "/v1/schemes/{scheme}",
    summary="Write a scheme, or a new version of it",
    takes=SchemeShape,
    answers={200: SchemeAnswer, 201: SchemeAnswer, **_ASKED},
    scopes=(SCHEMES_WRITE,),
    tags=("schemes",),
)
def put_scheme(inbound: Inbound) -> Answer:
    """A scheme is called by the retailer's own reference: lower-case letters, digits and dashes.

    201: a new version, which takes the place of the one before when it starts. 200: the newest
    version is just so already. 422: what is wrong with it; `problems` has all of that, each with
    its place.
    """
    retailer_id = callers.retailer_of(inbound.known_caller)
    shape = read_document(inbound.json())
    reference = inbound.parameters["scheme"]
    recorded = service.record_scheme(retailer_id, reference, shape, now=clock.now())
    answer = to_answer(Kept(recorded.scheme, recorded.shape))
    return Answer(answer, 201 if recorded.is_new else 200)


@operation(
    bp,
    "GET",
    "/v1/schemes",
    summary="The retailer's schemes",
    answers={200: SchemesAnswer, **_READ},
    scopes=(SCHEMES_READ,),
    tags=("schemes",),
)
def list_schemes(inbound: Inbound) -> Answer:
    """The newest version of each, ended ones too, in order of id."""
    retailer_id = callers.retailer_of(inbound.known_caller)
    found = service.list_schemes(retailer_id, now=clock.now())
    return Answer(SchemesAnswer(tuple(map(to_answer, found))))


@operation(
    bp,
    "GET",
    "/v1/schemes/{scheme}",
    summary="The newest version of a scheme",
    answers={200: SchemeAnswer, **_READ},
    scopes=(SCHEMES_READ,),
    tags=("schemes",),
)
def get_scheme(inbound: Inbound) -> Answer:
    """The newest version, which may not have started yet."""
    return Answer(to_answer(service.get_scheme(_own(inbound), now=clock.now())))


@operation(
    bp,
    "GET",
    "/v1/schemes/{scheme}/versions",
    summary="The versions of a scheme",
    answers={200: VersionsAnswer, **_READ},
    scopes=(SCHEMES_READ,),
    tags=("schemes",),
)
def list_scheme_versions(inbound: Inbound) -> Answer:
    """Every version, oldest first. None is ever changed or removed."""
    marks = service.list_versions(_own(inbound), now=clock.now())
    return Answer(VersionsAnswer(tuple(map(to_version, marks))))


@operation(
    bp,
    "GET",
    "/v1/schemes/{scheme}/versions/{version}",
    summary="One version of a scheme",
    answers={200: SchemeAnswer, **_READ},
    scopes=(SCHEMES_READ,),
    tags=("schemes",),
)
def get_scheme_version(inbound: Inbound) -> Answer:
    """The version as it was written, also after later ones."""
    number = inbound.parameters["version"]
    if not number.isascii() or not number.isdigit() or len(number) > VERSION_DIGITS_MAX:
        raise NotFound("there is no such version of the scheme")
    found = service.get_scheme(_own(inbound), version=int(number), now=clock.now())
    return Answer(to_answer(found))


@operation(
    bp,
    "POST",
    "/v1/schemes/{scheme}/what-if",
    summary="What a basket would earn, for the retailer's own till",
    takes=BasketBody,
    answers={200: WhatIfAnswer, **_ASKED},
    scopes=(SCHEMES_READ,),
    tags=("schemes",),
)
def ask_what_if(inbound: Inbound) -> Answer:
    """For somebody with an empty card, on the lowest tier. Nothing is kept of it."""
    retailer_id = callers.retailer_of(inbound.known_caller)
    return answer_what_if(inbound, scheme_id_of(retailer_id, inbound.parameters["scheme"]))


def answer_what_if(inbound: Inbound, scheme_id: str, standing: Standing | None = None) -> Answer:
    """What the basket in the body would earn in a scheme; without a card, on the lowest tier.

    :raises NotFound: there is no such scheme, or its retailer has no such store.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), BasketBody)
    at = now if body.at is None else parse_instant(body.at, field="at")
    scheme = service.get_valid(scheme_id, at=at, now=now)
    basket = basket_of(
        to_lines(body),
        _store(scheme.retailer_id, body.store),
        currency=body.currency,
        at=at,
        own_tender_minor=body.own_tender_minor,
    )
    found: WhatIf = what_if(basket, scheme, standing or _on_lowest_tier(scheme))
    return Answer(to_what_if(scheme_id, found))


def _on_lowest_tier(scheme: Scheme) -> Standing:
    return Standing(tier_id=scheme.tiers[0].tier_id if scheme.tiers else "")


def _store(retailer_id: RetailerId, reference: str) -> Store:
    found = network.find_store_for_till(retailer_id, reference=reference, now=clock.now())
    if found is None:
        raise NotFound("the retailer has no such store", field="store")
    return found


def _own(inbound: Inbound) -> str:
    """The id of the caller's scheme that the path names; nobody else's can be named."""
    return scheme_id_of(callers.retailer_of(inbound.known_caller), inbound.parameters["scheme"])
