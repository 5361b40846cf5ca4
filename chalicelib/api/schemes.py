"""Schemes, for the retailers whose they are: written, read, and asked what a basket would earn."""

from dataclasses import dataclass

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
from chalicelib.kernel.refusals import NotFound
from chalicelib.kernel.times import parse_instant
from chalicelib.loyalty import asking
from chalicelib.loyalty.asking import Asker
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.schemes import service
from chalicelib.loyalty.schemes.public_shapes import SchemeShape
from chalicelib.loyalty.schemes.service import Kept, scheme_id_of
from chalicelib.loyalty.what_if import basket_of, what_if
from chalicelib.members import service as members
from chalicelib.members.model import LinkKind, Reference
from chalicelib.network import service as network
from chalicelib.network.access.clients import SCHEMES_READ, SCHEMES_WRITE
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
    asked = _asked(inbound, _own(inbound))
    return _answer(asked, asking.anybody(asked.scheme))


@operation(
    bp,
    "POST",
    "/v1/members/{user}/schemes/{scheme}/what-if",
    summary="What a basket would earn a member, for their bank",
    takes=BasketBody,
    answers={200: WhatIfAnswer, **_ASKED},
    scopes=(SCHEMES_READ,),
    tags=("schemes", "members"),
)
def ask_members_what_if(inbound: Inbound) -> Answer:
    """With the member's tier, caps and streaks. `barred` says why it would earn nothing whatever is
    bought: stamps are off, the scheme was not joined, or was left. Nothing is kept of it.
    """
    user = inbound.parameters["user"]
    connection_id = callers.bank_of(inbound.known_caller)
    callers.check_user(inbound.known_caller, user)
    now = clock.now()
    member = members.get_member(Reference(LinkKind.USER, connection_id, user), now=now)
    asked = _asked(inbound, inbound.parameters["scheme"])
    asker = asking.asker_of(member, asked.scheme, at=asked.basket.sold_at, now=now)
    return _answer(asked, asker)


@dataclass(frozen=True, slots=True)
class _Asked:
    scheme: Scheme
    basket: Sale


def _asked(inbound: Inbound, scheme_id: str) -> _Asked:
    """The basket in the body, and the version of the scheme that holds when it is bought.

    :raises NotFound: there is no such scheme, or its retailer has no such store.
    """
    now = clock.now()
    body = wire.convert(inbound.json(), BasketBody)
    at = now if body.at is None else parse_instant(body.at, field="at")
    scheme = service.get_valid(scheme_id, at=at, now=now)
    store = network.find_store_for_till(scheme.retailer_id, reference=body.store, now=now)
    if store is None:
        raise NotFound("the retailer has no such store", field="store")
    return _Asked(
        scheme,
        basket_of(
            to_lines(body),
            store,
            currency=body.currency,
            at=at,
            own_tender_minor=body.own_tender_minor,
        ),
    )


def _answer(asked: _Asked, asker: Asker) -> Answer:
    found = what_if(asked.basket, asked.scheme, asker.standing)
    barred = asker.bar.value if asker.bar is not None else ""
    return Answer(to_what_if(asked.scheme.scheme_id, found, barred=barred))


def _own(inbound: Inbound) -> str:
    """The id of the caller's scheme that the path names; nobody else's can be named."""
    return scheme_id_of(callers.retailer_of(inbound.known_caller), inbound.parameters["scheme"])
