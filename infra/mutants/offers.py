"""Mutants of offers: which go together, who may win them, and what follows from a purchase."""

from infra.mutants.model import AWARDING, Mutant

CHOOSING = ("tests/unit/offers/test_offers_choosing.py",)
STACKING = ("tests/integration/test_offers_stacking.py",)
WHO_WINS = ("tests/integration/test_offers_who_wins.py",)
EXCLUDING = ("tests/integration/test_offers_excluding.py",)
_CHOOSING = "chalicelib/offers/choosing.py"
_ASKING = "chalicelib/offers/asking.py"
_FOLLOWING = "chalicelib/offers/following.py"
_AWARDING = "chalicelib/offers/awarding.py"

MUTANTS = (
    Mutant(
        "stacked_offers_pay_a_line_twice",
        "each of two stackable offers gives all that was paid for the same line",
        _CHOOSING,
        "left = max(paid[line_id] - used[line_id], Fraction(0))",
        "left = Fraction(paid[line_id])",
        CHOOSING,
    ),
    Mutant(
        "given_before_a_crash_is_forgotten",
        "what an offer gave before its run died does not lessen what the next one gives",
        _CHOOSING,
        "(one for one in worths if one.campaign.is_stackable), held.shares if held else ()",
        "(one for one in worths if one.campaign.is_stackable), ()",
        (*CHOOSING, *STACKING),
    ),
    Mutant(
        "alone_offer_is_stacked_upon",
        "a stackable offer is given beside one that has to be alone",
        _CHOOSING,
        "ways = [together] if held.is_stackable else []",
        "ways = [together]",
        CHOOSING,
    ),
    Mutant(
        "each_stacked_offer_is_rounded_down",
        "the fraction of a penny that one offer leaves is lost to the next one",
        _CHOOSING,
        "minor = int(so_far) - before  #",
        "minor = int(sum(part for _, part in parts))  #",
        CHOOSING,
    ),
    Mutant(
        "lowered_offer_keeps_its_lines",
        "an offer that gives less beside another is taken back by lines of which it gave nothing",
        _CHOOSING,
        "weights = [(line_id, int(part * whole)) for line_id, part in parts]",
        "weights = [(line_id, weight * whole) for line_id, weight in worth.weights]",
        (*CHOOSING, *STACKING),
    ),
    Mutant(
        "correction_is_counted_alone",
        "a corrected receipt gives an offer what another gave of the same lines",
        _FOLLOWING,
        "counted = stacked([worth], shares_in(beside))",
        "counted = stacked([worth])",
        STACKING,
    ),
    Mutant(
        "two_roundings_leave_a_penny",
        "what two offers leave of a part that came back is bounded for each by itself",
        _FOLLOWING,
        "room = still_paid_minor(sale) - sum(one.budgeted_minor for one in beside)",
        "room = still_paid_minor(sale)",
        STACKING,
    ),
    Mutant(
        "last_share_of_an_offer_stays",
        "the share of one line stays with the member when it comes back",
        _FOLLOWING,
        "for share in taken_back(shares, sale))",
        "for share in taken_back(shares[1:], sale))",
        STACKING,
    ),
    Mutant(
        "late_purchase_is_given_a_penny_more",
        "a purchase of which a part came back before it was heard of is bounded for each offer",
        _AWARDING,
        "tuple(redeemed_by_id(case, held).values()))\n    if target <= 0:",
        "())\n    if target <= 0:",
        STACKING,
    ),
    Mutant(
        "offers_are_followed_by_name",
        "of two offers the one whose name comes first is counted anew first, as if it were alone",
        _AWARDING,
        "sorted(held.values(), key=lambda one: (one.ends_at, one.campaign_id))",
        "sorted(held.values(), key=lambda one: one.campaign_id)",
        STACKING,
    ),
    Mutant(
        "first_of_a_set_is_given_unasked",
        "the first of several offers is given before the budgets of the others are looked at",
        _AWARDING,
        "if len(chosen.won) > 1 and not redeemed_by_id(case, held):",
        "if len(chosen.won) > 1 and redeemed_by_id(case, held):",
        STACKING,
    ),
    Mutant(
        "closed_offer_is_stacked_upon",
        "beside an offer that was closed meanwhile another one is given, though it was to be alone",
        _AWARDING,
        "all(name in open_by_id and open_by_id[name].is_stackable for name in got)",
        "all(name not in open_by_id or open_by_id[name].is_stackable for name in got)",
        STACKING,
    ),
    Mutant(
        "switching_offers_on_rewards_the_past",
        "what was bought while offers were off wins once they are on again",
        _AWARDING,
        "was_off(member.switches, Service.OFFERS, at=sale.sold_at)",
        "was_off(member.switches, Service.OFFERS, at=case.now)",
        AWARDING,
    ),
    Mutant(
        "purchase_told_twice_wins_twice",
        "a purchase of which two sources tell wins an offer by each",
        _AWARDING,
        "        and not sale.is_told_twice\n",
        "",
        WHO_WINS,
    ),
    Mutant(
        "wins_before_joining",
        "what was bought before the member joined wins an offer",
        _AWARDING,
        "and member.activated_at <= sale.sold_at <= case.now + AHEAD_MAX",
        "and sale.sold_at <= case.now + AHEAD_MAX",
        AWARDING,
    ),
    Mutant(
        "returned_offer_still_excludes",
        "an offer that was taken back whole goes on keeping the purchase from its stamps",
        _AWARDING,
        "if redemption.budgeted_minor <= 0:",
        "if redemption.budgeted_minor < 0:",
        EXCLUDING,
    ),
    Mutant(
        "offer_for_some_is_won_by_all",
        "who bought anything before wins an offer for an audience of which they are not",
        _ASKING,
        "return find_reasons(campaign.audience, others, asked) is not None",
        "return bool(others) or find_reasons(campaign.audience, others, asked) is not None",
        AWARDING,
    ),
    Mutant(
        "switched_on_offer_is_asked_for_again",
        "who switched an offer on for those who are new loses it by what they buy first",
        _ASKING,
        "if campaign.needs_activation or campaign.audience.is_everybody:",
        "if campaign.audience.is_everybody:",
        WHO_WINS,
    ),
)
