"""What becomes of one sale on its way to two parties: tips, split bills, second ids, returns."""

from random import Random
from typing import NamedTuple

from infra.matchbench.cards import Member
from infra.matchbench.laws import HALVES_SHARE, tips_of
from infra.matchbench.street import Street, Tips

SECONDS_BETWEEN_CARDS = 30.0
EUROS_PER_POUND = 1.17


class Leg(NamedTuple):
    """One card payment of a sale: what the slip says, and every amount that the bank says."""

    amount: int
    tip: int
    charged: tuple[tuple[int, str], ...]
    member: Member | None


def legs_of(amount: int, member: Member | None, street: Street, random: Random) -> list[Leg]:
    """The card payments of a sale over `amount`; of two, the member has either."""
    if street.split_share and random.random() < street.split_share and amount > 300:
        return _split(amount, member, random)
    if not street.has_changed_amounts:
        return [Leg(amount, 0, ((amount, "GBP"),), member)]
    tip = _tip(amount, random) if random.random() < street.tip_share else 0
    charged = [(amount + tip, "GBP")]
    if tip and street.tips is Tips.AUTHORISED:
        charged.append((amount, "GBP"))
    if street.preauthorised:
        charged.append((-(-amount // 5_000) * 5_000, "GBP"))
    if random.random() < street.foreign_share:
        charged.insert(0, (round(charged[0][0] * EUROS_PER_POUND), "EUR"))
    printed = amount + tip if street.tips is Tips.WITHIN else amount
    told = tip if street.tips in (Tips.WITHIN, Tips.BESIDE) else 0
    return [Leg(printed, told, tuple(charged), member)]


def _tip(amount: int, random: Random) -> int:
    tips = tips_of(amount)
    return random.choices([tip for tip, _ in tips], [share for _, share in tips])[0]


def _split(amount: int, member: Member | None, random: Random) -> list[Leg]:
    is_even = random.random() < HALVES_SHARE
    first = (amount + 1) // 2 if is_even else random.randrange(100, amount - 99)
    members = [member, None] if random.random() < 0.5 else [None, member]
    return [
        Leg(part, 0, ((part, "GBP"),), payer)
        for part, payer in zip((first, amount - first), members, strict=True)
    ]
