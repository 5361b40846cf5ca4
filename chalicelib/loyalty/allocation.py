"""Whole units shared out exactly: by largest remainder, and the same whatever the order.

The method is Hamilton's: each share is rounded down, and what is left goes, one by one, to those
whose share lost most. Ties go by name, so that the order in which shares are listed never counts.
"""

from collections.abc import Iterable, Sequence

Weight = tuple[str, int]


class NothingToShareBy(ValueError):
    """Units were to be shared out among weights that come to nothing: a bug in whoever asked."""


def share_out(total: int, weights: Sequence[Weight]) -> tuple[int, ...]:
    """`total` (nought or more) whole units by `weights` (name and weight, nought or more).

    The shares stand in the order of `weights`, and sum to `total` exactly.
    :raises NothingToShareBy: all weights are nought, or one is less, and `total` is not nought.
    """
    if total == 0:
        return (0,) * len(weights)
    bare = [weight for _, weight in weights]
    whole = sum(bare)
    if total < 0 or whole <= 0 or min(bare) < 0:
        raise NothingToShareBy("nothing to share by")
    shares = [total * weight // whole for weight in bare]
    lost = [(-(total * weight % whole), name, at) for at, (name, weight) in enumerate(weights)]
    left = total - sum(shares)
    for _, _, at in sorted(lost)[:left]:
        shares[at] += 1
    return tuple(shares)


def total_of(weights: Iterable[Weight]) -> int:
    """What `weights` come to."""
    return sum([weight for _, weight in weights])
