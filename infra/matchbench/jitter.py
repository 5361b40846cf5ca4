"""How far a slip's time is from the card's by a clock that is right: drawing, and the density."""

import math
from collections.abc import Callable
from random import Random

from infra.matchbench.street import Jitter, Street

SPELL_SECONDS = 900.0  # A line that drops is back after a quarter of an hour at most...
SPELL_SHARE = 0.02  # ...and one sale in fifty happens meanwhile.
_ROOT_TWO = math.sqrt(2.0)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_ROUNDED = 1.0 / 12.0  # Variance of a time that is printed in whole seconds.


def drawer(street: Street, random: Random) -> Callable[[float], float]:
    """What draws the seconds from card to slip for a till whose jitter is given."""
    own = _own_drawer(street.jitter, random)
    share, mean, chance = street.tail_share, street.tail_seconds, random.random
    if not share:
        return own

    def with_tail(scale: float) -> float:
        seconds = own(scale)
        return seconds + random.expovariate(1.0 / mean) if chance() < share else seconds

    return with_tail


def _own_drawer(jitter: Jitter, random: Random) -> Callable[[float], float]:
    gauss, chance, exponential = random.gauss, random.random, random.expovariate
    if jitter is Jitter.LAPLACE:
        return lambda scale: exponential(1.0 / scale) - exponential(1.0 / scale)
    if jitter is Jitter.EXPONENTIAL:
        return lambda scale: exponential(1.0 / scale)
    if jitter is Jitter.BURSTS:
        return lambda scale: (
            gauss(0.0, scale) + (chance() * SPELL_SECONDS if chance() < SPELL_SHARE else 0.0)
        )
    return lambda scale: gauss(0.0, scale)


def density(street: Street, scale: float, apart: float) -> float:
    """The true density, per second, of a slip `apart` seconds after the card.

    :raises ValueError: a tail on jitter that is not Gaussian, for which there is no formula here.
    """
    own = _own_density(street.jitter, scale, apart)
    if not street.tail_share:
        return own
    if street.jitter is not Jitter.GAUSSIAN:
        raise ValueError("a tail goes with Gaussian jitter only")
    tail = late_density(apart, scale, street.tail_seconds)
    return (1 - street.tail_share) * own + street.tail_share * tail


def _own_density(jitter: Jitter, scale: float, apart: float) -> float:
    if jitter is Jitter.LAPLACE:
        return math.exp(-abs(apart) / scale) / (2 * scale)
    if jitter is Jitter.EXPONENTIAL:
        return (_waited(apart + 1.0, scale) - _waited(apart - 1.0, scale)) / 2.0  # Both rounded.
    if jitter is Jitter.MINUTES:  # Whole minutes: up to sixty seconds too early.
        return (_below((apart + 60.0) / scale) - _below(apart / scale)) / 60.0
    if jitter is Jitter.BURSTS:
        spell = _below(apart / scale) - _below((apart - SPELL_SECONDS) / scale)
        return (1 - SPELL_SHARE) * _normal(apart, scale) + SPELL_SHARE * spell / SPELL_SECONDS
    return _normal(apart, scale)


def reach(street: Street, scale: float) -> float:
    """Seconds beyond which a slip is no candidate: one in a million is further away."""
    reached = 60.0 + 14.0 * scale
    if street.jitter is Jitter.BURSTS:
        reached += SPELL_SECONDS
    return reached + (14.0 * street.tail_seconds if street.tail_share else 0.0)


def _normal(apart: float, scale: float) -> float:
    variance = scale * scale + _ROUNDED
    return math.exp(-apart * apart / (2 * variance)) / (_ROOT_TWO_PI * math.sqrt(variance))


def _waited(seconds: float, mean: float) -> float:
    return 1.0 - math.exp(-max(seconds, 0.0) / mean)


def _below(value: float) -> float:
    return 0.5 * math.erfc(-value / _ROOT_TWO)


def late_density(apart: float, scale: float, mean: float) -> float:
    """The density of a normal time plus an exponential one (the exponentially modified normal)."""
    rate = 1.0 / mean
    exponent = rate * (rate * scale * scale / 2 - apart)
    if exponent > 500.0:  # Far before the card: nothing, and `exp` would overflow.
        return 0.0
    return rate * math.exp(exponent) * _below((apart - rate * scale * scale) / scale)
