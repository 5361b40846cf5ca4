"""What a basket would earn, and what is missing for more. Pure; it runs while somebody waits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from chalicelib.kernel.ids import PaymentId
from chalicelib.loyalty.choosing import rounded
from chalicelib.loyalty.conditions import Counted, counted, meant
from chalicelib.loyalty.earning import NOTHING_YET, Award, Standing, decide_award, earned_units
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import ALWAYS, EarnRule, Scheme
from chalicelib.loyalty.sale import Sale, SaleLine
from chalicelib.loyalty.terms import Rounding, RuleKind
from chalicelib.loyalty.wording import in_words, more_for
from chalicelib.network.model import Store

TRIED_MAX = 3  # Each costs another award; what is nearest is nearly always true.


@dataclass(frozen=True, slots=True)
class Missing:
    """What would earn more: `minor` more spent, or `items` more, for `units` of `rule_id`."""

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

    What is said to be missing was tried: with it, the sale earns more.
    """
    of = counted(sale, scheme.exclusions)
    award = decide_award(sale, scheme, standing, of=of)
    guesses = sorted(_guesses(of, scheme, award), key=_nearness)[:TRIED_MAX]
    tried = (
        one
        for one in guesses
        if earned_units(_with_more(of, one, scheme), scheme, standing) > award.units
    )
    return WhatIf(award, in_words(award, scheme), next(tried, None))


def _nearness(one: Missing) -> tuple[bool, int, int, str]:
    """Money before items, less before more."""
    return (one.minor == 0, one.minor, one.items, one.rule_id)


def _guesses(of: Counted, scheme: Scheme, award: Award) -> Iterator[Missing]:
    if award.missing_minor:
        words = more_for(1, scheme, minor=award.missing_minor)
        yield Missing("", 1, words, minor=award.missing_minor)
        return
    lost = {one.rule_id: one for one in award.lost}
    for rule in scheme.rules:
        one = lost.get(rule.rule_id)
        if one is None or one.why is EarnWhy.ROUNDED_TO_NOTHING:
            yield from _to_next(rule, of, scheme)
        elif one.why in (EarnWhy.BELOW_MINIMUM, EarnWhy.TOO_FEW_ITEMS):
            yield _guess(rule, scheme, minor=one.missing_minor, items=one.missing_items)


def _to_next(rule: EarnRule, of: Counted, scheme: Scheme) -> Iterator[Missing]:
    """What the next step of a rule of money or of items takes."""
    lines = meant(of.lines, rule.when)
    if rule.kind is RuleKind.ITEM:
        items = sum(line.items for line in lines)
        yield _guess(rule, scheme, items=rule.per - items % rule.per)
    elif rule.kind is RuleKind.SPEND and rule.rounding is not Rounding.UP:
        spent = of.spent(lines, rule.basis)
        steps = rounded(spent.numerator, spent.denominator * rule.per, rule.rounding)
        whole = steps + 1 if rule.rounding is Rounding.DOWN else steps + Fraction(1, 2)
        yield _guess(rule, scheme, minor=max(-((spent - whole * rule.per) // 1), 1))


def _guess(rule: EarnRule, scheme: Scheme, *, minor: int = 0, items: int = 0) -> Missing:
    words = more_for(rule.units, scheme, minor=minor, items=items)
    return Missing(rule.rule_id, rule.units, words, minor, items)


def _with_more(of: Counted, more: Missing, scheme: Scheme) -> Sale:
    """The sale with what is `more` added to the first line that the rule counts."""
    rule = scheme.find_rule(more.rule_id)
    when = rule.when if rule is not None else ALWAYS
    counting = [line.line_id for line in meant(of.lines, when)]
    sale = of.sale
    for place, line in enumerate(sale.lines):
        if line.line_id in counting[:1]:
            extra = more.minor or line.gross_minor * more.items
            longer = line._replace(
                quantity=line.quantity + more.items,
                gross_minor=line.gross_minor + extra,
                net_minor=line.net_minor + extra,
            )
            return replace(
                sale,
                lines=(*sale.lines[:place], longer, *sale.lines[place + 1 :]),
                due_minor=sale.due_minor + extra,
                paid_minor=sale.paid_minor + extra,
            )
    return sale
