"""What leads to a member, as rows.

    people   <keyed hash of the anchor>         holder            the one member it switched on
    people   <keyed hash of an account or card> link#<member id>  a member it leads to

The keyed hash of a reference finds its rows. They say of the member what is asked when a payment
comes, so that it needs one read; `members.store` writes them with the member.
"""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.cards import KnownDigits, LastFour
from chalicelib.kernel.ids import MemberId
from chalicelib.members.model import Link, LinkKind, Member, MemberStatus, Reference
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention

LINKS_READ_MAX = 20  # Holders of one joint account; more than a few is nobody's account.
_SEALED = Kept(
    Category.CARD_FACTS,
    Purpose.MATCHING,
    Erasure.DELETE,
    encrypted=True,
    holds={"since": Category.OPERATION, "last_fours": Category.CARD_FACTS}
    | {"payer": Category.REFERENCE, "salt": Category.CREDENTIAL}
    | {"device_digits": Category.CARD_FACTS},
)


class LinkRow(rows.Row):
    """From the keyed hash of a reference to the member it belongs to."""

    Meta = rows.table_meta("people")
    privacy = {
        "member_id": Kept(Category.PSEUDONYM, Purpose.MEMBERSHIP, Erasure.DELETE),
        "sealed": _SEALED,
    }
    retention = Retention(
        name="link",
        reason="Your accounts and cards are linked to you while you are a member. So are the last "
        "four digits of devices that you pay with, learned from your receipts.",
        ended_by="the member leaves or the bank removes the account or card",
    )

    member_id = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class _SealedLink:
    since: datetime
    last_fours: tuple[LastFour, ...]
    payer: str | None
    salt: bytes | None = None
    device_digits: tuple[str, ...] = ()


def find_anchored(anchor: Reference, *, now: datetime) -> Link | None:
    """The link of the member whom `anchor` switched on, if one is on now."""
    row = rows.find(LinkRow, hash_of(anchor), "holder", now=now)
    return None if row is None else _to_link(row)


def list_links(reference: Reference, *, now: datetime) -> tuple[Link, ...]:
    """The links of every member whom the account or card leads to, at most 20."""
    found = rows.list_prefixed(LinkRow, hash_of(reference), "link#", now=now, limit=LINKS_READ_MAX)
    return tuple(_to_link(row) for row in found)


def hash_of(reference: Reference) -> str:
    """The keyed hash under which rows about `reference` stand."""
    return vault.lookup_key(reference.kind.value, reference.connection_id, reference.value)


def rows_of(member: Member) -> list[LinkRow]:
    """Everything that leads to `member`. For `members.store` only, as is `said_of`."""
    if member.anchor is None:
        return []
    payer = hash_of(member.anchor) if member.anchor.kind is LinkKind.USER else None
    rows_of_member = [_link_row(member, member.anchor, "holder", member.activated_at, payer)]
    if member.status is not MemberStatus.ACTIVE:
        return rows_of_member
    sk = f"link#{member.member_id}"
    linked = [(one.reference, one.linked_at) for one in member.accounts]
    linked += [(one.reference, one.linked_at) for one in member.cards if one.reference]
    for reference, since in linked:
        # Only the home bank's user can be compared with who a payment says has paid.
        known = payer if reference.connection_id == member.connection_id else None
        rows_of_member.append(_link_row(member, reference, sk, since, known))
    return rows_of_member


def said_of(member: Member) -> tuple[object, ...]:
    """All that the rows are made of, and that changes."""
    return member.status, member.accounts, member.cards, member.digits


def _link_row(
    member: Member, reference: Reference, sk: str, since: datetime, payer: str | None
) -> LinkRow:
    row = LinkRow(hash_of(reference), sk, member_id=member.member_id)
    digits = member.digits
    said = _SealedLink(since, digits.registered, payer, member.salt, digits.devices)
    key = vault.platform_key("people")
    row.sealed = vault.seal(said, key=key, place=f"{row.pk}|{row.sk}", kept=_SEALED)
    return row


def _to_link(row: LinkRow) -> Link:
    key = vault.platform_key("people")
    opened = vault.open_sealed(row.sealed, _SealedLink, key=key, place=f"{row.pk}|{row.sk}")
    digits = KnownDigits(opened.last_fours, opened.device_digits)
    return Link(MemberId(row.member_id), opened.since, digits, opened.payer, opened.salt)
