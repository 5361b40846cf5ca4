"""What a slip weighs against the strangers' that may come yet."""

import pytest

from chalicelib.matching.evidence import Said
from chalicelib.matching.kept_clocks import KEPT_REACH_SECONDS, KeptClocks
from chalicelib.matching.rates import BELIEVED
from chalicelib.matching.shelf import Shelf
from chalicelib.matching.weighing import Scales
from tests.makers.slips import NOON, charge, slip


def weight_where(come_until: float) -> float:
    slips = [slip("own"), slip("another", amount_minor=999, seconds=-60)]
    scales = Scales(Shelf(slips), Said(slips), KeptClocks({}), BELIEVED, come_until=come_until)
    (pair,) = scales.weigh(charge())
    return pair.weight


@pytest.mark.requirement("RCP-11")
@pytest.mark.parametrize(
    ("come_for", "share"),
    [
        (KEPT_REACH_SECONDS, 1.0),
        (KEPT_REACH_SECONDS / 2, 0.75),
        (0.0, 0.5),
        (-86_400.0, 0.5),
    ],
)
def test_as_many_strangers_are_expected_of_what_has_not_come_as_of_what_has(
    come_for: float, share: float
) -> None:
    assert weight_where(NOON + come_for) == pytest.approx(share * weight_where(NOON + 86_400.0))
