"""Switching members on and off, and finding whose payment it is.

Two activations at once make one member: the anchor's row is written on condition that it is not
there, the loser reads what the winner wrote and applies its own accounts and cards as a change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.members import activation as activating
from chalicelib.members import holding, store
from chalicelib.members.activation import Activation
from chalicelib.members.choices import NOTHING_CHOSEN, NoticeChoices
from chalicelib.members.connecting import store as connecting
from chalicelib.members.connecting.model import Departure, HeldToken, departure_of
from chalicelib.members.linking import store as linking
from chalicelib.members.model import (
    Fresh,
    Holder,
    Link,
    LinkKind,
    Member,
    MemberStatus,
    Reference,
)
from chalicelib.members.model import NotHeld as NotHeld
from chalicelib.network import programmes
from chalicelib.network.model import Connection
from chalicelib.network.programmes import Service
from chalicelib.runtime import observability, vault

ATTEMPTS_MAX = 5  # Each is lost only to somebody who finished; five at once on one member is a bug.

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Activated:
    """The member as they are now, and whether this made them."""

    member: Member
    is_new: bool


def activate(activation: Activation, *, fresh: Fresh, now: datetime) -> Activated:
    """Switch the programme on, or apply what changed; the same again changes nothing.

    `fresh` is the pseudonym and salt for a member who is new. Somebody who left and comes back is
    new: nothing leads from the new pseudonym to the old one.

    :raises activation.TermsNotAccepted: the current terms were not accepted.
    :raises Rejected: see `activation.check`. :raises TryAgain: others kept changing the member.
    """
    programme = programmes.get_programme(activation.connection.programme)
    activating.check(activation, programme, now=now)

    def attempt() -> Activated:
        before = _find_active(activation.anchor, now=now)
        if before is None:
            member = activating.decide_new(activation, programme, fresh=fresh, now=now)
            store.record_new(member)
            return Activated(member, is_new=True)
        member = activating.decide_change(before, activation, now=now)
        if member is not before:
            store.record_change(member, before=before)
        return Activated(member, is_new=False)

    activated = until_undisturbed(attempt)
    if activated.is_new:
        observability.count("members_activated", connection=activation.connection.connection_id)
    return activated


def activate_account(activation: Activation, *, fresh: Fresh, now: datetime) -> Activated:
    """Switch the programme on for an account alone (Flux's format, where no user is named).

    An account that belongs to a member whom the bank switched on by user is on already.

    :raises Rejected: see `activate`.
    """
    held = linking.list_links(activation.anchor, now=now)
    for link in held:
        member = store.find_member(link.member_id, now=now)
        if member is not None and member.anchor != activation.anchor:
            programme = programmes.get_programme(activation.connection.programme)
            activating.check(activation, programme, now=now)
            return Activated(member, is_new=False)
    return activate(activation, fresh=fresh, now=now)


def get_member(anchor: Reference, *, now: datetime) -> Member:
    """The active member whom `anchor` switched on. :raises NotFound: there is none."""
    member = _find_active(anchor, now=now)
    if member is None:
        raise NotFound("there is no such member")
    return member


def find_member(member_id: MemberId, *, now: datetime, consistent: bool = True) -> Member | None:
    """The member of this pseudonym, active or left, or None; see the store for `consistent`."""
    return store.find_member(member_id, now=now, consistent=consistent)


def change_services(
    anchor: Reference, wanted: Mapping[Service, bool], connection: Connection, *, now: datetime
) -> Member:
    """Switch services on and off as `wanted`; returns the member as they are now.

    :raises NotFound: there is no such member.
    :raises activation.ReceiptsAreTheService: receipts cannot stop alone.
    :raises activation.ServiceNotOffered: the bank does not give the service.
    """

    def attempt() -> Member:
        before = get_member(anchor, now=now)
        programme = programmes.get_programme(before.programme)
        member = activating.decide_services(before, wanted, connection, programme, now=now)
        if member is not before:
            store.record_change(member, before=before)
        return member

    return until_undisturbed(attempt)


def change_choices(
    anchor: Reference, change: Callable[[NoticeChoices], NoticeChoices], *, now: datetime
) -> Member:
    """Change what the member is told and where; returns the member as they are now.

    :raises NotFound: there is no such member.
    """

    def attempt() -> Member:
        before = get_member(anchor, now=now)
        choices = change(before.choices)
        if choices == before.choices:
            return before
        member = replace(before, choices=choices, version=before.version + 1)
        store.record_change(member, before=before)
        return member

    return until_undisturbed(attempt)


def leave(anchor: Reference, *, now: datetime) -> Departure | None:
    """Switch the programme off at once; None where it is off already.

    Links go, so no payment finds the member any more; the bank's token is wiped, and handed back by
    whoever finishes the departure that is noted; names, accounts and contact are deleted. The
    pseudonym and the salt stay, so that what was kept can be given out until its own end.
    """

    def attempt() -> Departure | None:
        before = _find_active(anchor, now=now)
        if before is None:
            return None
        token = _find_token(before, now=now)
        left = replace(
            before,
            status=MemberStatus.LEFT,
            anchor=None,
            accounts=(),
            cards=(),
            devices=(),
            email=None,
            choices=NOTHING_CHOSEN,
            switches=(),
            left_at=now,
            version=before.version + 1,
        )
        departure = (
            departure_of(token, left_at=now)
            if token
            else Departure(before.member_id, before.connection_id, now)
        )
        store.record_leaving(left, before=before, departure=departure)
        return departure

    left = until_undisturbed(attempt)
    if left is not None:
        observability.count("members_left", connection=left.connection_id)
    return left


def suspend(member_id: MemberId, *, now: datetime) -> None:
    """Stop everything for a member who took the consent back at the bank (LNK-14).

    Links go at once; the member stays, so that a consent given anew finds everything as it was.
    """
    _change_status(member_id, MemberStatus.ACTIVE, MemberStatus.REVOKED, now=now)


def resume(member_id: MemberId, *, now: datetime) -> None:
    """Go on for a member who gave the consent anew."""
    _change_status(member_id, MemberStatus.REVOKED, MemberStatus.ACTIVE, now=now)


def _change_status(
    member_id: MemberId, before_status: MemberStatus, status: MemberStatus, *, now: datetime
) -> None:
    def attempt() -> None:
        before = store.find_member(member_id, now=now)
        if before is not None and before.status is before_status:
            changed = replace(before, status=status, version=before.version + 1)
            store.record_change(changed, before=before)

    until_undisturbed(attempt)


def find_holder(
    connection_id: ConnectionId,
    *,
    account_ref: str | None = None,
    user_ref: str | None = None,
    card_ref: str | None = None,
    now: datetime,
) -> Holder | NotHeld:
    """The member whose payment it is, or why it is nobody's (see `holding`). Mostly one read.

    An account leads to its holders; where it is none of ours, the card's token does; the user alone
    only where neither account nor card is named, for an account that was not linked is not ours.

    :raises Rejected: a reference is malformed.
    """
    payer = _reference(LinkKind.USER, connection_id, user_ref)
    links: tuple[Link, ...] = ()
    for kind, text in ((LinkKind.ACCOUNT, account_ref), (LinkKind.CARD, card_ref)):
        reference = _reference(kind, connection_id, text)
        if reference is not None and not links:
            links = linking.list_links(reference, now=now)
    if payer is not None and not account_ref and not card_ref:
        anchored = linking.find_anchored(payer, now=now)
        links = (anchored,) if anchored and _is_active(anchored.member_id, now=now) else ()
    return holding.decide_holder(links, linking.hash_of(payer) if payer else None)


def list_card_holders(member: Member, *, now: datetime) -> tuple[tuple[Link, ...], ...]:
    """For each of the member's cards with a token, the links of all who registered that card."""
    tokens = [card.reference for card in member.cards if card.reference]
    return tuple(linking.list_links(token, now=now) for token in tokens)


def member_key_of(member_id: MemberId, *, now: datetime) -> vault.SealingKey | None:
    """The key of everything sealed for the member, or None once they are forgotten."""
    member = store.find_member(member_id, now=now)
    return None if member is None or member.salt is None else vault.member_key(member.salt)


def find_member_of_user(
    connection_id: ConnectionId, user: str, *, now: datetime
) -> MemberId | None:
    """The pseudonym of the active member whom the bank calls `user`, or None."""
    anchored = linking.find_anchored(Reference(LinkKind.USER, connection_id, user), now=now)
    return anchored.member_id if anchored else None


def shred(member_id: MemberId) -> None:
    """Make everything sealed for the member unreadable for good."""
    store.shred(member_id)


def _find_active(anchor: Reference, *, now: datetime) -> Member | None:
    link = linking.find_anchored(anchor, now=now)
    member = store.find_member(link.member_id, now=now) if link else None
    return member if member and member.status is not MemberStatus.LEFT else None


def _is_active(member_id: MemberId, *, now: datetime) -> bool:
    member = store.find_member(member_id, now=now)
    return member is not None and member.status is MemberStatus.ACTIVE


def _find_token(member: Member, *, now: datetime) -> HeldToken | None:
    if member.salt is None:
        return None
    key = vault.member_key(member.salt)
    return connecting.find_token(member.member_id, member.connection_id, key=key, now=now)


def _reference(kind: LinkKind, connection_id: ConnectionId, text: str | None) -> Reference | None:
    return Reference(kind, connection_id, text) if text else None


def until_undisturbed(attempt: Callable[[], T]) -> T:
    """Run `attempt` again when somebody else's write came first: what it read is out of date."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return attempt()
        except TryAgain:
            observability.count("member_writes_disturbed")
    return attempt()
