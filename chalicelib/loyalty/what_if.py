"""What a basket would earn, and what is missing for more. Pure; it runs while somebody waits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.choosing import Contender
from chalicelib.loyalty.conditions import Counted, amount_of, counted, meant
from chalicelib.loyalty.earning import (
    NOTHING_YET,
    Award,
    Standing,
    decide_award,
    earned_units,
    multiplier_of,
)
from chalicelib.loyalty.nearing import missing_items, missing_minor
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import ALWAYS, EarnRule, Scheme
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.terms import Basis, RuleKind
from chalicelib.loyalty.wording import in_words, more_for
from chalicelib.network.model import Store

TRIED_MAX = 3  # Each costs another award; what is nearest is nearly always true.


@dataclass(frozen=True, slots=True)
class Missing:
    """What would earn more: with `minor` more spent on, or `items` more of, what `rule_id` counts,
    the sale earns `units` more in all.
    """

    rule_id: str
    units: int
    words: str
    minor: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a basket would earn, in words too, and what is missing for more, the nearest."""

    award: Award
    words: tuple[str, ...]
    missing: Missing | None


def basket_of(
    lines: tuple[SaleLine, ...],
    store: Store,
    *,
    currency: str,
    at: datetime,
    own_tender_minor: int = 0,
) -> Sale:
    """`lines` as if they were bought now in `store`, by one card but for the retailer's tender."""
    due = sum(line.gross_minor for line in lines)
    own = min(own_tender_minor, due)
    return Sale(
        purchase_id=PaymentId(""),
        version=1,
        retailer_id=store.retailer_id,
        store_id=store.store_id,
        zone=store.zone,
        sold_at=at,
        currency=currency,
        lines=lines,
        total_minor=due,
        paid_minor=due - own,
        due_minor=due,
        own_tender_minor=own,
    )


def what_if(sale: Sale, scheme: Scheme, standing: Standing = NOTHING_YET) -> WhatIf:
    """What `sale` would earn under `scheme` for a member who stands so.

    What is said to be missing was tried: with it, the sale earns as much more as is said.
    """
    of = counted(sale, scheme.exclusions)
    award = decide_award(sale, scheme, standing, of=of)
    guesses = sorted(_guesses(of, scheme, standing, award), key=_nearness)[:TRIED_MAX]
    for more in guesses:
        units = earned_units(_with_more(of, more, scheme), scheme, standing) - award.units
        if units > 0:
            words = more_for(units, scheme, minor=more.minor, items=more.items)
            missing = Missing(more.rule_id, units, words, more.minor, more.items)
            return WhatIf(award, in_words(award, scheme), missing)
    return WhatIf(award, in_words(award, scheme), None)


class _More(NamedTuple):
    """A guess at what would earn more: money, or items, of what `rule_id` counts."""

    rule_id: str
    minor: int = 0
    items: int = 0


def _nearness(one: _More) -> tuple[bool, int, int, str]:
    """Money before items, less before more."""
    return (one.minor == 0, one.minor, one.items, one.rule_id)


def _guesses(of: Counted, scheme: Scheme, standing: Standing, award: Award) -> Iterator[_More]:
    if not award.lost and not award.units:  # No rule was asked.
        if award.missing_minor:
            yield _More("", award.missing_minor)
        return
    lost = {one.rule_id: one for one in award.lost}
    for rule in scheme.rules:
        one = lost.get(rule.rule_id)
        if one is not None and (one.missing_minor or one.why is EarnWhy.TOO_FEW_ITEMS):
            yield _More(rule.rule_id, one.missing_minor, one.missing_items)
        elif one is None or one.why is EarnWhy.ROUNDED_TO_NOTHING:
            yield from _to_next(rule, of, scheme, standing)


def _to_next(rule: EarnRule, of: Counted, scheme: Scheme, standing: Standing) -> Iterator[_More]:
    """What the next unit of a rule of money or of items takes."""
    lines = meant(of.lines, rule.when)
    one = Contender(rule, lines, of.share, multiplier_of(rule, scheme, standing))
    amount = one.total(lines)
    if rule.kind is RuleKind.ITEM:
        yield _More(rule.rule_id, items=missing_items(one, amount, one.units(amount) + 1))
    elif rule.kind is RuleKind.SPEND:
        yield _More(rule.rule_id, missing_minor(one, amount, one.units(amount) + 1))


def _with_more(of: Counted, more: _More, scheme: Scheme) -> Sale:
    """The sale with what is `more`, of the first priced line that the rule counts: money, taxed as
    all that the rule counts, or items at that line's price.
    """
    rule, sale = scheme.find_rule(more.rule_id), of.sale
    counting = meant(of.lines, ALWAYS if rule is None else rule.when)
    like = next((one for one in counting if one.items), None)
    if like is None:
        return sale
    if more.items:
        extra = like.gross_minor // like.items * more.items
        net = like.net_minor // like.items * more.items
    else:
        extra = more.minor
        net = extra * amount_of(counting, Basis.NET) // amount_of(counting)
    lines = tuple(
        _longer(one, extra, net, items=more.items) if one.line_id == like.line_id else one
        for one in sale.lines
    )
    due, paid = sale.due_minor + extra, sale.paid_minor + extra
    return replace(sale, lines=lines, due_minor=due, paid_minor=paid)


def _longer(line: SaleLine, extra: int, net: int, *, items: int) -> SaleLine:
    return line._replace(
        quantity=line.quantity + items,
        gross_minor=line.gross_minor + extra,
        net_minor=line.net_minor + net,
    )
