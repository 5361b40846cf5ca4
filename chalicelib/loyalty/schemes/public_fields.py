"""What the fields of the rule format may hold, as its JSON Schema says it.

What stands in `extra_json_schema` is only told there. It is enforced by `limits.py` and
`reading.py`, which tell every problem of a document with its place, and not only the first.
"""

from typing import Annotated

from msgspec import Meta

from chalicelib.kernel.money import EXPONENT_BY_CURRENCY
from chalicelib.loyalty.schemes import limits
from chalicelib.loyalty.terms import ExpiryUnit, Per
from chalicelib.loyalty.window_format import OPENING


def within(of: limits.Range) -> Meta:
    """What the schema says of a number in this range."""
    return Meta(extra_json_schema={"minimum": of.least, "maximum": of.most})


Id = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
NOT_BLANK = Meta(extra_json_schema={"pattern": r"\S"})
Name = Annotated[str, Meta(min_length=1, max_length=100), NOT_BLANK]
Sentence = Annotated[str, Meta(min_length=1, max_length=500), NOT_BLANK]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
Gtin = Annotated[
    str,
    Meta(min_length=1, max_length=100, extra_json_schema={"pattern": "^[0-9]{8,14}$"}),
]
FractionText = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,6}(/[0-9]{1,6}|\.[0-9]{1,6})?$",
        examples=["3/2", "1.5"],
        extra_json_schema={"not": {"pattern": "^[0.]+(/|$)|/0+$"}},  # Nought, or by nought.
    ),
]
Currency = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=3,
        examples=["GBP"],
        extra_json_schema={"enum": sorted(EXPONENT_BY_CURRENCY)},
    ),
]
Instant = Annotated[
    str,
    Meta(
        max_length=40,
        examples=["2026-12-01T00:00:00Z"],
        extra_json_schema={"pattern": "[0-9]{4}.*[Tt ].*([Zz]|[+-][0-9])"},
    ),
]
Day = Annotated[
    str,
    Meta(
        max_length=10,
        examples=["2026-12-01"],
        extra_json_schema={"pattern": "^[0-9]{4}-?(W[0-9]{2}(-?[1-7])?|[0-9]{2}-?[0-9]{2})$"},
    ),
]
TimeOfDay = Annotated[
    str,
    Meta(max_length=5, examples=["17:00"], extra_json_schema={"pattern": f"^{OPENING}$"}),
]
Units = Annotated[int, within(limits.UNITS)]
AmountMinor = Annotated[int, within(limits.AMOUNT)]
LeastSpend = Annotated[int, within(limits.LEAST_SPEND)]
StreakStep = Annotated[
    Per, Meta(extra_json_schema={"enum": [one.value for one in limits.STREAK_STEPS]})
]
# Of an expiry, beside what it says of `after`: it may be longer in days than in months.
MONTHS_UNLESS_DAYS = Meta(
    extra_json_schema={
        "if": {"properties": {"unit": {"const": ExpiryUnit.DAYS.value}}, "required": ["unit"]},
        "else": {"properties": {"after": {"maximum": limits.AFTER[ExpiryUnit.MONTHS].most}}},
    }
)
