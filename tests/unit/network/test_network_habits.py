"""What providers do after their first word of a payment."""

from datetime import timedelta

import pytest

from chalicelib.network.habits import Habits, habits_of
from chalicelib.network.model import Provider
from tests.makers.network import make_connection


@pytest.mark.parametrize(
    ("provider", "habits"),
    [
        (Provider.FLUX_V1, Habits(None)),
        (Provider.FLUX_V2, Habits(None)),
        (Provider.MONZO, Habits(None)),
        (Provider.STARLING, Habits(timedelta(days=5))),
        (Provider.FIDEL, Habits(timedelta(days=4), renames=True)),
        (Provider.STANDARD, Habits(timedelta(days=5))),
    ],
    ids=lambda value: value.value if isinstance(value, Provider) else "",
)
def test_each_provider_has_its_habits(provider: Provider, habits: Habits) -> None:
    assert habits_of(make_connection(provider=provider)) == habits


def test_a_bank_that_changes_ids_says_so_in_its_connection() -> None:
    bank = make_connection(provider=Provider.STANDARD, renames=True)

    assert habits_of(bank) == Habits(timedelta(days=5), renames=True)
