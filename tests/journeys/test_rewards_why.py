"""What a purchase earned is told as it was decided, whatever has happened since."""

import pytest

from chalicelib.runtime import clock
from tests.makers.api import call, make_client, token_of
from tests.makers.purchases import BANK, PAID_AT
from tests.makers.rewarding import DAY, bring_back, buy, open_bakery, settle, write_scheme

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]
CAPPED = {"caps": [{"units": 3, "per": "day"}]}
HOUR = DAY / 24


def why(transaction: str) -> tuple[int, int, str, list[str]]:
    said = call("GET", f"/v1/transactions/{transaction}/rewards", token=token_of("bank"))
    (one,) = said.body["schemes"]
    return one["version"], one["units"], one["why"], one["words"]


def test_what_was_decided_is_told_after_a_return_made_room_and_the_scheme_changed() -> None:
    clock.use(lambda: PAID_AT + 2 * DAY)
    make_client("bank", BANK)
    open_bakery(**CAPPED)
    for number, name in enumerate(("t-1", "t-2", "t-3")):
        buy(name, 2, at=PAID_AT + number * HOUR)
        settle(now=PAID_AT + number * HOUR + HOUR)
    before = [why(name) for name in ("t-1", "t-2", "t-3")]

    bring_back("t-1", 2, reference="B-1", at=PAID_AT + DAY)
    settle(now=PAID_AT + DAY)
    write_scheme(now=PAID_AT + DAY)

    assert [one[:3] for one in before] == [
        (1, 2, "earned"),
        (1, 1, "earned"),
        (1, 0, "cap_reached"),
    ]
    assert [why(name) for name in ("t-2", "t-3")] == [
        (1, 1, "earned", ["1 stamp earned.", "1 stamp by “coffee”."]),
        (1, 0, "not_entered", ["Nothing of it is on the card."]),
    ]
