"""Bad days, played small; `make bad-days` plays them at full size and prints the numbers."""

from collections.abc import Iterator

import pytest

from infra.baddays import (
    backlog,
    bank_away,
    busy_day,
    keys_rotated,
    killed,
    month_again,
    too_much,
)
from infra.baddays.street import Ledger, Street, opened


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    """One street for all days, one after the other: its clock only goes on."""
    with opened(stage="test") as running:
        yield running


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.mark.requirement("RCP-10")
def test_a_bank_that_is_away_gets_each_receipt_once_in_its_newest_version(
    street: Street, ledger: Ledger
) -> None:
    bank_away.play(street, ledger, size=2)

    assert ledger.wrong == []
    assert ledger.figures["older versions told after all"] == 0


def test_too_much_at_once_is_refused_whole_or_taken_whole(street: Street, ledger: Ledger) -> None:
    too_much.play(street, ledger, size=50)

    assert ledger.wrong == []
    assert ledger.figures["receipts on pages, each once"] == 50


def test_after_three_days_of_backlog_everything_that_should_match_does(
    street: Street, ledger: Ledger
) -> None:
    backlog.play(street, ledger, size=6)

    assert ledger.wrong == []
    assert ledger.figures["payments with their receipt"] == 19


def test_workers_killed_at_any_call_lose_and_double_nothing(street: Street, ledger: Ledger) -> None:
    killed.play(street, ledger, size=4)

    assert ledger.wrong == []
    assert ledger.figures["payments with their receipt"] == 8


def test_keys_that_change_while_messages_wait_stop_nothing(street: Street, ledger: Ledger) -> None:
    keys_rotated.play(street, ledger, size=6)

    assert ledger.wrong == []
    assert ledger.figures["payments with their receipt"] == 18


def test_last_month_again_makes_no_second_purchase_and_tells_nobody(
    street: Street, ledger: Ledger
) -> None:
    month_again.play(street, ledger, size=2, days=1)

    assert ledger.wrong == []
    assert ledger.figures["receipts taken again"] == 4


def test_a_night_closes_a_day_on_which_everybody_was_rewarded(
    street: Street, ledger: Ledger
) -> None:
    busy_day.play(street, ledger, size=45)

    assert ledger.wrong == []
    assert ledger.figures["pence that it owes"] == 45 * 25


def test_a_ledger_says_what_is_not_as_it_must_be(ledger: Ledger) -> None:
    ledger.check("receipts", 3, 4)
    ledger.check_within("attempts", 5, 1, 4)
    ledger.check("dead messages", 0, 0)

    assert ledger.figures == {"receipts": 3, "attempts": 5, "dead messages": 0}
    assert ledger.wrong == ["receipts: 3, not 4", "attempts: 5, not within 1 and 4"]
