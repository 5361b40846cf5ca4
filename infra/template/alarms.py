"""What an alarm is: a measure, a bound with its reason, and the runbook that says what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.template.naming import Part

OURS = "Counterfoil"
ALARMS_MD = "docs/runbooks/alarms.md"
MINUTES_15, HOUR = 900, 3_600
SECONDS = 300  # AWS gathers most of its own metrics in periods of a minute or five.


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, or the sum of several of the same dimensions."""

    namespace: str
    names: tuple[str, ...]
    dimensions: Mapping[str, str | Part]
    statistic: str


@dataclass(frozen=True, slots=True)
class Query:
    """A metric over all its dimensions, in CloudWatch's Metrics Insights."""

    function: str
    name: str

    @property
    def text(self) -> str:
        """The query as CloudWatch reads it."""
        return f"SELECT {self.function}({self.name}) FROM {OURS}"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Rings when `measure` is `threshold` or more (or less: `is_floor`) in `times` of the last
    `periods` periods of `seconds`. `says` is what happened, `because` why the bound stands there.
    """

    name: str
    measure: Metric | Query
    threshold: float
    says: str
    because: str
    runbook: str
    seconds: int = SECONDS
    periods: int = 1
    times: int = 1
    is_floor: bool = False
    missing_breaches: bool = False
