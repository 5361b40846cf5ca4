"""Tills whose receipts cannot be quite right: one sale under two ids, one auth code for many sales.

Matching abstains on the first and gives little for the second. Whoever runs the till can mend it,
and nobody else; so the till is named as soon as its receipts come.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from chalicelib.matching.reasons import SAME_SALE_SECONDS, is_same_sale
from chalicelib.matching.scene import Scene, slip_of
from chalicelib.matching.sides import Slip
from chalicelib.matching.signals import parts_of
from chalicelib.receipts.canonical import Receipt

REPEATS_WITHIN_SECONDS = 1_800.0  # By accident two of a thousand codes are alike once in years.


class Doubt(Enum):
    """What is wrong with a till's receipts."""

    SAME_SALE_TWICE = "same_sale_twice"
    AUTH_CODE_REPEATED = "auth_code_repeated"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A till of a store, and what its receipts show."""

    store_id: str
    till: str | None
    doubt: Doubt


def suspects_of(receipts: Iterable[Receipt], scene: Scene) -> tuple[Suspect, ...]:
    """The tills that `receipts`, which just came, throw a doubt on, each once for each doubt.

    `scene` has what stands near them, themselves included.
    """
    found: dict[Suspect, None] = {}
    for receipt in receipts:
        for slip in map(slip_of, parts_of(receipt)):
            if _is_there_twice(slip, scene):
                found[Suspect(slip.store, slip.till, Doubt.SAME_SALE_TWICE)] = None
            if _is_code_of_others(slip, scene):
                found[Suspect(slip.store, slip.till, Doubt.AUTH_CODE_REPEATED)] = None
    return tuple(found)


def _is_there_twice(slip: Slip, scene: Scene) -> bool:
    near = ((-SAME_SALE_SECONDS, SAME_SALE_SECONDS),)
    amount = (slip.amount_minor, slip.currency)
    places = scene.shelf.of_amount(slip.store, amount, slip.at, near)
    return any(is_same_sale(slip, scene.shelf.slips[place]) for place in places)


def _is_code_of_others(slip: Slip, scene: Scene) -> bool:
    """Whether another sale at the till has the same auth code."""
    if slip.auth_code is None:
        return False
    near = ((-REPEATS_WITHIN_SECONDS, REPEATS_WITHIN_SECONDS),)
    others = (
        scene.shelf.slips[place]
        for place in scene.shelf.of_code(slip.store, slip.auth_code, slip.at, near)
    )
    return any(
        other.receipt_id != slip.receipt_id
        and other.till == slip.till
        and not is_same_sale(slip, other)
        for other in others
    )
