"""Why a sale or a rule earned something or nothing: the codes that answers and entries carry."""

from enum import Enum


class EarnWhy(Enum):
    """Why something was earned or not. Each value is stable; `wording.py` says it in words."""

    EARNED = "earned"
    # Of a whole sale.
    WITHDRAWN = "withdrawn"  # the receipt was somebody else's, is void, or the payment was reversed
    TOLD_TWICE = "told_twice"  # another source tells of the same payment, and that one earns
    OTHER_RETAILER = "other_retailer"
    OTHER_CURRENCY = "other_currency"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    NOTHING_PAID = "nothing_paid"
    NO_RULE = "no_rule"  # none of its rules gave anything, each for another reason
    # Of a sale or of a rule.
    EXCLUDED = "excluded"  # all that was bought is excluded
    BELOW_MINIMUM = "below_minimum"
    CAP_REACHED = "cap_reached"
    ROUNDED_TO_NOTHING = "rounded_to_nothing"
    # Of a rule.
    OTHER_STORE = "other_store"
    OUTSIDE_WINDOW = "outside_window"
    OTHER_TIER = "other_tier"
    NO_SUCH_LINES = "no_such_lines"
    TOO_FEW_ITEMS = "too_few_items"
    SMALLER_PART = "smaller_part"  # visits and items are counted by the larger part's payment
    STREAK_GOES_ON = "streak_goes_on"
    VISITED_ALREADY = "visited_already"  # in the same step of the streak
    OTHER_RULE_BETTER = "other_rule_better"
    OTHER_RULE_FIRST = "other_rule_first"
