"""When the local EventBridge fires."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local import schedules

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("expression", "times_a_day"),
    [
        ("rate(5 minutes)", 288),
        ("rate(1 minute)", 1440),
        ("rate(1 hour)", 24),
        ("rate(1 day)", 1),
        ("cron(0 3 * * ? *)", 1),
        ("cron(0/15 * * * ? *)", 96),
        ("cron(10,40 8-17 * * ? *)", 20),
        ("cron(0 9 ? * MON-FRI *)", 0),
        ("cron(0 9 ? * SUN *)", 1),
        ("cron(0 9 1 MAR ? 2026)", 1),
        ("cron(0 9 2 * ? *)", 0),
    ],
)
def test_counts_the_firings_of_a_day(expression: str, times_a_day: int) -> None:
    found = schedules.count_due(expression, after=MIDNIGHT, until=MIDNIGHT + timedelta(hours=24))

    assert found == times_a_day


def test_counts_an_instant_once_when_two_steps_meet_at_it() -> None:
    three = MIDNIGHT + timedelta(hours=3)

    before = schedules.count_due("cron(0 3 * * ? *)", after=MIDNIGHT, until=three)
    after = schedules.count_due("cron(0 3 * * ? *)", after=three, until=three + timedelta(hours=1))

    assert (before, after) == (1, 0)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 weeks)",
        "cron(0 3 * *)",
        "cron(0 25 * * ? *)",
        "cron(0 3 L * ? *)",
    ],
)
def test_refuses_an_expression_it_would_not_fire(expression: str) -> None:
    with pytest.raises(schedules.UnknownSchedule):
        schedules.parse(expression)
