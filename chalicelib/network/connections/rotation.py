"""How the keys of a connection follow one another: pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.personal import Personal
from chalicelib.network.model import ConnectionKey, KeyUse


def decide_rotation(
    keys: Sequence[ConnectionKey],
    use: KeyUse,
    new_value: Personal[str],
    *,
    old_valid_until: datetime,
    now: datetime,
) -> tuple[ConnectionKey, ...]:
    """The keys after a rotation: the new one first, the latest old one until then, others as is."""
    same = [key for key in keys if key.use is use]
    others = [key for key in keys if key.use is not use]
    if same and same[0].value == new_value and same[0].valid_until is None:
        return tuple(keys)
    kept = [
        replace(key, valid_until=min(key.valid_until or old_valid_until, old_valid_until))
        for key in same
        if key.value != new_value and (key.valid_until is None or now < key.valid_until)
    ]
    return (ConnectionKey(use, new_value), *kept[:1], *others)
