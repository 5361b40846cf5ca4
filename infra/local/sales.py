"""A day of sales in the town: who bought what, where and when, and what the till printed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from infra.local import magic
from infra.local.card_payments import KNOWS_LOCAL_AMOUNTS
from infra.local.magic_changes import Sold, Update
from infra.local.magic_parts import with_tax
from infra.local.town import Brand, Person, Prints, Route, Shop, Till, Town

OPENS, CLOSES = timedelta(hours=8, minutes=5), timedelta(hours=19, minutes=30)
SALES = 450  # On two cores the day then plays in about a minute.
MEMBERS_BUY = 0.12
NEVER_SWITCHED_ON_BUY = 0.04
STRANGERS_WITH_PHONES = 0.35
MAGIC_BASE_MINOR = 2000  # 2001 is magic 01 …: amounts that no other sale has.
STRANGERS_SCHEMES = ("visa", "mastercard", "amex")


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale. `receipt` is native JSON with the till's own time.

    `buyer` is None where no bank here knows the buyer; `card_minor` is what the card paid, in the
    shop's currency; `updates` are later documents.
    """

    number: int
    brand: Brand
    shop: Shop
    till: Till
    sold_at: datetime
    card_minor: int
    receipt: dict[str, Any]
    auth_code: str
    by_phone: bool
    buyer: Person | None
    updates: tuple[Update, ...] = ()

    @property
    def reference(self) -> str:
        """The retailer's own number of the receipt."""
        reference: str = self.receipt["reference"]
        return reference


def day_of_sales(town: Town, random: Random, *, midnight: datetime) -> list[Sale]:
    """About seven hundred sales from shortly after eight, with every magic amount among them.

    `midnight` is the UTC start of the day.
    """
    members = [person for person in town.people if person.is_member]
    others = [person for person in town.people if not person.is_member]
    shops = [(brand, shop) for brand, shop in town.shops for _ in shop.tills]
    sales: list[Sale] = []
    pounds = [(brand, shop) for brand, shop in shops if shop.currency == "GBP"]
    for _ in range(SALES):
        brand, shop = random.choice(shops)
        drawn = random.random()
        buyer = random.choice(members) if drawn < MEMBERS_BUY else None
        if MEMBERS_BUY <= drawn < MEMBERS_BUY + NEVER_SWITCHED_ON_BUY:
            buyer = random.choice(others)
        if buyer is not None and not _may_buy(buyer, shop):
            brand, shop = random.choice(pounds)
        sales.append(_sale(len(sales), brand, shop, buyer, random, midnight))
    for code in magic.SCENARIOS:
        brand, shop = _magic_shop(town, code)
        buyer = random.choice([member for member in members if _may_buy(member, shop)])
        card_minor = MAGIC_BASE_MINOR + code
        sales.append(_sale(len(sales), brand, shop, buyer, random, midnight, card_minor))
    return sorted(sales, key=lambda sale: sale.sold_at)


def twins(
    town: Town, random: Random, buyers: tuple[Person, Person], *, first: int, at: datetime
) -> list[Sale]:
    """Two sales of one amount within two minutes, at a till that prints nothing of cards: nobody
    can tell them apart.
    """
    brand = next(brand for brand in town.brands if brand.every is not None)
    shop = brand.shops[0]
    till = next(till for till in shop.tills if till.prints is Prints.NOTHING)
    found = []
    for index, buyer in enumerate(buyers):
        sale = _sale(first + index, brand, shop, buyer, random, at)
        found.append(_moved(sale, till, at + timedelta(seconds=70 * index), 1948))
    return found


def _moved(sale: Sale, till: Till, at: datetime, card_minor: int) -> Sale:
    lines = [{"description": "Gift basket", "amount_minor": card_minor}]
    receipt = sale.receipt | {
        "issued_at": printed_time(at, sale.shop, till),
        "till": till.name,
        "total_minor": card_minor,
        "lines": lines,
        "taxes": [],
        "tenders": [{"kind": "card", "amount_minor": card_minor}],
    }
    return replace(sale, till=till, sold_at=at, card_minor=card_minor, receipt=receipt, updates=())


def _may_buy(person: Person, shop: Shop) -> bool:
    """Banks that tell no local amount are kept to shops that charge in pounds."""
    return shop.currency == "GBP" or person.provider in KNOWS_LOCAL_AMOUNTS


def _magic_shop(town: Town, code: int) -> tuple[Brand, Shop]:
    native = [(b, s) for b, s in town.shops if b.route is Route.NATIVE and b.every is not None]
    return native[1 if magic.SCENARIOS[code].at_other_store else 0]


def _sale(
    number: int,
    brand: Brand,
    shop: Shop,
    buyer: Person | None,
    random: Random,
    midnight: datetime,
    magic_minor: int | None = None,
) -> Sale:
    till = random.choice(shop.tills)
    sold_at = (midnight + OPENS + random.random() * (CLOSES - OPENS)).replace(microsecond=0)
    auth_code = f"{random.randrange(10**5, 10**6)}"
    by_phone = buyer.pays_by_phone if buyer else random.random() < STRANGERS_WITH_PHONES
    tender = _printed_card(till, buyer, auth_code, random, by_phone=by_phone)
    printed: dict[str, Any] = {
        "reference": f"{shop.reference}-{till.name}-{number:05d}",
        "issued_at": printed_time(sold_at, shop, till),
        "currency": shop.currency,
        "store": shop.reference,
        "till": till.name,
        "mid": shop.mid,
        "tid": shop.tid,
    }
    made, update = _receipt(brand, shop, tender, printed, random, magic_minor)
    return Sale(
        number=number,
        brand=brand,
        shop=shop,
        till=till,
        sold_at=sold_at,
        card_minor=made["tenders"][0]["amount_minor"],
        receipt=made | printed,
        auth_code=auth_code,
        by_phone=by_phone,
        buyer=buyer,
        updates=(update,) if update else (),
    )


def _receipt(
    brand: Brand,
    shop: Shop,
    tender: dict[str, Any],
    printed: dict[str, Any],
    random: Random,
    magic_minor: int | None,
) -> tuple[dict[str, Any], Update | None]:
    """The shop's own goods, or what the magic amount stands for, with its later document."""
    if magic_minor is None:
        receipt = _goods_receipt(brand, shop, random)
        receipt["tenders"] = [{"kind": "card", "amount_minor": receipt["total_minor"]} | tender]
        return receipt, None
    sold = Sold(
        printed["reference"],
        datetime.fromisoformat(printed["issued_at"]),
        shop.reference,
        printed["till"],
        tender,
        shop.currency,
    )
    return magic.receipt_for(magic_minor, sold), magic.update_for(magic_minor, sold)


def printed_time(at: datetime, shop: Shop, till: Till) -> str:
    """The time by the till's own clock, in its shop's zone."""
    return (at + till.ahead).astimezone(ZoneInfo(shop.zone)).isoformat(timespec="seconds")


def _goods_receipt(brand: Brand, shop: Shop, random: Random) -> dict[str, Any]:
    """One to four kinds of goods; tills in pounds print the tax of each line."""
    lines = []
    for description, price in random.sample(
        brand.goods, random.choices((1, 2, 3, 4), (4, 4, 2, 1))[0]
    ):
        quantity = random.choices((1, 2, 3), (8, 2, 1))[0]
        sku = description[:3].upper() + str(price)
        line: dict[str, Any] = {"description": description, "sku": sku}
        line["amount_minor"] = price * quantity
        lines.append(line | {"quantity": str(quantity), "unit_price_minor": price})
    parts: dict[str, Any] = with_tax(lines) if shop.currency == "GBP" else {"lines": lines}
    total: int = sum(line["amount_minor"] for line in lines)
    return parts | {"total_minor": total, "notes": ["Thank you. Keep this receipt."]}


def _printed_card(
    till: Till, buyer: Person | None, auth_code: str, random: Random, *, by_phone: bool
) -> dict[str, Any]:
    """What the receipt says of the card: a phone's number where a phone paid."""
    if till.prints is Prints.NOTHING:
        return {}
    digits = f"{random.randrange(1000, 9999):04d}"
    scheme = random.choice(STRANGERS_SCHEMES)
    if buyer is not None:
        digits = buyer.device_digits if by_phone else buyer.card_digits
        scheme = buyer.scheme
    printed = {
        "scheme": scheme,
        "last_four": digits,
        "last_four_kind": "device" if by_phone else "card",
    }
    return printed | ({"auth_code": auth_code} if till.prints is Prints.EVERYTHING else {})
