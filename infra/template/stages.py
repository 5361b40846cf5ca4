"""What differs between stages: one file per stage, `infra/stages/<stage>.toml`, checked here.

Chalice's own part of a stage (its name and the path of its API) stands in `.chalice/config.json`.
A stage without both is refused before anything is built.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import msgspec

from infra import resources
from infra.template.chalice_template import ROOT

FOLDER = ROOT / "infra" / "stages"
LOCAL = "local"
# SEC-09: what is kept of people stays in Europe unless the operator says otherwise in the stage's
# file, where everybody sees it.
REGIONS_IN_EUROPE = (
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
)
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)  # CloudWatch's choice.
RECOVERY_DAYS_MAX = 35  # DynamoDB's limit.
CONCURRENCY_MIN, CONCURRENCY_MAX = 2, 1_000  # The limits of an SQS event source.
RETAILER = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")  # It becomes part of a queue's name.
PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)")
EMAIL = re.compile(r"([^@\s]+@[^@\s]+\.[^@\s]+)?")
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class InvalidStage(ValueError):
    """A stage has no settings, or a line of them cannot be used. The message names the line."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A name of the operator's own for an API, with its certificate in the same region."""

    name: str
    certificate_arn: str


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests a second an API takes before it answers 429, and at once."""

    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class Stage:
    """The settings of one stage. `direct_retailers` maps a retailer to the AWS principals that may
    send to its own queue; `concurrency` a queue to how many of its workers run at once; `reserved`
    a Lambda to the environments that are kept for it, and that it never exceeds.
    """

    name: str
    region: str
    log_days: int
    recovery_days: int
    requests: Requests
    concurrency: Mapping[str, int]
    reserved: Mapping[str, int] = field(default_factory=dict)
    regions_allowed: tuple[str, ...] = REGIONS_IN_EUROPE
    tracing: bool = False
    keeps_gateway_role: bool = True
    alarm_email: str = ""
    delivery_lag_seconds_max: int = 7_200
    silent_hours_max: int = 0
    public: Domain | None = None
    hooks: Domain | None = None
    direct_retailers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_stage(name: str, *, folder: Path = FOLDER, config: Path | None = None) -> Stage:
    """The settings of the stage called `name`.

    :raises InvalidStage: the stage is `local`, or not known to Chalice, or has no file, or its file
        has a line that is unknown, missing or out of bounds.
    """
    if name == LOCAL:
        raise InvalidStage("`local` is the stage of laptops; it is never deployed")
    known = _chalice_stages(config or ROOT / ".chalice" / "config.json")
    if name not in known:
        raise InvalidStage(f"`{name}` is no stage of .chalice/config.json ({', '.join(known)})")
    path = folder / f"{name}.toml"
    if not path.exists():
        raise InvalidStage(f"the stage has no settings: write {path.name} beside prod.toml")
    try:
        settings = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise InvalidStage(f"{path.name}: {error}") from error
    stage = _convert(name, settings, where=path.name)
    if problems := _problems(stage):
        raise InvalidStage(f"{path.name}: " + "; ".join(problems))
    return stage


def _chalice_stages(config: Path) -> tuple[str, ...]:
    stages = json.loads(config.read_text())["stages"]
    return tuple(stage for stage in stages if stage != LOCAL)


def _convert(name: str, settings: dict[str, object], *, where: str) -> Stage:
    known = {entry.name for entry in fields(Stage)} - {"name"}
    if unknown := sorted(set(settings) - known):
        raise InvalidStage(f"{where}: unknown: {', '.join(unknown)}")
    try:
        return msgspec.convert(settings | {"name": name}, Stage)
    except msgspec.ValidationError as error:
        raise InvalidStage(f"{where}: {error}") from error


def _problems(stage: Stage) -> list[str]:
    queues = {queue.name for queue in resources.QUEUES}
    rules = {
        f"region {stage.region} is not among regions_allowed": (
            stage.region in stage.regions_allowed
        ),
        f"log_days is one of {LOG_DAYS}": stage.log_days in LOG_DAYS,
        f"recovery_days is 1 to {RECOVERY_DAYS_MAX}": (
            1 <= stage.recovery_days <= RECOVERY_DAYS_MAX
        ),
        "requests.per_second and requests.burst are 1 or more": (
            min(stage.requests.per_second, stage.requests.burst) >= 1
        ),
        f"concurrency names each of the queues {', '.join(sorted(queues))}": (
            set(stage.concurrency) == queues
        ),
        f"concurrency is {CONCURRENCY_MIN} to {CONCURRENCY_MAX}": all(
            CONCURRENCY_MIN <= most <= CONCURRENCY_MAX for most in stage.concurrency.values()
        ),
        "reserved is 1 or more": all(kept >= 1 for kept in stage.reserved.values()),
        "delivery_lag_seconds_max is 60 or more": stage.delivery_lag_seconds_max >= 60,
        "alarm_email is an address, or empty": bool(EMAIL.fullmatch(stage.alarm_email)),
        "silent_hours_max is 0 (never alarms) to 24": 0 <= stage.silent_hours_max <= 24,
        "a name under direct_retailers is lower-case, at most 30 letters": all(
            RETAILER.fullmatch(retailer) for retailer in stage.direct_retailers
        ),
        "direct_retailers lists IAM roles, users or accounts": all(
            principals and all(PRINCIPAL.fullmatch(principal) for principal in principals)
            for principals in stage.direct_retailers.values()
        ),
        "a domain's name is a lower-case host name": all(
            DOMAIN.fullmatch(domain.name) for domain in (stage.public, stage.hooks) if domain
        ),
        "public and hooks have names of their own": (
            stage.public is None or stage.hooks is None or stage.public.name != stage.hooks.name
        ),
    }
    return [rule for rule, holds in rules.items() if not holds]
