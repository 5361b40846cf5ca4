"""Switching on: what a bank asks for, checked, and what changes by it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.cards import LastFour, LastFourKind
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import (
    Misshapen,
    NotAgreed,
    NotAllowed,
    NotAsItStands,
    NotFound,
    TooLarge,
)
from chalicelib.members.model import (
    ACCOUNTS_MAX,
    CARDS_MAX,
    Account,
    Card,
    Fresh,
    Member,
    MemberStatus,
    Reference,
    TermsAcceptance,
)
from chalicelib.members.switching import Switch, with_switch
from chalicelib.network.model import Connection
from chalicelib.network.programmes import Programme, Service

ACCEPTED_AHEAD = timedelta(minutes=10)  # A bank's clock may be that much before ours.


class TermsNotAccepted(NotAgreed):
    """The programme's current terms were not accepted. Nothing starts without them."""

    code = "terms_not_accepted"


class ReceiptsAreTheService(NotAsItStands):
    """Receipts cannot be stopped alone. To stop them, the member leaves."""

    code = "receipts_are_the_service"


class ServiceNotOffered(NotAllowed):
    """The member's bank does not give this service."""

    code = "service_not_offered"


@dataclass(frozen=True, slots=True)
class GivenAccount:
    """An account as the bank names it."""

    reference: Reference
    last_four: str | None = None


@dataclass(frozen=True, slots=True)
class GivenCard:
    """A card as the bank describes it, never by its number."""

    last_four: LastFour | None = None
    scheme: str | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """What a bank says when it switches somebody on, or says it again with changes."""

    connection: Connection
    anchor: Reference
    terms: TermsAcceptance
    accounts: tuple[GivenAccount, ...] = ()
    cards: tuple[GivenCard, ...] = ()
    email: Personal[str] | None = None


def check(activation: Activation, programme: Programme, *, now: datetime) -> None:
    """Refuse an activation that breaks a rule.

    :raises TermsNotAccepted: not the current version, or accepted in the future.
    :raises TooLarge: more than 20 accounts or 20 cards. :raises Malformed: one stands twice.
    :raises NotFound: a card token of a connection that this bank may not use.
    """
    terms = activation.terms
    if terms.accepted_at > now + ACCEPTED_AHEAD:
        raise TermsNotAccepted("the terms are yet to be accepted", field="terms.accepted_at")
    if terms.version != programme.terms_version:
        raise TermsNotAccepted(
            f"terms {programme.terms_version} have to be accepted first", field="terms.version"
        )
    if len(activation.accounts) > ACCOUNTS_MAX:
        raise TooLarge("a member has at most 20 accounts", field="accounts")
    if len(activation.cards) > CARDS_MAX:
        raise TooLarge("a member has at most 20 cards", field="cards")
    _check_distinct([one.reference for one in activation.accounts], "accounts")
    tokens = [one.reference for one in activation.cards]
    _check_distinct([token for token in tokens if token is not None], "cards")
    own = (activation.connection.connection_id, *activation.connection.sources)
    for index, token in enumerate(tokens):
        if token is not None and token.connection_id not in own:
            field = f"cards[{index}].token.connection"
            raise NotFound("there is no such connection", field=field)


def _check_distinct(references: Sequence[Reference], field: str) -> None:
    if len(set(references)) != len(references):
        raise Misshapen("the same id stands twice", field=field)


def decide_new(
    activation: Activation, programme: Programme, *, fresh: Fresh, now: datetime
) -> Member:
    """The member that `activation` makes."""
    offered = _offered(activation.connection)
    services = {rule.service for rule in programme.services if rule.is_on_at_start} & offered
    member = Member(
        member_id=fresh.member_id,
        connection_id=activation.connection.connection_id,
        programme=programme.name,
        status=MemberStatus.ACTIVE,
        anchor=activation.anchor,
        terms=activation.terms,
        services=frozenset(services),
        accounts=(),
        cards=(),
        email=None,
        salt=fresh.salt,
        activated_at=now,
    )
    return replace(decide_change(member, activation, now=now), version=1)


def decide_change(member: Member, activation: Activation, *, now: datetime) -> Member:
    """`member` as `activation` has it; the same object where that changes nothing.

    What was linked before stays linked since then. Services stay as the member set them. The first
    acceptance of a version of the terms is the one that counts. A consent that was revoked is given
    anew by this. Where an account or a card is gone, nobody knows which devices were of it, and all
    are forgotten.
    """
    linked = {one.reference: one.linked_at for one in member.accounts}
    accounts = tuple(
        Account(one.reference, _account_four(one), linked.get(one.reference, now))
        for one in activation.accounts
    )
    cards = tuple(_card(one, member.cards, now=now) for one in activation.cards)
    left = {one.reference for one in accounts} | {*cards}
    same_terms = member.terms.version == activation.terms.version
    changed = replace(
        member,
        status=MemberStatus.ACTIVE,
        accounts=accounts,
        cards=cards,
        devices=member.devices if {*linked, *member.cards} <= left else (),
        email=activation.email,
        terms=member.terms if same_terms else activation.terms,
    )
    return member if changed == member else replace(changed, version=member.version + 1)


def _account_four(given: GivenAccount) -> LastFour | None:
    return LastFour(given.last_four, LastFourKind.ACCOUNT) if given.last_four else None


def _card(given: GivenCard, before: Sequence[Card], *, now: datetime) -> Card:
    card = Card(given.last_four, given.scheme, given.reference, now)
    known = (one for one in before if replace(one, linked_at=now) == card)
    return next(known, card)


def decide_services(
    member: Member,
    wanted: Mapping[Service, bool],
    connection: Connection,
    programme: Programme,
    *,
    now: datetime,
) -> Member:
    """`member` with services switched as `wanted`; the same object where that changes nothing.

    :raises ReceiptsAreTheService: receipts are to stop.
    :raises ServiceNotOffered: a service is to start that the bank does not give.
    """
    services, switches = set(member.services), member.switches
    for service, is_wanted in wanted.items():
        if not is_wanted and not programme.rule_for(service).is_changeable:
            raise ReceiptsAreTheService(
                "receipts are the service itself; to stop them, switch the member off "
                "(DELETE /v1/members/{user})",
                field=service.value,
            )
        if is_wanted and service not in _offered(connection):
            raise ServiceNotOffered("the bank does not give this service", field=service.value)
        if is_wanted != (service in services):
            switches = with_switch(switches, Switch(service, now, is_wanted))
        (services.add if is_wanted else services.discard)(service)
    if services == member.services:
        return member
    changed = replace(member, services=frozenset(services), switches=switches)
    return replace(changed, version=member.version + 1)


def _offered(connection: Connection) -> set[Service]:
    flags = {
        Service.RECEIPTS: connection.receipts,
        Service.STAMPS: connection.stamps,
        Service.OFFERS: connection.offers,
    }
    return {service for service, is_offered in flags.items() if is_offered}
