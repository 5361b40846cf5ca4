"""A card is written with every purchase, so it stays within a write unit, however late they are."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from chalicelib.kernel.ids import natural_id
from chalicelib.loyalty.cards.archiving import ENTRIES_MAX, move_old
from chalicelib.loyalty.cards.filling import Filling
from chalicelib.loyalty.cards.model import Card, Given
from chalicelib.loyalty.terms import RuleKind
from chalicelib.runtime import packing
from tests.makers.cards import SCHEME, SOLD_AT, after, worth

WRITE_UNIT_BYTES = 1_024
SEALING_BYTES = 29  # The key's number, a nonce and the tag.
KEY_BYTES = 72  # Names of attributes, the member's id, the scheme's, the version.
TEN_PLACES = Filling(places=10, claims=True)
DAY = timedelta(days=1)


def written(random: Random) -> Iterator[Card]:
    """A month of a regular, as the card is written: each purchase is entered within five days."""
    card = after()
    for number in range(30):
        sold_at = SOLD_AT + number * DAY + timedelta(seconds=random.randrange(30_000))
        bought = worth(
            natural_id("payment", str(random.random())),
            sold_at=sold_at,
            sale_print=random.getrandbits(48),
            given=(Given("visit", "", 1, 0, RuleKind.VISIT),),
            active_at=(sold_at + 31 * DAY).replace(hour=0, minute=0, second=0),
            expires_at=SOLD_AT.replace(year=2028, month=1, day=1, hour=0, minute=0),
            place=natural_id("place", str(random.randrange(9)))[:4],
        )
        at = sold_at + timedelta(seconds=random.randrange(432_000))
        card, _ = move_old(after(bought, card=card, filling=TEN_PLACES, at=at), SCHEME, at=at)
        yield replace(card, version=number, due_at=sold_at, told_days=(740_000,))


@pytest.mark.parametrize("seed", range(20))
def test_a_regulars_card_is_one_write_unit_however_late_its_purchases_are(seed: int) -> None:
    cards = list(written(Random(seed)))

    stored = max(len(packing.pack(card)) for card in cards) + SEALING_BYTES + KEY_BYTES

    assert max(len(card.entries) for card in cards) == ENTRIES_MAX
    assert stored <= WRITE_UNIT_BYTES
