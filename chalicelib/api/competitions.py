"""Competitions: for the retailers that give prizes, and for the banks whose members enter."""

import os

from chalice import Blueprint

from chalicelib.api import callers, reaching
from chalicelib.api.competition_shapes import (
    CompetitionAnswer,
    CompetitionBody,
    CompetitionsAnswer,
    CompetitionsSeen,
    EntryAnswer,
    EntryBody,
    read_competition,
    to_competition,
    to_entry,
    to_seen,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.ids import encode_id
from chalicelib.network.access.clients import CAMPAIGNS_WRITE, OFFERS_READ, OFFERS_WRITE
from chalicelib.offers.competitions import service
from chalicelib.offers.competitions.model import competition_id_of
from chalicelib.runtime import clock, wire

ENTRY_BYTES = 17  # As of a member's pseudonym: nobody guesses one, and no two are the same.

bp = Blueprint(__name__)
_SCOPES = (CAMPAIGNS_WRITE,)
_TAGS = ("competitions",)


@operation(
    bp,
    "PUT",
    "/v1/competitions/{reference}",
    summary="Write a competition",
    takes=CompetitionBody,
    answers={
        200: CompetitionAnswer,
        201: CompetitionAnswer,
        400: Problem,
        409: Problem,
        422: Problem,
    },
    scopes=_SCOPES,
    tags=_TAGS,
)
def put_competition(request: Inbound) -> Answer:
    """Under the retailer's own name for it (lower-case letters, digits, dashes): 201 the first
    time, 200 after that. It may be changed until it begins, which it does by the clock; from then
    on what it offers is fixed (409).
    """
    now = clock.now()
    body = wire.convert(request.json(), CompetitionBody)
    given = read_competition(
        body,
        retailer_id=callers.retailer_of(request.known_caller),
        reference=request.parameters["reference"],
    )
    drafted = service.write_draft(given, now=now)
    return Answer(to_competition(drafted.competition, now=now), 201 if drafted.is_new else 200)


@operation(
    bp,
    "GET",
    "/v1/competitions",
    summary="The caller's competitions",
    answers={200: CompetitionsAnswer},
    scopes=_SCOPES,
    tags=_TAGS,
)
def list_competitions(request: Inbound) -> Answer:
    """All of them, until thirteen months after their end."""
    now = clock.now()
    found = service.list_competitions(callers.retailer_of(request.known_caller), now=now)
    return Answer(CompetitionsAnswer(tuple(to_competition(one, now=now) for one in found)))


@operation(
    bp,
    "GET",
    "/v1/competitions/{reference}",
    summary="A competition, how many entered, and its draw",
    answers={200: CompetitionAnswer, 404: Problem},
    scopes=_SCOPES,
    tags=_TAGS,
)
def get_competition(request: Inbound) -> Answer:
    """Winners are numbers of entries: whose they are, only the members' banks see."""
    now = clock.now()
    retailer_id = callers.retailer_of(request.known_caller)
    competition_id = competition_id_of(retailer_id, request.parameters["reference"])
    found = service.get_competition(competition_id, now=now)
    entries = service.count_entries(found, now=now)
    return Answer(to_competition(found, entries=entries, now=now))


@operation(
    bp,
    "DELETE",
    "/v1/competitions/{reference}",
    summary="Remove a competition that has not begun",
    answers={204: None, 404: Problem, 409: Problem},
    scopes=_SCOPES,
    tags=_TAGS,
)
def delete_competition(request: Inbound) -> Answer:
    """409 once it has begun: what members entered takes place."""
    retailer_id = callers.retailer_of(request.known_caller)
    service.remove_draft(retailer_id, request.parameters["reference"], now=clock.now())
    return Answer(status=204)


@operation(
    bp,
    "GET",
    "/v1/members/{user}/competitions",
    summary="The competitions that a member may enter or has entered",
    answers={200: CompetitionsSeen, 404: Problem},
    scopes=(OFFERS_READ,),
    tags=_TAGS,
)
def list_members_competitions(request: Inbound) -> Answer:
    """Those that run now, none while the member has offers switched off; and those that they
    entered, with the draw once it was made, until thirteen months after the end.
    """
    now = clock.now()
    member = reaching.member_of(request, now=now)
    seen = service.list_seen(member, now=now)
    return Answer(CompetitionsSeen(tuple(to_seen(one, now=now) for one in seen)))


@operation(
    bp,
    "POST",
    "/v1/members/{user}/competitions/{competition}/entries",
    summary="Enter a competition",
    takes=EntryBody,
    answers={
        201: EntryAnswer,
        400: Problem,
        404: Problem,
        409: Problem,
        412: Problem,
        422: Problem,
    },
    scopes=(OFFERS_WRITE,),
    tags=_TAGS,
)
def enter_competition(request: Inbound) -> Answer:
    """Once, by a member who has switched offers on (else 412 `offers_switched_off`) and agreed to
    the terms as they stand (else 422 `unknown_terms_version`). 409 `already_entered`, also to a
    bank that lost the first answer: the member's list shows the entry. 409 `competition_over`.
    """
    now = clock.now()
    member = reaching.member_of(request, now=now)
    body = wire.convert(request.json(), EntryBody)
    entry = service.enter(
        member,
        request.parameters["competition"],
        body.terms_version,
        entry_id=encode_id(os.urandom(ENTRY_BYTES)),
        now=now,
    )
    return Answer(to_entry(entry), 201)
