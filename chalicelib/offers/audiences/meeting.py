"""Whether a member is of an audience, and why in words that the member is shown. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from chalicelib.kernel.ids import RetailerId
from chalicelib.kernel.money import Money
from chalicelib.offers.audiences.history import (
    Visit,
    at_retailer,
    home_districts,
    of_category,
    since,
)
from chalicelib.offers.audiences.model import (
    LOOKED_BACK_DAYS_MAX,
    Area,
    Audience,
    CategoryBuyer,
    Criterion,
    Frequent,
    Interest,
    Lapsed,
    Nearby,
    New,
    SpendBand,
)
from chalicelib.offers.audiences.sensitive import is_sensitive

FOR_EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Seen:
    """One reason why a member sees an offer: the criterion, what of the member met it, in words."""

    criterion: str
    words: str
    fields: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """About whom it is asked: for an offer of which retailer, when, and how near its shop is.

    `kilometres` is None where the member did not say where they are.
    """

    retailer_id: RetailerId
    retailer_name: str
    currency: str
    at: datetime
    kilometres: int | None = None


def find_reasons(
    audience: Audience, visits: Sequence[Visit], asked: Asked
) -> tuple[Seen, ...] | None:
    """Why a member with `visits` is of `audience`; None where they are not."""
    if audience.is_everybody:
        words = "This offer is for everybody who has switched offers on."
        return (Seen(FOR_EVERYBODY, words),)
    reasons = [_reason(criterion, visits, asked) for criterion in audience.criteria]
    met = tuple(one for one in reasons if one is not None)
    return met if len(met) == len(reasons) else None


def _reason(criterion: Criterion, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    match criterion:
        case New(days=days):
            return _new(days, visits, asked)
        case Lapsed(days=days):
            return _lapsed(days, visits, asked)
        case Frequent(visits=least, days=days):
            count = len(at_retailer(since(visits, days, at=asked.at), asked.retailer_id))
            words = f"You bought at {asked.retailer_name} {count} times in the last {days} days."
            fields = {"visits": count, "days": days}
            return Seen(Interest.FREQUENT.value, words, fields) if count >= least else None
        case CategoryBuyer():
            return _category(criterion, visits, asked)
        case SpendBand():
            return _spend(criterion, visits, asked)
        case Area():
            return _area(criterion, visits, asked)
        case Nearby(kilometres=most):
            return _nearby(most, asked)
        case never:
            assert_never(never)


def _new(days: int, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    if at_retailer(since(visits, days, at=asked.at), asked.retailer_id):
        return None
    words = f"You have not bought at {asked.retailer_name} in the last {days} days."
    return Seen(Interest.NEW.value, words, {"days": days})


def _lapsed(days: int, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    own = at_retailer(since(visits, LOOKED_BACK_DAYS_MAX, at=asked.at), asked.retailer_id)
    if not own or since(own, days, at=asked.at):
        return None
    words = f"You used to buy at {asked.retailer_name}, but not in the last {days} days."
    return Seen(Interest.LAPSED.value, words, {"days": days})


def _category(criterion: CategoryBuyer, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    if is_sensitive(criterion.category):  # A list that grew later protects at once.
        return None
    count = len(of_category(since(visits, criterion.days, at=asked.at), criterion.category))
    if count < criterion.visits:
        return None
    words = f"You bought {criterion.category} {count} times in the last {criterion.days} days."
    fields: dict[str, str | int] = {"visits": count, "days": criterion.days}
    return Seen(Interest.CATEGORY.value, words, {"category": criterion.category, **fields})


def _spend(criterion: SpendBand, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    own = at_retailer(since(visits, criterion.days, at=asked.at), asked.retailer_id)
    spent = sum(one.minor for one in own if one.currency == asked.currency)
    most = criterion.max_minor
    if spent < criterion.min_minor or (most is not None and spent > most):
        return None
    least = Money(criterion.min_minor, asked.currency).to_text()
    band = f"at least {least}" if most is None else f"{least} to "
    band += "" if most is None else Money(most, asked.currency).to_text()
    words = f"You spent {band} {asked.currency} at {asked.retailer_name} "
    words += f"in the last {criterion.days} days."
    return Seen(Interest.SPEND.value, words, {"days": criterion.days})


def _area(criterion: Area, visits: Sequence[Visit], asked: Asked) -> Seen | None:
    homes = home_districts(since(visits, criterion.days, at=asked.at))
    here = sorted(homes & {one.upper() for one in criterion.districts})
    if not here:
        return None
    words = f"You often shop in {here[0]}."
    return Seen(Interest.AREA.value, words, {"district": here[0], "days": criterion.days})


def _nearby(most: int, asked: Asked) -> Seen | None:
    if asked.kilometres is None or asked.kilometres > most:
        return None
    words = f"A shop of {asked.retailer_name} is within {most} km of where you said you are."
    return Seen(Interest.NEARBY.value, words, {"kilometres": most})
