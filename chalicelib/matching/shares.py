"""Probabilities as they are kept and told: rounded down, so that none says certainty."""

from decimal import ROUND_DOWN, Decimal

_MILLIONTH = Decimal("0.000001")
MOST = 1 - _MILLIONTH


def to_share(probability: float) -> Decimal:
    """`probability` to a millionth, below one: arithmetic may come to one, evidence never does."""
    return min(Decimal(probability).quantize(_MILLIONTH, ROUND_DOWN), MOST)
