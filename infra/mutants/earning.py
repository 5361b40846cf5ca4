"""Mutants of earning: what a sale is, which rule earns on it, and how much."""

from infra.mutants.model import EARNING, SALE, Mutant

MINIMUMS = ("tests/unit/loyalty/test_loyalty_minimums_and_caps.py",)
_EARNING = "chalicelib/loyalty/earning.py"
_CHOOSING = "chalicelib/loyalty/choosing.py"
_CONDITIONS = "chalicelib/loyalty/conditions.py"
_SALE = "chalicelib/loyalty/sale.py"
_STREAKS = "chalicelib/loyalty/streaks.py"

MUTANTS = (
    Mutant(
        "scheme_gives_at_its_end",
        "a sale of the very moment at which the scheme ends still earns",
        _EARNING,
        "sale.sold_at >= scheme.ends_at",
        "sale.sold_at > scheme.ends_at",
        EARNING,
    ),
    Mutant(
        "told_twice_earns_twice",
        "a payment that two sources tell of earns once for each",
        _EARNING,
        "    if sale.is_told_twice:",
        "    if sale.is_told_twice and sale.is_withdrawn:",
        EARNING,
    ),
    Mutant(
        "caps_forget",
        "a cap does not count what was given before",
        _EARNING,
        "max(cap.units - standing.units_by_cap.get(cap_key(rule_id, cap.per), 0), 0)",
        "max(cap.units, 0)",
        EARNING,
    ),
    Mutant(
        "caps_are_each_rules",
        "the scheme's cap holds for each rule and not for all together",
        _EARNING,
        "if room is None or sum(units) <= room:",
        "if room is None or max(units, default=0) <= room:",
        MINIMUMS,
    ),
    Mutant(
        "each_part_is_a_visit",
        "each payment of a split bill gets the stamp of the visit",
        _EARNING,
        "if rule.kind is not RuleKind.SPEND and not of.sale.is_largest_part:",
        "if rule.kind is RuleKind.STREAK and not of.sale.is_largest_part:",
        EARNING,
    ),
    Mutant(
        "tiers_multiply_what_is_not_tiered",
        "a tier multiplies the rules that are the same for everybody, and no others",
        _EARNING,
        "if rule.is_tiered and tier.tier_id == standing.tier_id:",
        "if not rule.is_tiered and tier.tier_id == standing.tier_id:",
        EARNING,
    ),
    Mutant(
        "excluded_lines_reach_the_minimum",
        "the least that must be spent is reached by lines that the rule does not mean",
        _CONDITIONS,
        "missing = of.missing_minor(lines, condition.min_spend_minor)",
        "missing = of.missing_minor(of.lines, condition.min_spend_minor)",
        MINIMUMS,
    ),
    Mutant(
        "gift_cards_earn",
        "what was paid by the retailer's own gift card earns in every scheme",
        _CONDITIONS,
        "if exclusions.own_tender_earns and sale.is_largest_part",
        "if sale.is_largest_part",
        EARNING,
    ),
    Mutant(
        "exchanged_lines_earn",
        "lines brought back in an exchange earn as if they were bought",
        _CONDITIONS,
        "_counted_line(line) for line in sale.sold",
        "_counted_line(line) for line in sale.lines",
        EARNING,
    ),
    Mutant(
        "free_items_earn",
        "a free coffee earns the next stamp",
        _CONDITIONS,
        "if line.gross_minor <= 0 or line.quantity <= 0:",
        "if line.quantity <= 0:",
        EARNING,
    ),
    Mutant(
        "half_rounds_down",
        "half a point is rounded down where the rule says up",
        _CHOOSING,
        "return whole + (2 * rest >= divisor)",
        "return whole + (2 * rest > divisor)",
        EARNING,
    ),
    Mutant(
        "worst_rule_wins",
        "of two rules the one stands that gives the member less",
        _CHOOSING,
        "if units > most or not best:",
        "if units < most or not best:",
        EARNING,
    ),
    Mutant(
        "lines_earn_under_two_rules",
        "a line that a rule of higher priority took earns again under the next",
        _CHOOSING,
        "free = tuple(line for line in one.lines if line.line_id not in taken)",
        "free = tuple(line for line in one.lines if line.line_id)",
        EARNING,
    ),
    Mutant(
        "rule_gives_beyond_its_cap",
        "a rule gives all that it would without its cap",
        _CHOOSING,
        "return units if self.room is None else min(units, self.room)",
        "return units",
        EARNING,
    ),
    Mutant(
        "last_of_equal_parts_is_largest",
        "of two equal parts of a bill the later one counts items and visits",
        _SALE,
        "key=lambda index: (sizes[index], -index))",
        "key=lambda index: (sizes[index], index))",
        SALE,
    ),
    Mutant(
        "whole_bill_counts_for_each",
        "each payment of a split bill earns on all of it",
        _SALE,
        "return Fraction(max(self.paid_minor, 0), self.due_minor)",
        "return _ALL",
        (*SALE, *EARNING),
    ),
    Mutant(
        "streak_ignores_what_comes_after",
        "a late visit that fills a gap does not complete the streak",
        _STREAKS,
        "(before + 1 + after) // length - before // length - after // length",
        "(before + 1) // length - before // length",
        EARNING,
    ),
    Mutant(
        "remainder_goes_by_order",
        "what is left of a division goes to the lines that stand first",
        "chalicelib/loyalty/allocation.py",
        "for _, _, at in sorted(lost)[:left]:",
        "for _, _, at in lost[:left]:",
        (*SALE, *EARNING),
    ),
)
