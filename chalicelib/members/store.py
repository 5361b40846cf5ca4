"""Members, as rows.

    wallets  <member id>  head  the member

What leads to the member (`linking.store`) knows keyed hashes of references; the references
themselves stand only in the head, sealed under the member's own key. Everything about one member
changes in one transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import TryAgain
from chalicelib.members.choices import from_words, to_words
from chalicelib.members.connecting import store as connecting
from chalicelib.members.connecting.model import Departure
from chalicelib.members.devices import Device
from chalicelib.members.linking import store as linking
from chalicelib.members.model import (
    Account,
    Card,
    Member,
    MemberStatus,
    Reference,
    TermsAcceptance,
)
from chalicelib.members.subscribing import store as subscribing
from chalicelib.members.switching import Switch
from chalicelib.network.programmes import Service
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

_CONFIGURATION = Kept(Category.CONFIGURATION, Purpose.MEMBERSHIP, Erasure.DELETE)
_CONSENT = Kept(Category.CONSENT, Purpose.MEMBERSHIP, Erasure.DELETE)
_HEAD_SEALED = Kept(
    Category.REFERENCE,
    Purpose.MEMBERSHIP,
    Erasure.SHRED,
    encrypted=True,
    holds={"anchor": Category.REFERENCE, "accounts": Category.REFERENCE}
    | {"cards": Category.CARD_FACTS, "email": Category.CONTACT, "switches": Category.CONSENT}
    | {"devices": Category.CARD_FACTS},
)


class HeadRow(rows.Row):
    """A member. Without `salt` nothing sealed for the member opens again."""

    Meta = rows.table_meta("wallets")
    privacy = {
        "status": _CONSENT,
        "programme": _CONFIGURATION,
        "connection_id": _CONFIGURATION,
        "terms_version": _CONSENT,
        "terms_accepted_at": _CONSENT,
        "terms_channel": _CONSENT,
        "services": _CONSENT,
        "activated_at": _CONSENT,
        "left_at": _CONSENT,
        "choices": _CONSENT,
        "version": Kept(Category.OPERATION, Purpose.MEMBERSHIP, Erasure.DELETE),
        "salt": Kept(Category.CREDENTIAL, Purpose.SECURITY, Erasure.DELETE),
        "sealed": _HEAD_SEALED,
    }
    retention = Retention(
        name="membership",
        reason="Your membership is kept while you are a member, and thirty days for returns.",
        ended_by="leaving, and thirty days: with the salt, all that was kept becomes unreadable",
    )

    status = UnicodeAttribute()
    programme = UnicodeAttribute()
    connection_id = UnicodeAttribute()
    terms_version = UnicodeAttribute()
    terms_accepted_at = UnicodeAttribute()
    terms_channel = UnicodeAttribute()
    services = UnicodeAttribute()
    activated_at = UnicodeAttribute()
    left_at = UnicodeAttribute(null=True)
    choices = UnicodeAttribute(null=True)
    version = NumberAttribute()
    salt = BinaryAttribute(legacy_encoding=False, null=True)
    sealed = BinaryAttribute(legacy_encoding=False, null=True)


@dataclass(frozen=True, slots=True)
class _SealedHead:
    anchor: Reference
    accounts: tuple[Account, ...]
    cards: tuple[Card, ...]
    email: str | None
    switches: tuple[Switch, ...] = ()
    devices: tuple[Device, ...] = ()


def find_member(member_id: MemberId, *, now: datetime, consistent: bool = True) -> Member | None:
    """The member, active or left; not `consistent`, at half the price, as of a moment ago."""
    row = rows.find(HeadRow, member_id, "head", now=now, consistent=consistent)
    return None if row is None else _to_member(row)


def record_new(member: Member) -> None:
    """Write a new member whole.

    :raises TryAgain: the anchor has switched somebody on already.
    """
    absent = linking.LinkRow.pk.does_not_exist()
    links = [(row, absent if row.sk == "holder" else None) for row in linking.rows_of(member)]
    _together([(_from_member(member), HeadRow.pk.does_not_exist()), *links])


def record_change(member: Member, *, before: Member) -> None:
    """Write `member` over `before`, links and topics too.

    :raises TryAgain: it changed meanwhile.
    """
    old = {(row.pk, row.sk): row for row in linking.rows_of(before)}
    new = {(row.pk, row.sk): row for row in linking.rows_of(member)}
    links = list(new.values()) if linking.said_of(before) != linking.said_of(member) else []
    gone = [row for key, row in old.items() if key not in new]
    begun, ended = subscribing.changes(before, member)
    written = [(row, None) for row in (*links, *begun)]
    _together([(_from_member(member), HeadRow.version == before.version), *written], gone + ended)


def record_leaving(left: Member, *, before: Member, departure: Departure) -> None:
    """Write that `before` has `left`: links and token go, what is to be done after is noted.

    :raises TryAgain: it changed meanwhile.
    """
    unchanged = HeadRow.version == before.version
    written = [(_from_member(left), unchanged), (connecting.departure_row(departure), None)]
    gone = [*linking.rows_of(before), *subscribing.changes(before, left)[1]]
    token = [connecting.token_row(left.member_id, left.connection_id)] if departure.token else []
    _together(written, [*gone, *token])


def shred(member_id: MemberId) -> None:
    """Delete the member's salt: nothing sealed for them, wherever it stands, opens again."""
    wiped = [HeadRow.salt.remove(), HeadRow.sealed.remove()]
    rows.update(HeadRow(member_id, "head"), wiped, condition=HeadRow.pk.exists())


def _together(written: Iterable[tuple[rows.Row, Any]], deleted: Iterable[rows.Row] = ()) -> None:
    try:
        rows.put_together(written, deleted)
    except rows.ConditionFailed as error:
        raise TryAgain("the member was changed by somebody else meanwhile") from error


def _from_member(member: Member) -> HeadRow:
    row = HeadRow(
        member.member_id,
        "head",
        status=member.status.value,
        programme=member.programme,
        connection_id=member.connection_id,
        terms_version=member.terms.version,
        terms_accepted_at=member.terms.accepted_at.isoformat(),
        terms_channel=member.terms.channel,
        services=" ".join(sorted(service.value for service in member.services)),
        activated_at=member.activated_at.isoformat(),
        left_at=member.left_at.isoformat() if member.left_at else None,
        choices=to_words(member.choices) or None,
        expires_at=rows.epoch(member.kept_until) if member.kept_until else None,
        version=member.version,
        salt=member.salt,
    )
    if member.anchor is not None and member.salt is not None:
        email = member.email.reveal() if member.email else None
        said = _SealedHead(
            member.anchor, member.accounts, member.cards, email, member.switches, member.devices
        )
        key = vault.member_key(member.salt)
        row.sealed = vault.seal(said, key=key, place=_place(row), kept=_HEAD_SEALED)
    return row


def _to_member(row: HeadRow) -> Member:
    details = None
    if row.sealed is not None and row.salt is not None:
        key = vault.member_key(row.salt)
        details = vault.open_sealed(row.sealed, _SealedHead, key=key, place=_place(row))
    return Member(
        member_id=MemberId(row.pk),
        connection_id=ConnectionId(row.connection_id),
        programme=row.programme,
        status=MemberStatus(row.status),
        anchor=details.anchor if details else None,
        terms=TermsAcceptance(
            row.terms_version, datetime.fromisoformat(row.terms_accepted_at), row.terms_channel
        ),
        services=frozenset(Service(name) for name in row.services.split()),
        accounts=details.accounts if details else (),
        cards=details.cards if details else (),
        email=Personal(details.email) if details and details.email else None,
        salt=row.salt,
        activated_at=datetime.fromisoformat(row.activated_at),
        left_at=datetime.fromisoformat(row.left_at) if row.left_at else None,
        version=int(row.version),
        choices=from_words(row.choices or ""),
        switches=details.switches if details else (),
        devices=details.devices if details else (),
    )


def _place(row: rows.Row) -> str:
    return f"{row.pk}|{row.sk}"
