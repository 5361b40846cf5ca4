"""Whether a member would earn in a scheme at some time, and how they stand then. Writes nothing."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.refusals import NotFound
from chalicelib.loyalty.cards import store
from chalicelib.loyalty.cards.eligibility import Barred, find_bar
from chalicelib.loyalty.cards.standing import standing_for
from chalicelib.loyalty.earning import Standing
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.service import taker_of
from chalicelib.members.model import Member
from chalicelib.runtime import vault

NO_PURCHASE = ""  # The basket is none of those on the card.


@dataclass(frozen=True, slots=True)
class Asker:
    """How somebody stands for a basket. `bar` is why it would earn nothing whatever is in it."""

    standing: Standing
    bar: Barred | None = None


def anybody(scheme: Scheme) -> Asker:
    """Somebody with an empty card, on the lowest tier."""
    return Asker(Standing(tier_id=scheme.tiers[0].tier_id if scheme.tiers else ""))


def asker_of(member: Member, scheme: Scheme, *, at: datetime, now: datetime) -> Asker:
    """How `member` would stand at `at`, by the card as it is now (or was a moment ago).

    :raises NotFound: the member is forgotten.
    """
    if member.salt is None:
        raise NotFound("there is no such member")
    holder = store.Holder(member.member_id, scheme.scheme_id, vault.member_key(member.salt))
    card = store.find_card(holder, now=now, consistent=False)
    taker = taker_of(member, scheme, now=now)
    membership = card.membership if card is not None else taker.joined
    bar = find_bar(membership, taker, sold_at=at, now=max(at, now))
    if card is None:
        return Asker(anybody(scheme).standing, bar)
    return Asker(standing_for(card, scheme, NO_PURCHASE, sold_at=at), bar)
