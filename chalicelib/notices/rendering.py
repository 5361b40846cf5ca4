"""A notice as its bank is told of it: who it is for, which payment, and the words."""

from datetime import datetime

from chalicelib.banks.noticing import BankNotice
from chalicelib.kernel.ids import PaymentId
from chalicelib.kernel.personal import Personal
from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import Announcement
from chalicelib.members.choices import Channel
from chalicelib.members.model import LinkKind, Member, MemberStatus
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.network import service as network
from chalicelib.network.model import Connection
from chalicelib.network.programmes import Service
from chalicelib.notices.wording import Words, words_of
from chalicelib.purchases.payments import store as payments
from chalicelib.runtime import vault


def why_not_told(member: Member | None, kind: NoticeKind) -> str | None:
    """Why the member's bank is not told of `kind`; None where it is."""
    if member is None or member.status is MemberStatus.LEFT or member.anchor is None:
        return "member_left"
    if member.status is MemberStatus.REVOKED:
        return "consent_suspended"
    if not member.choices.is_told(kind, Channel.BANK):
        return "not_wanted"
    if kind is NoticeKind.OFFER_ANNOUNCED and Service.OFFERS not in member.services:
        return "not_wanted"  # They would find no such offer.
    return None


def bank_notice(
    announcement: Announcement,
    member: Member,
    connection: Connection,
    *,
    access_token: Personal[str] | None = None,
    now: datetime,
) -> BankNotice:
    """`announcement` for the active `member` of `connection`'s bank."""
    retailer_name = retailer_named(announcement.retailer_id, now=now)
    words = words_for(announcement, member, now=now)
    anchor = member.anchor
    is_user = anchor is not None and anchor.kind is LinkKind.USER
    return BankNotice(
        notice_id=announcement.notice_id,
        kind=announcement.kind.value,
        at=announcement.at,
        title=words.title,
        text=words.text,
        subject=announcement.subject,
        user_ref=anchor.value if anchor is not None and is_user else None,
        account_ref=_account_of(member, connection),
        transaction_id=transaction_of(announcement.payment_id, member, connection, now=now),
        retailer_id=announcement.retailer_id,
        retailer_name=retailer_name,
        units=announcement.units,
        amount=announcement.amount,
        reason=announcement.reason,
        on=announcement.on,
        access_token=access_token,
    )


def words_for(announcement: Announcement, member: Member, *, now: datetime) -> Words:
    """`announcement` in the member's language."""
    return words_of(
        announcement,
        retailer=retailer_named(announcement.retailer_id, now=now),
        language=member.choices.language,
        unit=_unit_of(announcement, now=now),
    )


def _unit_of(announcement: Announcement, *, now: datetime) -> Unit | None:
    """What its units are, where its kind does not say so. Schemes are remembered, mostly."""
    if announcement.kind not in (NoticeKind.ADJUSTED, NoticeKind.EXPIRING):
        return None
    try:
        scheme = schemes.find_valid(announcement.subject, at=now, now=now)
    except NotFound:
        return None  # It is about an offer.
    return scheme.unit if scheme else None


def retailer_named(retailer_id: str, *, now: datetime) -> str:
    """The brand's name; empty for none, and for one that takes part no more."""
    try:
        return network.get_retailer(retailer_id, now=now).name if retailer_id else ""  # type: ignore[arg-type]
    except NotFound:
        return ""


def transaction_of(
    payment_id: str, member: Member, connection: Connection, *, now: datetime
) -> str | None:
    """What the bank calls the payment; None where it was another bank's, or is forgotten."""
    if not payment_id or member.salt is None:
        return None
    known = payments.find_payment(PaymentId(payment_id), key=vault.member_key(member.salt), now=now)
    if known is None or known.payment.connection_id != connection.connection_id:
        return None
    return known.payment.transaction_id


def _account_of(member: Member, connection: Connection) -> str | None:
    """The member's account at the bank that was linked first."""
    for account in member.accounts:
        if account.reference.connection_id == connection.connection_id:
            return account.reference.value
    return None
