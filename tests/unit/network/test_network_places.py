"""Where a bank says that its merchant stands, and which stores stand there."""

from dataclasses import replace

import pytest

from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Store
from chalicelib.network.places import EARTH_RADIUS_KM, Place, kilometres, near_told, place_told
from chalicelib.network.resolution import resolve, worth_asking
from tests.makers.network import make_store, mid

LEEDS = Identifier(IdentifierKind.PLACE, "53.7974,-1.5438")
NORTH_BY_A_KM = 360 / (2 * 3.141592653589793 * EARTH_RADIUS_KM)  # degrees


def store(name: str, *, north_km: float | None = 0.0, online: bool = False) -> Store:
    stands = {"latitude": 53.7974 + (north_km or 0) * NORTH_BY_A_KM, "longitude": -1.5438}
    place = stands if north_km is not None else {}
    return replace(make_store(name), online=online, **place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(53.7974, -1.5438), ("53.7974", "-1.5438"), (53.79741, -1.54384)],
)
def test_reads_numbers_and_text_to_eleven_metres(latitude: object, longitude: object) -> None:
    assert place_told(latitude, longitude) == LEEDS


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (None, None),
        (53.7974, None),
        ("north", "-1.5438"),
        (True, 1.0),
        (90.1, 0.5),
        (0.5, -180.1),
        (float("nan"), 1.0),
        (1e400, 1.0),
        (0, 0.0),
        ({}, []),
    ],
)
def test_what_is_no_place_says_nothing(latitude: object, longitude: object) -> None:
    assert place_told(latitude, longitude) is None


def test_a_degree_along_a_meridian_is_sixty_sea_miles() -> None:
    assert kilometres(Place(10.0, 20.0), Place(11.0, 20.0)) == pytest.approx(60 * 1.8532, abs=0.01)


def test_stores_are_near_within_half_a_kilometre() -> None:
    stores = (store("here", north_km=0.49), store("there", north_km=0.51))

    assert near_told((mid("m"), LEEDS), stores) == (stores[0].store_id,)


@pytest.mark.parametrize(
    "stores",
    [
        (store("here"), store("beside", north_km=0.1)),
        (store("far", north_km=3), store("farther", north_km=-3)),
        (store("here"), store("somewhere", north_km=None)),
        (store("here"), store("online", north_km=9, online=True)),
        (),
    ],
    ids=["all near", "none near", "one does not say", "one is online", "no stores"],
)
def test_a_place_that_tells_no_stores_apart_says_nothing(stores: tuple[Store, ...]) -> None:
    assert near_told((LEEDS,), stores) == ()


def test_where_no_place_was_told_no_store_is_near() -> None:
    assert near_told((mid("m"),), (store("here"), store("there", north_km=9))) == ()


def test_a_place_finds_no_store_and_rules_none_out() -> None:
    shops = frozenset(one.store_id for one in (store("a"), store("b")))

    assert worth_asking([LEEDS]) == ()
    assert worth_asking([LEEDS, mid("m")]) == (mid("m"),)
    assert resolve([LEEDS, mid("m")], {mid("m"): shops, LEEDS: frozenset()}) == shops
