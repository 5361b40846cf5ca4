"""Stamps and points, as everyone else uses them: bringing a member's cards up to a purchase."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.loyalty import extra_units, funding
from chalicelib.loyalty.cards import desk, effects, store
from chalicelib.loyalty.cards.awarding import Case, settle
from chalicelib.loyalty.cards.eligibility import Taker
from chalicelib.loyalty.cards.model import Card
from chalicelib.loyalty.cards.past import Past
from chalicelib.loyalty.cards.store import Holder
from chalicelib.loyalty.cards.valuing import membership_by
from chalicelib.loyalty.holding import service as holding
from chalicelib.loyalty.memberships.joining import NotInScheme
from chalicelib.loyalty.rules import Scheme
from chalicelib.loyalty.sale import Sale
from chalicelib.loyalty.schemes import service as schemes
from chalicelib.loyalty.watching import place_of
from chalicelib.members.model import Member
from chalicelib.network import service as network
from chalicelib.network.programmes import Service
from chalicelib.purchases.model import Purchase
from chalicelib.runtime import observability, vault


@dataclass(frozen=True, slots=True)
class Buyer:
    """The member who paid, and the key of everything sealed for them.

    `is_excluded`: an offer that the purchase got says that it earns in no scheme.
    """

    member: Member
    key: vault.SealingKey
    is_excluded: bool = False


def award_purchase(purchase: Purchase, sale: Sale, buyer: Buyer, *, now: datetime) -> None:
    """Bring every card of the buyer up to `purchase`: give what it earns, take back what is back.

    It may be asked any number of times, late and by several at once; the effect is that of asking
    once with the newest version. Whoever asks reads the purchase again afterwards: of two versions
    that are settled at once, the older may have found nothing of the newer.

    :raises TryAgain: others kept changing a card, or a table did not answer.
    """
    for scheme in _schemes_of(sale, buyer, now=now):
        case = _case(scheme, purchase, sale, buyer, now=now)
        settled = extra_units.follow(settle(case, now=now), case.holder, now=now)
        effects.follow(settled, case.holder, scheme, now=now)
        if settled.entry is not None and settled.before is not settled.card:
            observability.count("cards_changed", kind=scheme.unit.value)


def open_history(holder: Holder, taker: Taker, *, now: datetime) -> tuple[Card, tuple[Past, ...]]:
    """The holder's card with all that ever moved to its history; empty where nothing is on it yet.

    It reads the whole history: a read unit for every four rows, of nine entries each.

    :raises NotInScheme: the member does not take part, and never did.
    """
    card = store.find_card(holder, now=now)
    if card is not None:
        return card, desk.read_past(card, holder, now=now)
    if taker.joined is None:
        raise NotInScheme("the member does not take part in this scheme")
    return desk.new_card(taker.joined), ()


def holder_of(member: Member, scheme_id: str, key: vault.SealingKey) -> Holder:
    """The member's card in a scheme, and what opens it."""
    return Holder(member.member_id, scheme_id, key)


def taker_of(member: Member, scheme: Scheme, *, now: datetime) -> Taker:
    """What eligibility asks of the member."""
    connection = network.get_connection(member.connection_id, now=now)
    has_stamps = connection.stamps and Service.STAMPS in member.services
    joined = membership_by(scheme, activated_at=member.activated_at)
    return Taker(has_stamps, joined, member.switches)


def _schemes_of(sale: Sale, buyer: Buyer, *, now: datetime) -> Iterator[Scheme]:
    """The newest versions of the schemes that the sale may concern.

    A sale that lost its receipt does not say at which shop it was: all the member's cards know.
    """
    if sale.retailer_id:
        yield from _list_newest(sale, now=now)
        return
    cards = store.list_cards(buyer.member.member_id, key=buyer.key, now=now)
    for scheme_id in cards:
        yield schemes.get_valid(scheme_id, at=now, now=now)


def _list_newest(sale: Sale, *, now: datetime) -> tuple[Scheme, ...]:
    """The schemes of the sale's retailer: as they are now, and as they were, where they ended."""
    then = schemes.list_valid(sale.retailer_id, at=sale.sold_at, now=now)
    valid = schemes.list_valid(sale.retailer_id, at=now, now=now)
    return tuple({one.scheme_id: one for one in (*then, *valid)}.values())


def _case(scheme: Scheme, purchase: Purchase, sale: Sale, buyer: Buyer, *, now: datetime) -> Case:
    holder = holder_of(buyer.member, scheme.scheme_id, buyer.key)
    receipt = purchase.receipt
    return Case(
        holder=holder,
        newest=scheme,
        scheme=_valid_then(scheme, sale, now=now),
        version=lambda number: schemes.get_version(scheme.scheme_id, number, now=now),
        sale=sale,
        taker=taker_of(buyer.member, scheme, now=now),
        return_days=_return_days(sale, now=now),
        anchored_at=purchase.payment.anchored_at,
        place=place_of(receipt.store_id, receipt.till) if receipt else "",
        is_excluded=buyer.is_excluded,
        lease_for=lambda minor: funding.lease_for(scheme, buyer.member.member_id, minor, now=now),
        judge_new_card=lambda: holding.judge_new_member(buyer.member, now=now),
    )


def _valid_then(scheme: Scheme, sale: Sale, *, now: datetime) -> Scheme | None:
    """The version that the sale falls in, None where there is none."""
    found = schemes.list_valid(scheme.retailer_id, at=sale.sold_at, now=now)
    return next((one for one in found if one.scheme_id == scheme.scheme_id), None)


def _return_days(sale: Sale, *, now: datetime) -> int:
    return network.get_retailer(sale.retailer_id, now=now).return_days if sale.retailer_id else 0
