"""Which shops are near a place that was said in a request, and is forgotten with it.

The place is rounded to a hundredth of a degree (about a kilometre) before anything is done with
it. Distances are rounded up to whole kilometres.
"""

from collections.abc import Iterable
from math import ceil

from chalicelib.kernel.refusals import Misshapen
from chalicelib.network.model import Store
from chalicelib.network.places import Place, kilometres, place_of

DECIMALS = 2
TEXT_MAX = 40


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
    if not Place(latitude, longitude).is_on_earth:
        raise Misshapen("near is no place on earth", field="near")
    return Place(round(latitude, DECIMALS), round(longitude, DECIMALS))


def nearest_kilometres(place: Place, stores: Iterable[Store]) -> int | None:
    """How far the nearest of `stores` is, rounded up; None where none says where it stands."""
    stand = (place_of(one) for one in stores)
    distances = (kilometres(place, there) for there in stand if there is not None)
    nearest = min(distances, default=None)
    return None if nearest is None else ceil(nearest)
