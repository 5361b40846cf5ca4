"""Time: instants with an offset, wall clocks with a zone, and the two odd hours of the year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import times
from chalicelib.kernel.refusals import Malformed, Rejected

LONDON = "Europe/London"
INSTANTS = st.datetimes(
    datetime(1972, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC)
)  # fmt: skip


@given(st.text(max_size=45))
def test_reads_any_text_as_an_instant_or_refuses_it(text: str) -> None:
    try:
        instant = times.parse_instant(text, field="at")
    except Malformed as refusal:
        assert refusal.field == "at"
        assert refusal.code in {"time", "time_offset"}
    else:
        assert instant.utcoffset() == timedelta(0)


@given(
    st.datetimes(),
    st.sampled_from(["", "Z", "z", "+01:00", "-23:59", "+23:59", "+24:00"]),
    st.text(max_size=12) | st.sampled_from([LONDON, "Pacific/Kiritimati", "../etc/passwd"]),
)
def test_reads_any_local_time_or_refuses_it(at: datetime, offset: str, zone: str) -> None:
    try:
        instant = times.parse_local(at.isoformat() + offset, zone)
        times.local_day(instant, zone)
    except Rejected as refusal:
        assert refusal.code in {"time", "unknown_zone"}


@given(INSTANTS)
def test_survives_the_way_to_text_and_back_to_the_millisecond(instant: datetime) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    assert times.parse_instant(times.to_text(instant)) == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-29T00:30:00+01:00", datetime(2026, 3, 28, 23, 30, tzinfo=UTC)),
        ("2026-11-20t12:00:00z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20 12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T12:00:00.5Z", datetime(2026, 11, 20, 12, 0, 0, 500000, tzinfo=UTC)),
        (
            "2026-11-20T12:00:00.123456789-05:00",
            datetime(2026, 11, 20, 17, 0, 0, 123456, tzinfo=UTC),
        ),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_reads_rfc_3339_as_utc(text: str, expected: datetime) -> None:
    assert times.parse_instant(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-11-20", "time"),
        ("2026-02-29T12:00:00Z", "time"),
        ("2026-11-20T25:00:00Z", "time"),
        ("yesTerday", "time"),
        ("0001-01-01T00:00:00+23:59", "time"),
        ("9999-12-31T23:59:59-23:59", "time"),
        ("2026-11-20T12:00:00", "time_offset"),
        ("2026-11-20T12:00:00Z" + " " * 30, "time"),
    ],
)
def test_refuses_what_names_no_instant(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        times.parse_instant(text)

    assert refused.value.code == code


@pytest.mark.requirement("RCP-07")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 11, tzinfo=UTC)),
        ("2026-12-01T12:00:00", datetime(2026, 12, 1, 12, tzinfo=UTC)),
        # 01:30 happens twice when the clocks go back; the first, in summer time, is taken.
        ("2026-10-25T01:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # 01:30 does not happen when they go forward; it is half past two, summer time.
        ("2026-03-29T01:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-07-01T12:00:00Z", datetime(2026, 7, 1, 12, tzinfo=UTC)),
    ],
)
def test_reads_a_wall_clock_in_its_zone(text: str, expected: datetime) -> None:
    assert times.parse_local(text, LONDON) == expected


@pytest.mark.requirement("RCP-07")
@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        (datetime(2026, 7, 14, 23, 30, tzinfo=UTC), LONDON, date(2026, 7, 15)),
        (datetime(2026, 12, 14, 23, 30, tzinfo=UTC), LONDON, date(2026, 12, 14)),
        (datetime(2026, 12, 31, 10, 30, tzinfo=UTC), "Pacific/Kiritimati", date(2027, 1, 1)),
        (datetime(2026, 1, 1, 4, 30, tzinfo=UTC), "America/New_York", date(2025, 12, 31)),
    ],
)
def test_dates_an_instant_by_the_day_where_the_store_stands(
    instant: datetime, zone: str, day: date
) -> None:
    assert times.local_day(instant, zone) == day


@pytest.mark.parametrize("zone", ["", "Europe", "Mars/Olympus", "../UTC", "Europe/Lon\x00don"])
def test_refuses_a_zone_that_is_not_in_the_database(zone: str) -> None:
    with pytest.raises(times.UnknownZone) as refused:
        times.zone_named(zone)

    assert refused.value.code == "unknown_zone"


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_counts_whole_days_downwards(earlier: datetime, later_by: timedelta) -> None:
    assert times.days_between(earlier, earlier + later_by) == later_by.days


def test_writes_milliseconds_only_where_there_are_some() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    assert times.to_text(at) == "2026-03-29T01:30:00Z"
    assert times.to_text(at.replace(microsecond=120_000)) == "2026-03-29T01:30:00.120Z"
