"""A minimum is reached by what a rule means, and a scheme's cap holds for all rules together."""

from chalicelib.loyalty.earning import decide_award
from chalicelib.loyalty.reasons import EarnWhy
from chalicelib.loyalty.rules import Cap, Condition, EarnRule, Matching
from chalicelib.loyalty.terms import Per, RuleKind, Stacking
from tests.makers.loyalty import sale_line, scheme, sold


def test_the_schemes_cap_holds_for_all_rules_together() -> None:
    bread = EarnRule("bread", RuleKind.SPEND, units=1, per=100)
    more = EarnRule("more", RuleKind.SPEND, units=1, per=100)
    capped = {"stacking": Stacking.ALL, "caps": (Cap(5, Per.PURCHASE),)}

    assert decide_award(sold(sale_line(gross=300)), scheme(bread, more, **capped)).units == 5


def test_what_a_rule_does_not_mean_does_not_reach_its_minimum() -> None:
    bill = sold(sale_line("1", gross=300), sale_line("2", gross=900, category=("Books",)))
    least = Condition(lines=Matching(categories=("coffee",)), min_spend_minor=500)

    (why,) = decide_award(bill, scheme(EarnRule("coffee", RuleKind.ITEM, when=least))).lost

    assert (why.why, why.missing_minor) == (EarnWhy.BELOW_MINIMUM, 200)


def test_lines_go_to_the_rule_that_gives_most_within_its_cap() -> None:
    capped = EarnRule("capped", RuleKind.ITEM, units=2, caps=(Cap(3, Per.PURCHASE),))
    plain = EarnRule("plain", RuleKind.ITEM)
    four = sold(*(sale_line(f"{number}") for number in range(4)))

    award = decide_award(four, scheme(capped, plain, stacking=Stacking.BEST))

    assert (award.units, award.rule_ids) == (4, ("plain",))
