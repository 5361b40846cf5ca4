"""When everything of a day is sent, and in what company: arrays, batches, late and again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

from infra.local.card_payments import TELLS_OF_CLEARING, CardPayment, Kind, Phase, Telling
from infra.local.sales import Sale, printed_time
from infra.local.sandbox_senders import FLUX_PATHS
from infra.local.town import Brand

POUNDS_PER_EURO = 0.85  # One day's rate; each payment is rounded once, as a bank would.
DUPLICATES, LATE, SWAPPED = 0.06, 0.05, 0.10
BATCH_MAX = 50
FLUX_ARRAY = timedelta(minutes=5)
CLEARS_AFTER = timedelta(hours=6)
OFFLINE = (timedelta(hours=13), timedelta(hours=14, minutes=30))  # Mill Lane has no network then.
BACK_ONLINE = timedelta(hours=14, minutes=50)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment with the sale it paid for; None outside the network. `is_told` says whether the
    bank ever tells of it.
    """

    payment: CardPayment
    sale: Sale | None
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class FromBank:
    """Messages of one bank, sent together at `at`."""

    at: datetime
    tellings: tuple[Telling, ...]
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class FromTills:
    """Receipts of one retailer, sent together at `at`."""

    at: datetime
    brand: Brand
    receipts: tuple[dict[str, Any], ...]
    is_repeat: bool = False


def posts_of_banks(
    paid: Sequence[Paid], refunded: Mapping[str, Sale], random: Random, midnight: datetime
) -> list[FromBank]:
    """Every message of every bank, once. `refunded` are sales by the transaction that paid."""
    posts: list[FromBank] = []
    in_arrays: list[FromBank] = []
    for one in paid:
        if one.is_told:
            told = list(_tellings(one.payment, refunded, random))
            in_array = one.payment.person.provider in FLUX_PATHS
            (in_arrays if in_array else posts).extend(told)
    slot = _slot_of(midnight, FLUX_ARRAY)
    in_arrays.sort(key=lambda post: (slot(post.at), post.tellings[0].payment.person.provider.value))
    for _, group in groupby(
        in_arrays, key=lambda post: (slot(post.at), post.tellings[0].payment.person.provider)
    ):
        together = list(group)
        tellings = tuple(post.tellings[0] for post in together)
        posts.append(FromBank(max(post.at for post in together), tellings))
    return posts


def _tellings(
    payment: CardPayment, refunded: Mapping[str, Sale], random: Random
) -> Iterator[FromBank]:
    """What the bank says of one payment: a few seconds later, hours later, or swapped."""
    authorised_at = payment.made_at + timedelta(seconds=random.randint(1, 15))
    if random.random() < LATE:
        authorised_at += timedelta(minutes=random.randint(60, 240))
    cleared_at = authorised_at + CLEARS_AFTER
    clears = payment.person.provider in TELLS_OF_CLEARING and payment.kind is Kind.PURCHASE
    if clears and random.random() < SWAPPED:
        authorised_at, cleared_at = cleared_at, authorised_at + timedelta(hours=1)
    name = payment.transaction_id
    yield FromBank(
        authorised_at, (Telling(f"{name}-auth", payment, Phase.AUTHORISED, payment.made_at),)
    )
    if clears:
        yield FromBank(
            cleared_at, (Telling(f"{name}-clearing", payment, Phase.CLEARED, cleared_at),)
        )
    if name in refunded:
        at = payment.made_at + timedelta(hours=3, minutes=5)
        back = refunded[name].receipt["lines"][0]["amount_minor"]
        minor = back if payment.local_currency == "GBP" else round(back * POUNDS_PER_EURO)
        yield FromBank(at, (Telling(f"{name}-refund", payment, Phase.REFUNDED, at, minor),))


def posts_of_tills(
    sales: Sequence[Sale],
    lost: set[str],
    refunded: Mapping[str, Sale],
    random: Random,
    midnight: datetime,
) -> list[FromTills]:
    """Every receipt that is sent, once, in the rhythm of its retailer; `lost` ones are not."""
    printed: list[tuple[datetime, Sale]] = [
        (sale.sold_at, sale) for sale in sales if sale.reference not in lost
    ]
    posts: list[FromTills] = []
    for every in {sale.brand.every for _, sale in printed}:
        of_rhythm = [(at, sale) for at, sale in printed if sale.brand.every == every]
        if every is None:
            posts += [
                FromTills(at + timedelta(seconds=random.randint(1, 8)), s.brand, (s.receipt,))
                for at, s in of_rhythm
            ]
        else:
            posts += _batches(of_rhythm, every, midnight)
    for sale in sales:
        for update in sale.updates:
            at = sale.sold_at + update.after + timedelta(seconds=1)
            posts.append(FromTills(at, sale.brand, (update.receipt,)))
    for sale in refunded.values():
        at = sale.sold_at + timedelta(hours=3)
        posts.append(FromTills(at, sale.brand, (_return_of_first_line(sale, at),)))
    return posts


def _batches(
    printed: list[tuple[datetime, Sale]], every: timedelta, midnight: datetime
) -> Iterator[FromTills]:
    slot = _slot_of(midnight, every)

    def sent_at(at: datetime, sale: Sale) -> datetime:
        is_offline = sale.shop.reference == "003" and (
            midnight + OFFLINE[0] <= at < midnight + OFFLINE[1]
        )
        return midnight + BACK_ONLINE if is_offline else slot(at) + every

    batched = sorted(printed, key=lambda one: (sent_at(*one), one[1].brand.name, one[0]))
    for (at, _), group in groupby(batched, key=lambda one: (sent_at(*one), one[1].brand.name)):
        together = [sale for _, sale in group]
        for first in range(0, len(together), BATCH_MAX):
            chunk = together[first : first + BATCH_MAX]
            yield FromTills(at, chunk[0].brand, tuple(sale.receipt for sale in chunk))


def _return_of_first_line(sale: Sale, at: datetime) -> dict[str, Any]:
    line = sale.receipt["lines"][0]
    tender = {k: v for k, v in sale.receipt["tenders"][0].items() if k != "auth_code"}
    kept = ("currency", "store", "till", "mid", "tid")
    return {name: sale.receipt[name] for name in kept} | {
        "reference": f"{sale.reference}-R",
        "kind": "return",
        "issued_at": printed_time(at, sale.shop, sale.till),
        "refers_to": sale.reference,
        "total_minor": line["amount_minor"],
        "lines": [line | {"kind": "return", "refers_to": {"receipt": sale.reference}}],
        "tenders": [tender | {"amount_minor": line["amount_minor"]}],
    }


def with_repeats(
    posts: Sequence[FromBank | FromTills], random: Random
) -> Iterator[FromBank | FromTills]:
    """Each post, and some of them again up to an hour later."""
    for post in posts:
        yield post
        if random.random() < DUPLICATES:
            later = post.at + timedelta(minutes=random.randint(1, 60))
            yield replace(post, at=later, is_repeat=True)


def _slot_of(midnight: datetime, every: timedelta) -> Callable[[datetime], datetime]:
    return lambda at: midnight + (at - midnight) // every * every
