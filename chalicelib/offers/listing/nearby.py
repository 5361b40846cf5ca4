"""Which shops are near a place that was said in a request, and is forgotten with it.

The place is rounded to a hundredth of a degree (about a kilometre) before anything is done with
it. Distances are along a great circle, rounded up to whole kilometres.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, ceil, cos, radians, sin, sqrt

from chalicelib.kernel.refusals import Misshapen
from chalicelib.network.model import Store

EARTH_RADIUS_KM = 6_371.0088  # The mean radius (IUGG).
DECIMALS = 2
TEXT_MAX = 40


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """About where somebody says to be, in degrees. It prints as dots."""

    latitude: float
    longitude: float

    def __repr__(self) -> str:
        return "<place •••>"


def parse_place(text: str) -> Place:
    """Read `51.5072,-0.1276`, rounded to a hundredth of a degree.

    :raises Misshapen: it is no place on earth.
    """
    parts = text.split(",")
    if len(text) > TEXT_MAX or len(parts) != 2:
        raise Misshapen("near is a latitude and a longitude", field="near")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError as error:
        raise Misshapen("near is a latitude and a longitude", field="near") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Misshapen("near is no place on earth", field="near")
    return Place(round(latitude, DECIMALS), round(longitude, DECIMALS))


def nearest_kilometres(place: Place, stores: Iterable[Store]) -> int | None:
    """How far the nearest of `stores` is, rounded up; None where none says where it stands."""
    distances = (
        _kilometres(place, Place(one.latitude, one.longitude))
        for one in stores
        if one.latitude is not None and one.longitude is not None and not one.online
    )
    nearest = min(distances, default=None)
    return None if nearest is None else ceil(nearest)


def _kilometres(one: Place, other: Place) -> float:
    """The haversine formula."""
    north, south = radians(one.latitude), radians(other.latitude)
    across = sin((south - north) / 2) ** 2
    along = sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(across + cos(north) * cos(south) * along))
