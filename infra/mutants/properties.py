"""Mutants of what always holds: each is for one test that plays drawn histories, and for no other.

More spend never earns less; the order of arrival does not matter; refunding everything restores
everything; and all of it heard again rebuilds every balance.
"""

from infra.mutants.model import Mutant

_UNIT = "tests/unit/loyalty"
_CARD = f"{_UNIT}/test_loyalty_card_properties.py"
_HISTORY = f"{_UNIT}/test_loyalty_card_history.py"
_MORE = f"{_UNIT}/test_loyalty_more_spend.py"
_ANY = f"{_UNIT}/test_loyalty_properties.py"
_ALL_OFFERS = "tests/unit/offers/test_offers_more_spend.py"
_ANY_ORDER = "tests/integration/test_rewards_any_order.py"
_OFFERS = "tests/integration/test_offers_whatever_happens.py"
_MONEY = "tests/integration/test_ledger_whatever_happens.py"
# Names of tests that are too long for the place where they are named.
_PLAYED = "test_the_order_of_arrival_changes_nothing_and_all_of_it_played_again_gives_the_same"
_RESTORED = "test_refunding_everything_restores_everything_whatever_is_in_the_history"
_NOTHING_LEFT = "test_giving_everything_back_leaves_no_stamp_point_tier_reward_or_spent_budget"
_TOGETHER = "test_spending_more_never_gets_less_of_all_offers_together"
_INVARIANT = "test_whatever_happens_in_whatever_order_the_invariants_hold"

MORE_SPEND = (
    Mutant(
        "highest_tier_multiplies_nothing",
        "whoever climbs to the highest tier loses the multiplier of the one below",
        "chalicelib/loyalty/earning.py",
        "    for tier in scheme.tiers:\n",
        "    for tier in scheme.tiers[:-1]:\n",
        (f"{_MORE}::test_spending_more_once_never_leaves_less_in_all",),
    ),
    Mutant(
        "what_goes_over_a_cap_is_taken_off",
        "what a purchase earns beyond the scheme's cap is taken off what is within it",
        "chalicelib/loyalty/earning.py",
        "    units = sum(given)\n",
        "    units = 2 * sum(given) - sum(one.units for one in won)\n",
        (f"{_MORE}::test_buying_once_more_never_leaves_less_in_all",),
    ),
    Mutant(
        "first_way_that_gives_wins",
        "a purchase that reaches the minimum of a visit gets its stamp instead of many points",
        "chalicelib/loyalty/choosing.py",
        "        if units > most or not best:\n",
        "        if not most:\n",
        (f"{_ANY}::test_spending_more_never_earns_less_where_the_best_or_all_rules_win",),
    ),
    Mutant(
        "stackable_offers_count_as_their_dearest",
        "offers that go together are compared with one that is alone by the dearest of them",
        "chalicelib/offers/choosing.py",
        "        -sum(one.minor for one in way),",
        "        -max(one.minor for one in way),",
        (f"{_ALL_OFFERS}::{_TOGETHER}",),
    ),
)

ANY_ORDER = (
    Mutant(
        "what_is_more_again_is_not_given",
        "a newer version that takes less back than an older one gives nothing again",
        "chalicelib/loyalty/cards/applying.py",
        "        units = worth.units + kept - entry.forfeited\n",
        "        units = min(worth.units, counted) + kept - entry.forfeited\n",
        (f"{_CARD}::test_the_order_in_which_versions_arrive_does_not_matter",),
    ),
    Mutant(
        "first_line_takes_its_rules_place",
        "of ways that give as much the one wins that begins with the line on top of the receipt",
        "chalicelib/loyalty/choosing.py",
        "for places, lines in sorted(classes.items(), key=itemgetter(0))",
        "for places, lines in classes.items()",
        (f"{_ANY}::test_of_ways_that_give_as_much_one_wins_for_any_order_of_lines",),
    ),
    Mutant(
        "gap_fills_one_row_only",
        "a visit between two rows counts the rest of both rows as one that was there before",
        "chalicelib/loyalty/streaks.py",
        "// length - before // length - after // length",
        "// length - (before + after) // length",
        (f"{_ANY}::test_streaks_earn_the_same_for_any_order_of_visits",),
    ),
    Mutant(
        "return_heard_first_wins_nothing",
        "a purchase of which a part is back when it is first heard of wins no offer",
        "chalicelib/offers/awarding.py",
        "    if target <= 0:\n",
        "    if target < worth.minor:\n",
        (f"{_ANY_ORDER}::{_PLAYED}",),
    ),
)

ALL_BACK = (
    Mutant(
        "one_of_two_cards_is_emptied",
        "a purchase with stamps in two full cards empties one of them when it is brought back",
        "chalicelib/loyalty/cards/filling.py",
        "    for draw in orphaned:\n",
        "    for draw in orphaned[:1]:\n",
        (f"{_CARD}::test_refunding_everything_restores_everything",),
    ),
    Mutant(
        "revived_stamps_are_spent_as_well",
        "of a full card that comes back from the history the stamps count as spent for good too",
        "chalicelib/loyalty/cards/archiving.py",
        "    spent -= sum(draw.units for draw in drawn)\n",
        "",
        (f"{_HISTORY}::{_RESTORED}",),
    ),
    Mutant(
        "returned_points_count_for_the_tier",
        "what was brought back still counts for the tier",
        "chalicelib/loyalty/cards/standing.py",
        "        left[one.rule_id] += one.units - one.back\n",
        "        left[one.rule_id] += one.units\n",
        (f"{_ANY_ORDER}::{_NOTHING_LEFT}",),
    ),
    Mutant(
        "last_penny_of_an_offer_stays",
        "a penny of an offer stays with the member whatever comes back",
        "chalicelib/offers/following.py",
        "return max(min(left, room), 0)",
        "return max(min(left, room), 1)",
        (f"{_OFFERS}::test_refunding_everything_restores_everything_budgets_too",),
    ),
)

HEARD_AGAIN = (
    Mutant(
        "second_return_takes_nothing_back",
        "of a gift something is taken back once; what comes back later stays with the member",
        "chalicelib/offers/participation/model.py",
        "        if taken:\n",
        "        if taken and not gifts[at].taken:\n",
        (f"{_OFFERS}::test_hearing_it_all_again_in_another_order_rebuilds_every_balance",),
    ),
    Mutant(
        "parts_of_one_size_are_one",
        "two parts of a gift that are as large are taken for one and the same",
        "chalicelib/ledger/giving.py",
        '_taken(standing, f"to:{total_minor}", missing, why)',
        '_taken(standing, f"of:{missing}", missing, why)',
        (f"{_MONEY}::{_INVARIANT}",),
    ),
    Mutant(
        "balances_are_kept_beside_the_entries",
        "the balances of a page come from its first and last entry, and not from all of them",
        "chalicelib/ledger/books/pages.py",
        "        return balances_after(self.opening, self.postings, owner=self.owner)",
        "        ends = dict.fromkeys((*self.postings[:1], *self.postings[-1:]))\n"
        "        return balances_after(self.opening, ends, owner=self.owner)",
        (f"{_ANY_ORDER}::{_PLAYED}",),
    ),
)

MUTANTS = (*MORE_SPEND, *ANY_ORDER, *ALL_BACK, *HEARD_AGAIN)
