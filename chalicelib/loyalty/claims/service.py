"""Claims of rewards: reserved by a member, collected at a till by a code, or given up."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.kernel.ids import MemberId, RetailerId, natural_id
from chalicelib.loyalty import extra_units
from chalicelib.loyalty.cards import desk
from chalicelib.loyalty.cards import store as cards
from chalicelib.loyalty.cards.desk import Opened
from chalicelib.loyalty.cards.model import Card, Claim, ClaimState
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.claims import cash, catalogue, claiming, codes, store
from chalicelib.loyalty.claims.claiming import NoSuchClaim, Price
from chalicelib.loyalty.memberships.joining import NotInScheme
from chalicelib.loyalty.rules import CatalogueReward, ExtraUnits, FixedCashback, Scheme
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.members import service as members
from chalicelib.members.model import MemberStatus
from chalicelib.runtime import observability, vault

FOLLOWED_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim, the reward it is of (None: of a full card), and its code, where it has one. The
    reward is the one of the version that it was claimed under.
    """

    scheme: Scheme
    claim: Claim
    reward: CatalogueReward | None
    code: str | None


def claim_id_of(member_id: MemberId, name: str) -> str:
    """The claim that the member's bank calls `name`."""
    return natural_id("claim", member_id, name)


def reserve(holder: Holder, scheme: Scheme, *, name: str, reward_id: str, now: datetime) -> Claimed:
    """Reserve a reward for the member; the same `name` again is the same claim, whatever became of
    the claim, the reward or the scheme since.

    A fixed amount of money and units of another scheme are given at once; any other reward is
    collected with a code.

    :raises catalogue.NoSuchReward: the scheme has none such.
    :raises NotInScheme: the member takes no part.
    :raises claiming.InsufficientPoints: see `claiming.reserve`, and what else it raises.
    :raises extra_units.OtherSchemeLeft: the reward is units of a scheme that the member has left.
    """
    claim_id = claim_id_of(holder.member_id, name)
    repeated = _repeated(holder, scheme, claim_id, reward_id, now=now)
    if repeated is not None:
        return repeated
    price = _price(holder, scheme, catalogue.find_reward(scheme, reward_id), now=now)

    def change(opened: Opened) -> Card:
        card = _taking_part(opened)
        if price.gives is not None and card.find_claim(claim_id) is None:
            extra_units.check_claimable(price.gives, holder, now=now)
        return claiming.reserve(card, claim_id, price, at=now)

    _, after = desk.change_card(holder, scheme, change, now=now)
    claim = claiming.get_claim(_taking_part(after), claim_id)
    return _followed(holder, scheme, claim, now=now)


def find(holder: Holder, scheme: Scheme, name: str, *, now: datetime) -> Claimed:
    """The claim that the bank calls `name`, or whose id that is, as it stands now; one that is long
    over, too. Where whoever reserved it died, its code can be collected from now on.

    :raises NoSuchClaim: there is none.
    """
    names = (claim_id_of(holder.member_id, name), name)
    card = _at_hand(desk.open_card(holder, scheme, now=now))
    at_hand = (one for one in card.claims if one.claim_id in names)
    claim = next(at_hand, None) or _find_moved(card, holder, names, now=now)
    if claim is None:
        raise NoSuchClaim("there is no such claim")
    return _collectable(holder, scheme, claim, now=now)


def cancel(holder: Holder, scheme: Scheme, claim_id: str, *, now: datetime) -> Claimed:
    """Give the claim up: its units go back to the lots that they came from; again is the same.

    :raises claiming.ClaimNotOpen: it was redeemed. :raises NoSuchClaim: there is none.
    """
    cancelled = _changed(
        holder, scheme, claim_id, partial(claiming.cancel, claim_id=claim_id, at=now), now=now
    )
    return _told(holder, scheme, cancelled, now=now)


def confirm(retailer_id: RetailerId, code: str, *, confirmation: str, now: datetime) -> Claimed:
    """Redeem the claim whose code a till of the retailer was shown.

    `confirmation` is the till's own name of doing so: the same again is the same. Without one, a
    second confirming is refused as any other is.

    :raises NoSuchClaim: no claim of this retailer has such a code, or its member has left.
    :raises claiming.ClaimNotOpen: it was redeemed or cancelled, or its time is over.
    """
    owner = store.find_code(retailer_id, codes.tidy(code), now=now)
    holder = _holder_of(owner.member_id, owner.scheme_id, now=now) if owner else None
    if owner is None or holder is None:
        raise NoSuchClaim("there is no such claim")
    scheme = schemes.get_valid(owner.scheme_id, at=now, now=now)
    redeem = partial(claiming.redeem, claim_id=owner.claim_id, confirmation=confirmation, at=now)
    redeemed = _changed(holder, scheme, owner.claim_id, redeem, now=now)
    observability.count("claims_redeemed")
    return _told(holder, scheme, redeemed, now=now)


def list_claims(
    holder: Holder, scheme: Scheme, card: Card, *, now: datetime
) -> tuple[Claimed, ...]:
    """The claims at hand, newest first."""
    return tuple(_told(holder, scheme, one, now=now) for one in reversed(card.claims))


def _repeated(
    holder: Holder, scheme: Scheme, claim_id: str, reward_id: str, *, now: datetime
) -> Claimed | None:
    """The claim, where it was reserved before. :raises ConflictingClaim: as another reward's."""
    card = desk.open_card(holder, scheme, now=now).card
    if card is None:
        return None
    known = card.find_claim(claim_id)
    if known is not None:
        return _followed(holder, scheme, claiming.same_again(known, reward_id), now=now)
    moved = _find_moved(card, holder, (claim_id,), now=now)
    if moved is None:
        return None
    return _told(holder, scheme, claiming.same_again(moved, reward_id), now=now)


def _price(holder: Holder, scheme: Scheme, reward: CatalogueReward, *, now: datetime) -> Price:
    """What the reward costs. Where it is given at once, somebody is asked to look again, should
    this run die before it gave it.
    """
    good_for = timedelta(hours=reward.claim_hours)
    price = Price(reward.reward_id, scheme.version, reward.cost, good_for)
    if isinstance(reward.reward, FixedCashback):
        lease = cash.lease_for(holder, scheme, reward.reward.amount_minor, now=now)
        price = replace(price, is_paid_at_once=True, lease=lease)
    if isinstance(reward.reward, ExtraUnits):
        price = replace(price, gives=reward.reward)
    if price.lease is not None or price.gives is not None:
        day = (now + FOLLOWED_UP_AFTER).date()
        cards.record_due(holder, day, asked=int(now.timestamp()))
    return price


def _followed(holder: Holder, scheme: Scheme, claim: Claim, *, now: datetime) -> Claimed:
    """The claim, after what follows from it, which may be done any number of times."""
    if _is_money(catalogue.reward_of(claim, scheme, now=now)):
        claim = cash.pay(claim, holder, scheme, now=now)
    extra_units.give_claimed(claim, holder, now=now)
    return _collectable(holder, scheme, claim, now=now)


def _collectable(holder: Holder, scheme: Scheme, claim: Claim, *, now: datetime) -> Claimed:
    """The claim as it stands now; one that is told with a code is found by it from now on."""
    told = _told(holder, scheme, claiming.as_at(claim, now), now=now)
    if told.code is not None:
        codes.let_be_found(holder, scheme, claim.claim_id, now=now)
    return told


def _changed(
    holder: Holder, scheme: Scheme, claim_id: str, change: Callable[[Card], Card], *, now: datetime
) -> Claim:
    """The claim after `change`. One that has moved to the history is over: the change is one that
    was made before, or is refused as it would be on the card.
    """
    step = partial(desk.change_card, holder, scheme, lambda one: change(_at_hand(one)), now=now)
    try:
        _, after = step()
    except NoSuchClaim:
        card = _at_hand(desk.open_card(holder, scheme, now=now))
        moved = _find_moved(card, holder, (claim_id,), now=now)
        if moved is None:
            raise
        over = claiming.as_at(moved, now)
        change(replace(card, claims=(over,)))
        return over
    # Where too many are over it moves in the very write that ends it.
    moved_now = (one for each in after.past for one in each.claims if one.claim_id == claim_id)
    return _at_hand(after).find_claim(claim_id) or next(moved_now)


def _told(holder: Holder, scheme: Scheme, claim: Claim, *, now: datetime) -> Claimed:
    reward = catalogue.reward_of(claim, scheme, now=now)
    shows_code = not _is_money(reward) and claim.state is ClaimState.RESERVED
    code = codes.code_of(holder.member_id, holder.scheme_id, claim.claim_id)
    return Claimed(scheme, claim, reward, code if shows_code else None)


def _is_money(reward: CatalogueReward | None) -> bool:
    """Whether it is a fixed amount of money, which is given at once."""
    return reward is not None and isinstance(reward.reward, FixedCashback)


def _taking_part(opened: Opened) -> Card:
    if opened.card is None or not opened.card.membership.is_on:
        raise NotInScheme("the member does not take part in this scheme")
    return opened.card


def _at_hand(opened: Opened) -> Card:
    if opened.card is None:
        raise NoSuchClaim("there is no such claim")
    return opened.card


def _find_moved(
    card: Card, holder: Holder, claim_ids: Collection[str], *, now: datetime
) -> Claim | None:
    """The claim of one of these ids, if it is in the history of the card, and not at hand."""
    if any(one.claim_id in claim_ids for one in card.claims):
        return None
    past = desk.read_past(card, holder, now=now)
    return next((one for each in past for one in each.claims if one.claim_id in claim_ids), None)


def _holder_of(member_id: MemberId, scheme_id: str, *, now: datetime) -> Holder | None:
    member = members.find_member(member_id, now=now)
    if member is None or member.salt is None or member.status is not MemberStatus.ACTIVE:
        return None
    return Holder(member_id, scheme_id, vault.member_key(member.salt))
