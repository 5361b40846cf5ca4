"""Schemes are kept in versions: none is changed, and the one that holds is found by its time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.ids import RetailerId, StoreId
from chalicelib.kernel.refusals import NotFound, TryAgain
from chalicelib.loyalty.schemes import service, store
from chalicelib.loyalty.schemes.problems import SchemeRefused
from chalicelib.loyalty.schemes.service import Recorded, ReferenceNotAllowed, TooManySchemes
from chalicelib.network import service as network
from tests.makers.receipts import RETAILER, STORE
from tests.makers.schemes import NOW, open_shop, points, shape_of, stamps

pytestmark = pytest.mark.stores

BEAN = RETAILER.retailer_id
POINTS = f"{BEAN}.points"
DAY = timedelta(days=1)
DOUBLE = {"kind": "spend", "id": "pound", "per_minor": 100, "units": 2}


@pytest.fixture(autouse=True)
def shop(embedded_aws: None) -> None:
    open_shop()


def record(document: dict[str, object], name: str = "points", *, days: int = 0) -> Recorded:
    return service.record_scheme(BEAN, name, shape_of(document), now=NOW + days * DAY)


def test_the_first_scheme_is_kept_whole_and_lets_its_retailer_be_asked_about_rewards() -> None:
    assert not network.get_retailer(BEAN, now=NOW).rewards

    recorded = record(points({**DOUBLE, "when": {"stores": ["0042"]}}))

    kept = service.get_scheme(POINTS, now=NOW)
    assert (recorded.is_new, kept.scheme, kept.shape) == (True, recorded.scheme, recorded.shape)
    assert (kept.scheme.version, kept.scheme.starts_at) == (1, NOW)
    assert kept.scheme.rules[0].when.stores == (StoreId("store-leeds"),)
    assert network.get_retailer(BEAN, now=NOW).rewards


def test_the_same_document_again_is_no_new_version() -> None:
    first = record(points())

    again = record(points(), days=1)

    assert (again.is_new, again.scheme) == (False, first.scheme)
    assert [mark.version for mark in service.list_versions(POINTS, now=NOW)] == [1]


def test_a_refused_document_leaves_nothing_behind() -> None:
    with pytest.raises(SchemeRefused):
        record(points(currency="XXX"))

    assert service.list_schemes(BEAN, now=NOW) == ()
    assert not network.get_retailer(BEAN, now=NOW).rewards


def test_each_sale_finds_the_version_that_held_when_it_was_made() -> None:
    record(points())
    record(points(DOUBLE, starts_at="2026-12-01T00:00:00Z"))
    december = NOW.replace(month=12, day=1, hour=0)

    held = {
        day: [scheme.version for scheme in service.list_valid(BEAN, at=day, now=NOW)]
        for day in (NOW - DAY, NOW, december - timedelta(seconds=1), december)
    }

    assert list(held.values()) == [[], [1], [1], [2]]
    assert service.get_version(POINTS, 1, now=NOW).rules[0].units == 1
    assert service.get_version(POINTS, 2, now=NOW).rules[0].units == 2


def test_a_version_that_has_ended_is_found_by_number_and_holds_no_more() -> None:
    record(points(ends_at="2026-11-25T00:00:00Z"))

    assert service.list_valid(BEAN, at=NOW + 10 * DAY, now=NOW) == ()
    assert service.get_valid(POINTS, at=NOW + 10 * DAY, now=NOW).version == 1


def test_an_operator_ends_a_scheme_and_its_retailer_begins_it_anew() -> None:
    record(points())
    service.end_scheme(POINTS, at=NOW + DAY, now=NOW)

    again = record(points(), days=3)

    assert (again.is_new, again.scheme.version) == (True, 2)
    held = [
        [one.version for one in service.list_valid(BEAN, at=NOW + days * DAY, now=NOW + 9 * DAY)]
        for days in (0, 1, 2, 3)
    ]
    assert held == [[1], [], [], [2]]


def test_ending_it_again_later_changes_nothing() -> None:
    record(points())
    service.end_scheme(POINTS, at=NOW + DAY, now=NOW)

    stands = service.end_scheme(POINTS, at=NOW + 2 * DAY, now=NOW)

    assert stands == service.get_scheme(POINTS, now=NOW).scheme.ends_at == NOW + DAY


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [(0, -1, "ends_in_past"), (5, 4, "ends_before_start")],
)
def test_a_scheme_ends_neither_in_the_past_nor_before_it_starts(
    starts: int, ends: int, code: str
) -> None:
    record(points(), days=starts)

    with pytest.raises(SchemeRefused) as refused:
        service.end_scheme(POINTS, at=NOW + ends * DAY, now=NOW)

    assert [(one.code, one.field) for one in refused.value.problems] == [(code, "at")]
    assert service.get_scheme(POINTS, now=NOW).scheme.ends_at is None


def test_lists_a_retailers_schemes_by_id() -> None:
    record(stamps(), "coffee")
    record(points())

    found = [kept.scheme.scheme_id for kept in service.list_schemes(BEAN, now=NOW)]

    assert found == [f"{BEAN}.coffee", POINTS]


@pytest.mark.parametrize("name", ["", "Points", "a b", "x" * 41, "-x", "a.b", "a#b"])
def test_refuses_a_reference_that_would_be_no_id(name: str) -> None:
    with pytest.raises(ReferenceNotAllowed):
        record(points(), name)

    assert service.list_schemes(BEAN, now=NOW) == ()


def test_nobody_has_a_scheme_that_was_never_written() -> None:
    for ask in (
        lambda: service.get_scheme(POINTS, now=NOW),
        lambda: service.get_valid(POINTS, at=NOW, now=NOW),
        lambda: service.get_version(POINTS, 1, now=NOW),
        lambda: service.end_scheme(POINTS, at=NOW, now=NOW),
        lambda: service.get_scheme("points", now=NOW),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_retailer_that_does_not_take_part_has_no_scheme() -> None:
    with pytest.raises(NotFound):
        service.record_scheme(RetailerId("nobody"), "points", shape_of(points()), now=NOW)


def test_a_scheme_has_a_number_of_versions_at_most() -> None:
    record(points())
    head = store.find_head(BEAN, POINTS, now=NOW)
    assert head is not None
    mark = store.VersionMark(store.VERSIONS_MAX, NOW)
    store.record_head(store.Head(POINTS, BEAN, (*head.versions, mark), head.changes))

    with pytest.raises(TooManySchemes):
        record(points(DOUBLE), days=1)


def test_of_writers_at_once_each_version_is_one_ones() -> None:
    def write(units: int) -> int | str:
        try:
            recorded = record(points({**DOUBLE, "units": units}))
        except TryAgain:
            return "again"
        return recorded.scheme.version

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(1, 9)))

    won = sorted(version for version in said if version != "again")
    marks = service.list_versions(POINTS, now=NOW)
    assert won == [mark.version for mark in marks] == list(range(1, len(marks) + 1))
    units = {service.get_version(POINTS, mark.version, now=NOW).rules[0].units for mark in marks}
    assert units == {at for at, version in enumerate(said, start=1) if version != "again"}


def test_the_return_period_counts_where_the_scheme_says_nothing_of_waiting() -> None:
    weekly = points(expiry={"after": 7, "unit": "days"})

    with pytest.raises(SchemeRefused) as refusal:
        record(weekly)
    assert (refusal.value.code, refusal.value.field) == ("expires_before_active", "expiry.after")

    network.record_retailer(replace(RETAILER, return_days=6))
    network.forget()
    assert record(weekly).is_new


def test_a_window_may_open_by_the_clock_of_any_store() -> None:
    friday = {"days": "FREQ=WEEKLY;BYDAY=FR", "from": "17:00", "minutes": 60}
    rule = DOUBLE | {"when": {"windows": [friday]}}
    document = points(rule, starts_at="2026-11-30T00:00:00Z", ends_at="2026-12-04T17:00:00Z")

    with pytest.raises(SchemeRefused):
        service.check_scheme(BEAN, "points", shape_of(document), now=NOW)

    paris = replace(STORE, store_id=StoreId("paris"), reference="0075", zone="Europe/Paris")
    network.record_store(paris, [], now=NOW)
    network.forget()
    assert service.check_scheme(BEAN, "points", shape_of(document), now=NOW)
