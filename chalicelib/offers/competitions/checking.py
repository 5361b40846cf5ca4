"""What a competition must be before it may run. Each refusal says why, and at which place. Pure."""

from datetime import datetime, timedelta
from typing import NoReturn

from chalicelib.kernel.refusals import NotAllowed
from chalicelib.offers.competitions.model import Competition

AHEAD_MAX = timedelta(days=366)
LASTS_MAX = timedelta(days=366)
SEED_WAITS_MAX = timedelta(days=60)  # Members hear within weeks whether they won.
LATE_BY = timedelta(minutes=5)  # "Starts now" takes that long to be said.


class NotACompetition(NotAllowed):
    """The competition breaks a rule; `code` says which."""

    code = "not_a_competition"


def check(competition: Competition, *, now: datetime) -> None:
    """Refuse a competition that cannot run. :raises NotACompetition: with a code and the place."""
    starts_at, ends_at = competition.starts_at, competition.ends_at
    if ends_at <= starts_at:
        _refuse("ends_before_start", "the competition ends before it starts", "ends_at")
    if starts_at < now - LATE_BY:
        _refuse("starts_in_the_past", "the competition would start in the past", "starts_at")
    if starts_at - now > AHEAD_MAX:
        _refuse("starts_too_late", "a competition is written a year ahead at most", "starts_at")
    if ends_at - starts_at > LASTS_MAX:
        _refuse("lasts_too_long", "a competition lasts at most 366 days", "ends_at")
    if competition.seed_known_at < ends_at:
        _refuse(
            "seed_known_too_early",
            "the seed would be known while members may still enter",
            "seed.known_at",
        )
    if competition.seed_known_at - ends_at > SEED_WAITS_MAX:
        _refuse("seed_known_too_late", "a draw is at most 60 days after the end", "seed.known_at")


def _refuse(code: str, detail: str, place: str) -> NoReturn:
    raise NotACompetition(detail, field=place, code=code)
