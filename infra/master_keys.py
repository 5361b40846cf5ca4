"""The ring of master keys, as an operator makes and changes it.

Each change is written as the one version that may follow the version it was decided on, so of two
operators at once one is told to try again.
"""

from collections.abc import Callable
from datetime import datetime

from chalicelib.runtime import ring, secretsmanager
from chalicelib.runtime.ring import MasterKey, Ring

Random = Callable[[int], bytes]  # so many unguessable bytes: `os.urandom`


def set_up(random: Random, *, now: datetime) -> bool:
    """Make the stage's ring with one key, where there is none. Whether it was made now.

    :raises TryAgain: somebody else is making it, or Secrets Manager does not answer.
    """
    try:
        secretsmanager.read(ring.NAME)
    except secretsmanager.NoSuchSecret:
        first = ring.first_ring(
            names_key=random(ring.KEY_BYTES), key=random(ring.KEY_BYTES), now=now
        )
        _write(first, after="")
        return True
    return False


def rotate(random: Random, *, now: datetime) -> MasterKey:
    """Add a master key that seals in an hour.

    :raises ring.RotationPending: the last one has not begun to seal.
    :raises ring.TooManyMasterKeys: retire one first. :raises TryAgain: somebody else changed it.
    """
    present, version_id = _read()
    rotated = ring.decide_rotation(present, random(ring.KEY_BYTES), now=now)
    _write(rotated, after=version_id)
    return rotated.keys[-1]


def list_keys() -> tuple[MasterKey, ...]:
    """The master keys in the order in which they seal."""
    return _read()[0].keys


def retire(number: int, count_sealed: Callable[[int], int], *, now: datetime) -> None:
    """Take the master key of `number` out of the ring, if `count_sealed` finds nothing under it.

    :raises ring.StillSealing: it seals, or stopped less than 36 days ago.
    :raises ring.StillInUse: rows are sealed under it. :raises TryAgain: somebody else changed it.
    """
    present, version_id = _read()
    left = ring.decide_retirement(present, number, now=now)
    if count_sealed(number):
        raise ring.StillInUse("rows are sealed under this master key")
    _write(left, after=version_id)


def _read() -> tuple[Ring, str]:
    secret = secretsmanager.read(ring.NAME)
    return ring.decode(secret.text), secret.version_id


def _write(changed: Ring, *, after: str) -> None:
    text, version_id = ring.encode(changed), secretsmanager.following(after)
    secretsmanager.write(ring.NAME, text, version_id=version_id)
