"""Members, for their banks: switching on and off, services, and Flux's way by account alone.

A bank's machine sees its own connection only: the connection is the caller's, never the request's.
"""

import os
from datetime import datetime

from chalice import Blueprint

from chalicelib.api import callers
from chalicelib.api.member_shapes import (
    AccountBody,
    CardBody,
    FluxAccountBody,
    MemberAnswer,
    MemberBody,
    PreferencesBody,
    Terms,
)
from chalicelib.api.rim import Answer, Inbound, Problem, operation
from chalicelib.kernel.cards import LastFour, LastFourKind, tidy_scheme
from chalicelib.kernel.ids import ConnectionId, MemberId, encode_id
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.times import parse_instant, to_text
from chalicelib.members import service
from chalicelib.members.activation import Activation, GivenAccount, GivenCard, TermsNotAccepted
from chalicelib.members.model import (
    Fresh,
    LinkKind,
    Member,
    Reference,
    TermsAcceptance,
    payable_reference,
)
from chalicelib.network import programmes
from chalicelib.network import service as network
from chalicelib.network.access.clients import MEMBERS_READ, MEMBERS_WRITE
from chalicelib.network.model import Connection
from chalicelib.network.programmes import Service
from chalicelib.privacy import leaving
from chalicelib.runtime import clock, vault, wire

PSEUDONYM_BYTES = 17  # 130 bits once encoded.
FLUX_CHANNEL = "flux"  # In Flux's format the bank's contract says that it asked for acceptance.

bp = Blueprint(__name__)


@operation(
    bp,
    "PUT",
    "/v1/members/{user}",
    summary="Switch the programme on for one of the bank's users",
    takes=MemberBody,
    answers={200: MemberAnswer, 201: MemberAnswer, 400: Problem, 412: Problem, 422: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("members",),
)
def put_member(request: Inbound) -> Answer:
    """Activate `user`, or change what is known of them: 201 the first time, 200 after that.

    The same request again changes nothing. Accounts and cards that are left out are removed.
    Without acceptance of the programme's current terms the answer is 412.
    """
    now = clock.now()
    body = wire.convert(request.json(), MemberBody)
    connection, anchor = _own_user(request, now=now)
    activation = _to_activation(body, connection, anchor, now=now)
    activated = service.activate(activation, fresh=_fresh(), now=now)
    return Answer(_to_answer(activated.member), 201 if activated.is_new else 200)


@operation(
    bp,
    "GET",
    "/v1/members/{user}",
    summary="See whether the programme is on",
    answers={200: MemberAnswer, 404: Problem},
    scopes=(MEMBERS_READ,),
    tags=("members",),
)
def get_member(request: Inbound) -> Answer:
    """The member, or 404 where the programme is not on for this user of the caller's own bank."""
    now = clock.now()
    _, anchor = _own_user(request, now=now)
    return Answer(_to_answer(service.get_member(anchor, now=now)))


@operation(
    bp,
    "DELETE",
    "/v1/members/{user}",
    summary="Switch the programme off",
    answers={204: None, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("members",),
)
def delete_member(request: Inbound) -> Answer:
    """Stop everything at once: no payment finds the member again, tokens are revoked and wiped."""
    now = clock.now()
    _, anchor = _own_user(request, now=now)
    leaving.switch_off(anchor, now=now)
    return Answer(status=204)


@operation(
    bp,
    "PATCH",
    "/v1/members/{user}/preferences",
    summary="Switch single services on or off",
    takes=PreferencesBody,
    answers={200: MemberAnswer, 404: Problem, 409: Problem, 422: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("members",),
)
def patch_preferences(request: Inbound) -> Answer:
    """Change stamps and offers. Receipts are the service: to stop them, delete the member (409)."""
    now = clock.now()
    body = wire.convert(request.json(), PreferencesBody)
    connection, anchor = _own_user(request, now=now)
    named = {service: getattr(body, service.value) for service in Service}
    wanted = {service: is_on for service, is_on in named.items() if is_on is not None}
    return Answer(_to_answer(service.change_services(anchor, wanted, connection, now=now)))


@operation(
    bp,
    "PUT",
    "/auth/accounts/{account_id}",
    summary="Switch the programme on for an account (Flux)",
    takes=FluxAccountBody,
    answers={200: MemberAnswer, 201: MemberAnswer, 400: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("flux",),
)
def put_account(request: Inbound) -> Answer:
    """Activate an account as Flux's banks did. Their contract says that they asked for acceptance
    of the current terms, so it is recorded as given now, through the channel `flux`.
    """
    now = clock.now()
    body = wire.convert(request.json() if request.body else {}, FluxAccountBody)
    connection, anchor = _own_account(request, now=now)
    payable_reference(anchor.kind, anchor.connection_id, anchor.value, at="account_id")
    version = programmes.get_programme(connection.programme).terms_version
    activation = Activation(
        connection,
        anchor,
        TermsAcceptance(version, now, FLUX_CHANNEL),
        (GivenAccount(anchor),),
        email=Personal(body.email) if body.email else None,
    )
    activated = service.activate_account(activation, fresh=_fresh(), now=now)
    return Answer(_to_answer(activated.member), 201 if activated.is_new else 200)


@operation(
    bp,
    "DELETE",
    "/auth/accounts/{account_id}",
    summary="Switch the programme off for an account (Flux)",
    answers={204: None, 404: Problem},
    scopes=(MEMBERS_WRITE,),
    tags=("flux",),
)
def delete_account(request: Inbound) -> Answer:
    """Stop everything at once for an account that was switched on by `PUT /auth/accounts/…`."""
    now = clock.now()
    _, anchor = _own_account(request, now=now)
    leaving.switch_off(anchor, now=now)
    return Answer(status=204)


def _own_user(request: Inbound, *, now: datetime) -> tuple[Connection, Reference]:
    """The caller's connection, and the user named in the path there."""
    connection_id = callers.bank_of(request.known_caller)
    user = request.parameters["user"]
    callers.check_user(request.known_caller, user)
    reference = Reference(LinkKind.USER, connection_id, user)
    return network.get_connection(connection_id, now=now), reference


def _own_account(request: Inbound, *, now: datetime) -> tuple[Connection, Reference]:
    connection_id = callers.bank_of(request.known_caller)
    if request.known_caller.user is not None:
        raise callers.NotPermitted("a token for one user does not reach accounts")
    reference = Reference(LinkKind.ACCOUNT, connection_id, request.parameters["account_id"])
    return network.get_connection(connection_id, now=now), reference


def _fresh() -> Fresh:
    return Fresh(MemberId(encode_id(os.urandom(PSEUDONYM_BYTES))), vault.new_salt())


def _to_activation(
    body: MemberBody, connection: Connection, anchor: Reference, *, now: datetime
) -> Activation:
    if body.terms is None:
        version = programmes.get_programme(connection.programme).terms_version
        raise TermsNotAccepted(f"terms {version} have to be accepted first", field="terms")
    said_at = body.terms.accepted_at
    accepted_at = parse_instant(said_at, field="terms.accepted_at") if said_at else now
    return Activation(
        connection,
        anchor,
        TermsAcceptance(body.terms.version, accepted_at, body.terms.channel),
        tuple(_to_account(one, connection, i) for i, one in enumerate(body.accounts)),
        tuple(_to_card(one, connection, i) for i, one in enumerate(body.cards)),
        Personal(body.email) if body.email else None,
    )


def _to_account(body: AccountBody, connection: Connection, index: int) -> GivenAccount:
    at = f"accounts[{index}].id"
    reference = payable_reference(LinkKind.ACCOUNT, connection.connection_id, body.id, at=at)
    return GivenAccount(reference, body.last_four)


def _to_card(body: CardBody, connection: Connection, index: int) -> GivenCard:
    kind = LastFourKind(body.last_four_kind)
    four = LastFour(body.last_four, kind) if body.last_four else None
    token = None
    if body.token is not None:
        home = ConnectionId(body.token.connection or connection.connection_id)
        at = f"cards[{index}].token.value"
        token = payable_reference(LinkKind.CARD, home, body.token.value, at=at)
    return GivenCard(four, tidy_scheme(body.scheme), token)


def _to_answer(member: Member) -> MemberAnswer:
    terms = member.terms
    return MemberAnswer(
        member_id=member.member_id,
        status=member.status.value,
        programme=member.programme,
        terms=Terms(terms.version, terms.channel, to_text(terms.accepted_at)),
        services={one.value: one in member.services for one in Service},
        accounts=len(member.accounts),
        cards=len(member.cards),
        activated_at=to_text(member.activated_at),
    )
