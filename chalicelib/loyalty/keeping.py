"""What is left of a sale once goods and money came back, line by line. Pure, and exact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from chalicelib.loyalty.conditions import Counted


@dataclass(frozen=True, slots=True)
class Kept:
    """`share` is left of all lines, and of a line in `back` first that part is gone."""

    share: Fraction
    back: Mapping[str, Fraction] = field(default_factory=dict)

    @property
    def is_all(self) -> bool:
        """Whether nothing came back."""
        return self.share == 1 and not self.back

    def of_line(self, line_id: str, minor: int) -> Fraction:
        """What is left of `minor` of a line, but for money that was given back beyond lines."""
        return minor * (1 - self.back.get(line_id, _NONE))


_NONE = Fraction(0)
ALL_KEPT = Kept(Fraction(1))
NOTHING_KEPT = Kept(_NONE)


def spent_of_kept(of: Counted, kept: Kept) -> int:
    """What was paid for all that counts and is left, in minor units, rounded down."""
    if kept.is_all:
        return of.spent_minor(of.lines)
    left = sum((kept.of_line(line.line_id, line.gross_minor) for line in of.lines), _NONE)
    return int(left * of.share * kept.share)
