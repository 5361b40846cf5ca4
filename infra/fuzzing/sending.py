"""A request that is right, to be sent as it is or spoilt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is right as it stands. `headers` are made anew for each body it is sent with.

    `operation` is its method and path as `/openapi.json` names them.
    """

    operation: str
    url: str
    body: bytes
    headers: Callable[[bytes], Mapping[str, str]]
    is_json: bool = True
