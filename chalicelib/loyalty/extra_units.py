"""Bringing the member's other card up to what a full card or a claim gives on it.

It follows the card that gives as money does: that card is written first and says what it gives, and
every run that sees it does the same. What the other card has then, it has by one conditional write;
what follows from that (money of a card that the units filled, notices) comes after.
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty import funding
from chalicelib.loyalty.cards import desk, effects, extra
from chalicelib.loyalty.cards.awarding import Settled
from chalicelib.loyalty.cards.changes import RETURNED, WITHDRAWN
from chalicelib.loyalty.cards.desk import Opened, Purchased
from chalicelib.loyalty.cards.eligibility import Barred
from chalicelib.loyalty.cards.extra import Extra, Stage
from chalicelib.loyalty.cards.filling import with_leases
from chalicelib.loyalty.cards.model import Card, Claim, Entry, Fill, Membership
from chalicelib.loyalty.cards.past import find_entry, find_fills
from chalicelib.loyalty.cards.store import Holder, find_card
from chalicelib.loyalty.cards.valuing import membership_by
from chalicelib.loyalty.claims.claiming import CannotClaim
from chalicelib.loyalty.rules import ExtraUnits, Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members import service as members
from chalicelib.runtime import observability

NO_SUCH_SCHEME = "no_such_scheme"


class OtherSchemeLeft(CannotClaim):
    """The reward is units of a scheme that the member has left. Nothing was drawn."""

    code = "reward_scheme_left"


def follow(settled: Settled, holder: Holder, *, now: datetime) -> Settled:
    """Bring the other cards up to the full cards of `settled`; it says then what was withheld.

    :raises TryAgain: a passing obstacle; doing all of it again is safe.
    """
    withheld = set()
    for fill in settled.fills:
        if fill.gives is None:
            continue
        # Somebody else's purchase took nothing out of it that was never theirs.
        is_withdrawn = settled.reason == WITHDRAWN and _is_by(fill, settled.entry)
        given = extra.of_fill(fill, fill.gives, holder.scheme_id, is_withdrawn=is_withdrawn)
        if not _give(given, holder, now=now):
            withheld.add(fill.number)
    return replace(settled, withheld=frozenset(withheld)) if withheld else settled


def give_claimed(claim: Claim, holder: Holder, *, now: datetime) -> None:
    """Give what the claim says, if it is units; again is the same. :raises TryAgain: as above."""
    if claim.gives is not None:
        _give(extra.of_claim(claim, claim.gives, holder.scheme_id), holder, now=now)


def check_claimable(gives: ExtraUnits, holder: Holder, *, now: datetime) -> None:
    """Refuse to spend on units of a scheme that the member has left. :raises OtherSchemeLeft: so
    it is.
    """
    card = find_card(replace(holder, scheme_id=gives.scheme_id), now=now)
    if card is not None and not card.membership.is_on:
        raise OtherSchemeLeft("the reward is of a scheme that the member has left")


def _is_by(fill: Fill, entry: Entry | None) -> bool:
    return entry is not None and fill.undone_by == entry.payment_id


def _give(given: Extra, holder: Holder, *, now: datetime) -> bool:
    """Whether the other card took it, now or before."""
    scheme = schemes.find_valid(given.scheme_id, at=now, now=now)
    member = members.find_member(holder.member_id, now=now)
    if scheme is None or member is None:
        observability.count("extra_units_withheld", reason=NO_SUCH_SCHEME)
        return False
    other = replace(holder, scheme_id=given.scheme_id)
    joined = membership_by(scheme, activated_at=member.activated_at) or extra.joined_by(given)
    settled = _settle(given, other, scheme, joined, now=now)
    effects.follow(settled, other, scheme, now=now)
    is_withheld = settled.entry is not None and extra.is_withheld(settled.entry)
    if not settled.is_known and is_withheld:
        observability.count("extra_units_withheld", reason=Barred.LEFT_SCHEME.value)
    elif not settled.is_known:
        observability.count("extra_units_changed", kind=given.stage.name.lower())
    return not is_withheld


def _settle(
    given: Extra, other: Holder, scheme: Scheme, joined: Membership, *, now: datetime
) -> Settled:
    def change(opened: Opened) -> Card:
        card = opened.card or desk.new_card(joined)
        changed = extra.bring_to(card, given, _version_for(given, card, now=now), at=now)
        if changed is card:
            return card
        return with_leases(
            changed,
            lambda minor: funding.lease_for(scheme, other.member_id, minor, now=now),
            cause=given.name,
        )

    of = Purchased(given.name, given.at)
    before, after = desk.change_card(other, scheme, change, of=of, now=now)
    return Settled(
        before=before.card,
        card=after.card,
        entry=find_entry(after.card, after.past, given.name) if after.card else None,
        fills=find_fills(after.card, after.past, given.name) if after.card else (),
        reason=WITHDRAWN if given.stage is Stage.WITHDRAWN else RETURNED,
    )


def _version_for(given: Extra, card: Card, *, now: datetime) -> Scheme:
    """The version that it was entered under, or the one that holds for it."""
    known = card.find_entry(given.name)
    if known is not None:
        return schemes.get_version(given.scheme_id, known.scheme, now=now)
    return schemes.get_valid(given.scheme_id, at=given.at, now=now)
