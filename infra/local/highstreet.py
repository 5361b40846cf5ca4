"""A busy high-street day, from a seed: everything that banks and tills send, and when.

Nothing here is random beyond its seed. Among the sales are duplicates, late and out-of-order
messages, receipts and payments that never come, refunds, declined payments, top-ups, payments to
friends and at shops outside the network, and two equal amounts that nobody can tell apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from chalicelib.network.model import Provider
from infra.local.card_payments import TELLS_OF_CLEARING, CardPayment, Kind
from infra.local.postings import (
    POUNDS_PER_EURO,
    FromBank,
    FromTills,
    Paid,
    posts_of_banks,
    posts_of_tills,
    with_repeats,
)
from infra.local.sales import Sale, day_of_sales, twins
from infra.local.town import Person, Route, Shop, Town, build_town

LOST_RECEIPTS, LOST_PAYMENTS = 6, 6
OUTSIDE_PAYMENTS = 20
REFUNDS = 4


@dataclass(frozen=True, slots=True)
class Day:
    """The whole day. `sent_references` are the sales whose receipt is sent at some time."""

    midnight: datetime
    town: Town
    sales: tuple[Sale, ...]
    paid: tuple[Paid, ...]
    posts: tuple[FromBank | FromTills, ...]
    sent_references: frozenset[str]


def build_day(seed: int, *, midnight: datetime) -> Day:
    """The day of this seed, which begins at `midnight` UTC."""
    random = Random(seed)
    town = build_town(random)
    sales = day_of_sales(town, random, midnight=midnight)
    alike = [p for p in town.people if p.is_member and p.provider is Provider.MONZO][:2]
    sales += twins(
        town, random, (alike[0], alike[1]), first=len(sales), at=midnight + timedelta(hours=12)
    )
    lost = set(random.sample([s.reference for s in sales if _may_be_lost(s)], LOST_RECEIPTS))
    paid = _payments(town, sales, random, midnight)
    refunded = _refunds(paid)
    posts = [
        *with_repeats(posts_of_banks(paid, refunded, random, midnight), random),
        *with_repeats(posts_of_tills(sales, lost, refunded, random, midnight), random),
    ]
    return Day(
        midnight=midnight,
        town=town,
        sales=tuple(sales),
        paid=tuple(paid),
        posts=tuple(sorted(posts, key=lambda post: post.at)),
        sent_references=frozenset(s.reference for s in sales) - lost,
    )


def _may_be_lost(sale: Sale) -> bool:
    return sale.buyer is not None and sale.buyer.is_member and not sale.updates


def _payments(town: Town, sales: Sequence[Sale], random: Random, midnight: datetime) -> list[Paid]:
    paid = [
        Paid(_paid_for(sale, sale.buyer, random), sale) for sale in sales if sale.buyer is not None
    ]
    untold = set(random.sample(range(len(paid)), LOST_PAYMENTS))
    paid = [replace(one, is_told=at not in untold) for at, one in enumerate(paid)]
    members = [person for person in town.people if person.is_member]
    outside = replace(
        town.shops[0][1],
        name="Somewhere Else",
        narrative="SOMEWHERE ELSE",
        mid="998800001",
        tid="X001",
        monzo_merchant="merch_elsewhere",
        monzo_group="grp_elsewhere",
        fidel_location="a1b2c3d4-0000-4000-8000-999999999999",
        starling_uid="b2c3d4e5-0000-4000-8000-999999999999",
    )
    for number in range(OUTSIDE_PAYMENTS):
        at = midnight + timedelta(hours=9, minutes=31 * number)
        paid.append(Paid(_payment(9000 + number, random.choice(members), outside, at, 777), None))
    return paid + _no_purchases(town, midnight)


def _no_purchases(town: Town, midnight: datetime) -> list[Paid]:
    """What a bank tells although nothing was bought: declined, top-ups, friends."""
    found = []
    for provider, kinds in (
        (Provider.MONZO, (Kind.DECLINED, Kind.TOP_UP, Kind.PEER, Kind.DECLINED)),
        (Provider.STARLING, (Kind.DECLINED, Kind.PEER, Kind.DECLINED)),
    ):
        person = next(p for p in town.people if p.is_member and p.provider is provider)
        for index, kind in enumerate(kinds):
            at = midnight + timedelta(hours=10 + index)
            number = 9500 + 10 * index + (provider is Provider.MONZO)
            payment = _payment(number, person, town.shops[0][1], at, 1500)
            found.append(Paid(replace(payment, kind=kind), None))
    return found


def _paid_for(sale: Sale, person: Person, random: Random) -> CardPayment:
    made_at = sale.sold_at - timedelta(seconds=random.randint(2, 12))
    payment = _payment(sale.number, person, sale.shop, made_at, sale.card_minor)
    return replace(payment, auth_code=sale.auth_code, by_phone=sale.by_phone)


def _payment(
    number: int, person: Person, shop: Shop, made_at: datetime, local_minor: int
) -> CardPayment:
    in_pounds = shop.currency == "GBP"
    return CardPayment(
        transaction_id=_transaction_id(person.provider, number),
        person=person,
        shop=shop,
        made_at=made_at,
        amount_minor=local_minor if in_pounds else round(local_minor * POUNDS_PER_EURO),
        local_minor=local_minor,
        local_currency=shop.currency,
        auth_code=f"{100_000 + number}",
        by_phone=person.pays_by_phone,
    )


def _transaction_id(provider: Provider, number: int) -> str:
    if provider in (Provider.STARLING, Provider.FIDEL):
        return f"f6a7b8c9-0000-4000-8000-{number:012d}"
    return {Provider.MONZO: "tx_0000B", Provider.STANDARD: "pay_"}.get(
        provider, "flux-"
    ) + f"{number:06d}"


def _refunds(paid: Sequence[Paid]) -> dict[str, Sale]:
    """Sales of which the first line comes back three hours later, by transaction."""
    found: dict[str, Sale] = {}
    for one in paid:
        sale, provider = one.sale, one.payment.person.provider
        if sale is None or not one.is_told or not one.payment.person.is_member:
            continue
        may_return = sale.brand.route is Route.NATIVE and not sale.updates
        knows = provider in TELLS_OF_CLEARING and provider is not Provider.STARLING
        if may_return and knows and "sku" in sale.receipt["lines"][0] and len(found) < REFUNDS:
            found[one.payment.transaction_id] = sale
    return found
