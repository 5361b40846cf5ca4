"""Whether the schemes of a retailer may give units of one another: one step, and no further.

Were a scheme whose units are given to give units in its turn, one purchase could earn without end,
and what came back would have to be followed through any number of cards. So it is refused,
whichever of the two is written last.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.loyalty.rules import ExtraUnits, ItemPrice, PercentCashback, Reward, Scheme
from chalicelib.loyalty.schemes.problems import SchemeProblem


def rewards_of(scheme: Scheme) -> list[tuple[str, Reward]]:
    """Every reward of the scheme, with its JSON path; that of a full card first."""
    rewards: list[tuple[str, Reward]] = []
    if scheme.card is not None:
        rewards.append(("card.reward", scheme.card.reward))
    rewards += [(f"catalogue[{at}].reward", one.reward) for at, one in enumerate(scheme.catalogue)]
    return rewards


def problems_between(
    scheme: Scheme, others: Sequence[Scheme], *, now: datetime
) -> Iterator[SchemeProblem]:
    """What speaks against `scheme` beside the `others` of its retailer: each in every version that
    holds now or will.
    """
    given = [(at, one) for at, one in rewards_of(scheme) if isinstance(one, ExtraUnits)]
    for at, reward in given:
        if reward.scheme_id == scheme.scheme_id:
            detail = "a reward of the scheme's own units would earn itself"
            yield SchemeProblem(detail, field=f"{at}.scheme", code="own_units")
        else:
            meant = [one for one in others if one.scheme_id == reward.scheme_id]
            yield from _of_meant(scheme, meant, f"{at}.scheme", now=now)
    givers = sorted({one.scheme_id for one in others if _gives(one, scheme)})
    if not givers:
        return
    said = f"full cards or claims of {givers[0]} give units of this scheme"
    for at, _ in given:
        detail = f"{said}, so it may give none in its turn"
        yield SchemeProblem(detail, field=at, code="units_in_turn")
    if _is_by_purchase(scheme):
        detail = f"{said}, of which no purchase says what this reward is worth"
        yield SchemeProblem(detail, field="card.reward", code="worth_by_purchase")


def _of_meant(
    scheme: Scheme, meant: Sequence[Scheme], at: str, *, now: datetime
) -> Iterator[SchemeProblem]:
    """`meant` are the versions of the scheme whose units a reward is."""
    if not meant:
        detail = "the retailer has no scheme of that name"
        yield SchemeProblem(detail, field=at, code="unknown_scheme")
        return
    starts_at = max(now, scheme.starts_at)
    if all(one.ends_at is not None and one.ends_at <= starts_at for one in meant):
        detail = "the scheme whose units would be given has ended by then"
        yield SchemeProblem(detail, field=at, code="scheme_ended")
    if any(isinstance(reward, ExtraUnits) for one in meant for _, reward in rewards_of(one)):
        detail = "the scheme whose units would be given gives units in its turn"
        yield SchemeProblem(detail, field=at, code="units_in_turn")
    if any(map(_is_by_purchase, meant)):
        detail = "a full card of that scheme is worth what its purchase says, and here is none"
        yield SchemeProblem(detail, field=at, code="worth_by_purchase")


def _gives(other: Scheme, scheme: Scheme) -> bool:
    if other.scheme_id == scheme.scheme_id:
        return False
    return any(
        isinstance(reward, ExtraUnits) and reward.scheme_id == scheme.scheme_id
        for _, reward in rewards_of(other)
    )


def _is_by_purchase(scheme: Scheme) -> bool:
    """Whether what a full card is worth depends on the purchase that filled it."""
    return scheme.card is not None and isinstance(scheme.card.reward, PercentCashback | ItemPrice)
