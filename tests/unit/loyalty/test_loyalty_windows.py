"""Windows of time: which days a recurrence rule means, and which hours of them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chalicelib.loyalty.conditions import NotMet, check, counted
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import Condition, Exclusions
from chalicelib.loyalty.window_format import WindowNotUnderstood, read_days, read_window
from chalicelib.loyalty.windows import Window, days_of, is_day_of, is_open, opens_between
from tests.makers.loyalty import sold

SINCE = date(2026, 1, 1)
LONDON = "Europe/London"
EVERY_DAY = "FREQ=DAILY"


def window(days: str = EVERY_DAY, opens_at: str = "17:00", minutes: int = 60) -> Window:
    return read_window(days, opens_at, minutes, since=SINCE)


def local(text: str, zone: str = LONDON, *, fold: int = 0) -> datetime:
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return wall.astimezone(UTC)


@pytest.mark.requirement("LOY-20")
@pytest.mark.parametrize(
    ("at", "is_within"),
    [
        ("2026-07-01T16:59:59", False),
        ("2026-07-01T17:00:00", True),
        ("2026-07-01T17:59:59", True),
        ("2026-07-01T18:00:00", False),
    ],
)
def test_a_happy_hour_is_an_hour_by_the_shops_clock(at: str, is_within: bool) -> None:
    assert is_open(window(), local(at), zone=LONDON) is is_within


def test_a_happy_hour_in_another_zone_is_another_hour() -> None:
    five_in_new_york = local("2026-07-01T17:30:00", "America/New_York")

    assert is_open(window(), five_in_new_york, zone="America/New_York")
    assert not is_open(window(), five_in_new_york, zone=LONDON)


@given(
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=FR", "FREQ=WEEKLY;BYDAY=SA,MO"]),
    st.sampled_from(["00:00", "17:00", "23:30"]),
    st.sampled_from([30, 60, 1440, 3000]),
    st.integers(0, 7 * 48),
    st.integers(1, 2 * 48),
    st.sampled_from([(LONDON,), ("Pacific/Auckland",), (LONDON, "America/New_York")]),
)
def test_a_window_opens_in_a_span_if_it_is_open_at_any_time_of_it(
    days: str, opens_at: str, minutes: int, begin: int, length: int, zones: tuple[str, ...]
) -> None:
    half_hour = timedelta(minutes=30)
    starts_at = datetime(2026, 11, 16, tzinfo=UTC) + begin * half_hour
    shown = window(days, opens_at, minutes)

    found = opens_between(shown, starts_at, starts_at + length * half_hour, zones=zones)

    tried = [starts_at + at * half_hour for at in range(length)]
    assert found is any(is_open(shown, at, zone=zone) for at in tried for zone in zones)


def test_a_rule_outside_its_window_says_so() -> None:
    sale = sold(sold_at=local("2026-07-01T18:00:00"))

    found = check(Condition(windows=(window(),)), counted(sale, Exclusions()))

    assert found == NotMet(EarnWhy.OUTSIDE_WINDOW)


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opened() -> None:
    friday_night = window("FREQ=WEEKLY;BYDAY=FR", "22:00", 5 * 60)

    found = {
        text: is_open(friday_night, local(text), zone=LONDON)
        for text in (
            "2026-11-20T21:59:00",
            "2026-11-20T22:00:00",
            "2026-11-21T02:59:00",
            "2026-11-21T03:00:00",
            "2026-11-21T22:30:00",
        )
    }

    assert list(found.values()) == [False, True, True, False, False]


def test_both_readings_of_the_repeated_hour_are_within_a_window_over_it() -> None:
    night = window(opens_at="01:00", minutes=60)
    twice = [local("2026-10-25T01:30:00", fold=fold) for fold in (0, 1)]

    assert twice[1] - twice[0] == timedelta(hours=1)
    assert [is_open(night, at, zone=LONDON) for at in twice] == [True, True]
    assert not is_open(night, local("2026-10-25T02:00:00"), zone=LONDON)


def test_a_window_that_opens_in_the_skipped_hour_is_open_for_what_is_left_of_it() -> None:
    night = window(opens_at="01:30", minutes=60)  # From 01:30, which there is not, to 02:30.

    before, first, last, after = (
        datetime(2026, 3, 29, 0, 59, tzinfo=UTC),  # 00:59 by the wall
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # 02:00 by the wall
        datetime(2026, 3, 29, 1, 29, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    )

    assert [is_open(night, at, zone=LONDON) for at in (before, first, last, after)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_window_in_the_skipped_hour_alone_is_not_open_that_night() -> None:
    night = window(opens_at="01:00", minutes=60)
    minutes = (datetime(2026, 3, 29, tzinfo=UTC) + timedelta(minutes=at) for at in range(240))

    assert not any(is_open(night, at, zone=LONDON) for at in minutes)


def test_a_whole_day_is_whole_on_the_nights_in_which_clocks_change() -> None:
    day = window(opens_at="00:00", minutes=24 * 60)

    for first, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25)):
        alone = window(f"FREQ=DAILY;UNTIL={first:%Y%m%d}", "00:00", 24 * 60)
        begins = local(f"{first}T00:00:00")
        open_hours = [
            at for at in range(-2, 30)
            if is_open(alone, begins + timedelta(hours=at), zone=LONDON)
        ]  # fmt: skip
        assert open_hours[-1] == hours - 1
        assert is_open(day, begins, zone=LONDON)


def test_the_29th_of_february_comes_in_leap_years_alone() -> None:
    leap = read_days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", since=SINCE)

    assert days_of(leap, date(2026, 1, 1), date(2034, 1, 1)) == (
        date(2028, 2, 29),
        date(2032, 2, 29),
    )


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=1", [(3, 1), (4, 1), (5, 1)]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", [(3, 31), (4, 30), (5, 31)]),
        ("FREQ=MONTHLY;BYDAY=-1FR", [(3, 27), (4, 24), (5, 29)]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", [(3, 31), (4, 30), (5, 29)]),
        ("FREQ=WEEKLY;INTERVAL=6;BYDAY=SU", [(3, 29), (5, 10)]),
        ("RRULE:FREQ=YEARLY;BYDAY=20MO", [(5, 18)]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=2TU", [(3, 10)]),
    ],
)
def test_reads_the_days_that_shops_name(rule: str, days: list[tuple[int, int]]) -> None:
    found = days_of(read_days(rule, since=SINCE), date(2026, 3, 1), date(2026, 5, 31))

    assert [(day.month, day.day) for day in found] == days


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;INTERVAL=1",
        "FREQ=DAILY;COUNT=3",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=367",
        "FREQ=DAILY;INTERVAL=1,2",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=YEARLY;BYDAY=54MO",
        "FREQ=YEARLY;BYWEEKNO=1",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;UNTIL=20260230",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=DAILY;BYMONTH=" + ",".join(["1"] * 200),
    ],
)
def test_refuses_a_rule_that_is_none_it_reads(rule: str) -> None:
    with pytest.raises(WindowNotUnderstood) as refusal:
        read_days(rule, since=SINCE)

    assert (refusal.value.code, refusal.value.field) == ("window", "days")


@pytest.mark.parametrize(("opens_at", "field"), [("24:00", "from"), ("9:00", "from")])
def test_refuses_a_time_that_no_clock_shows(opens_at: str, field: str) -> None:
    with pytest.raises(WindowNotUnderstood) as refusal:
        window(opens_at=opens_at)

    assert refusal.value.field == field


@pytest.mark.parametrize("minutes", [0, -1, 7 * 24 * 60 + 1])
def test_refuses_a_window_of_no_length_or_of_more_than_a_week(minutes: int) -> None:
    with pytest.raises(WindowNotUnderstood) as refusal:
        window(minutes=minutes)

    assert refusal.value.field == "minutes"


NUMBERED = st.lists(st.sampled_from([-31, -2, -1, 1, 2, 13, 28, 29, 30, 31]), max_size=3)
PLAIN_DAYS = st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), max_size=3)
NTH_DAYS = st.sets(st.sampled_from(["1MO", "-1FR", "2SU", "5TU", "-5WE"]), max_size=2)


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    """A rule of which both readers make the same: weekdays are all plain or all nth (the other
    reader wants a day to be both), and positions are not of weeks (it begins the first week late).
    """
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    months = draw(st.sets(st.integers(1, 12), max_size=3))
    days = draw(PLAIN_DAYS if frequency in ("DAILY", "WEEKLY") else st.one_of(PLAIN_DAYS, NTH_DAYS))
    month_days = [] if frequency == "WEEKLY" else draw(NUMBERED)
    for name, values in (("BYMONTH", months), ("BYDAY", days), ("BYMONTHDAY", month_days)):
        if values:
            parts.append(f"{name}={','.join(map(str, values))}")
    if frequency != "WEEKLY" and len(parts) > 2 and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([1, 2, -1, -2]))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(['MO', 'SU', 'WE']))}")
    return ";".join(parts)


@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(rule_texts(), st.dates(date(2023, 1, 1), date(2026, 12, 31)))
def test_means_the_same_days_as_another_reader_of_recurrence_rules(text: str, since: date) -> None:
    last = since + timedelta(days=1200)
    begins = datetime.combine(since, time())
    # Told when to end, or it would look for days of a rule that has none up to the year 9999.
    theirs = rrulestr(f"{text};UNTIL={last:%Y%m%d}", dtstart=begins)
    rule = read_days(text, since=since)

    days = {since + timedelta(days=at) for at in range(1201)}
    ours = {day for day in days if is_day_of(rule, day)}

    if ours:
        assert ours == {one.date() for one in theirs}
