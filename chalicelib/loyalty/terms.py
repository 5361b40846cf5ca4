"""The words that a scheme's rules are written in: each a choice between named ways."""

from enum import Enum


class Unit(Enum):
    """What a scheme counts in."""

    STAMPS = "stamps"
    POINTS = "points"


class RuleKind(Enum):
    """What a rule counts: the visit, items, money spent, or a run of visits."""

    VISIT = "visit"
    ITEM = "item"
    SPEND = "spend"
    STREAK = "streak"


class Rounding(Enum):
    """How a fraction of a unit becomes whole."""

    DOWN = "down"
    UP = "up"
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class Basis(Enum):
    """Whether money counts with its tax or without."""

    GROSS = "gross"
    NET = "net"


class Per(Enum):
    """For how long a cap or a streak's step counts; days, weeks and months are the zone's own.

    Weeks begin on Monday (ISO 8601).
    """

    PURCHASE = "purchase"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    EVER = "ever"


class Stacking(Enum):
    """Which rule earns where several could."""

    BEST = "best"  # whichever way of giving lines to rules earns the member most
    PRIORITY = "priority"  # each line by the first rule that takes it, highest priority first
    ALL = "all"  # every rule, on all its lines


class Membership(Enum):
    """How a member joins: by switching stamps on, or by choosing this scheme."""

    ACTIVATION = "activation"
    CHOICE = "choice"


class Rejoin(Enum):
    """What a member who left and comes back finds."""

    KEEP = "keep"
    RESET = "reset"


class RefundPolicy(Enum):
    """From what a returned purchase's units are taken back."""

    ONLY_PENDING = "only_pending"
    WITHIN_BALANCE = "within_balance"
    NEGATIVE = "negative"  # below nought, worked off by what is earned later


class Measure(Enum):
    """What a tier's threshold counts: units earned, visits, or minor units spent."""

    UNITS = "units"
    VISITS = "visits"
    SPEND = "spend"


class Span(Enum):
    """How long a tier's count runs, by the calendar of the scheme's zone."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    EVER = "ever"


class Downgrade(Enum):
    """What happens at the end of a period in which a tier was not reached again."""

    NEVER = "never"
    ONE_DOWN = "one_down"
    BY_BALANCE = "by_balance"  # down to the tier that the period's count gives


class ExpiryUnit(Enum):
    """What an expiry is counted in."""

    DAYS = "days"
    MONTHS = "months"


class ExpiryEnd(Enum):
    """Until the end of what, in the scheme's zone, something that expires is good."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
