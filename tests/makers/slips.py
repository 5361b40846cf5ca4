"""Charges and slips as the matcher weighs them, and plain days of both. Everything invented."""

from dataclasses import replace
from random import Random

from chalicelib.matching.sides import Charge, ChargeKind, Slip

NOON = 1_790_000_000.0
SHOP = "shop"


def charge(name: str = "p1", **more: object) -> Charge:
    """£4.20 at the shop at noon, without card facts."""
    base = Charge(name, f"member-of-{name}", NOON, ((420, "GBP"),), (SHOP,))
    return replace(base, **more)  # type: ignore[arg-type]


def slip(name: str = "r1", *, seconds: float = 0.0, **more: object) -> Slip:
    """£4.20 at the shop's first till, `seconds` after noon by its clock."""
    base = Slip(name, 0, SHOP, "till-1", NOON + seconds, 420, "GBP")
    return replace(base, **more)  # type: ignore[arg-type]


def day_at_shop(
    seed: int,
    *,
    sales: int = 400,
    days: int = 4,
    members: float = 0.2,
    offsets: tuple[float, ...] = (0.0, 95.0),
    set_by: float = 0.0,
    jitter: float = 5.0,
    prices: int = 60,
) -> tuple[list[Charge], list[Slip], dict[str, str]]:
    """Days of sales, one till per offset, and which receipt each charge is for.

    The first till is set by `set_by` seconds half-way.
    """
    random = Random(seed)
    points = [random.randrange(90, 2_400, 5) for _ in range(prices)]
    charges, slips, truth = [], [], {}
    for number in range(days * sales):
        at = NOON + number // sales * 86_400 + random.uniform(0, 36_000)
        till = random.randrange(len(offsets))
        is_set = till == 0 and number >= days * sales // 2
        said = at + offsets[till] + (set_by if is_set else 0.0) + random.gauss(0, jitter)
        minor = sum(random.choices(points, k=random.randint(1, 2)))
        slips.append(Slip(f"r{number}", 0, SHOP, f"t{till}", round(said), minor, "GBP"))
        if random.random() < members:
            paid = Charge(f"p{number}", f"m{number % 50}", round(at), ((minor, "GBP"),), (SHOP,))
            charges.append(paid)
            truth[paid.payment_id] = f"r{number}"
    return charges, slips, truth


def refund_of(sale: Charge, name: str, *, at: float) -> Charge:
    """What `sale` cost, given back to the same member."""
    return replace(sale, payment_id=name, at=at, kind=ChargeKind.REFUND)
