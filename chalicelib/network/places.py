"""Where shops stand: what a bank tells of it is evidence, weaker than a name of the shop.

Banks take a merchant's place from its acquirer's address: it may be the head office, or some
streets away. So it never finds a store, and rules none out. Distances are along a great circle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from chalicelib.kernel.ids import StoreId
from chalicelib.network.identifiers import Identifier, IdentifierKind
from chalicelib.network.model import Store

EARTH_RADIUS_KM = 6_371.0088  # The mean radius (IUGG).
NEAR_KM = 0.5
_DECIMALS = 4  # Of a degree: eleven metres.


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A place in degrees. It prints as dots, as it may be a person's."""

    latitude: float
    longitude: float

    def __repr__(self) -> str:
        return "<place •••>"

    @property
    def is_on_earth(self) -> bool:
        """Whether there is such a place; not a number is none."""
        return -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180


def kilometres(one: Place, other: Place) -> float:
    """The haversine formula."""
    north, south = radians(one.latitude), radians(other.latitude)
    across = sin((south - north) / 2) ** 2
    along = sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(across + cos(north) * cos(south) * along))


def place_of(store: Store) -> Place | None:
    """Where `store` stands; None where it does not say, or sells online."""
    if store.latitude is None or store.longitude is None or store.online:
        return None
    return Place(store.latitude, store.longitude)


def place_told(latitude: Any, longitude: Any) -> Identifier | None:
    """What a bank says of where its merchant stands, in degrees, numbers or text.

    None where that is no place on earth, or the one in the sea that stands for "not known" (0, 0);
    nothing else of the payment is wrong by it.
    """
    if isinstance(latitude, bool) or isinstance(longitude, bool):
        return None
    try:
        told = Place(round(float(latitude), _DECIMALS), round(float(longitude), _DECIMALS))
    except (TypeError, ValueError):
        return None
    if not told.is_on_earth or (told.latitude, told.longitude) == (0, 0):
        return None
    return Identifier(IdentifierKind.PLACE, f"{told.latitude},{told.longitude}")


def near_told(merchant: Sequence[Identifier], stores: Iterable[Store]) -> tuple[StoreId, ...]:
    """Those of `stores` that stand where the bank says that its merchant does.

    Empty where that says nothing: no place was told, some store does not say where it stands, or
    all or none of them are near.
    """
    told = [_read(one.value) for one in merchant if one.kind is IdentifierKind.PLACE]
    stand = {store.store_id: place_of(store) for store in stores}
    near: list[StoreId] = []
    for store_id, place in stand.items():
        if place is None:
            return ()
        if any(kilometres(place, one) <= NEAR_KM for one in told):
            near.append(store_id)
    return tuple(near) if len(near) < len(stand) else ()


def _read(value: str) -> Place:
    latitude, longitude = value.split(",")
    return Place(float(latitude), float(longitude))
