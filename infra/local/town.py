"""The town that the sandbox plays in: retailers, shops, tills, and people with cards.

Everything is invented. A shop knows by what names each kind of bank calls it; a till knows how far
its clock is off and what it prints of a card.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from random import Random

from chalicelib.network.model import Provider

CURRENCY_BY_ZONE = {"Europe/London": "GBP", "Europe/Dublin": "EUR", "Europe/Paris": "EUR"}


class Prints(Enum):
    """What a till's receipt says of the card that paid."""

    NOTHING = "nothing"
    DIGITS = "digits"  # scheme and last four
    EVERYTHING = "everything"  # auth code too


class Route(Enum):
    """How a retailer's receipts travel."""

    FLUX = "flux"  # POST /merchant
    NATIVE = "native"  # POST /v1/receipts
    QUEUE = "queue"  # straight to the receipts queue


@dataclass(frozen=True, slots=True)
class Till:
    """A till. `ahead` is how far its clock is off, negative where it is behind."""

    name: str
    ahead: timedelta
    prints: Prints


@dataclass(frozen=True, slots=True)
class Shop:
    """A store with every name it has: at acquirers, at Monzo, Fidel and Starling, on statements."""

    reference: str
    name: str
    zone: str
    mid: str
    tid: str
    monzo_merchant: str
    monzo_group: str
    fidel_location: str
    starling_uid: str
    narrative: str
    tills: tuple[Till, ...]

    @property
    def currency(self) -> str:
        """What its tills charge in."""
        return CURRENCY_BY_ZONE[self.zone]


@dataclass(frozen=True, slots=True)
class Brand:
    """A retailer. `every` is how often its shops send; None sends each receipt as it is printed."""

    retailer_id: str
    name: str
    route: Route
    every: timedelta | None
    goods: tuple[tuple[str, int], ...]
    shops: tuple[Shop, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a card. `is_member` says whether the receipts were switched on.

    `card_digits` end the plastic card, `device_digits` the number a phone pays with.
    """

    number: int
    provider: Provider
    is_member: bool
    user: str
    account: str
    category: str  # Starling's name of the pot of money in the account
    card_token: str
    card_digits: str
    device_digits: str
    scheme: str
    pays_by_phone: bool


@dataclass(frozen=True, slots=True)
class Town:
    """The whole cast of one seed."""

    brands: tuple[Brand, ...]
    people: tuple[Person, ...] = field(default=())

    @property
    def shops(self) -> tuple[tuple[Brand, Shop], ...]:
        """Every shop with its brand."""
        return tuple((brand, shop) for brand in self.brands for shop in brand.shops)


MEMBERS_BY_PROVIDER = {
    Provider.MONZO: 10,
    Provider.STARLING: 10,
    Provider.FIDEL: 6,
    Provider.FLUX_V1: 5,
    Provider.FLUX_V2: 4,
    Provider.STANDARD: 5,
}
NEVER_SWITCHED_ON_PER_PROVIDER = 2
CLOCKS_AHEAD_SECONDS = (-150, -90, -45, -20, -5, 0, 4, 15, 40, 75, 110, 150)

_COFFEE = (
    ("Flat white", 340), ("Espresso", 240), ("Filter coffee", 285), ("Oat latte", 395),
    ("Almond croissant", 345), ("Banana bread", 310), ("Granola pot", 425), ("Lemonade", 265),
    ("Cheese toastie", 615), ("Cookie", 199),
)  # fmt: skip
_GROCERY = (
    ("Milk 2 l", 165), ("Sourdough", 320), ("Free-range eggs", 289), ("Bananas", 97),
    ("Cheddar", 415), ("Spaghetti", 119), ("Olive oil", 749), ("Tomatoes", 184), ("Salmon", 1053),
    ("Washing powder", 872), ("Apples", 211), ("Oat drink", 193),
)  # fmt: skip
_BOOKS = (
    ("The Salt Path Atlas", 1299), ("A Year of Tides", 999), ("Small Gardens", 1850),
    ("Notebook, dotted", 649), ("Fountain pen", 2395), ("Postcard", 125), ("Wrapping paper", 275),
)  # fmt: skip
_BAKERY = (
    ("Baguette tradition", 135), ("Croissant", 145), ("Pain au chocolat", 165),
    ("Tarte citron", 480), ("Éclair café", 395), ("Chouquettes", 320), ("Jus de pomme", 290),
    ("Quiche", 610),
)  # fmt: skip


# Retailer, then its shops: number, street, zone, and what each till prints of a card.
_EVERYTHING, _DIGITS, _NOTHING = Prints.EVERYTHING, Prints.DIGITS, Prints.NOTHING
_BRANDS = (
    ("bean-and-leaf", "Bean & Leaf", Route.FLUX, None, _COFFEE),
    ("northlight-market", "Northlight Market", Route.NATIVE, timedelta(minutes=10), _GROCERY),
    ("paperkite-books", "Paperkite Books", Route.NATIVE, None, _BOOKS),
    ("maison-tilleul", "Maison Tilleul", Route.QUEUE, timedelta(minutes=20), _BAKERY),
)
_SHOPS = (
    ("Bean & Leaf", 1, "Lantern Street", "Europe/London", (_EVERYTHING, _NOTHING)),
    ("Bean & Leaf", 2, "Old Goods Yard", "Europe/London", (_DIGITS, _NOTHING)),
    ("Northlight Market", 3, "Mill Lane", "Europe/London", (_DIGITS, _EVERYTHING, _NOTHING)),
    ("Northlight Market", 4, "Liffey Quay", "Europe/Dublin", (_EVERYTHING, _DIGITS)),
    ("Paperkite Books", 5, "Kite Hill", "Europe/London", (_NOTHING,)),
    ("Maison Tilleul", 6, "Rue du Four", "Europe/Paris", (_DIGITS, _NOTHING)),
)


def build_town(random: Random) -> Town:
    """The town of this seed. Shops and goods are always the same; clocks and cards are drawn."""
    ahead = list(CLOCKS_AHEAD_SECONDS)
    random.shuffle(ahead)
    clocks = iter(ahead)
    shops: dict[str, list[Shop]] = {}
    for brand, number, street, zone, prints in _SHOPS:
        tills = tuple(
            Till(str(at), timedelta(seconds=next(clocks)), what)
            for at, what in enumerate(prints, 1)
        )
        shops.setdefault(brand, []).append(_shop(number, brand, street, zone, tills))
    brands = tuple(
        Brand(retailer_id, name, route, every, goods, tuple(shops[name]))
        for retailer_id, name, route, every, goods in _BRANDS
    )
    return Town(brands, tuple(_people(random)))


def _shop(number: int, brand: str, street: str, zone: str, tills: tuple[Till, ...]) -> Shop:
    slug = brand.lower().replace(" & ", "-").replace(" ", "-")
    return Shop(
        reference=f"{number:03d}",
        name=f"{brand} {street}",
        zone=zone,
        mid=f"52046{number:04d}",
        tid=f"T{number:03d}",
        monzo_merchant=f"merch_{slug}_{number:03d}",
        monzo_group=f"grp_{slug}",
        fidel_location=f"a1b2c3d4-0000-4000-8000-{number:012d}",
        starling_uid=f"b2c3d4e5-0000-4000-8000-{number:012d}",
        narrative=f"{brand} {street}".upper(),
        tills=tills,
    )


def _people(random: Random) -> list[Person]:
    digits = random.sample(range(1000, 9999), 200)
    people: list[Person] = []
    for provider, members in MEMBERS_BY_PROVIDER.items():
        for at in range(members + NEVER_SWITCHED_ON_PER_PROVIDER):
            number = len(people) + 1
            people.append(
                Person(
                    number=number,
                    provider=provider,
                    is_member=at < members,
                    user=f"user_{provider.value}_{number:03d}",
                    account=f"acc_{provider.value}_{number:03d}",
                    category=f"c3d4e5f6-0000-4000-8000-{number:012d}",
                    card_token=f"d4e5f6a7-0000-4000-8000-{number:012d}",
                    card_digits=f"{digits[2 * number]:04d}",
                    device_digits=f"{digits[2 * number + 1]:04d}",
                    scheme="visa"
                    if provider in (Provider.FIDEL, Provider.STANDARD)
                    else "mastercard",
                    pays_by_phone=random.random() < 0.35,
                )
            )
    return people
